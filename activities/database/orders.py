"""Orders in the books: opened once, then kept up to date (ORD, CAN)."""

from sqlmodel import Session, col, select

from activities.database.attribution import Bought, Units, shipped_from
from activities.database.cases import write_case
from models.failures import NotFound
from models.orders import LineShare, share_out
from models.records import (
    LineQuantities,
    OpenedOrder,
    Opening,
    OpenOrder,
    Saved,
    SaveOrder,
    SupplierOrderRecord,
)
from models.tables import (
    CessationRow,
    ChargeRow,
    OrderLineRow,
    OrderRow,
    SellerRow,
    ShipmentLineRow,
    ShipmentRow,
    SupplierOrderLineRow,
    SupplierOrderRow,
)


def open_order(session: Session, ask: OpenOrder) -> OpenedOrder:
    """Write the order down with the shares of its lines, once; the same run again gets the same answer."""
    request = ask.request
    before = session.get(OrderRow, request.order_id)
    if before is not None:
        if before.run_id != ask.run_id:
            return OpenedOrder(opening=Opening.DUPLICATE, reason=f"order {request.order_id} exists already")
        return OpenedOrder(opening=Opening.OPENED, seller=before.seller, shares=_shares(session, before.order_id))
    seller = session.get(SellerRow, request.seller_id)
    if seller is None:
        return OpenedOrder(
            opening=Opening.REFUSED, reason=f"no seller {request.seller_id}: add it, then send again"
        )
    shares = share_out(request)
    session.add(
        OrderRow(
            order_id=request.order_id,
            seller_id=request.seller_id,
            channel=request.channel,
            channel_order_id=request.channel_order_id,
            workflow_id=ask.workflow_id,
            run_id=ask.run_id,
            received_at=ask.received_at,
            request=request,
            seller=seller.settings,
            paid_by=request.payment.paid_by,
            payment_reference=request.payment.reference,
            payment_amount=request.payment.amount,
            payment_currency=request.payment.currency,
            charge_currency=request.charge_currency,
        )
    )
    session.flush()
    for position, (line, share) in enumerate(zip(request.lines, shares, strict=True), start=1):
        session.add(OrderLineRow(order_id=request.order_id, position=position, title=line.title, **dict(share)))
    return OpenedOrder(opening=Opening.OPENED, seller=seller.settings, shares=shares)


def save_order(session: Session, ask: SaveOrder) -> Saved:
    """Keep the whole order up to date. Raises NotFound for one that was never opened."""
    order = session.get(OrderRow, ask.order_id, with_for_update=True)
    if order is None:
        raise NotFound(f"no order {ask.order_id} in the books")
    if not write_case(session, ask.record):
        return Saved()
    order.cancel_until = ask.cancel_until
    order.handoff_due = ask.handoff_due
    order.handed_off_at = ask.handed_off_at
    session.add(order)
    for line in ask.lines:
        _save_line(session, ask.order_id, line)
    for position, charge in enumerate(ask.charges, start=1):
        session.merge(ChargeRow(order_id=ask.order_id, position=position, **dict(charge)))
    for position, record in enumerate(ask.supplier_orders, start=1):
        _save_supplier_order(session, ask.order_id, position, record)
    session.flush()
    _add_shipments(session, ask)
    for position, cessation in enumerate(ask.cessations, start=1):
        if session.get(CessationRow, (ask.order_id, position)) is None:
            session.add(CessationRow(order_id=ask.order_id, position=position, **dict(cessation)))
    return Saved()


def _shares(session: Session, order_id: str) -> tuple[LineShare, ...]:
    rows = session.exec(
        select(OrderLineRow).where(OrderLineRow.order_id == order_id).order_by(col(OrderLineRow.position))
    )
    return tuple(share_of(row) for row in rows)


def share_of(row: OrderLineRow) -> LineShare:
    """The stored allocation of one line: refunds and returns are made from it."""
    return LineShare(
        sku=row.sku,
        quantity=row.quantity,
        paid_goods=row.paid_goods,
        paid_shipping=row.paid_shipping,
        cost_goods=row.cost_goods,
        cost_shipping=row.cost_shipping,
    )


def _save_line(session: Session, order_id: str, line: LineQuantities) -> None:
    row = session.get(OrderLineRow, (order_id, line.sku))
    if row is None:
        raise NotFound(f"order {order_id} has no line {line.sku} in the books")
    row.shipped, row.cancelled, row.voided = line.shipped, line.cancelled, line.voided
    session.add(row)


def _save_supplier_order(session: Session, order_id: str, position: int, record: SupplierOrderRecord) -> None:
    order = record.order
    session.merge(
        SupplierOrderRow(
            number=order.number,
            order_id=order_id,
            position=position,
            supplier_id=order.supplier_id,
            warehouse_id=order.warehouse_id,
            second_source=order.second_source,
            state=record.state,
            supplier_reference=record.supplier_reference,
            reason=record.reason,
            at=record.at,
        )
    )
    session.flush()
    for line in order.lines:
        session.merge(SupplierOrderLineRow(number=order.number, **dict(line)))


def _add_shipments(session: Session, ask: SaveOrder) -> None:
    """Write the shipments that are new, each unit with the supplier order it came from; old ones stay."""
    bought = [
        Bought(record.order.number, record.order.supplier_id, line.sku, line.quantity)
        for record in ask.supplier_orders
        if record.state == "accepted"
        for line in record.order.lines
    ]
    known = session.exec(select(ShipmentLineRow).where(ShipmentLineRow.order_id == ask.order_id))
    before = [Units(row.sku, row.quantity, row.supplier_order_number) for row in known]
    for position, shipment in enumerate(ask.shipments, start=1):
        if session.get(ShipmentRow, (ask.order_id, shipment.shipment_id)) is not None:
            continue
        session.add(
            ShipmentRow(
                order_id=ask.order_id,
                shipment_id=shipment.shipment_id,
                position=position,
                carrier=shipment.carrier,
                tracking_number=shipment.tracking_number,
                at=shipment.at,
            )
        )
        session.flush()
        units = shipped_from(shipment.lines, shipment.supplier_order_number, bought, before)
        for line, part in enumerate(units, start=1):
            session.add(
                ShipmentLineRow(
                    order_id=ask.order_id,
                    shipment_id=shipment.shipment_id,
                    position=line,
                    sku=part.sku,
                    quantity=part.quantity,
                    supplier_order_number=part.number,
                )
            )
        before += units
