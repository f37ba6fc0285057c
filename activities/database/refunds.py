"""Refunds in the books: the cap is checked and the amount reserved in one transaction (REF)."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from activities.database.returnable_units import CUT_SHORT
from models.failures import NotFound
from models.orders import PaidBy
from models.records import (
    Opening,
    RefundTakenBack,
    ReservedRefund,
    ReserveRefund,
    Saved,
    SettleRefund,
)
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest, RefundState, Way, check_cap
from models.tables import ChargeRow, OrderRow, RefundRow, ReturnRow, SellerRow

_MAY_BECOME: Final[dict[RefundState, tuple[RefundState, ...]]] = {
    RefundState.RESERVED: tuple(RefundState),
    RefundState.PENDING: (RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED),
    # A gateway may take a success back days later (REF-7); nothing else changes what has ended.
    RefundState.SUCCEEDED: (RefundState.FAILED,),
    RefundState.FAILED: (),
    RefundState.REFUSED: (),
}


class _Payment(NamedTuple):
    """What a refund is made from."""

    paid: Decimal
    currency: str
    reference: str | None
    gateway_account: str | None
    over_refund_allowed: bool


class _Refused(Exception):
    """The rule says no; its text says why and what to do."""


def reserve_refund(session: Session, ask: ReserveRefund) -> ReservedRefund:
    """Reserve what may be refunded, or say why not (REF-3, REF-4, REF-5). A refund id is reserved once.

    One that was stopped before its end goes on in a later run, with the amount that is reserved.
    """
    request = ask.request
    # The order's row is the lock: two refunds of one order are checked one after the other.
    order = session.get(OrderRow, request.order_id, with_for_update=True)
    before = session.get(RefundRow, request.refund_id)
    if before is not None:
        return _known_before(session, before, ask)
    try:
        row = _reservation(session, ask, order)
    except (_Refused, ValueError) as no:
        return ReservedRefund(
            opening=Opening.REFUSED,
            state=RefundState.REFUSED,
            way=request.way,
            seller_id=order.seller_id if order is not None else None,
            reason=str(no),
        )
    session.add(row)
    return _known(row, Opening.OPENED)


def settle_refund(session: Session, ask: SettleRefund) -> Saved:
    """Write down what became of a refund. What has ended stays so, but for a success that is taken back.

    Raises NotFound for money that was never reserved.
    """
    row = session.get(RefundRow, ask.refund_id, with_for_update=True)
    if row is None:
        if ask.state in COUNTS_AGAINST_CAP:
            raise NotFound(f"no refund {ask.refund_id} in the books")
        return Saved()
    if ask.state in _MAY_BECOME[row.state]:
        row.state = ask.state
        row.gateway_refund_id = ask.gateway_refund_id or row.gateway_refund_id
        row.failure_reason = ask.reason
        row.settled_at = None if ask.state in (RefundState.RESERVED, RefundState.PENDING) else ask.at
        session.add(row)
    return Saved()


def take_back_refund(session: Session, ask: SettleRefund) -> RefundTakenBack:
    """A refund that had succeeded failed afterwards: its amount no longer counts against the cap (REF-7)."""
    settle_refund(session, ask)
    row = session.get_one(RefundRow, ask.refund_id)
    of = session.get(ReturnRow, row.return_id) if row.return_id is not None else None
    if of is None or of.outcome in CUT_SHORT:
        return RefundTakenBack()
    return RefundTakenBack(reopen=of.request)


def taken(rows: Iterable[RefundRow], direction: Direction) -> Decimal:
    """How much of this direction is refunded, pending or reserved."""
    return sum(
        (row.amount for row in rows if row.direction is direction and row.state in COUNTS_AGAINST_CAP), Decimal(0)
    )


def refund_rows(session: Session, order_id: str) -> list[RefundRow]:
    """All refunds of an order, over all ways and both directions, oldest first."""
    rows = select(RefundRow).where(RefundRow.order_id == order_id)
    return list(session.exec(rows.order_by(col(RefundRow.reserved_at), col(RefundRow.refund_id))))


def captured_charge(session: Session, order_id: str) -> ChargeRow | None:
    """The charge that took the seller's money: the last attempt with something captured (ORD-3)."""
    rows = select(ChargeRow).where(ChargeRow.order_id == order_id).order_by(col(ChargeRow.position).desc())
    return next((row for row in session.exec(rows) if row.captured > 0), None)


def _known_before(session: Session, row: RefundRow, ask: ReserveRefund) -> ReservedRefund:
    """The same run asks again; or a later one of the same case, which has not come to its end.

    A case has one open run at a time, so the run that reserved is over. The gateway is looked at before anything
    is sent, so what it sent is not sent twice (REF-6).
    """
    if row.run_id == ask.run_id:
        # Asked twice, it gives the same answer: it was reserved at another time if it was taken over.
        return _known(row, Opening.OPENED).model_copy(update={"resumed": row.reserved_at != ask.at})
    unfinished = row.state in (RefundState.RESERVED, RefundState.PENDING)
    if not unfinished or row.workflow_id != ask.workflow_id or not _is_the_same(row, ask.request):
        return _known(row, Opening.DUPLICATE)
    row.run_id = ask.run_id
    session.add(row)
    return _known(row, Opening.OPENED).model_copy(update={"resumed": True})


def _is_the_same(row: RefundRow, request: RefundRequest) -> bool:
    """Whether the request moves the money that is reserved; without an amount it is all that was left then."""
    return (
        (row.order_id, row.return_id, row.direction, row.way, row.currency)
        == (request.order_id, request.return_id, request.direction, request.way, request.currency)
    ) and request.amount in (None, row.amount)


def _known(row: RefundRow, opening: Opening) -> ReservedRefund:
    return ReservedRefund(
        opening=opening,
        state=row.state,
        way=row.way,
        amount=row.amount,
        payment_reference=row.payment_reference,
        gateway_account=row.gateway_account,
        gateway_refund_id=row.gateway_refund_id,
        over_refund=row.over_refund,
        seller_id=row.seller_id,
        reason=f"refund {row.refund_id} exists already" if opening is Opening.DUPLICATE else row.failure_reason,
    )


def _reservation(session: Session, ask: ReserveRefund, order: OrderRow | None) -> RefundRow:
    request = ask.request
    if order is None:
        raise _Refused(f"no order {request.order_id}")
    if request.return_id is not None:
        claimed = session.get(ReturnRow, request.return_id)
        if claimed is None or claimed.order_id != order.order_id:
            raise _Refused(f"no return {request.return_id} of order {order.order_id}")
    payment = _payment(session, request, order)
    if request.currency != payment.currency:
        raise _Refused(f"the payment was in {payment.currency}, the refund is in {request.currency}")
    before = taken(refund_rows(session, order.order_id), request.direction)
    amount = request.amount if request.amount is not None else payment.paid - before
    if amount <= 0:
        raise _Refused(
            f"nothing is left to refund: {before} of {payment.paid} {payment.currency} is refunded or pending"
        )
    over = check_cap(amount, payment.paid, before, payment.currency, allow_over_refund=payment.over_refund_allowed)
    return RefundRow(
        refund_id=request.refund_id,
        order_id=order.order_id,
        return_id=request.return_id,
        seller_id=order.seller_id,
        workflow_id=ask.workflow_id,
        run_id=ask.run_id,
        direction=request.direction,
        way=request.way,
        amount=amount,
        currency=payment.currency,
        state=RefundState.RESERVED,
        reason=request.reason,
        requested_by=request.requested_by,
        lines=[line.model_dump(mode="json") for line in request.lines],
        reference=request.reference,
        over_refund=over,
        payment_reference=payment.reference,
        gateway_account=payment.gateway_account,
        reserved_at=ask.at,
    )


def _payment(session: Session, request: RefundRequest, order: OrderRow) -> _Payment:
    if request.direction is Direction.BROKER_TO_SELLER:
        return _charge(session, request, order)
    if request.way is Way.GATEWAY and order.paid_by is not PaidBy.STRIPE:
        raise _Refused(
            f"the buyer paid by {order.paid_by}, and only Stripe is spoken so far: "
            "refund it there, then record it with way manual (REF-9)"
        )
    seller = session.get_one(SellerRow, order.seller_id)
    return _Payment(
        paid=order.payment_amount,
        currency=order.payment_currency,
        reference=order.payment_reference,
        # The account that took the payment, even if the seller has another one by now.
        gateway_account=order.seller.gateway_account,
        over_refund_allowed=seller.settings.allow_over_refund,
    )


def _charge(session: Session, request: RefundRequest, order: OrderRow) -> _Payment:
    charge = captured_charge(session, order.order_id)
    if charge is None:
        raise _Refused(f"nothing was captured from the seller for order {order.order_id}")
    if request.way is Way.GATEWAY and charge.gateway_reference is None:
        raise _Refused(f"charge {charge.charge_id} has no reference at the gateway: record the refund as manual")
    return _Payment(charge.captured, charge.currency, charge.gateway_reference, None, over_refund_allowed=False)
