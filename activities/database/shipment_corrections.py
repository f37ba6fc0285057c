"""A parcel goes under another number than was said, and its order has ended (ORD-20)."""

from datetime import UTC, datetime

from sqlmodel import Session, col, select
from temporalio import activity

from activities.database.case_numbers import add_numbers
from activities.database.upserts import add_new
from models.ids import correction_workflow_id, order_workflow_id
from models.message import folded
from models.naming import by_sku
from models.order_events import ShipmentCorrected
from models.partners import AnnounceTracking, ItemQuantity
from models.records import NoteCorrection, NotedCorrection
from models.tables import CaseRow, OrderRow, ShipmentLineRow, ShipmentParcelRow, ShipmentRow, StepRow


def note_correction(session: Session, ask: NoteCorrection) -> NotedCorrection:
    """Write the new number down, once for each event. The same event again gives the same announcement, which the
    shop knows by its number of corrections."""
    event = ask.event
    order = session.get(OrderRow, ask.order_id)
    # The order's file is the lock, before its shipments, as where the order itself is saved.
    case = session.get(CaseRow, order_workflow_id(ask.order_id), with_for_update=True)
    rows = session.exec(select(ShipmentRow).where(ShipmentRow.order_id == ask.order_id).with_for_update()).all()
    row = next((one for one in rows if folded(one.shipment_id) == folded(event.shipment_id)), None)
    if order is None or case is None or row is None:
        known = ", ".join(one.shipment_id for one in rows) or "none"
        return _refused(f"order {ask.order_id} has no shipment {event.shipment_id}; known: {known}")
    if not case.ended:
        return _refused(f"order {ask.order_id} is under way: send the event to it")
    if event.event_id in row.corrected_by:
        if event.event_id == _last_noted(session, row):
            return _noted(session, order, row, event)
        message = f"shipment {row.shipment_id}: this was said before, and counted once"
        return NotedCorrection(state="known", message=message)
    if (why := _why_not(session, row)) is not None:
        return _refused(why)
    if (row.carrier, row.tracking_number) == (event.carrier, event.tracking_number):
        _remember(session, row, event)
        message = f"shipment {row.shipment_id} has this number already"
        return NotedCorrection(state="known", message=message)
    _write(session, row, event)
    return _noted(session, order, row, event)


def _last_noted(session: Session, row: ShipmentRow) -> str | None:
    """The last event that gave it a number after the order's end; the order announced those before."""
    runs = {correction_workflow_id(row.order_id, one): one for one in row.corrected_by}
    steps = select(StepRow.run_id).where(StepRow.workflow_id == order_workflow_id(row.order_id))
    noted = {runs[run] for run in session.exec(steps.where(col(StepRow.run_id).in_(list(runs))))}
    return next((one for one in reversed(row.corrected_by) if one in noted), None)


def _remember(session: Session, row: ShipmentRow, event: ShipmentCorrected) -> None:
    row.corrected_by = [*row.corrected_by, event.event_id]
    session.add(row)


def _refused(why: str) -> NotedCorrection:
    return NotedCorrection(state="refused", message=f"{why} (ORD-20)")


def _why_not(session: Session, row: ShipmentRow) -> str | None:
    more = select(ShipmentParcelRow).where(
        ShipmentParcelRow.order_id == row.order_id, ShipmentParcelRow.shipment_id == row.shipment_id
    )
    if session.exec(more).first() is not None:
        return f"shipment {row.shipment_id} has several parcels: which one is meant is not known"
    if row.delivered_at is not None:
        return f"shipment {row.shipment_id} is delivered: its number stays"
    return None


def _write(session: Session, row: ShipmentRow, event: ShipmentCorrected) -> None:
    """The number, a line in the order's timeline, and that the order is found by it too (RET-17)."""
    what = f"shipment {row.shipment_id} goes under {event.carrier} {event.tracking_number} now"
    step = {
        "workflow_id": order_workflow_id(row.order_id),
        "run_id": correction_workflow_id(row.order_id, event.event_id),
        "number": 0,
        "at": activity.info().scheduled_time if activity.in_activity() else datetime.now(UTC),
        "what": f"{what} (was {row.tracking_number})",
        "who": event.actor,
    }
    add_new(session, StepRow, [step])
    add_numbers(session, order_workflow_id(row.order_id), [event.tracking_number])
    row.carrier = event.carrier
    row.tracking_number = event.tracking_number
    _remember(session, row, event)


def _noted(session: Session, order: OrderRow, row: ShipmentRow, event: ShipmentCorrected) -> NotedCorrection:
    lines = select(ShipmentLineRow).where(
        ShipmentLineRow.order_id == row.order_id, ShipmentLineRow.shipment_id == row.shipment_id
    )
    shipped = session.exec(lines.order_by(col(ShipmentLineRow.position))).all()
    announcement = AnnounceTracking(
        order_id=order.order_id,
        seller_id=order.seller_id,
        channel=order.channel.value,
        channel_order_id=order.request.channel_order_id,
        shipment_id=row.shipment_id,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        lines=tuple(ItemQuantity(sku=sku, quantity=count) for sku, count in by_sku(shipped).items()),
        correction=row.corrected_by.index(event.event_id) + 1,
    )
    message = f"shipment {row.shipment_id} goes under {row.carrier} {row.tracking_number} now"
    return NotedCorrection(state="noted", message=message, announcement=announcement)
