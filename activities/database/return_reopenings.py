"""A return that has ended opens again, because a refund of it failed (REF-7)."""

from sqlmodel import Session, col, func, select

from activities.database.refunds import result_of
from activities.database.return_openings import show_opening
from activities.database.returnable_units import CUT_SHORT
from models.ids import return_workflow_id
from models.records import Opening, ReopenReturn, ReturnReopened
from models.refunds import RefundState
from models.tables import CaseRow, RefundRow, ReturnRow, StepRow


def reopen_return(session: Session, ask: ReopenReturn) -> ReturnReopened:
    """Give what the return knew when it ended, with all refunds of it that failed; from now on it is this run's.

    Asked again, also by another run, it gives the same answer: whether anything is left to do, the case says.
    Refused: no such return, no such failed refund of it, or staff cut the return short.
    """
    file = select(CaseRow.workflow_id).where(CaseRow.workflow_id == return_workflow_id(ask.return_id))
    session.exec(file.with_for_update()).first()  # before its return, as everywhere
    row = session.get(ReturnRow, ask.return_id, with_for_update=True)
    if row is None or row.opened is None:
        return ReturnReopened(opening=Opening.REFUSED, reason=f"no return {ask.return_id}")
    refunds = session.exec(
        select(RefundRow)
        .where(RefundRow.return_id == ask.return_id, RefundRow.state == RefundState.FAILED)
        .order_by(col(RefundRow.reserved_at), col(RefundRow.refund_id))
    ).all()
    if ask.refund_id not in [refund.refund_id for refund in refunds]:
        why = f"no refund {ask.refund_id} of return {ask.return_id} has failed"
        return ReturnReopened(opening=Opening.REFUSED, reason=why)
    if row.run_id != ask.run_id and row.outcome in CUT_SHORT:
        why = f"return {ask.return_id} did not end by itself: staff must look at it"
        return ReturnReopened(opening=Opening.REFUSED, reason=why)
    steps = select(func.count(col(StepRow.run_id).distinct())).where(
        col(StepRow.workflow_id) == row.workflow_id,
        col(StepRow.run_id) != ask.run_id,
        ~col(StepRow.run_id).contains("@"),  # a reset opens nothing
    )
    times = session.exec(steps).one() + 1
    if row.outcome is not None:
        show_opening(session, row)
    row.run_id = ask.run_id
    row.outcome = None
    session.add(row)
    return ReturnReopened(
        opening=Opening.OPENED,
        opened=row.opened,
        times=times,
        facts=row.facts,
        failed=tuple(result_of(refund) for refund in refunds),
    )
