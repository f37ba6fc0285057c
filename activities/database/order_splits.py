"""Some units of an order move to an order of their own, in one transaction (CAN-10)."""

from decimal import Decimal

from sqlmodel import Session, col, select

from activities.database.cases import open_case
from activities.database.order_lines import order_lines, share_of
from activities.database.refund_sources import parts_moved, taken, taken_by
from activities.database.refund_units import refunded_units
from activities.database.refunds import refund_rows
from models.case import OrderStage
from models.failures import NotFound
from models.ids import order_workflow_id
from models.records import OpenOrder
from models.refunds import Direction
from models.shares import LineShare
from models.splits import Kept, OrderSplit, SplitOrder, payment_parts, request_of, worth_moved
from models.tables import OrderLineRow, OrderRow, PaymentRow, RefundRow


def split_order(session: Session, ask: SplitOrder) -> OrderSplit:
    """Move the units, with their share of all that the order is worth, as it was shared out when the order came;
    each payment carries its part of it. No money moves. The same split again gives the same answer.

    Refused, in words: units that are not there or whose money went back. Raises NotFound for an order that was
    never opened.
    """
    order_id = ask.split_from.order_id
    # The order's row is the lock: reservations of refunds come before or after.
    order = session.get(OrderRow, order_id, with_for_update=True)
    if order is None:
        raise NotFound(f"no order {order_id} in the database")
    before = session.get(OrderRow, ask.split_from.own_id)
    if before is not None:
        return _known(session, before, ask)
    rows = order_lines(session, order_id)
    refunds = refund_rows(session, order_id)
    if (why := _why_not(rows, refunded_units(session, refunds), ask.units)) is not None:
        return OrderSplit(reason=why)
    lines = {line_id: Kept(share_of(row), _left(row)) for line_id, row in rows.items()}
    moved = worth_moved(order.request, lines, ask.units)
    try:
        parts = _parts(session, order, refunds, sum((share.paid for share in moved), Decimal(0)))
    except ValueError as no:
        return OrderSplit(reason=f"{no}: cancel the whole order, or refund the buyer (REF-3)")
    paid = {row.position: amount for row, amount in parts}
    payments = tuple(
        one.model_copy(update={"amount": paid[position]})
        for position, one in enumerate(order.request.paid_with, start=1)
    )
    request = request_of(order.request, moved, lines, payments, ask.split_from)
    _add(session, order, request.order_id, moved, parts, OrderSplit(request=request))
    for line_id, count in ask.units.items():
        rows[line_id].moved += count
        session.add(rows[line_id])
    order.payment_moved += request.paid
    session.add(order)
    session.flush()
    return OrderSplit(request=request)


def opens_now(session: Session, row: OrderRow, ask: OpenOrder) -> None:
    """An order that was split off, and which nobody runs yet, begins: this run has it."""
    if row.run_id is not None or row.request != ask.request:
        return
    open_case(
        session, row.workflow_id, ask.run_id, OrderStage.RECEIVED, row.seller_id, row.order_id, ask.received_at
    )
    row.run_id = ask.run_id
    session.add(row)
    session.flush()


def _known(session: Session, row: OrderRow, ask: SplitOrder) -> OrderSplit:
    units = {line_id: line.quantity for line_id, line in order_lines(session, row.order_id).items()}
    split_from = row.request.split_from
    if split_from is None or split_from.event.event_id != ask.split_from.event.event_id or units != ask.units:
        return OrderSplit(reason=f"order {row.order_id} is another request's: nothing is taken over from it")
    return OrderSplit(request=row.request)


def _left(row: OrderLineRow) -> int:
    """Units that are not gone from the end of the line."""
    return row.quantity - row.cancelled - row.voided - row.moved


def _why_not(rows: dict[str, OrderLineRow], refunded: dict[str, int], units: dict[str, int]) -> str | None:
    for line_id, count in units.items():
        row = rows.get(line_id)
        if row is None:
            return f"the order has no line {line_id}"
        left = _left(row) - max(row.shipped, refunded.get(line_id, 0))
        if count > left:
            return f"{count} of {row.sku} can't be cancelled: {left} are neither shipped nor refunded (REF-13)"
    return None


def _parts(
    session: Session, order: OrderRow, refunds: list[RefundRow], worth: Decimal
) -> list[tuple[PaymentRow, Decimal]]:
    """How much of each payment moves, by what is left of it. Raises ValueError where less is left."""
    found = select(PaymentRow).where(PaymentRow.order_id == order.order_id).order_by(col(PaymentRow.position))
    payments = list(session.exec(found))
    gone = parts_moved(session, order.order_id)
    back = taken(refunds, Direction.SELLER_TO_BUYER)
    if worth > order.paid - back:
        raise ValueError(
            f"{worth} {order.payment_currency} move with these units, and {back} of {order.paid} went back already"
        )
    left = [row.amount - gone.get(row.position, Decimal(0)) - _given_back(refunds, row) for row in payments]
    return list(zip(payments, payment_parts(worth, left, order.payment_currency), strict=True))


def _given_back(refunds: list[RefundRow], payment: PaymentRow) -> Decimal:
    return taken_by(refunds, payment.reference) if payment.reference is not None else Decimal(0)


def _add(
    session: Session,
    order: OrderRow,
    order_id: str,
    moved: tuple[LineShare, ...],
    parts: list[tuple[PaymentRow, Decimal]],
    made: OrderSplit,
) -> None:
    """The order that they move to: nobody runs it yet."""
    request = made.request
    assert request is not None, "it is made"
    session.add(
        OrderRow(
            order_id=order_id,
            seller_id=order.seller_id,
            channel=order.channel,
            workflow_id=order_workflow_id(order_id),
            received_at=order.received_at,
            request=request,
            seller=order.seller,
            split_from=order.order_id,
            payment_amount=request.paid,
            payment_currency=request.paid_currency,
            charge_currency=request.charge_currency,
        )
    )
    session.flush()
    titles = {line.line_id: line.title for line in request.lines}
    for position, share in enumerate(moved, start=1):
        session.add(OrderLineRow(order_id=order_id, position=position, title=titles[share.line_id], **dict(share)))
    for payment, amount in parts:
        if amount:
            copied = payment.model_dump(exclude={"order_id", "amount"})
            session.add(
                PaymentRow(
                    **copied
                    | {
                        "order_id": order_id,
                        "amount": amount,
                        "of_order_id": order.order_id,
                        "of_position": payment.position,
                    }
                )
            )
    session.flush()
