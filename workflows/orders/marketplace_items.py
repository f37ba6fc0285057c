"""Items as a marketplace names them: which units of the order they are (CAN-7, CAN-8)."""

from collections.abc import Mapping, Sequence

from models.marketplace_orders import MarketplaceOrder
from models.message import Quantity, folded
from models.naming import by_line, by_sku, units_named
from models.orders import Hold
from workflows.orders.facts import OrderFacts
from workflows.orders.purchases import less, within

_LONGEST = 300


def units_of(f: OrderFacts, lines: Sequence[Quantity]) -> dict[str, int] | None:
    """A marketplace names its own items: they are lines here, or else known by their SKU. None: what it names is
    not known here, so that the order waits for a person."""
    known = _known_lines(f)
    names = [
        one.model_copy(update={"sku" if one.line_id in known else "line_id": None})
        for one in lines
        if one.line_id in known or one.sku is not None
    ]
    try:
        return by_line(units_named(names, f.lines.counts, in_order=True)) if len(names) == len(lines) else None
    except ValueError:
        return None


def strange_wish(f: OrderFacts, event: Hold) -> str | None:
    """What the buyer asks to cancel, in the marketplace's words, where nobody knows here which units it is."""
    if event.lines is None:
        return f"some items ({event.reason})" if event.is_part else None
    return None if units_of(f, event.lines) is not None else in_words(event.lines)


def in_words(lines: Sequence[Quantity]) -> str:
    """As the marketplace names them."""
    return ", ".join(f"{one.quantity} x {one.sku or one.line_id}" for one in lines)[:_LONGEST]


def cancelled_there(f: OrderFacts, answer: MarketplaceOrder) -> dict[str, int]:
    """Open units, by `line_id`, that are cancelled there and not here: what came to nothing here already, or is
    being cancelled, may be the same."""
    known = _known_lines(f)
    lines = [one for one in answer.items if one.line_id in known]
    free = f.open_units
    for one in f.cancels:
        if one.decision is None and one is not f.splitting:
            free = less(free, one.units or free)
    gone = {one.line_id: one.quantity - one.shipped - free.get(one.line_id, 0) for one in f.lines.counts}
    found = within(less(units_of(f, lines) or {}, gone), free)
    for sku, count in by_sku(one for one in answer.items if one.line_id not in known).items():
        found |= _of_item(f, sku, count, gone, less(free, found))
    return found


def not_known(f: OrderFacts, answer: MarketplaceOrder) -> tuple[str, ...]:
    """What is cancelled there, and nobody knows here which units they are; as the marketplace names it."""
    known, skus = _known_lines(f), {folded(one.sku) for one in f.lines.counts}
    strange = [one for one in answer.items if one.line_id not in known and folded(one.sku or "") not in skus]
    return (*(in_words([one]) for one in strange), *answer.unclear_items)


def _of_item(
    f: OrderFacts, sku: str, count: int, gone: Mapping[str, int], free: Mapping[str, int]
) -> dict[str, int]:
    """Its lines in their order, without what came to nothing of any of them."""
    lines = [one for one in f.lines.counts if folded(one.sku) == folded(sku)]
    count -= sum(gone[one.line_id] for one in lines)
    found = {}
    for one in lines:
        if (taken := min(count, free.get(one.line_id, 0))) > 0:
            found[one.line_id] = taken
            count -= taken
    return found


def _known_lines(f: OrderFacts) -> set[str | None]:
    lines: list[str | None] = [one.line_id for one in f.lines.counts]
    return {*lines, *(one.kit.line_id for one in f.lines.counts if one.kit)}
