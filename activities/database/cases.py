"""Where each case stands, and its timeline."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select
from temporalio import activity

from activities.database.upserts import Values, add_new, insert_into, table_of, written
from models.case import CaseRecord, MoneyState, SlaState
from models.failures import InvalidInput, Problem
from models.ids import KindName, case_of
from models.tables import CaseRow, StepRow

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = 10**18 - 1
"""More microseconds than any time that the database keeps."""


class _Write(NamedTuple):
    """Which run of the case asks for this write, and when the server noted that; none: nobody says."""

    run_id: str | None
    asked_at: datetime | None


def open_case(
    session: Session, workflow_id: str, run_id: str | None, stage: str, seller_id: str, order_id: str, at: datetime
) -> None:
    """The case begins: lists show it from now on. A file of an earlier run under its id becomes this run's."""
    row = {
        "workflow_id": workflow_id,
        "run_id": run_id or "",
        "kind": _kind_of(workflow_id),
        "stage": stage,
        "also_at": "",
        "seller_id": seller_id,
        "order_id": order_id,
        "waiting_on": None,
        "waiting_for": None,
        "waiting_since": None,
        "due_by": None,
        "sla_state": SlaState.ON_TIME,
        "custody": None,
        "money": MoneyState.NONE,
        "work": "",
        "held_up_by": "",
        "ended": False,
        "last_step": -1,
        "asked_at": _this_write().asked_at,
        "urgency": urgency_of(None, ended=False),
        "newness": newness_of(at),
    }
    statement = insert_into(session, CaseRow)
    changed = {name: statement.excluded[name] for name in row if name != "workflow_id"}
    written(session, statement.on_conflict_do_update(index_elements=["workflow_id"], set_=changed), row)


def write_case(session: Session, record: CaseRecord, *, takes_over: bool = True) -> bool:
    """Write down where the case stands and its new steps; a step that is there already stays as it is.

    Gives whether the record is the newest: an attempt that comes late, after a later record of the same case,
    must not turn the case back. After a reset the newer run counts, though its timeline is shorter. `takes_over`:
    from another start of the case, too.
    Raises InvalidInput for a workflow id that is no case's.
    """
    this = _this_write()
    row = _row(record, this)
    statement = insert_into(session, CaseRow)
    table, new = table_of(CaseRow), statement.excluded
    both_say_when = and_(table.c.asked_at.is_not(None), new.asked_at.is_not(None))
    is_newest = or_(
        and_(both_say_when, new.asked_at >= table.c.asked_at),
        and_(~both_say_when, or_(table.c.run_id != new.run_id, table.c.last_step <= new.last_step)),
    )
    if not takes_over:
        is_newest = and_(is_newest, table.c.run_id == new.run_id)
    changed = {name: new[name] for name in row if name not in ("workflow_id", "newness")}
    upsert = statement.on_conflict_do_update(index_elements=["workflow_id"], set_=changed, where=is_newest)
    newest = bool(written(session, upsert, row))
    # Its row is the lock: two who write down one case wait there, and nowhere else.
    _add_steps(session, record, this)
    return newest


def urgency_of(due_by: datetime | None, *, ended: bool) -> str:
    """Sorts as text: what is open, by when it is due, then what has no due date; last what has ended."""
    return f"{int(ended)}{_LAST if due_by is None else _microseconds(due_by):018d}"


def newness_of(at: datetime) -> str:
    """Sorts as text: the newest first."""
    return f"{_LAST - _microseconds(at):018d}"


def _microseconds(at: datetime) -> int:
    return min(max((at - _EPOCH) // timedelta(microseconds=1), 0), _LAST)


def _row(record: CaseRecord, this: _Write) -> Values:
    return {
        "workflow_id": record.workflow_id,
        "run_id": record.run_id,
        "kind": _kind_of(record.workflow_id),
        "stage": record.stage,
        "also_at": _between_commas(record.also_at),
        "seller_id": record.seller_id,
        "order_id": record.order_id,
        "waiting_on": record.waiting_on,
        "waiting_for": record.waiting_for,
        "waiting_since": record.waiting_since,
        "due_by": record.due_by,
        "sla_state": record.sla_state,
        "custody": record.custody,
        "money": record.money,
        "work": _between_commas(record.work),
        "held_up_by": _between_commas(record.held_up_by),
        "ended": record.ended,
        "last_step": record.first_step + len(record.steps) - 1,
        "asked_at": this.asked_at,
        "urgency": urgency_of(record.due_by, ended=record.ended),
        # Of a case that never opened: one that did keeps what it has.
        "newness": newness_of(record.steps[0].at if record.steps else datetime.now(UTC)),
    }


def _between_commas(words: Sequence[str]) -> str:
    return f",{','.join(words)}," if words else ""


def _kind_of(workflow_id: str) -> KindName:
    try:
        return case_of(workflow_id)[0]
    except ValueError as error:
        raise InvalidInput("case", [Problem("workflow_id", str(error))]) from None


def _this_write() -> _Write:
    if not activity.in_activity():
        return _Write(None, None)
    info = activity.info()
    # A local activity has the worker's time, not the server's: those of several workers say no order.
    return _Write(info.workflow_run_id, None if info.is_local else info.scheduled_time)


def _add_steps(session: Session, record: CaseRecord, this: _Write) -> None:
    """Add those that are not there. What a reset made different is kept beside what was before."""
    steps = _steps(record, record.run_id)
    if add_new(session, StepRow, steps) == len(steps) or this.run_id is None:
        return
    numbers = [step["number"] for step in steps]
    found = session.exec(
        select(StepRow).where(
            StepRow.workflow_id == record.workflow_id,
            StepRow.run_id == record.run_id,
            col(StepRow.number).between(min(numbers), max(numbers)),
        )
    )
    known = {row.number: (row.at, row.what, row.who) for row in found}
    beside = [
        step
        for step in _steps(record, f"{record.run_id}@{this.run_id}")
        if known[step["number"]] != (step["at"], step["what"], step["who"])
    ]
    add_new(session, StepRow, beside)


def _steps(record: CaseRecord, run_id: str) -> Sequence[Values]:
    return [
        {
            "workflow_id": record.workflow_id,
            "run_id": run_id,
            "number": number,
            "at": step.at,
            "what": step.what,
            "who": step.who,
        }
        for number, step in enumerate(record.steps, start=record.first_step)
    ]
