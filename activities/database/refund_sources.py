"""What a refund is made from: the buyer's payments, or the charge on the seller (REF-3, REF-9)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlmodel import Session, col, select

from activities.database.connections import paying, provider_of, taking
from models.connections import HOW_TO_ADD, of_seller
from models.failures import ConnectionUnusable
from models.payments import BY_GATEWAY, PaidBy
from models.refunds import COUNTS_AGAINST_CAP, Direction, RefundRequest, Way
from models.tables import ChargeRow, OrderRow, PaymentRow, RefundRow, SellerRow


class RefundSource(NamedTuple):
    """What a refund is made from."""

    paid: Decimal
    currency: str
    reference: str | None
    connection_id: str | None
    """By which it came, where it goes back by a gateway."""
    by: PaidBy | None
    """The provider that moves it, where one does."""
    over_refund_allowed: bool
    may_over_refund: tuple[str, ...] = ()
    """Who may make one; none named: every person of the seller and of staff (REF-12)."""
    limit: Decimal | None = None
    """A refund over it needs a second person (REF-12)."""


class RefundRefused(Exception):
    """The rule says no; its text says why and what to do."""


def refund_source(
    session: Session, request: RefundRequest, order: OrderRow, refunds: Sequence[RefundRow]
) -> RefundSource:
    """What a refund of the buyer is made from: all that was paid is the cap, one payment carries it (REF-3).

    Raises RefundRefused; ConnectionUnusable where no connection leads back, until there is one.
    """
    if request.direction is Direction.BROKER_TO_SELLER:
        return _charge(session, request, order)
    if not order.paid:
        raise RefundRefused(
            f"nothing was paid for order {order.order_id}: there is nothing to refund to the buyer (ORD-15)"
        )
    seller = session.get(SellerRow, order.seller_id)
    paid = RefundSource(
        paid=order.paid,
        currency=order.payment_currency,
        reference=None,
        connection_id=None,
        by=None,
        over_refund_allowed=seller is not None and seller.settings.allow_over_refund,
        may_over_refund=seller.settings.may_over_refund if seller is not None else (),
    )
    if request.way is not Way.GATEWAY:
        return paid
    # What was made elsewhere is only recorded: the limit is for money that is still to move.
    limits = seller.settings.refund_limits if seller is not None else {}
    paid = paid._replace(limit=limits.get(order.payment_currency))
    payment = _payment(session, request, order, refunds)
    # The connection that took the payment, even if the seller has another one by now.
    connection_id = payment.connection_id or taking(paying(session, order.seller_id), payment.paid_by.value)
    if connection_id is None:
        raise ConnectionUnusable(
            of_seller(order.seller_id),
            f"seller {order.seller_id} has no active {payment.paid_by.value} connection, by which the buyer's "
            f"payment goes back: {HOW_TO_ADD}",
        )
    return paid._replace(reference=payment.reference, connection_id=connection_id, by=payment.paid_by)


def _payment(
    session: Session, request: RefundRequest, order: OrderRow, refunds: Sequence[RefundRow]
) -> PaymentRow:
    """The payment by which the gateway gives the money back: the first one that can carry it."""
    rows = select(PaymentRow).where(PaymentRow.order_id == order.order_id).order_by(col(PaymentRow.position))
    payments = list(session.exec(rows))
    by_gateway = [row for row in payments if row.paid_by in BY_GATEWAY]
    if not by_gateway:
        paid_by = ", ".join(dict.fromkeys(row.paid_by.value for row in payments))
        raise RefundRefused(
            f"the buyer paid by {paid_by}, which no gateway gives back: "
            "refund it there, then record it with way manual (REF-9)"
        )
    if len(payments) == 1:
        return by_gateway[0]
    wanted = request.amount
    if wanted is None:
        wanted = order.paid - taken(refunds, request.direction)
    parts = parts_moved(session, order.order_id)
    left = {
        row.position: row.amount - parts.get(row.position, 0) - taken_by(refunds, row.reference)
        for row in by_gateway
    }
    found = next((row for row in by_gateway if left[row.position] >= wanted), None)
    if found is None:
        told = ", ".join(f"{row.reference} {left[row.position]}" for row in by_gateway)
        raise RefundRefused(
            f"no single payment can carry {wanted} {request.currency}; the gateway can still give back {told}; "
            "refund it in parts, and record with way manual what goes back another way (REF-9)"
        )
    return found


def parts_moved(session: Session, order_id: str) -> dict[int, Decimal]:
    """By their position, how much of the payments of an order moved to orders that were split off it (CAN-10)."""
    found: dict[int, Decimal] = {}
    for row in session.exec(select(PaymentRow).where(PaymentRow.of_order_id == order_id)):
        assert row.of_position is not None, "it is part of one"
        found[row.of_position] = found.get(row.of_position, Decimal(0)) + row.amount
    return found


def taken_by(refunds: Sequence[RefundRow], reference: str | None) -> Decimal:
    """How much of a payment the gateway gives back, or gave."""
    return sum(
        (
            row.amount
            for row in refunds
            if row.way is Way.GATEWAY and row.payment_reference == reference and row.state in COUNTS_AGAINST_CAP
        ),
        Decimal(0),
    )


def _charge(session: Session, request: RefundRequest, order: OrderRow) -> RefundSource:
    charge = captured_charge(session, order.order_id)
    if charge is None:
        raise RefundRefused(f"nothing was captured from the seller for order {order.order_id}")
    if request.way is Way.GATEWAY and charge.gateway_reference is None:
        raise RefundRefused(
            f"charge {charge.charge_id} has no reference at the gateway: record the refund as manual"
        )
    return RefundSource(
        charge.captured,
        charge.currency,
        charge.gateway_reference,
        charge.connection_id,
        provider_of(session, charge.connection_id) if request.way is Way.GATEWAY else None,
        over_refund_allowed=False,
    )


def taken(rows: Iterable[RefundRow], direction: Direction) -> Decimal:
    """How much of this direction is refunded, pending or reserved."""
    return sum(
        (row.amount for row in rows if row.direction is direction and row.state in COUNTS_AGAINST_CAP), Decimal(0)
    )


def captured_charge(session: Session, order_id: str) -> ChargeRow | None:
    """The charge that took the seller's money: the last attempt with something captured (ORD-3)."""
    rows = select(ChargeRow).where(ChargeRow.order_id == order_id).order_by(col(ChargeRow.position).desc())
    return next((row for row in session.exec(rows) if row.captured > 0), None)
