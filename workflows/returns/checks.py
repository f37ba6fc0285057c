"""What a rule refuses: an event that can't be used now changes nothing, and its sender is told why (RET-16)."""

from models.failures import Conflict, RefusedByRule
from models.message import Event
from models.money import require_whole
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    DeclineKind,
    GoodsReceived,
    RefundDeclined,
    Resolution,
    ReturnTracking,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Waivable,
    Withdrawal,
    fees_of,
)
from workflows.refunds.attempts import BUYER
from workflows.returns.describe import said
from workflows.returns.facts import ReturnFacts
from workflows.returns.lines import packed
from workflows.returns.losses import check_goods
from workflows.returns.receipts import with_receipt
from workflows.returns.records import Receipt
from workflows.returns.refund_amounts import refund_amount, require_not_refunded_by_channel
from workflows.returns.replaced import is_for_all, is_wanted, sent_units


def check(f: ReturnFacts, event: Event) -> None:
    """Raises a BackhaulError when a rule refuses the event now.

    What can be judged only by what the return has is judged when it opens.
    """
    if f.outcome is not None:
        raise Conflict(f"the return is {f.outcome} already")
    if f.is_reopened and not isinstance(event, BuyerRefund | ChannelUpdate | CreditMemo | RefundDeclined):
        raise Conflict("the return was completed; it is open again only to refund again (REF-7)")
    if f.opened is not None:
        check_goods(f, event)
    match event:
        case SellerApproval():
            _check_approval(f, event)
        case SupplierRma():
            issued = f.rma is not None and f.rma.outcome == "issued"
            if issued or (f.opened is not None and f.rma_given_at is not None):
                raise Conflict("the return has its RMA number already")
        case ReturnTracking() if f.opened is not None:
            packed(f.opened, event.lines or ())
        case GoodsReceived() if f.opened is not None:
            with_receipt(f.opened, f.receipts, event, Receipt(event_id=event.event_id, at=f.now))
        case CreditMemo() if f.opened is not None and event.currency != f.opened.charge_currency:
            raise RefusedByRule(
                "RET-12", f"the credit memo is in {event.currency}, the cost in {f.opened.charge_currency}"
            )
        case BuyerRefund():
            _check_click(f, event)
        case ChannelUpdate() if f.opened is not None and event.amount is not None:
            try:
                require_whole(event.amount, f.opened.currency, "amount")
            except ValueError as error:
                raise RefusedByRule("RET-18", str(error)) from None
        case RefundDeclined() if f.opened is not None:
            _check_declined(f, event)
        case Withdrawal():
            _check_withdrawal(f)
        case StaffOverride():
            _check_override(f, event)


def _check_approval(f: ReturnFacts, event: SellerApproval) -> None:
    if f.approval is not None:
        raise Conflict(f"the return is {f.approval.decision} already")
    _check_replacement(f, event)
    if f.opened is not None and event.decision == "approved":
        try:
            fees_of(event, f.opened.paid, f.opened.currency)
        except ValueError as error:
            raise RefusedByRule("REF-4", str(error)) from None


def _check_replacement(f: ReturnFacts, event: SellerApproval) -> None:
    """RET-24: the buyer gets another one or its money, never both."""
    if event.resolution is not Resolution.REPLACEMENT:
        return
    require_not_refunded_by_channel(f)
    if f.clicks or any(one.may_have_moved_money for one in f.buyer_attempts):
        raise RefusedByRule("RET-24", "a refund of the buyer is asked for already: it is not replaced as well")


def _check_click(f: ReturnFacts, event: BuyerRefund) -> None:
    require_not_refunded_by_channel(f)
    if f.is_rejected:
        raise Conflict("the return is rejected")
    to_confirm = next((one for one in f.buyer_attempts if one.state == "to_confirm"), None)
    if to_confirm is not None:
        how = f"confirm or reject that one (backhaul refund confirm {to_confirm.refund_id})"
        raise RefusedByRule("REF-12", f"refund {to_confirm.refund_id} waits for a second person: {how}")
    if f.opened is not None and f.buyer_refund_in_doubt is None:
        refund_amount(f, event)


def _check_declined(f: ReturnFacts, event: RefundDeclined) -> None:
    """RET-27: only while no money of the buyer has moved, is on its way, or is in doubt."""
    require_not_refunded_by_channel(f)
    if f.declined is not None:
        raise Conflict(f"the refund is declined already ({said(f.declined.kind)})")
    if f.is_rejected:
        raise Conflict("the return is rejected: there is no refund to decline")
    if f.approved_at is None:
        raise RefusedByRule("RET-27", "the return is not approved: reject it instead")
    for one in f.buyer_attempts:
        if one.state == "in_doubt":
            why = f"refund {one.refund_id} is in doubt, and may have been made: find out first what became of it"
            raise RefusedByRule("RET-27", why)
        if one.is_under_way:
            raise RefusedByRule("RET-27", f"refund {one.refund_id} of the buyer is under way")
    if f.clicks or any(one.direction is BUYER for one in f.refunds_to_renumber):
        raise RefusedByRule("RET-27", "a refund of the buyer is asked for already")
    if f.buyer_refunds and not f.buyer_owed:
        raise Conflict(f"the buyer is refunded {f.refunded} {f.snapshot.currency} already")
    if sent_units(f) and is_for_all(f):
        raise Conflict("the buyer has the replacement already: there is no refund to decline")
    if event.kind is DeclineKind.DECLINED and not f.receipts and not f.is_reopened:
        raise RefusedByRule("RET-27", "the goods are not inspected yet: decline once it is known what arrived")


def _check_withdrawal(f: ReturnFacts) -> None:
    if f.withdrawal is not None:
        raise Conflict("the return is withdrawn already")
    if f.receipts:
        raise RefusedByRule("RET-15", "the goods are received; the return can't be withdrawn any more")
    if f.seller_attempts or any(one.may_have_moved_money for one in f.buyer_attempts):
        raise RefusedByRule("RET-15", "money was refunded; the return can't be withdrawn any more")
    _check_nothing_is_sent(f)


def _check_nothing_is_sent(f: ReturnFacts) -> None:
    if sent_units(f):
        raise RefusedByRule("RET-24", "the replacement was sent; the return can't be withdrawn any more")


def _check_override(f: ReturnFacts, event: StaffOverride) -> None:
    if event.until is not None and event.until <= f.now:
        raise RefusedByRule("RET-13", "until lies in the past")
    if event.waive is Waivable.REPLACEMENT and f.opened is not None and not is_wanted(f):
        raise RefusedByRule("RET-24", "no replacement was approved")
