"""Orphans in the database: what was said, all its numbers, and what became of it (RET-20)."""

from sqlmodel import Session, col, select

from activities.database import cases, view_rows
from activities.database.lists import Page, of_page
from activities.database.upserts import add_new
from activities.database.views import OrphanListed
from models.failures import NotFound
from models.ids import case_of
from models.message import folded
from models.orphans import OrphanRequest, SaveOrphan
from models.records import Saved
from models.tables import CaseRow
from models.tables.orphans import CaseNumberRow, OrphanRow


def save_orphan(session: Session, ask: SaveOrphan) -> Saved:
    """Keep an orphan up to date; an attempt that comes late changes nothing."""
    if not cases.write_case(session, ask.record):
        return Saved()
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


def kept_words(session: Session, workflow_id: str) -> list[str]:
    """The open orphans (workflow ids) that keep what was said to this return before it could start (RET-16)."""
    rows = (
        select(OrphanRow)
        .join(CaseNumberRow, col(CaseNumberRow.workflow_id) == col(OrphanRow.workflow_id))
        .join(CaseRow, col(CaseRow.workflow_id) == col(OrphanRow.workflow_id))
        .where(CaseNumberRow.folded == folded(case_of(workflow_id)[1]), col(CaseRow.ended).is_(False))
        .order_by(col(OrphanRow.reported_at), col(OrphanRow.orphan_id))
    )
    return [row.workflow_id for row in session.exec(rows) if row.request.sent_to == workflow_id]


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
