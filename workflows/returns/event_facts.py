"""What an event that was accepted makes of the facts."""

from datetime import UTC

from models.message import Event, folded
from models.records import ReturnParcel
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    RefundDeclined,
    ReturnTracking,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Withdrawal,
)
from workflows.returns.facts import ReturnFacts
from workflows.returns.lines import packed
from workflows.returns.receipts import with_receipt
from workflows.returns.records import CreditMemoFact, Receipt, Waiver


def record(f: ReturnFacts, event: Event) -> ReturnFacts:
    """The facts with the event's own; its line in the timeline is written by who calls."""
    match event:
        case SellerApproval():
            return f.with_(approval=event, approval_at=f.now)
        case SupplierRma():
            return f.with_(rma=event, rma_at=f.now)
        case ReturnTracking():
            return _on_its_way(f, event)
        case GoodsReceived():
            return _received(f, event)
        case CreditMemo():
            if f.knows_credit_memo(event.number):
                return f
            return f.with_(memos=(*f.memos, CreditMemoFact(memo=event, state="new", at=f.now)))
        case BuyerRefund():
            return f.with_(clicks=(*f.clicks, event))
        case RefundDeclined():
            return f.with_(declined=event)
        case Withdrawal():
            return f.with_(withdrawal=event)
        case ChannelUpdate() if event.status == "refunded_by_channel":
            return f.with_(channel_refunds=(*f.channel_refunds, event))
        case ChannelUpdate():
            return f.with_(channel_news=(*f.channel_news, event))
        case StaffOverride() if event.waive is not None:
            return f.with_(waived={event.waive: Waiver(reason=event.reason, at=f.now)} | f.waived)
        case StaffOverride() if event.extend is not None and event.until is not None:
            until = event.until.astimezone(UTC)
            return f.with_(moved_deadlines=f.moved_deadlines | {event.extend: until})
    raise AssertionError(f"a return does not know the event {type(event).__name__}")


def _on_its_way(f: ReturnFacts, event: ReturnTracking) -> ReturnFacts:
    """Parcels add up; the same number again says more of the same parcel (RET-29, ORD-21)."""
    lines = packed(f.opened, event.lines or ()) if f.opened is not None else ()
    number = folded(event.tracking_number)
    known = next((one for one in f.parcels if folded(one.tracking_number) == number), None)
    if known is None:
        new = ReturnParcel(carrier=event.carrier, tracking_number=event.tracking_number, lines=lines, at=f.now)
        return f.with_(parcels=(*f.parcels, new))
    after = known.model_copy(update={"carrier": event.carrier, "lines": lines or known.lines})
    return f.with_(parcels=tuple(after if one is known else one for one in f.parcels))


def _received(f: ReturnFacts, event: GoodsReceived) -> ReturnFacts:
    """The last word counts until money has moved by it; what differs then is settled (RET-26)."""
    if f.opened is None:
        return f  # it is judged when the return opens
    receipts = with_receipt(f.opened, f.receipts, event, Receipt(event_id=event.event_id, at=f.now))
    f = f.with_(receipts=receipts, first_received_at=f.first_received_at or f.now, inspected_at=f.now)
    if any(one.may_have_moved_money for one in f.buyer_attempts):
        f = f.with_(said_after_buyer_refund=event.event_id)
    if f.seller_attempts:
        return f.with_(said_after_refund=event.event_id)
    return f.with_(nothing_accepted_at=None)
