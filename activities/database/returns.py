"""Returns in the database: kept up to date, with their credit memos (RET)."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from activities.database.cases import write_case
from activities.database.upserts import table_of, upsert
from models.failures import NotFound
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    KeptReturn,
    ReceptionRecord,
    Saved,
    SaveReturn,
)
from models.tables import CreditMemoRow, ReceptionRow, ReturnRow

_COLUMNS: Final = tuple(name for name in KeptReturn.model_fields if name not in ("return_id", "receptions"))
"""What is kept of a return in its own row."""


def save_return(session: Session, ask: SaveReturn) -> Saved:
    """Keep the return up to date: only what has changed is written.

    Raises NotFound for one that was never opened.
    """
    is_newest = write_case(session, ask.record)
    table = table_of(ReturnRow)
    known = session.execute(
        select(table.c.run_id, *(table.c[name] for name in _COLUMNS), ReceptionRow)
        .join_from(table, ReceptionRow, col(ReceptionRow.return_id) == table.c.return_id, isouter=True)
        .where(table.c.return_id == ask.return_id)
        .with_for_update(of=table)
    ).all()
    if not known or known[0].run_id is None:
        raise NotFound(f"no return {ask.return_id} in the database")
    if not is_newest:
        return Saved()
    changed: dict[str, Any] = {
        name: getattr(ask, name) for name in _COLUMNS if getattr(ask, name) != getattr(known[0], name)
    }
    if ask.facts is not None:
        changed["facts"] = ask.facts
    if changed:
        session.execute(update(table).where(table.c.return_id == ask.return_id).values(changed))
    _save_receptions(session, ask, [row.ReceptionRow for row in known if row.ReceptionRow is not None])
    return Saved()


def kept(row: ReturnRow, receptions: Iterable[ReceptionRow]) -> KeptReturn:
    """What was kept of a return last."""
    columns = {name: getattr(row, name) for name in _COLUMNS}
    records = tuple(_record(one) for one in receptions)
    return KeptReturn(return_id=row.return_id, receptions=records, **columns)


def book_credit_memo(session: Session, ask: BookCreditMemo) -> CreditMemoBooked:
    """Count a credit memo once (RET-12); booking the very same one again, as a retry does, says `booked` again.

    Raises NotFound for an unknown return.
    """
    the_same = (col(CreditMemoRow.supplier_id) == ask.supplier_id) & (col(CreditMemoRow.number) == ask.number)
    found = session.execute(
        select(col(ReturnRow.return_id), CreditMemoRow)
        .join(CreditMemoRow, the_same, isouter=True)
        .where(col(ReturnRow.return_id) == ask.return_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"no return {ask.return_id} in the database")
    if (before := found.CreditMemoRow) is not None:
        is_retry = all(getattr(before, name) == value for name, value in ask)
        return CreditMemoBooked(state="booked" if is_retry else "duplicate", return_id=before.return_id)
    session.add(CreditMemoRow(**dict(ask)))
    return CreditMemoBooked(state="booked", return_id=ask.return_id)


def _record(row: ReceptionRow) -> ReceptionRecord:
    return ReceptionRecord(
        line_id=row.line_id,
        sku=row.sku,
        quantity=row.quantity,
        reception=row.reception,
        acceptance=row.acceptance,
    )


def _save_receptions(session: Session, ask: SaveReturn, before: list[ReceptionRow]) -> None:
    """What is said now replaces what was said before (RET-11)."""
    known = {row.line_id: _record(row) for row in before}
    said = {record.line_id: record for record in ask.receptions}
    if gone := known.keys() - said.keys():
        table = table_of(ReceptionRow)
        session.execute(delete(table).where(table.c.return_id == ask.return_id, table.c.line_id.in_(sorted(gone))))
    changed = [record for line_id, record in said.items() if known.get(line_id) != record]
    upsert(session, ReceptionRow, [{"return_id": ask.return_id, **dict(record)} for record in changed])
