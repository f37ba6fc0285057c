"""Returns in the database: kept up to date, with their credit memos (RET)."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, or_, select, true, update
from sqlmodel import Session, col

from activities.database.cases import write_case
from activities.database.ledger import post
from activities.database.upserts import table_of, upsert, written
from models.failures import NotFound
from models.ledger import credit_memo_entries
from models.message import folded
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    ReceptionRecord,
    ReturnParcel,
    Saved,
    SaveReturn,
)
from models.tables import CreditMemoRow, OrderRow, ReceptionRow, ReturnParcelRow, ReturnRow


def save_return(session: Session, ask: SaveReturn) -> Saved:
    """Keep the return up to date; a section that is none stays as it is, and only what has changed is written.

    Raises NotFound for one that was never opened.
    """
    if not write_case(session, ask.record):
        return Saved(is_newest=False)
    if ask.kept is not None or ask.facts is not None:
        _save_row(session, ask)
    if ask.receptions is not None:
        _save_receptions(session, ask.return_id, ask.receptions)
    if ask.parcels:
        _save_parcels(session, ask.return_id, ask.parcels)
    return Saved()


def _save_row(session: Session, ask: SaveReturn) -> None:
    table = table_of(ReturnRow)
    news: dict[str, Any] = dict(ask.kept) if ask.kept is not None else {}
    differs = [table.c[name].is_distinct_from(value) for name, value in news.items()]
    if ask.facts is not None:
        news["facts"] = ask.facts
        differs.append(true())  # nobody compares them
    mine = (table.c.return_id == ask.return_id, table.c.run_id.is_not(None))
    if written(session, update(table).where(*mine, or_(*differs)).values(news)):
        return
    if session.execute(select(table.c.return_id).where(*mine)).first() is None:
        raise NotFound(f"no return {ask.return_id} in the database")


def book_credit_memo(session: Session, ask: BookCreditMemo) -> CreditMemoBooked:
    """Count a credit memo once for a return (RET-12); booking the very same one again, as a retry does, says
    `booked` again. Parts of one paper for several returns are together no more than the paper (RET-28).

    Raises NotFound for an unknown return.
    """
    number = folded(ask.number)
    the_same = (col(CreditMemoRow.supplier_id) == ask.supplier_id) & (col(CreditMemoRow.number_folded) == number)
    found = session.execute(
        select(col(ReturnRow.order_id), CreditMemoRow)
        .join(OrderRow, col(OrderRow.order_id) == col(ReturnRow.order_id))
        .join(CreditMemoRow, the_same, isouter=True)
        .where(col(ReturnRow.return_id) == ask.return_id)
        # Before the paper and the ledger, as everywhere.
        .with_for_update(of=OrderRow, read=True, key_share=True)
    ).all()
    if not found:
        raise NotFound(f"no return {ask.return_id} in the database")
    parts = [row.CreditMemoRow for row in found if row.CreditMemoRow is not None]
    if (before := next((one for one in parts if one.return_id == ask.return_id), None)) is not None:
        is_retry = all(getattr(before, name) == value for name, value in ask)
        return CreditMemoBooked(state="booked" if is_retry else "duplicate", return_id=before.return_id)
    if (reason := _over_total(ask, parts)) is not None:
        return CreditMemoBooked(state="over_total", return_id=ask.return_id, reason=reason)
    session.add(CreditMemoRow(number_folded=number, **dict(ask)))
    post(session, credit_memo_entries(ask, found[0].order_id))
    return CreditMemoBooked(state="booked", return_id=ask.return_id)


def _over_total(ask: BookCreditMemo, parts: list[CreditMemoRow]) -> str | None:
    """Why this part is too much for its paper; none where nobody said how much the paper is."""
    totals = [total for total in (ask.total, *(one.total for one in parts)) if total is not None]
    counted = sum((one.amount for one in parts if one.currency == ask.currency), ask.amount)
    if not totals or counted <= min(totals):
        return None
    others = ", ".join(f"{one.amount} for return {one.return_id}" for one in parts)
    credited = f"{others} and " if others else ""
    return f"the paper is over {min(totals)} {ask.currency}, and credits {credited}{ask.amount} here"


def _record(row: ReceptionRow) -> ReceptionRecord:
    return ReceptionRecord(
        event_id=row.event_id,
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        reception=row.reception,
        acceptance=row.acceptance,
    )


def _save_receptions(session: Session, return_id: str, receptions: Iterable[ReceptionRecord]) -> None:
    """Groups of units by receipt; what was corrected is gone (RET-25, RET-26)."""
    before = session.scalars(select(ReceptionRow).where(col(ReceptionRow.return_id) == return_id))
    known = {(row.event_id, row.position): _record(row) for row in before}
    said: dict[tuple[str, int], ReceptionRecord] = {}
    for record in receptions:
        position = sum(event_id == record.event_id for event_id, _ in said)
        said[record.event_id, position] = record
    table = table_of(ReceptionRow)
    for event_id, position in sorted(known.keys() - said.keys()):
        here = (table.c.event_id == event_id) & (table.c.position == position)
        session.execute(delete(table).where(table.c.return_id == return_id, here))
    changed = [
        {"return_id": return_id, "position": place[1], **dict(record)}
        for place, record in said.items()
        if known.get(place) != record
    ]
    upsert(session, ReceptionRow, changed)


def _save_parcels(session: Session, return_id: str, parcels: Iterable[ReturnParcel]) -> None:
    """Parcels add up; each number stands once (RET-29)."""
    said = {
        folded(one.tracking_number): {
            "carrier": one.carrier,
            "tracking_number": one.tracking_number,
            "lines": [units.model_dump(mode="json") for units in one.lines],
            "at": one.at,
        }
        for one in parcels
    }
    upsert(
        session,
        ReturnParcelRow,
        [{"return_id": return_id, "number_folded": number, **parcel} for number, parcel in said.items()],
    )
