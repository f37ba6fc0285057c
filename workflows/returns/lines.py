"""Which lines of the return an event means (ORD-13, ORD-14). Pure."""

from collections.abc import Iterable

from models.failures import RefusedByRule
from models.message import LineUnits, Quantity
from models.naming import units_named
from models.returns import OpenedReturn


def units_in(opened: OpenedReturn, named: Iterable[Quantity], rule: str) -> dict[str, int]:
    """Units by `line_id`. Raises RefusedByRule when a name fits no line, or several."""
    left = {line.line_id: line.quantity for line in opened.lines}
    try:
        return {one.line_id: one.quantity for one in units_named(named, opened.lines, left=left)}
    except ValueError as error:
        raise RefusedByRule(rule, str(error)) from None


def packed(opened: OpenedReturn, lines: Iterable[Quantity]) -> tuple[LineUnits, ...]:
    """What a parcel holds. Raises RefusedByRule when that is not of the return, or more than it has (RET-29)."""
    has = {line.line_id: line for line in opened.lines}
    units = units_in(opened, lines, "RET-29")
    for line_id, count in units.items():
        if count > has[line_id].quantity:
            raise RefusedByRule("RET-29", f"{count} of {has[line_id].sku}: the return has {has[line_id].quantity}")
    return tuple(LineUnits(line_id=key, sku=has[key].sku, quantity=count) for key, count in units.items())
