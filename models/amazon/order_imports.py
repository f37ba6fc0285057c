"""What the rows of an order in an order report mean: the buyer wants to cancel it, or it is cancelled at Amazon
already (CAN-7, CAN-8)."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from models.amazon.ordered_items import OrderedItem
from models.amazon.return_imports import AMAZON
from models.cancellations import CancelRequest, Fault
from models.message import Event, Quantity
from models.orders import Hold

_NO_REASON: Final = "no reason given"
_MOST_NAMED: Final = 5
_LONGEST: Final = 300


def is_news(items: Sequence[OrderedItem]) -> bool:
    """Whether an order hears anything of these rows; that a report does not say is no news."""
    return any(one.is_cancelled or one.wants_cancel for one in items)


def news_of(items: Sequence[OrderedItem], answer_days: int) -> tuple[str, Event]:
    """The event that the rows of one order become, with an id of its own: so it counts once, in whatever reports
    it stands. That Amazon has cancelled it is all there is to say then."""
    first = items[0]
    if any(one.is_cancelled for one in items):
        return "cancel_request", CancelRequest(
            event_id=f"amazon-cancelled-{first.order_id}",
            actor=AMAZON,
            reason=f"cancelled at Amazon: {_reasons(items)}"[:_LONGEST],
            fault=Fault.BUYER if any(one.wants_cancel for one in items) else Fault.MARKETPLACE,
            cancelled_there=True,
        )
    wanted = [one for one in items if one.wants_cancel]
    named = sha256("\n".join((first.order_id, *sorted({one.item for one in wanted}))).encode()).hexdigest()
    lines = _lines(wanted)
    return "hold", Hold(
        event_id=f"amazon-wants-cancel-{named[:16]}",
        actor=AMAZON,
        reason=_wish(items, wanted),
        answer_days=answer_days,
        lines=lines,
        is_part=lines is None and not _is_all(items, wanted),
    )


def is_request(items: Sequence[OrderedItem]) -> bool:
    """The buyer asks, and nobody has decided: it is kept also where the order is not known yet (RET-20)."""
    return not any(one.is_cancelled for one in items) and is_news(items)


def _lines(wanted: Sequence[OrderedItem]) -> tuple[Quantity, ...] | None:
    """What the buyer wants to cancel; none: the report does not say how many of it, or names it as nobody can: it
    is the whole order where all its items are wanted."""
    try:
        named = {
            one.item: Quantity(line_id=one.order_item_id or None, sku=one.sku or None, quantity=one.quantity or 0)
            for one in wanted
        }
    except ValueError:
        return None
    return tuple(named.values())


def _wish(items: Sequence[OrderedItem], wanted: Sequence[OrderedItem]) -> str:
    """The buyer's reason; and which items it is about, where it is not all of them."""
    reason = _reasons(wanted)
    if _is_all(items, wanted):
        return reason[:_LONGEST]
    named = [f"{one.quantity} x {one.sku}" if one.sku and one.quantity else one.item for one in wanted]
    more = "" if len(named) <= _MOST_NAMED else f" and {len(named) - _MOST_NAMED} more"
    return f"{reason} ({', '.join(named[:_MOST_NAMED])}{more} only)"[:_LONGEST]


def _is_all(items: Sequence[OrderedItem], wanted: Sequence[OrderedItem]) -> bool:
    return {one.item for one in wanted} == {one.item for one in items}


def _reasons(items: Sequence[OrderedItem]) -> str:
    """Each that is said, once."""
    return "; ".join(dict.fromkeys(one.cancel_reason for one in items if one.cancel_reason)) or _NO_REASON
