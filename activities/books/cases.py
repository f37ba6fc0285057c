"""Where each case stands, and its timeline."""

from sqlmodel import Session

from models.case import CaseRecord
from models.ids import case_of
from models.tables import CaseRow, StepRow


def write_case(session: Session, record: CaseRecord) -> bool:
    """Write down where the case stands and its new steps; a step that is there already stays as it is.

    Gives whether the record is the newest: an attempt that comes late, after a later record of the same run,
    must not turn the case back.
    """
    for number, step in enumerate(record.steps, start=record.first_step):
        if session.get(StepRow, (record.workflow_id, record.run_id, number)) is None:
            session.add(
                StepRow(
                    workflow_id=record.workflow_id,
                    run_id=record.run_id,
                    number=number,
                    at=step.at,
                    what=step.what,
                    who=step.who,
                )
            )
    last_step = record.first_step + len(record.steps) - 1
    before = session.get(CaseRow, record.workflow_id)
    if before is not None and before.run_id == record.run_id and before.last_step > last_step:
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
        )
    )
    return True
