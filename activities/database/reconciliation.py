"""Cases that the database has open although the server ended them: listed, and written down as terminated.

No case writes this of itself: `terminate` gives it no word. Money and goods stay as they are in the database.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from activities.database.cases import urgency_of
from activities.database.replacements import news_of
from activities.database.transactions import read, write
from activities.database.views import OpenCase, UntoldEnd
from models.case import ReturnStage
from models.ids import case_of, return_workflow_id
from models.partners import ChargeState
from models.refunds import COUNTS_AGAINST_CAP, RefundState
from models.replacements import ReplacementNews
from models.tables import (
    CaseRow,
    ChargeRow,
    CreditMemoRow,
    MailRow,
    OrderRow,
    RefundRow,
    ReturnRow,
    StepRow,
    SupplierOrderRow,
)

BY: Final = "staff:temporal"
_HELD: Final = (ChargeState.AUTHORIZED, ChargeState.CAPTURED)


class Reconciling:
    """What the database has open, and how it is closed. PartnerUnavailable if it stays away."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_cases(self) -> list[OpenCase]:
        """Every case that has not written down its end, those too that never wrote anything of themselves."""
        return read(self._engine, lambda session: list(_open_cases(session)))

    def newest_orders(self, count: int) -> list[str]:
        """Workflow ids of the orders that came last, whatever became of them."""
        newest = select(OrderRow.workflow_id).order_by(col(OrderRow.received_at).desc()).limit(count)
        return read(self._engine, lambda session: list(session.exec(newest)))

    def note_terminated(self, case: OpenCase, at: datetime, what: str) -> bool:
        """Write down that the server ended this case; False, and nothing is changed, if it moved meanwhile.

        Refunds keep their state: what is reserved or pending counts against the cap, for it may have been paid.
        """
        return write(self._engine, lambda session: _note(session, case, at, what))

    def untold(self) -> list[UntoldEnd]:
        """Cases written down as terminated of which staff have no mail yet."""
        return read(self._engine, lambda session: list(_untold(session)))

    def news_of_replacement(self, workflow_id: str) -> tuple[str, ReplacementNews] | None:
        """Of an order that replaces what a return is about: that return's workflow id, and how the order stands.
        None for every other case."""
        return read(self._engine, lambda session: _news_of_replacement(session, workflow_id))


def _open_cases(session: Session) -> Iterator[OpenCase]:
    rows = (
        select(CaseRow, ReturnRow.split_from, ReturnRow.run_id)
        .join(ReturnRow, col(ReturnRow.workflow_id) == col(CaseRow.workflow_id), isouter=True)
        .where(col(CaseRow.ended).is_(False))
    )
    for row, split_from, opened_by in session.exec(rows).all():
        opener = return_workflow_id(split_from) if split_from is not None and opened_by is None else None
        yield OpenCase(
            workflow_id=row.workflow_id,
            run_id=row.run_id or None,
            stage=row.stage,
            seller_id=row.seller_id,
            order_id=row.order_id,
            last_step=row.last_step,
            split_from=opener,
            holds=tuple(_holds(session, row.workflow_id)),
        )


def _holds(session: Session, workflow_id: str) -> Iterator[str]:
    """Money and goods that the database knows to hang on a case."""
    kind, number = case_of(workflow_id)
    if kind == "order":
        order = session.get(OrderRow, number)
        if order is not None and order.replaces is not None:
            yield f"return {order.replaces} waits for it to replace its goods: waive that, or send another one"
        for charge in session.exec(select(ChargeRow).where(ChargeRow.order_id == number)):
            if charge.state in _HELD:
                yield f"charge {charge.charge_id} of {charge.amount} {charge.currency} is {charge.state.value}"
        for bought in session.exec(select(SupplierOrderRow).where(SupplierOrderRow.order_id == number)):
            if bought.state != "refused":
                yield f"order {bought.number} to {bought.supplier_id} is {bought.state}"
    elif kind == "return":
        claimed = session.get(ReturnRow, number)
        if claimed is not None and claimed.rma_number:
            yield f"{claimed.supplier_id} expects the goods (RMA {claimed.rma_number})"
        for memo in session.exec(select(CreditMemoRow).where(CreditMemoRow.return_id == number)):
            yield f"credit memo {memo.number} over {memo.amount} {memo.currency} is booked"
    else:
        refund = session.get(RefundRow, number)
        if refund is not None:
            whom = refund.direction.value.rpartition("_")[2]
            counts = ", and stays so: look at the gateway" if refund.state in COUNTS_AGAINST_CAP else ""
            settled = "" if refund.state is RefundState.SUCCEEDED else counts
            yield f"{refund.amount} {refund.currency} for the {whom} is {refund.state.value}{settled}"


def _note(session: Session, case: OpenCase, at: datetime, what: str) -> bool:
    row = session.get(CaseRow, case.workflow_id, with_for_update=True)
    claimed = _return_of(session, case.workflow_id)  # after its file, as everywhere
    if row is None or row.ended or (row.run_id or None, row.last_step) != (case.run_id, case.last_step):
        return False
    if claimed is not None:
        claimed.run_id = claimed.run_id or ReturnStage.TERMINATED  # its number is used up, as any other's
        claimed.outcome = ReturnStage.TERMINATED
        session.add(claimed)
    row.run_id = row.run_id or ReturnStage.TERMINATED.value
    last = session.exec(select(func.max(StepRow.at)).where(StepRow.workflow_id == case.workflow_id)).one()
    session.add(
        StepRow(
            workflow_id=case.workflow_id,
            run_id=_run_of_notes(row.run_id),
            number=_notes(session, row),
            at=max(at, last) if last is not None else at,
            what=what,
            who=BY,
        )
    )
    row.stage = ReturnStage.TERMINATED.value
    row.waiting_on = row.waiting_for = row.waiting_since = row.due_by = None
    row.ended = True
    row.urgency = urgency_of(None, ended=True)
    session.add(row)
    return True


def _news_of_replacement(session: Session, workflow_id: str) -> tuple[str, ReplacementNews] | None:
    kind, number = case_of(workflow_id)
    order = session.get(OrderRow, number) if kind == "order" else None
    if order is None or order.replaces is None:
        return None
    return return_workflow_id(order.replaces), news_of(session, order)


def _return_of(session: Session, workflow_id: str) -> ReturnRow | None:
    kind, number = case_of(workflow_id)
    return session.get(ReturnRow, number, with_for_update=True) if kind == "return" else None


def _run_of_notes(run_id: str) -> str:
    """Our steps have numbers of their own: a case that is reset goes on counting where it was."""
    return f"{run_id}:{ReturnStage.TERMINATED.value}"


def _notes(session: Session, row: CaseRow) -> int:
    """How often this run was written down as terminated: more than once, if it was reset in between."""
    mine = (StepRow.workflow_id == row.workflow_id, StepRow.run_id == _run_of_notes(row.run_id))
    return session.exec(select(func.count()).select_from(StepRow).where(*mine)).one()


def _untold(session: Session) -> Iterator[UntoldEnd]:
    ended = select(CaseRow).where(CaseRow.stage == ReturnStage.TERMINATED, col(CaseRow.ended).is_(True))
    for row in session.exec(ended):
        number = _notes(session, row) - 1
        step = session.get(StepRow, (row.workflow_id, _run_of_notes(row.run_id), number))
        key = f"{row.workflow_id}:alert-terminated-{row.run_id}-{number}"
        if step is not None and session.get(MailRow, key) is None:
            yield UntoldEnd(
                key=key,
                workflow_id=row.workflow_id,
                seller_id=row.seller_id,
                order_id=row.order_id,
                at=step.at,
                what=step.what,
            )
