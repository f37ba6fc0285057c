"""What arrived, receipt by receipt: they add up, one may correct another, and together they are never more than
the return has (RET-11, RET-25, RET-26). Pure."""

from models.failures import RefusedByRule
from models.naming import units_of_each
from models.records import ReceptionRecord
from models.returns import Acceptance, GoodsReceived, OpenedLine, OpenedReturn, Reception
from workflows.returns.records import Receipt

Receipts = tuple[Receipt, ...]


def groups_of(receipts: Receipts, line_id: str | None = None) -> list[ReceptionRecord]:
    """The groups of units that were said, of one line or of all, in the order of their receipts."""
    return [group for one in receipts for group in one.groups if line_id in (None, group.line_id)]


def units_said(receipts: Receipts, line: OpenedLine, *acceptances: Acceptance) -> int:
    """Units of a line that receipts speak of; with words: those to which one of them applies."""
    groups = groups_of(receipts, line.line_id)
    return sum(one.quantity for one in groups if not acceptances or one.acceptance in acceptances)


def units_awaited(receipts: Receipts, line: OpenedLine) -> int:
    """Units of a line that nobody has spoken of yet; none when it was short: then no more come."""
    is_short = any(one.reception is Reception.SHORT for one in groups_of(receipts, line.line_id))
    return 0 if is_short else line.quantity - units_said(receipts, line)


def with_receipt(opened: OpenedReturn, receipts: Receipts, event: GoodsReceived, receipt: Receipt) -> Receipts:
    """The receipts after this one: what arrived this time adds up. One that corrects another takes its place.
    Where all units of a line have arrived, a later word about all of them, or about those that a person had to
    decide about, is a second look at them.

    Raises RefusedByRule when a name fits no line, or several, when together it is more than the return has, or
    when the receipt that is corrected does not count.
    """
    before = _without_corrected(receipts, event)
    groups = _groups(opened, before, event)
    for line in opened.lines:
        units = sum(one.quantity for one in groups if one.line_id == line.line_id)
        if units:
            before = _making_room(before, line, units)
    after = receipt.model_copy(update={"groups": tuple(groups)})
    if event.corrects is None:
        return (*(one for one in before if one.groups), after)
    place = next(number for number, one in enumerate(receipts) if one.event_id == event.corrects)
    return tuple(one for one in (*before[:place], after, *before[place:]) if one.groups)


def _without_corrected(receipts: Receipts, event: GoodsReceived) -> Receipts:
    if event.corrects is None:
        return receipts
    if all(one.event_id != event.corrects for one in receipts):
        known = ", ".join(one.event_id for one in receipts)
        there_are = f"those that count are {known}" if known else "none counts yet"
        raise RefusedByRule("RET-26", f"no receipt {event.corrects} counts here; {there_are}")
    return tuple(one for one in receipts if one.event_id != event.corrects)


def _groups(opened: OpenedReturn, before: Receipts, event: GoodsReceived) -> list[ReceptionRecord]:
    """What the event says. A supplier knows items only: its units are taken from the lines in order (ORD-13)."""
    left = {line.line_id: line.quantity - units_said(before, line) for line in opened.lines}
    if not any(left.values()):
        left = {line.line_id: line.quantity for line in opened.lines}
    by_supplier = event.actor.startswith("supplier:")
    try:
        meant = units_of_each(event.lines, opened.lines, left=left, in_order=by_supplier)
    except ValueError as error:
        raise RefusedByRule("RET-11", str(error)) from None
    return [
        ReceptionRecord(
            event_id=event.event_id,
            line_id=units.line_id,
            sku=units.sku,
            quantity=units.quantity,
            reception=said.reception,
            acceptance=said.acceptance,
        )
        for said, group in zip(event.lines, meant, strict=True)
        for units in group
    ]


def _making_room(before: Receipts, line: OpenedLine, units: int) -> Receipts:
    """The earlier receipts without the units of this line that the new word replaces."""
    said = units_said(before, line)
    if units <= line.quantity - said:
        return before
    if units > line.quantity:
        raise RefusedByRule("RET-11", f"{units} of {line.sku}: the return has {line.quantity}")
    if said == line.quantity and units == line.quantity:
        return _without_units(before, line, units, tuple(Acceptance))
    if said == line.quantity and units <= units_said(before, line, Acceptance.MANUAL):
        return _without_units(before, line, units, (Acceptance.MANUAL,))
    names = ", ".join(dict.fromkeys(one.event_id for one in groups_of(before, line.line_id)))
    why = (
        f"{units} of {line.sku}: the return has {line.quantity}, {said} arrived before; say only what arrived "
        f"this time, or name the receipt that this corrects ({names})"
    )
    raise RefusedByRule("RET-26", why)


def _without_units(before: Receipts, line: OpenedLine, units: int, words: tuple[Acceptance, ...]) -> Receipts:
    found = []
    for receipt in before:
        groups = []
        for one in receipt.groups:
            taken = min(units, one.quantity) if one.line_id == line.line_id and one.acceptance in words else 0
            units -= taken
            if taken < one.quantity:
                groups.append(one.model_copy(update={"quantity": one.quantity - taken}))
        found.append(receipt.model_copy(update={"groups": tuple(groups)}))
    return tuple(found)
