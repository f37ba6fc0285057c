"""Returns in the books: kept up to date, with their credit memos (RET)."""

from collections.abc import Iterable

from sqlmodel import Session, select

from activities.database.cases import write_case
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

_ELSEWHERE = frozenset({"return_id", "record", "receptions"})
"""What of SaveReturn is not a column of the return's row."""


def save_return(session: Session, ask: SaveReturn) -> Saved:
    """Keep the whole return up to date. Raises NotFound for one that was never opened."""
    row = session.get(ReturnRow, ask.return_id, with_for_update=True)
    if row is None or row.run_id is None:
        raise NotFound(f"no return {ask.return_id} in the books")
    if not write_case(session, ask.record):
        return Saved()
    for name, value in ask:
        if name not in _ELSEWHERE:
            setattr(row, name, value)
    session.add(row)
    _save_receptions(session, ask.return_id, ask.receptions)
    return Saved()


def kept(row: ReturnRow, receptions: Iterable[ReceptionRow]) -> KeptReturn:
    """What was kept of a return last."""
    columns = {name: getattr(row, name) for name in KeptReturn.model_fields if name not in _ELSEWHERE}
    records = tuple(ReceptionRecord.model_validate(one.model_dump()) for one in receptions)
    return KeptReturn(return_id=row.return_id, receptions=records, **columns)


def book_credit_memo(session: Session, ask: BookCreditMemo) -> CreditMemoBooked:
    """Count a credit memo once (RET-12); booking the very same one again, as a retry does, says `booked` again.

    Raises NotFound for an unknown return.
    """
    before = session.get(CreditMemoRow, (ask.supplier_id, ask.number))
    if before is not None:
        is_retry = all(getattr(before, name) == value for name, value in ask)
        return CreditMemoBooked(state="booked" if is_retry else "duplicate", return_id=before.return_id)
    if session.get(ReturnRow, ask.return_id) is None:
        raise NotFound(f"no return {ask.return_id} in the books")
    session.add(CreditMemoRow(**dict(ask)))
    return CreditMemoBooked(state="booked", return_id=ask.return_id)


def _save_receptions(session: Session, return_id: str, records: tuple[ReceptionRecord, ...]) -> None:
    """What is said now replaces what was said before (RET-11)."""
    said = {record.sku for record in records}
    for row in session.exec(select(ReceptionRow).where(ReceptionRow.return_id == return_id)):
        if row.sku not in said:
            session.delete(row)
    for record in records:
        session.merge(ReceptionRow(return_id=return_id, **dict(record)))
