"""Orders in the database: opened once, then kept up to date (ORD, CAN)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, or_, update
from sqlmodel import Session, col, select

from activities.database.cases import open_case, write_case
from activities.database.connections import charging, decided, paying, taking
from activities.database.ledger import entered, post
from activities.database.ledger_facts import payment_moved
from activities.database.order_lines import order_lines, share_of
from activities.database.order_shipments import TIMES, Shipped, save_shipments, what_shipped
from activities.database.order_splits import opens_now
from activities.database.orders_taken import refused, what_is_known, why_not_taken
from activities.database.refund_units import refunded_units
from activities.database.refunds import refund_rows
from activities.database.replacements import replaced_units, why_not_replaced
from activities.database.upserts import add_new, table_of, upsert, written
from models.buyers import Address
from models.case import OrderStage
from models.charges import ChargeConnection, ChargeRecord, ChooseConnection
from models.connections import BROKER, HOW_TO_ADD
from models.differences import differences
from models.failures import ConnectionUnusable, NotFound
from models.ledger import charge_entries, charge_movement, payment_entries
from models.message import folded
from models.orders import OrderRequest, share_out
from models.partners import ChargeState
from models.records import (
    Cessation,
    LineQuantities,
    OpenedOrder,
    Opening,
    OpenOrder,
    Saved,
    SaveOrder,
    SupplierOrderRecord,
)
from models.shares import LineShare
from models.tables import (
    CessationRow,
    ChargeRow,
    OrderLineRow,
    OrderRow,
    PaymentRow,
    ReturnRow,
    SupplierOrderLineRow,
    SupplierOrderRow,
)


def open_order(session: Session, ask: OpenOrder) -> OpenedOrder:
    """Write the order down with the shares of its lines, once; the same run again gets the same answer.

    Refused, in words: an unknown seller.
    """
    request = ask.request
    seller, before, connections = what_is_known(session, request)
    for one in before:
        if one.order_id == request.order_id:
            return _known(session, one, ask)
    if (no := why_not_taken(seller, before, request)) is not None:
        return no
    assert seller is not None, "an order without its seller is not taken"
    if request.replaces is not None and (why := _why_not_replaced(session, request, request.replaces)) is not None:
        return refused(why)
    shares = share_out(request)
    by = charging(connections, request.charge_currency)
    open_case(
        session,
        ask.workflow_id,
        ask.run_id,
        OrderStage.RECEIVED,
        request.seller_id,
        request.order_id,
        ask.received_at,
    )
    order = OrderRow(
        order_id=request.order_id,
        seller_id=request.seller_id,
        channel=request.channel,
        channel_order_id=request.channel_order_id,
        channel_order_key=folded(request.channel_order_id) if request.channel_order_id else None,
        workflow_id=ask.workflow_id,
        run_id=ask.run_id,
        received_at=ask.received_at,
        request=request,
        seller=seller.settings,
        replaces=request.replaces,
        payment_amount=request.paid,
        payment_currency=request.paid_currency,
        charge_currency=request.charge_currency,
        charge_connection_id=by.connection_id if by is not None else None,
    )
    session.add(order)
    session.flush()
    session.add_all(_line_rows(request, shares))
    payments = [
        PaymentRow(
            order_id=request.order_id,
            position=position,
            connection_id=taking(connections, payment.paid_by.value),
            **dict(payment),
        )
        for position, payment in enumerate(request.paid_with, start=1)
    ]
    session.add_all(payments)
    session.flush()
    post(session, (entry for row in payments for entry in payment_entries(payment_moved(row, order))))
    return OpenedOrder(
        opening=Opening.OPENED,
        seller=seller.settings,
        shares=shares,
        charge_connection=by,
    )


def choose_connection(session: Session, ask: ChooseConnection) -> ChargeConnection:
    """By which connection the seller of this order is charged: what was decided before, else the broker's newest
    one, which is kept. Raises NotFound for an order that was never opened; ConnectionUnusable while there is none.
    """
    order = session.get(OrderRow, ask.order_id, with_for_update=True)
    if order is None:
        raise _no_order(ask.order_id)
    if (before := decided(session, order)) is not None:
        return before
    by = charging(paying(session, order.seller_id), order.charge_currency)
    if by is None:
        raise ConnectionUnusable(
            BROKER,
            f"the broker has no active payments connection that charges sellers in {order.charge_currency}: "
            f"{HOW_TO_ADD}",
        )
    order.charge_connection_id = by.connection_id
    return by


def save_order(session: Session, ask: SaveOrder) -> Saved:
    """Keep the order up to date; a section that is none stays as it is.

    Raises NotFound for an order that was never opened, or a line that it does not have; Conflict for a charge or
    an order to a supplier whose number is another order's.
    """
    if not write_case(session, ask.record):
        return Saved(is_newest=False)
    shipped = _lock_and_say_what_shipped(session, ask)
    if ask.lines is not None:
        _save_lines(session, ask.order_id, ask.lines)
    if ask.charges is not None:
        _save_charges(session, ask.order_id, ask.record.seller_id, ask.charges)
    if ask.supplier_orders is not None:
        _save_supplier_orders(session, ask.order_id, ask.supplier_orders)
    if ask.shipments:
        save_shipments(session, ask.order_id, ask.shipments, shipped)
    if ask.cessations:
        _add_cessations(session, ask.order_id, ask.cessations)
    if ask.corrected_address is not None:
        _correct_address(session, ask.order_id, ask.corrected_address)
    return Saved()


def _why_not_replaced(session: Session, request: OrderRequest, return_id: str) -> str | None:
    """RET-24: under the lock of the order whose goods come back; none when it may be replaced."""
    claimed = session.get(ReturnRow, return_id)
    if claimed is None or claimed.seller_id != request.seller_id:
        return f"no return {return_id} of seller {request.seller_id} (RET-24)"
    session.get(OrderRow, claimed.order_id, with_for_update=True)
    refunded = refunded_units(session, refund_rows(session, claimed.order_id))
    taken = Counter(refunded) + Counter(replaced_units(session, claimed.order_id))
    return why_not_replaced(request, taken, order_lines(session, claimed.order_id))


def _known(session: Session, row: OrderRow, ask: OpenOrder) -> OpenedOrder:
    opens_now(session, row, ask)
    if row.run_id == ask.run_id:
        return OpenedOrder(
            opening=Opening.OPENED,
            seller=row.seller,
            shares=_shares(session, row.order_id),
            charge_connection=decided(session, row),
        )
    differs = differences(ask.request, row.request)
    why = f"; this request differs from it in {differs}" if differs else ", by the same request"
    return OpenedOrder(opening=Opening.DUPLICATE, reason=f"order {row.order_id} exists already{why}")


def _line_rows(request: OrderRequest, shares: Sequence[LineShare]) -> list[OrderLineRow]:
    """The lines inside: kits are there as their components (ORD-14)."""
    rows = []
    for position, (item, share) in enumerate(zip(request.items, shares, strict=True), start=1):
        kit = item.kit
        rows.append(
            OrderLineRow(
                order_id=request.order_id,
                position=position,
                title=item.title,
                kit_line_id=kit.line_id if kit else None,
                kit_sku=kit.sku if kit else None,
                kit_each=kit.each if kit else None,
                **dict(share),
            )
        )
    return rows


def _shares(session: Session, order_id: str) -> tuple[LineShare, ...]:
    rows = session.exec(
        select(OrderLineRow).where(OrderLineRow.order_id == order_id).order_by(col(OrderLineRow.position))
    )
    return tuple(share_of(row) for row in rows)


def _lock_and_say_what_shipped(session: Session, ask: SaveOrder) -> Shipped:
    """The order's row is the lock: openings of returns and reservations of refunds come before or after.

    What has shipped is only looked for where more does. Raises NotFound for an order that was never opened.
    """
    if ask.shipments:
        shipped = what_shipped(session, ask.order_id)
        if shipped.times != _times(ask):
            _save_times(session, ask)
        return shipped
    if not _save_times(session, ask) and any(getattr(ask, section) is not None for section in ask.sections):
        found = select(OrderRow.order_id).where(OrderRow.order_id == ask.order_id).with_for_update()
        if session.exec(found).first() is None:
            raise _no_order(ask.order_id)
    return Shipped({}, {}, [])


def _save_times(session: Session, ask: SaveOrder) -> bool:
    """Whether they were written; they are not where they are there already."""
    table = table_of(OrderRow)
    times = _times(ask)
    differs = or_(*(table.c[name].is_distinct_from(at) for name, at in times.items()))
    return bool(written(session, update(table).where(table.c.order_id == ask.order_id, differs).values(times)))


def _times(ask: SaveOrder) -> dict[str, datetime | None]:
    return {name: getattr(ask, name) for name in TIMES}


def _correct_address(session: Session, order_id: str, address: Address) -> None:
    """ORD-18: beside the request, which stays as it came."""
    row = session.get(OrderRow, order_id)
    if row is not None and row.corrected_address != address:
        row.corrected_address = address


def _no_order(order_id: str) -> NotFound:
    return NotFound(f"no order {order_id} in the database")


def _save_lines(session: Session, order_id: str, lines: Sequence[LineQuantities]) -> None:
    table = table_of(OrderLineRow)
    fates = ("shipped", "cancelled", "voided")
    counts = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in fates}
    differs = or_(*(table.c[name] != count for name, count in counts.items()))
    news = (
        update(table)
        .where(table.c.order_id == order_id, table.c.line_id == bindparam("of_line"), differs)
        .values({table.c[name]: count for name, count in counts.items()})
    )
    rows = [{"of_line": line.line_id, **{f"new_{name}": getattr(line, name) for name in fates}} for line in lines]
    if not rows or written(session, news, rows) == len(rows):
        return
    known = set(session.exec(select(OrderLineRow.line_id).where(OrderLineRow.order_id == order_id)))
    for line in lines:
        if line.line_id not in known:
            raise NotFound(f"order {order_id} has no line {line.line_id} in the database")


def _save_charges(session: Session, order_id: str, seller_id: str, charges: Sequence[ChargeRecord]) -> None:
    rows = [
        {"order_id": order_id, "position": position, **dict(charge)}
        for position, charge in enumerate(charges, start=1)
    ]
    upsert(session, ChargeRow, rows, owner="order_id")
    now = datetime.now(UTC)
    entries = []
    for charge in charges:
        dead = charge.state not in (ChargeState.AUTHORIZED, ChargeState.CAPTURED)
        known = entered(session, charge_movement(charge.charge_id)) if dead else ()
        entries += charge_entries(charge, order_id, seller_id, now, known)
    post(session, entries)


def _save_supplier_orders(session: Session, order_id: str, records: Sequence[SupplierOrderRecord]) -> None:
    orders = [
        {
            "number": record.order.number,
            "order_id": order_id,
            "position": position,
            "supplier_id": record.order.supplier_id,
            "warehouse_id": record.order.warehouse_id,
            "second_source": record.order.second_source,
            "state": record.state,
            "supplier_reference": record.supplier_reference,
            "reason": record.reason,
            "at": record.at,
            "short": record.short or None,
            "short_reason": record.short_reason,
            "connection_id": record.order.connection_id,
        }
        for position, record in enumerate(records, start=1)
    ]
    upsert(session, SupplierOrderRow, orders, owner="order_id")
    lines = [{"number": one.order.number, **dict(line)} for one in records for line in one.order.lines]
    upsert(session, SupplierOrderLineRow, lines)


def _add_cessations(session: Session, order_id: str, cessations: Sequence[Cessation]) -> None:
    rows = [
        {
            "order_id": order_id,
            "position": position,
            **dict(one),
            "lines": [line.model_dump(mode="json") for line in one.lines],
        }
        for position, one in enumerate(cessations, start=1)
    ]
    add_new(session, CessationRow, rows)
