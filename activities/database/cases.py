"""Where each case stands, and its timeline."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session
from temporalio import activity

from models.case import CaseRecord, Step
from models.ids import case_of
from models.tables import CaseRow, StepRow


class _Write(NamedTuple):
    """Which run of the case asks for this write, and when the server noted that; none: nobody says."""

    run_id: str | None
    asked_at: datetime | None


def write_case(session: Session, record: CaseRecord) -> bool:
    """Write down where the case stands and its new steps; a step that is there already stays as it is.

    Gives whether the record is the newest: an attempt that comes late, after a later record of the same case,
    must not turn the case back. After a reset the newer run counts, though its timeline is shorter.
    """
    this = _this_write()
    for number, step in enumerate(record.steps, start=record.first_step):
        _keep_step(session, record, number, step, this)
    last_step = record.first_step + len(record.steps) - 1
    before = session.get(CaseRow, record.workflow_id)
    if before is not None and _is_late(before, record, last_step, this):
        return False
    kind, _ = case_of(record.workflow_id)
    session.merge(
        CaseRow(
            workflow_id=record.workflow_id,
            run_id=record.run_id,
            kind=kind,
            stage=record.stage,
            seller_id=record.seller_id,
            order_id=record.order_id,
            waiting_on=record.waiting_on,
            waiting_for=record.waiting_for,
            waiting_since=record.waiting_since,
            due_by=record.due_by,
            sla_state=record.sla_state,
            ended=record.ended,
            last_step=last_step,
            asked_at=this.asked_at,
        )
    )
    return True


def _this_write() -> _Write:
    if not activity.in_activity():
        return _Write(None, None)
    info = activity.info()
    # A local activity has the worker's time, not the server's: those of several workers say no order.
    return _Write(info.workflow_run_id, None if info.is_local else info.scheduled_time)


def _is_late(before: CaseRow, record: CaseRecord, last_step: int, this: _Write) -> bool:
    """Whether what is there is newer. A case asks for one write at a time, and a run that is over for none."""
    if this.asked_at is not None and before.asked_at is not None:
        return this.asked_at < before.asked_at
    return before.run_id == record.run_id and before.last_step > last_step


def _keep_step(session: Session, record: CaseRecord, number: int, step: Step, this: _Write) -> None:
    """Add the step, unless it is there. What a reset made different is kept beside what was before."""
    for run_id in (record.run_id, f"{record.run_id}@{this.run_id}"):
        row = session.get(StepRow, (record.workflow_id, run_id, number))
        if row is None:
            session.add(
                StepRow(
                    workflow_id=record.workflow_id,
                    run_id=run_id,
                    number=number,
                    at=step.at,
                    what=step.what,
                    who=step.who,
                )
            )
            return
        if this.run_id is None or (row.at, row.what, row.who) == (step.at, step.what, step.who):
            return
