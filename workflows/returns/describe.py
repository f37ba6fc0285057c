"""Each event in one line: for the timeline, and for its sender."""

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


def describe(f: ReturnFacts, event: Event) -> str:
    """What the event says, with its sender's note."""
    line = _describe(f, event)
    return f"{line} (note: {event.note})" if event.note else line


def _describe(f: ReturnFacts, event: Event) -> str:
    match event:
        case SellerApproval():
            return event.decision + (f": {event.reason}" if event.reason else "")
        case SupplierRma():
            issued = event.outcome == "issued"
            return f"RMA number {event.rma_number} issued" if issued else f"RMA refused: {event.reason}"
        case ReturnTracking():
            return f"tracking number entered: {event.carrier} {event.tracking_number}"
        case GoodsReceived():
            return "; ".join(
                f"{line.quantity} x {line.name} {line.reception.value.replace('_', ' ')}, {line.acceptance.value}"
                for line in event.lines
            )
        case CreditMemo():
            if f.knows_credit_memo(event.number):
                return f"credit memo {event.number} is known already; counted once"
            return f"credit memo {event.number}: {event.amount} {event.currency}"
        case BuyerRefund():
            return f"refund of the buyer asked for: {event.reason}"
        case Withdrawal():
            return f"withdrawn: {event.reason}"
        case ChannelUpdate():
            return f"the marketplace says: {event.status.replace('_', ' ')}"
        case StaffOverride() if event.waive is not None:
            return f"{event.waive.value.replace('_', ' ')} waived: {event.reason}"
        case StaffOverride() if event.until is not None:
            until = f"{event.until.astimezone(UTC).isoformat(sep=' ')[:16]} UTC"
            return f"{(event.extend or '').replace('_', ' ')} is now {until}: {event.reason}"
    raise AssertionError(f"a return does not know the event {type(event).__name__}")
