"""What an event that was accepted makes of the facts."""

from datetime import UTC

from models.message import Event
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    ReturnTracking,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Withdrawal,
)
from workflows.returns.facts import ReturnFacts
from workflows.returns.lines import received_lines
from workflows.returns.records import CreditMemoFact, Waiver


def record(f: ReturnFacts, event: Event) -> ReturnFacts:
    """The facts with the event's own; its line in the timeline is written by who calls."""
    match event:
        case SellerApproval():
            return f.with_(approval=event, approval_at=f.now)
        case SupplierRma():
            return f.with_(rma=event, rma_at=f.now)
        case ReturnTracking():
            return f.with_(tracking=event, tracking_at=f.tracking_at or f.now)
        case GoodsReceived():
            if f.opened is None:
                return f  # it is judged when the return opens
            received = f.received | {line.line_id: line for line in received_lines(f.opened, event)}
            return f.with_(received=received, first_received_at=f.first_received_at or f.now, inspected_at=f.now)
        case CreditMemo():
            if f.knows_credit_memo(event.number):
                return f
            return f.with_(memos=(*f.memos, CreditMemoFact(memo=event, state="new", at=f.now)))
        case BuyerRefund():
            return f.with_(clicks=(*f.clicks, event))
        case Withdrawal():
            return f.with_(withdrawal=event)
        case ChannelUpdate() if event.status == "refunded_by_channel":
            return f.with_(channel_refunds=(*f.channel_refunds, event))
        case ChannelUpdate():
            return f.with_(channel_news=(*f.channel_news, event))
        case StaffOverride() if event.waive is not None:
            return f.with_(waived=f.waived | {event.waive: Waiver(reason=event.reason, at=f.now)})
        case StaffOverride() if event.extend is not None and event.until is not None:
            until = event.until.astimezone(UTC)
            return f.with_(moved_deadlines=f.moved_deadlines | {event.extend: until})
    raise AssertionError(f"a return does not know the event {type(event).__name__}")
