"""When the goods of a return arrived, and until when they may come back (RET-22)."""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session, select

from models.failures import NotFound
from models.message import folded
from models.orders import ShipmentFact
from models.parties import Seller
from models.records import NoteDelivery, Saved
from models.return_windows import ReturnWindow, require_after_shipping, return_window
from models.returns import ReturnRequest, Source
from models.tables import OrderRow, ShipmentParcelRow, ShipmentRow


def window_of(
    request: ReturnRequest, order: OrderRow, seller: Seller, parcels: Iterable[ShipmentRow]
) -> ReturnWindow | None:
    """It counts from the last of the parcels that have the lines. None for a cancel that came too late: it was
    asked for before."""
    if request.source is Source.LATE_CANCEL:
        return None
    windows = [
        return_window(
            seller, order.request.buyer.address.country, shipped_at=parcel.at, delivered_at=parcel.delivered_at
        )
        for parcel in parcels
    ]
    return max(windows, key=lambda window: window.counts_from, default=None)


def says_more(told: ShipmentFact, known: ShipmentRow | None) -> bool:
    """Whether the order says of this shipment what the database does not have."""
    if known is None or numbers_of(told, known) != {
        "carrier": known.carrier,
        "tracking_number": known.tracking_number,
        "corrected_by": known.corrected_by,
    }:
        return True
    return delivered_at(told, known) != known.delivered_at


def numbers_of(told: ShipmentFact, known: ShipmentRow | None) -> dict[str, str | list[str]]:
    """Under which it goes; the order forgets no correction that came after its end (ORD-20)."""
    newest = known if known is not None and len(known.corrected_by) > len(told.corrected_by) else told
    return {
        "carrier": newest.carrier,
        "tracking_number": newest.tracking_number,
        "corrected_by": list(newest.corrected_by),
    }


def delivered_at(told: ShipmentFact, known: ShipmentRow | None) -> datetime | None:
    """When it arrived; the order forgets nothing that was said after its end."""
    return told.delivered_at or (known.delivered_at if known is not None else None)


def note_delivery(session: Session, ask: NoteDelivery) -> Saved:
    """A parcel of an order that has ended arrived. Of several words about it the first one counts.

    Raises NotFound when the order has no such shipment, RefusedByRule when it left later.
    """
    rows = session.exec(select(ShipmentRow).where(ShipmentRow.order_id == ask.order_id).with_for_update()).all()
    found = [row for row in rows if folded(ask.number) in _numbers(session, row)]
    if not found:
        known = ", ".join(row.shipment_id for row in rows) or "none"
        raise NotFound(f"order {ask.order_id} has no shipment {ask.number}; known: {known}")
    for row in found:
        require_after_shipping(row.shipment_id, row.at, ask.at)
        row.delivered_at = row.delivered_at or _after(row.at, ask.at)
        session.add(row)
    return Saved()


def _numbers(session: Session, row: ShipmentRow) -> set[str]:
    more = select(ShipmentParcelRow.tracking_number).where(
        ShipmentParcelRow.order_id == row.order_id, ShipmentParcelRow.shipment_id == row.shipment_id
    )
    return {folded(number) for number in (row.shipment_id, row.tracking_number, *session.exec(more))}


def _after(shipped_at: datetime, at: datetime) -> datetime:
    """Nothing arrives before it left: two clocks differ."""
    return max(shipped_at, at)
