"""What a rule refuses: an event that can't be used now changes nothing, and its sender is told why (RET-16)."""

from models.failures import Conflict, RefusedByRule
from models.message import Event
from models.money import require_whole
from models.returns import (
    BuyerRefund,
    ChannelUpdate,
    CreditMemo,
    GoodsReceived,
    SellerApproval,
    StaffOverride,
    SupplierRma,
    Withdrawal,
    fees_of,
)
from workflows.returns.facts import ReturnFacts
from workflows.returns.lines import received_lines
from workflows.returns.refund_amounts import refund_amount, require_not_refunded_by_channel


def check(f: ReturnFacts, event: Event) -> None:
    """Raises a BackhaulError when a rule refuses the event now.

    What can be judged only by what the return has is judged when it opens.
    """
    if f.outcome is not None:
        raise Conflict(f"the return is {f.outcome} already")
    if f.is_reopened and not isinstance(event, BuyerRefund | ChannelUpdate | CreditMemo):
        raise Conflict("the return was completed; it is open again only to refund again (REF-7)")
    match event:
        case SellerApproval():
            _check_approval(f, event)
        case SupplierRma():
            issued = f.rma is not None and f.rma.outcome == "issued"
            if issued or (f.opened is not None and f.rma_given_at is not None):
                raise Conflict("the return has its RMA number already")
        case GoodsReceived() if f.opened is not None:
            _check_goods(f, event)
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
        case Withdrawal():
            _check_withdrawal(f)
        case StaffOverride():
            _check_override(f, event)


def _check_approval(f: ReturnFacts, event: SellerApproval) -> None:
    if f.approval is not None:
        raise Conflict(f"the return is {f.approval.decision} already")
    if f.opened is not None and event.decision == "approved":
        try:
            fees_of(event, f.opened.paid, f.opened.currency)
        except ValueError as error:
            raise RefusedByRule("REF-4", str(error)) from None


def _check_goods(f: ReturnFacts, event: GoodsReceived) -> None:
    lines = {line.line_id: line.quantity for line in f.snapshot.lines}
    for line in received_lines(f.snapshot, event):
        if line.quantity > lines[line.line_id]:
            has = lines[line.line_id]
            raise RefusedByRule("RET-11", f"{line.quantity} of {line.sku}: the return has {has}")
    if f.seller_attempts:
        raise RefusedByRule("RET-11", "the seller is refunded; the inspection is over")


def _check_click(f: ReturnFacts, event: BuyerRefund) -> None:
    require_not_refunded_by_channel(f)
    if f.is_rejected:
        raise Conflict("the return is rejected")
    if f.opened is not None and f.buyer_refund_in_doubt is None:
        refund_amount(f, event)


def _check_withdrawal(f: ReturnFacts) -> None:
    if f.withdrawal is not None:
        raise Conflict("the return is withdrawn already")
    if f.received:
        raise RefusedByRule("RET-15", "the goods are received; the return can't be withdrawn any more")
    if f.seller_attempts or any(one.may_have_moved_money for one in f.buyer_attempts):
        raise RefusedByRule("RET-15", "money was refunded; the return can't be withdrawn any more")


def _check_override(f: ReturnFacts, event: StaffOverride) -> None:
    if not event.actor.startswith(("staff:", "broker:", "script:")):
        raise RefusedByRule("RET-10", "only staff may waive a step or move a deadline")
    if event.until is not None and event.until <= f.now:
        raise RefusedByRule("RET-13", "until lies in the past")
