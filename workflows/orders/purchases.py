"""Which units are bought, and which must still be, given the lines of an order and its purchases (ORD-5, ORD-6).

Pure functions of both.
"""

from collections.abc import Iterable, Mapping, Sequence

from models.partners import RefusedSource
from workflows.orders.lines import Lines
from workflows.orders.records import Purchase, SpecialOrder


def less(units: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """These units without the others, by `line_id`."""
    left = {line_id: count - others.get(line_id, 0) for line_id, count in units.items()}
    return {line_id: count for line_id, count in left.items() if count > 0}


def plus(units: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Both together, by `line_id`."""
    return {line_id: units.get(line_id, 0) + others.get(line_id, 0) for line_id in {**units, **others}}


def within(units: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Of these units no more than the others, by `line_id`."""
    common = {line_id: min(count, others.get(line_id, 0)) for line_id, count in units.items()}
    return {line_id: count for line_id, count in common.items() if count > 0}


def waiting(lines: Lines, special: SpecialOrder) -> dict[str, int]:
    """Open units, by `line_id`, that wait for stock (ORD-8)."""
    return within(special.waiting, lines.open) if special.waiting else {}


def unsourced(lines: Lines, waiting: Mapping[str, int], purchases: Iterable[Purchase]) -> dict[str, int]:
    """Open units that no warehouse is to ship yet, by `line_id`. `waiting`: those that wait for stock."""
    bought = _deliverable(one for one in purchases if one.state != "refused")
    left = {
        one.line_id: one.open - waiting.get(one.line_id, 0) + one.shipped - bought.get(one.line_id, 0)
        for one in lines.counts
        if one.open > waiting.get(one.line_id, 0)
    }
    return {line_id: count for line_id, count in left.items() if count > 0}


def accepted(lines: Lines, purchases: Iterable[Purchase]) -> dict[str, int]:
    """Units that a supplier accepted and that have not shipped, by `line_id`."""
    coming = _deliverable(one for one in purchases if one.state == "accepted")
    return {one.line_id: coming[one.line_id] - one.shipped for one in lines.counts if one.line_id in coming}


def refused_sources(purchases: Sequence[Purchase]) -> tuple[RefusedSource, ...]:
    """They are not chosen again."""
    return tuple(
        RefusedSource(supplier_id=one.order.supplier_id, warehouse_id=one.order.warehouse_id, sku=line.sku)
        for one in purchases
        for line in one.order.lines
        if one.state == "refused" or line.line_id in one.short
    )


def _deliverable(purchases: Iterable[Purchase]) -> dict[str, int]:
    found: dict[str, int] = {}
    for purchase in purchases:
        for line_id, count in purchase.deliverable.items():
            found[line_id] = found.get(line_id, 0) + count
    return found
