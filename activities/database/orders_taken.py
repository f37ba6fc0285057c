"""Whether an order is taken: its seller is known, and neither it nor its payment came before (ORD-17, REF-3)."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import and_, union
from sqlalchemy.sql import ColumnElement
from sqlmodel import Session, col, select

from activities.database.connections import is_paying, newest_first
from models.connections import Connection
from models.differences import differences
from models.message import folded
from models.orders import OrderRequest
from models.payments import BY_GATEWAY
from models.records import OpenedOrder, Opening
from models.tables import ConnectionRow, OrderRow, PaymentRow, SellerRow


class Known(NamedTuple):
    """`orders`: those that are there under the request's id, whoever's they are; as the same order of the channel
    (ORD-17); or with the same payment of a gateway (REF-3). `connections`: those that pay, the newest first."""

    seller: SellerRow | None
    orders: list[OrderRow]
    connections: list[Connection]


def what_is_known(session: Session, request: OrderRequest) -> Known:
    """Read in one statement."""
    same: list[ColumnElement[bool]] = [col(OrderRow.order_id) == request.order_id]
    if request.channel_order_id is not None:
        same.append(
            and_(
                col(OrderRow.seller_id) == request.seller_id,
                col(OrderRow.channel) == request.channel,
                col(OrderRow.channel_order_key) == folded(request.channel_order_id),
            )
        )
    found = [select(col(OrderRow.order_id)).where(one) for one in same]
    for payment in request.paid_with:
        if payment.reference is not None and payment.paid_by in BY_GATEWAY:
            found.append(
                select(col(PaymentRow.order_id)).where(
                    col(PaymentRow.paid_by) == payment.paid_by,
                    col(PaymentRow.reference) == payment.reference,
                    col(PaymentRow.of_order_id).is_(None),
                )
            )
    rows = session.exec(
        select(SellerRow, OrderRow, ConnectionRow)
        .select_from(SellerRow)
        .join(OrderRow, col(OrderRow.order_id).in_(union(*found)), isouter=True)
        .join(ConnectionRow, is_paying(request.seller_id), isouter=True)
        .where(SellerRow.seller_id == request.seller_id)
    ).all()
    if rows:
        orders = {order.order_id: order for _, order, _ in rows if order is not None}
        connections = newest_first(connection for *_, connection in rows if connection is not None)
        return Known(rows[0][0], list(orders.values()), connections)
    other = session.get(OrderRow, request.order_id)
    return Known(None, [other] if other is not None else [], [])


def refusal_of(session: Session, request: OrderRequest) -> OpenedOrder | None:
    """What `open_order` would answer to this request that it does not take; none if it would, or if an order is
    there under its id, which whoever starts it is told otherwise (ORD-17)."""
    seller, before, _ = what_is_known(session, request)
    if any(one.order_id == request.order_id for one in before):
        return None
    return why_not_taken(seller, before, request)


def why_not_taken(
    seller: SellerRow | None, before: Sequence[OrderRow], request: OrderRequest
) -> OpenedOrder | None:
    """The answer to an order that is not under its id yet; none: it is taken."""
    if before:
        return _taken(before[0], request)
    if seller is None:
        return refused(f"no seller {request.seller_id}: add it, then send again")
    return None


def _taken(row: OrderRow, request: OrderRequest) -> OpenedOrder:
    """ORD-17: it came before under another id; or its payment is another order's."""
    key = folded(request.channel_order_id) if request.channel_order_id else None
    if key is None or (row.seller_id, row.channel, row.channel_order_key) != (
        request.seller_id,
        request.channel,
        key,
    ):
        return refused(f"its payment is the one of order {row.order_id}: one payment belongs to one order (REF-3)")
    differs = differences(request.model_copy(update={"order_id": row.order_id}), row.request)
    why = f"; this request differs from it in {differs}" if differs else ", and says the same"
    what = f"the channel's order {row.channel_order_id} was taken before as order {row.order_id}{why} (ORD-17)"
    return OpenedOrder(opening=Opening.DUPLICATE, reason=what)


def refused(why: str) -> OpenedOrder:
    """The answer `refused`, in words."""
    return OpenedOrder(opening=Opening.REFUSED, reason=why)
