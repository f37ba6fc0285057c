"""The lines of an order as the database has them: what they are worth, and how they are named."""

from typing import NamedTuple, Self

from sqlmodel import Session, col, select

from models.naming import KitPart
from models.shares import LineShare
from models.tables import OrderLineRow


class OrderedLine(NamedTuple):
    """A line of the order, as it can be named (ORD-13, ORD-14)."""

    line_id: str
    sku: str
    quantity: int
    kit: KitPart | None

    @classmethod
    def of(cls, row: OrderLineRow) -> Self:
        return cls(row.line_id, row.sku, row.quantity, kit_of(row))


def order_lines(session: Session, order_id: str) -> dict[str, OrderLineRow]:
    """By `line_id`, in their order."""
    found = select(OrderLineRow).where(OrderLineRow.order_id == order_id).order_by(col(OrderLineRow.position))
    return {row.line_id: row for row in session.exec(found)}


def share_of(row: OrderLineRow) -> LineShare:
    """The stored allocation of one line: refunds and returns are made from it."""
    return LineShare(
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        paid_goods=row.paid_goods,
        paid_shipping=row.paid_shipping,
        cost_goods=row.cost_goods,
        cost_shipping=row.cost_shipping,
    )


def kit_of(row: OrderLineRow) -> KitPart | None:
    """The kit that a line is a component of."""
    if row.kit_line_id is None or row.kit_sku is None or row.kit_each is None:
        return None
    return KitPart(line_id=row.kit_line_id, sku=row.kit_sku, each=row.kit_each)
