"""Orders that Amazon knows as one: an order, and what was split off it (CAN-10)."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from models.tables import OrderRow


def families(session: Session, orders: Iterable[str]) -> dict[str, str]:
    """By each member of the families of these orders the one that the others were split off: it alone has a number
    at Amazon, under which stands what became of all of them."""
    split_from = _split_from(session, orders)
    members = {first: first for first in (_first(one, split_from) for one in orders)}
    parents = set(members)
    while parents:
        off = select(OrderRow.order_id, OrderRow.split_from).where(col(OrderRow.split_from).in_(parents))
        found = {order_id: members[parent] for order_id, parent in session.exec(off) if parent is not None}
        members |= found
        parents = set(found)
    return members


def _split_from(session: Session, orders: Iterable[str]) -> dict[str, str]:
    """By each of these orders, and those above them, the order that it was split off."""
    known: dict[str, str] = {}
    asked = set(orders)
    while asked:
        above = select(OrderRow.order_id, OrderRow.split_from).where(
            col(OrderRow.order_id).in_(asked), col(OrderRow.split_from).is_not(None)
        )
        found = {order_id: parent for order_id, parent in session.exec(above) if parent is not None}
        known |= found
        asked = set(found.values()) - set(known)
    return known


def _first(order_id: str, split_from: dict[str, str]) -> str:
    while order_id in split_from:
        order_id = split_from[order_id]
    return order_id
