"""Shipments in the database: each unit with the supplier order that it came from (ORD-9, ORD-11, ORD-20)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from activities.database.attribution import Bought, Units, shipped_from
from activities.database.return_windows import delivered_at, numbers_of, says_more
from activities.database.upserts import Values, add_new, table_of, upsert
from models.failures import NotFound
from models.orders import ShipmentFact
from models.tables import (
    OrderRow,
    ShipmentLineRow,
    ShipmentParcelRow,
    ShipmentRow,
    SupplierOrderLineRow,
    SupplierOrderRow,
)

TIMES: Final = ("cancel_until", "handoff_due", "handed_off_at")
"""Of an order, by the names of their columns."""


class Shipped(NamedTuple):
    """What has left already: each parcel by its id, and the units; with the times of the order."""

    times: dict[str, datetime | None]
    parcels: dict[str, ShipmentRow]
    units: list[Units]


def what_shipped(session: Session, order_id: str) -> Shipped:
    """Of an order, which stays locked. Raises NotFound."""
    rows = session.execute(
        select_columns(*(table_of(OrderRow).c[name] for name in TIMES), ShipmentRow, ShipmentLineRow)
        .select_from(OrderRow)
        .join(ShipmentRow, col(ShipmentRow.order_id) == col(OrderRow.order_id), isouter=True)
        .join(
            ShipmentLineRow,
            (col(ShipmentLineRow.order_id) == col(ShipmentRow.order_id))
            & (col(ShipmentLineRow.shipment_id) == col(ShipmentRow.shipment_id)),
            isouter=True,
        )
        .where(col(OrderRow.order_id) == order_id)
        .with_for_update(of=OrderRow)
    ).all()
    if not rows:
        raise NotFound(f"no order {order_id} in the database")
    found = Shipped({name: getattr(rows[0], name) for name in TIMES}, {}, [])
    for *_, shipment, line in rows:
        if shipment is not None:
            found.parcels[shipment.shipment_id] = shipment
        if line is not None:
            found.units.append(Units(line.line_id, line.sku, line.quantity, line.supplier_order_number))
    return found


def save_shipments(session: Session, order_id: str, shipments: Sequence[ShipmentFact], shipped: Shipped) -> None:
    """Write the shipments that are new, each unit with the supplier order it came from; of old ones only carrier
    and tracking number may be corrected, and the delivery be added."""
    known = shipped.parcels
    rows = [
        _row(order_id, position, one, known.get(one.shipment_id))
        for position, one in enumerate(shipments, start=1)
        if says_more(one, known.get(one.shipment_id))
    ]
    upsert(session, ShipmentRow, rows)
    new = [one for one in shipments if one.shipment_id not in known]
    if new:
        _add_more_parcels(session, order_id, new)
        _add_shipped_units(session, order_id, new, shipped.units)


def _row(order_id: str, position: int, told: ShipmentFact, known: ShipmentRow | None) -> Values:
    return {
        "order_id": order_id,
        "shipment_id": told.shipment_id,
        "position": position if known is None else known.position,
        **numbers_of(told, known),
        "at": told.at if known is None else known.at,
        "substitutes": (told.substitutes or None) if known is None else known.substitutes,
        "delivered_at": delivered_at(told, known),
    }


def _add_more_parcels(session: Session, order_id: str, shipments: Sequence[ShipmentFact]) -> None:
    """Those beside the first, of shipments that have several (ORD-20)."""
    rows = [
        {"order_id": order_id, "shipment_id": one.shipment_id, "position": position, **dict(box)}
        for one in shipments
        for position, box in enumerate(one.more_parcels, start=2)
    ]
    if rows:
        add_new(session, ShipmentParcelRow, rows)


def _add_shipped_units(
    session: Session, order_id: str, shipments: Sequence[ShipmentFact], before: list[Units]
) -> None:
    bought = _bought(session, order_id)
    rows = []
    for shipment in shipments:
        units = shipped_from(shipment.lines, shipment.supplier_order_number, bought, before)
        before += units
        rows += [
            {
                "order_id": order_id,
                "shipment_id": shipment.shipment_id,
                "position": position,
                "line_id": part.line_id,
                "sku": part.sku,
                "quantity": part.quantity,
                "supplier_order_number": part.number,
            }
            for position, part in enumerate(units, start=1)
        ]
    add_new(session, ShipmentLineRow, rows)


def _bought(session: Session, order_id: str) -> list[Bought]:
    """What the accepted orders to suppliers hold, in the order in which they were made."""
    found = session.exec(
        select(SupplierOrderLineRow, SupplierOrderRow)
        .join(SupplierOrderRow, col(SupplierOrderRow.number) == col(SupplierOrderLineRow.number))
        .where(SupplierOrderRow.order_id == order_id, SupplierOrderRow.state == "accepted")
        .order_by(col(SupplierOrderRow.position), col(SupplierOrderLineRow.line_id))
    )
    return [
        Bought(
            line.number, order.supplier_id, line.line_id, line.quantity - (order.short or {}).get(line.line_id, 0)
        )
        for line, order in found
    ]
