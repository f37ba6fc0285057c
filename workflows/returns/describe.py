"""Each event in one line: for the timeline, and for its sender."""

from datetime import UTC
from enum import StrEnum

from models.buyers import DEFAULT_LANGUAGE
from models.message import Event, folded
from models.reasons import reason_in_words
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    RefundDeclined,
    Resolution,
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
            instead = ", with a replacement" if event.resolution is Resolution.REPLACEMENT else ""
            return event.decision + instead + (f": {event.reason}" if event.reason else "")
        case SupplierRma():
            issued = event.outcome == "issued"
            return f"RMA number {event.rma_number} issued" if issued else f"RMA refused: {event.reason}"
        case ReturnTracking():
            return _tracking(f, event)
        case GoodsReceived():
            return _goods(event)
        case CreditMemo():
            if f.knows_credit_memo(event.number):
                return f"credit memo {event.number} is known already; counted once"
            final = ", and no more comes" if event.final else ""
            part = f" (a part of {event.total})" if event.total is not None else ""
            return f"credit memo {event.number}: {event.amount} {event.currency}{part}{final}"
        case RefundDeclined():
            return f"the buyer is not refunded, {said(event.kind)}: {event.reason}"
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


def _tracking(f: ReturnFacts, event: ReturnTracking) -> str:
    """The same number again says more of the same parcel (RET-29)."""
    number = f"{event.carrier} {event.tracking_number}"
    same = (one for one in f.parcels if folded(one.tracking_number) == folded(event.tracking_number))
    known = next(same, None)
    if known is None:
        return f"tracking number entered: {number}"
    if folded(known.carrier) == folded(event.carrier):
        return f"tracking number {number} is known already"
    return f"tracking number {number} is known already; its carrier was {known.carrier}"


def _goods(event: GoodsReceived) -> str:
    what = "; ".join(
        f"{line.quantity} x {line.name} {said(line.reception)}, {line.acceptance.value}" for line in event.lines
    )
    if event.corrects is None:
        return what
    return f"receipt {event.corrects} is corrected: {what or 'nothing arrived'}"


def said(word: StrEnum) -> str:
    """`wrong_item` -> wrong item."""
    return word.value.replace("_", " ")


def items_in_words(f: ReturnFacts) -> str:
    """`2 x A (does not fit)`."""
    own = f.seller.reasons
    return ", ".join(
        f"{line.quantity} x {line.sku} ({reason_in_words(line.reason, own, DEFAULT_LANGUAGE)})"
        for line in f.snapshot.lines
    )


def parcels_said(f: ReturnFacts) -> str:
    """`UPS 1Z1, USPS 9400`."""
    return ", ".join(f"{one.carrier} {one.tracking_number}" for one in f.parcels)
