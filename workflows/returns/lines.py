"""Which lines of the return an event means (ORD-13, ORD-14). Pure."""

from collections.abc import Iterable

from models.failures import RefusedByRule
from models.message import Quantity
from models.naming import require_once, units_named, units_of_each
from models.records import ReceptionRecord
from models.returns import GoodsReceived, OpenedReturn


def units_in(opened: OpenedReturn, named: Iterable[Quantity], rule: str) -> dict[str, int]:
    """Units by `line_id`. Raises RefusedByRule when a name fits no line, or several."""
    left = {line.line_id: line.quantity for line in opened.lines}
    try:
        return {one.line_id: one.quantity for one in units_named(named, opened.lines, left=left)}
    except ValueError as error:
        raise RefusedByRule(rule, str(error)) from None


def received_lines(opened: OpenedReturn, event: GoodsReceived) -> list[ReceptionRecord]:
    """What the event says of each line. A supplier knows items only: its units are taken from the lines in order.

    Raises RefusedByRule when a name fits no line, or several, or a line is named twice (RET-11).
    """
    left = {line.line_id: line.quantity for line in opened.lines}
    by_supplier = event.actor.startswith("supplier:")
    try:
        meant = units_of_each(event.lines, opened.lines, left=left, in_order=by_supplier)
        require_once(units for group in meant for units in group)
    except ValueError as error:
        raise RefusedByRule("RET-11", str(error)) from None
    return [
        ReceptionRecord(
            line_id=units.line_id,
            sku=units.sku,
            quantity=units.quantity,
            reception=said.reception,
            acceptance=said.acceptance,
        )
        for said, group in zip(event.lines, meant, strict=True)
        for units in group
    ]
