"""Orphans in the database: what was said, all its numbers, and what became of it (RET-20)."""

from typing import Final

from sqlalchemy import Boolean, literal_column
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from activities.database import cases, view_rows
from activities.database.case_numbers import MOST, add_numbers, number_rows
from activities.database.lists import Page, of_page
from activities.database.upserts import add_new, insert_into
from activities.database.views import OrphanListed
from models.case import CaseRecord
from models.failures import NotFound
from models.ids import order_workflow_id
from models.orphans import OrphanRequest, SaveOrphan
from models.records import Saved
from models.tables import CaseRow
from models.tables.orphans import CaseNumberRow, OrphanRow

_OPEN_ONES: Final = """
    SELECT 1 FROM orphan
    JOIN case_file AS its ON its.workflow_id = orphan.workflow_id AND NOT its.ended
    JOIN case_number AS theirs ON theirs.workflow_id = orphan.workflow_id"""
_MAY_BE_WAITED_FOR: Final = literal_column(
    f"""EXISTS ({_OPEN_ONES} WHERE theirs.folded = case_number.folded) OR EXISTS ({_OPEN_ONES}
    JOIN case_number AS known ON known.folded = theirs.folded
    WHERE known.workflow_id IN (case_number.workflow_id, (
        SELECT 'order-' || mine.order_id FROM case_file AS mine
        WHERE mine.workflow_id = case_number.workflow_id)))""",
    Boolean,
)
"""Of a row of `case_number` that is written: whether an open orphan has its number, or one that its case or the
case's order has already."""


def save_orphan(session: Session, ask: SaveOrphan) -> Saved:
    """Keep an orphan up to date; an attempt that comes late changes nothing."""
    is_newest = cases.write_case(session, ask.record)
    add_numbers(session, ask.record.workflow_id, ask.record.numbers)
    if not is_newest:
        return Saved(is_newest=False)
    row = session.get(OrphanRow, ask.orphan_id)
    if ask.request is not None and row is None:
        add_new(session, OrphanRow, [_first_row(ask, ask.request)])
        row = session.get(OrphanRow, ask.orphan_id)
    if row is None:
        raise NotFound(f"no orphan {ask.orphan_id} in the database")
    row.candidates = list(ask.candidates)
    row.matched_to = ask.matched_to
    row.decided_by = ask.decided_by
    row.reason = ask.reason
    session.add(row)
    return Saved()


def _first_row(ask: SaveOrphan, request: OrphanRequest) -> dict[str, object]:
    return {
        "orphan_id": ask.orphan_id,
        "workflow_id": ask.record.workflow_id,
        "source": request.source,
        "about": request.about,
        "event": request.event,
        "seller_id": request.seller_id,
        "supplier_id": request.supplier_id,
        "numbers": list(request.every_number),
        "reported_at": ask.reported_at,
        "expires_at": ask.expires_at,
        "candidates": [],
        "matched_to": None,
        "decided_by": None,
        "reason": None,
        "request": request.model_copy(update={"continued": None}),
    }


def orphans(session: Session, page: Page, *, ended: bool) -> list[OrphanListed]:
    """What is open first; without `ended`, that alone."""
    rows = select(OrphanRow, CaseRow).join(CaseRow, col(CaseRow.workflow_id) == col(OrphanRow.workflow_id))
    if not ended:
        rows = rows.where(col(CaseRow.ended).is_(False))
    return [_listed(row, case) for row, case in session.execute(of_page(rows, "orphan", page))]


def add_numbers_and_look(session: Session, record: CaseRecord) -> tuple[str, ...]:
    """The case can be found by these numbers from now on, and finds in turn the open orphans (workflow ids) that
    have a number of it or of its order. At most `MOST`, the oldest first: the others find it when they look.

    One statement where there is none. The last one of a transaction: an orphan that is saved later finds the case.
    """
    if not record.numbers:
        return ()
    rows = number_rows(record.workflow_id, record.numbers)
    statement = insert_into(session, CaseNumberRow).on_conflict_do_nothing()
    looked = session.scalars(statement.returning(_MAY_BE_WAITED_FOR), rows).all()
    if len(looked) == len(rows) and not any(looked):
        return ()
    return _waiting_for(session, record)


def _waiting_for(session: Session, record: CaseRecord) -> tuple[str, ...]:
    theirs = aliased(CaseNumberRow)
    of_case = (record.workflow_id, order_workflow_id(record.order_id))
    rows = (
        select(OrphanRow.workflow_id)
        .join(theirs, col(theirs.workflow_id) == col(OrphanRow.workflow_id))
        .join(CaseNumberRow, col(CaseNumberRow.folded) == col(theirs.folded))
        .join(CaseRow, col(CaseRow.workflow_id) == col(OrphanRow.workflow_id))
        .where(col(CaseNumberRow.workflow_id).in_(of_case), col(CaseRow.ended).is_(False))
        .group_by(col(OrphanRow.workflow_id), col(OrphanRow.reported_at))
        .order_by(col(OrphanRow.reported_at), col(OrphanRow.workflow_id))
        .limit(MOST)
    )
    return tuple(session.exec(rows))


def orphan(session: Session, orphan_id: str) -> OrphanListed:
    """One orphan. Raises NotFound."""
    row = session.get(OrphanRow, orphan_id)
    if row is None:
        raise NotFound(f"no orphan {orphan_id} in the database")
    return _listed(row, session.get(CaseRow, row.workflow_id))


def _listed(row: OrphanRow, case: CaseRow | None) -> OrphanListed:
    return OrphanListed(
        orphan_id=row.orphan_id,
        source=row.source,
        about=row.about,
        event=row.event,
        seller_id=row.seller_id,
        supplier_id=row.supplier_id,
        numbers=tuple(row.numbers),
        said=row.request.said,
        reported_at=row.reported_at,
        expires_at=row.expires_at,
        candidates=tuple(row.candidates),
        matched_to=row.matched_to,
        decided_by=row.decided_by,
        reason=row.reason,
        standing=view_rows.standing(case),
    )
