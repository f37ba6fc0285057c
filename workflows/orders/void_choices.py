"""What the seller may still choose of an order whose items nobody had (ORD-8). Pure."""

from datetime import datetime, timedelta

from models.special_orders import Choice
from workflows.orders.facts import OrderFacts


def may_choose(f: OrderFacts) -> bool:
    """Of a replacement its return decides, and what was split off is cancelled."""
    is_first = f.request.replaces is None and f.request.split_from is None
    return is_first and not f.is_given_up and f.seller.choice_days > 0


def undecided(f: OrderFacts) -> dict[str, int]:
    """Voided units, by `line_id`, of which the seller has not said what becomes of them."""
    left = {one.line_id: one.voided for one in f.lines.counts if one.voided}
    for choice in f.choices:
        if choice.is_taken and choice.event.choice is not Choice.SPECIAL_ORDER:
            left |= {line_id: left[line_id] - count for line_id, count in choice.units.items()}
    return {line_id: count for line_id, count in left.items() if count > 0}


def choose_until(f: OrderFacts) -> datetime | None:
    """Until when the seller may choose; none: there is nothing to choose."""
    voided = [one.at for one in f.cessations if one.kind == "voided"]
    if not voided or not may_choose(f) or not undecided(f):
        return None
    return voided[-1] + timedelta(days=f.seller.choice_days)


def is_awaited(f: OrderFacts) -> bool:
    """Nothing else is open, and the seller has time to choose."""
    until = choose_until(f) if not f.lines.has_open else None
    return until is not None and f.now < until


def is_sourced_elsewhere(f: OrderFacts) -> bool:
    """The seller buys some of it itself."""
    return any(one.is_taken and one.event.choice is Choice.SOURCE_ELSEWHERE for one in f.choices)


def may_cancel(f: OrderFacts) -> bool:
    """All of it is void, and its seller may still cancel it with the buyer: none of it is bought elsewhere."""
    return f.is_void and is_awaited(f) and not is_sourced_elsewhere(f)
