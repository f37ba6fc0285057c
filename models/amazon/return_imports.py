"""What a row of a returns report means here: a return, or news of one (AMZ-2..4, RET-18)."""

import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from models.amazon.returned_items import ReturnedItem, ReturnedUnits, plain_word
from models.message import Event, folded
from models.returns import ChannelUpdate, ReturnRequest, ReturnTracking, Source

AMAZON: Final = "channel:amazon"
ENDED: Final = frozenset(("closed", "completed", "rejected", "cancelled", "canceled"))
"""Statuses by which Amazon has closed a return."""
_UNKNOWN_REASON: Final = "unknown"
_FIT: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")


def return_of(item: ReturnedItem) -> str:
    """What tells returns of one order apart: Amazon's RMA id, else what is returned."""
    return item.amazon_rma_id or f"{item.item} {item.requested_on}"


def amazon_return_id(item: ReturnedItem) -> str:
    """The number of the return, the same in every report: `RR-111-1234567-1234567-DMrRt4Qn8RRMA`."""
    of_order = return_of(item)
    if item.amazon_rma_id != of_order or not _FIT.fullmatch(of_order):
        of_order = sha256(of_order.encode()).hexdigest()[:16]
    return f"RR-{item.order_id}-{of_order}"


def request_of(
    units: Sequence[ReturnedUnits], order_id: str | None, line_ids: Collection[str] = ()
) -> ReturnRequest:
    """The return that these units of one return start (AMZ-2). `order_id`: its order here, none if that is not
    known; `line_ids`: of that order, where Amazon's order item names a line (ORD-13). A kit is named by its SKU,
    and its components come back (AMZ-3).

    Raises InvalidInput for what no return can be.
    """
    first = units[0].said
    return ReturnRequest.at_the_door(
        {
            "return_id": amazon_return_id(first),
            "order_id": order_id or first.order_id,
            "source": Source.AMAZON_REPORT,
            "requested_by": AMAZON,
            "amazon_rma_id": first.amazon_rma_id,
            "lines": _lines(units, line_ids),
            "note": _note(units),
        }
    )


def news_of(item: ReturnedItem) -> tuple[tuple[str, Event], ...]:
    """What the report says of a return beside that it exists, as events; each has an id of its own, so that it
    counts once, in whatever reports it stands.

    That Amazon refunds comes first: the return never refunds as well (RET-18).
    """
    said: list[tuple[str, Event]] = []
    if item.is_refunded_by_amazon:
        refunded = ChannelUpdate(event_id="amazon-refunded", actor=AMAZON, status="refunded_by_channel")
        said.append(("channel_update", refunded))
    if item.tracking_id:
        tracking = {"tracking_number": item.tracking_id, "carrier": item.carrier or "unknown"}
        event_id = f"amazon-tracking-{folded(item.tracking_id)}"
        said.append(
            (
                "return_tracking",
                ReturnTracking.at_the_door({"event_id": event_id[:160], "actor": AMAZON} | tracking),
            )
        )
    if is_closed(item):
        closed = ChannelUpdate(event_id=f"amazon-{plain_word(item.status)}", actor=AMAZON, status="closed")
        said.append(("channel_update", closed.model_copy(update={"note": f"{item.status} at Amazon"})))
    return tuple(said)


def is_known(event: Event, facts: Mapping[str, Any]) -> bool:
    """Whether a return knows it, from this report or from whoever said it. `facts`: as it tells them itself."""
    if isinstance(event, ReturnTracking):
        number = folded(event.tracking_number)
        return any(folded(parcel["tracking_number"]) == number for parcel in facts["parcels"])
    if isinstance(event, ChannelUpdate) and event.status == "refunded_by_channel":
        return bool(facts["refunded_by_channel"])
    return event.event_id in facts["said_by_channel"]


def is_said_to_all(event: Event) -> bool:
    """Whether it is told each of our returns that one return at Amazon became: that Amazon refunds, or has closed
    it, is true of all units, whichever supplier they go back to (RET-2, RET-18). A parcel is of one."""
    return isinstance(event, ChannelUpdate)


def is_closed(item: ReturnedItem) -> bool:
    """Whether Amazon has closed the return."""
    return plain_word(item.status) in ENDED


def _lines(units: Sequence[ReturnedUnits], line_ids: Collection[str]) -> list[dict[str, Any]]:
    """By the order item where it is a line of the order, else by SKU, added up: a line is named once."""
    lines: dict[str, dict[str, Any]] = {}
    for one in units:
        item = one.said
        of_line = item.order_item_id in line_ids
        sku = item.sku or item.asin
        line = lines.setdefault(
            item.order_item_id if of_line else folded(sku),
            {
                **({"line_id": item.order_item_id} if of_line else {"sku": sku}),
                "quantity": 0,
                "reason": item.reason or _UNKNOWN_REASON,
            },
        )
        line["quantity"] += one.quantity
    return list(lines.values())


def _note(units: Sequence[ReturnedUnits]) -> str:
    """What people read beside the return: the label's tracking number (AMZ-2), and what is unusual."""
    first = units[0].said
    said = [f"Amazon: {first.resolution or 'no resolution'}"]
    if first.tracking_id:
        said.append(f"label's tracking number {first.tracking_id}")
    if first.a_to_z:
        said.append("A-to-Z claim")
    if first.is_returnless:
        said.append("nothing comes back")
    said += [one.note for one in units if one.note]
    return "; ".join(said)[:2000]
