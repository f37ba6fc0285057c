"""What the database keeps of a case: one save at a time, and only when it says something new."""

import asyncio
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.calls import Call
from models.case import CaseRecord, Who
from models.case import Wait as ShownWait
from models.message import Message
from workflows.engine.case import CaseFacts
from workflows.engine.plan import Plan, Wait
from workflows.engine.procedure import CaseView, Procedure
from workflows.engine.worklists import held_up_by, work_of

F = TypeVar("F", bound=CaseFacts)

MOST_STEPS = 200
"""How many steps of a timeline fit into one message, however long people's notes are."""


def stage_of(facts: CaseFacts, plan: Plan, first: str) -> str:
    """Where the case stands: its outcome, or the stage of what it waits for; `first` before it waits at all."""
    if facts.outcome is not None:
        return facts.outcome
    return plan.waits[0].stage if plan.waits else first


def shown_wait(facts: CaseFacts, plan: Plan) -> Wait | None:
    """What lists show. Of a case that has ended nobody needs to know that its last e-mails are on their way."""
    return plan.waits[0] if plan.waits and facts.outcome is None else None


def waits_in_status(facts: CaseFacts, plan: Plan, stage: str) -> list[ShownWait]:
    """All that it waits for, the database too while it does not take what is to be kept."""
    waits = [
        ShownWait(stage=wait.stage, who=wait.who, what=wait.what, since=wait.since, due=wait.due)
        for wait in plan.waits
    ]
    if (trouble := facts.save_trouble) is not None:
        what = f"take what it does not have yet ({trouble.reason})"
        waits.append(ShownWait(stage=stage, who=Who.BOOKS, what=what, since=trouble.since))
    return waits


def also_at(facts: CaseFacts, plan: Plan) -> tuple[str, ...]:
    """The stages of what it waits for beside the first, each once."""
    if facts.outcome is not None:
        return ()
    stages = dict.fromkeys(wait.stage for wait in plan.waits)
    return tuple(str(stage) for stage in stages)[1:]


def waiting_on(facts: CaseFacts, plan: Plan) -> list[str]:
    """All on whom it waits, each once; the first is the one of its stage."""
    if facts.outcome is not None:
        return []
    return list(dict.fromkeys(wait.who.value for wait in plan.waits))


def record_of(facts: CaseFacts, plan: Plan, view: CaseView, first: str) -> CaseRecord:
    """Where the case stands, without its steps."""
    wait = shown_wait(facts, plan)
    return CaseRecord(
        workflow_id=facts.case_id,
        run_id=facts.run_id,
        stage=stage_of(facts, plan, first),
        also_at=also_at(facts, plan),
        seller_id=facts.seller_id,
        order_id=facts.order_id,
        waiting_on=wait.who if wait else None,
        waiting_for=wait.what if wait else None,
        waiting_since=wait.since if wait else None,
        due_by=wait.due if wait else None,
        sla_state=view.sla_state,
        custody=view.custody,
        money=view.money,
        work=work_of(facts, view, plan.waits),
        held_up_by=held_up_by(facts),
        ended=facts.outcome is not None,
        numbers=(facts.case_id.partition("-")[2], *view.numbers),
        first_step=0,
        steps=(),
    )


@dataclass
class Save:
    """A write: by which call, the message, what it will have saved, and how many steps are saved then."""

    call: Call[Any, Any]
    message: Message
    projection: Message
    steps_saved: int


class Saves(Generic[F]):
    """Knows what the database has of a case, and what it should have."""

    def __init__(self, procedure: Procedure[F], first_stage: str, *, took_over: bool = False) -> None:
        """`took_over`: from an earlier run, as after a reset. Nobody knows what that one has saved since: each
        section is told every time."""
        self._procedure = procedure
        self._first_stage = first_stage
        self._took_over = took_over
        self._saved: Message | None = None
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def next(self, facts: F, plan: Plan, view: CaseView) -> Save | None:
        """The write that is due; none: the database has what people see.

        Steps alone can wait for the next write, but for the last one. While an answer is a matter of seconds, the
        next write waits for it, as the first one does; of a case that has ended nothing waits.
        """
        if not view.is_kept or facts.is_settling:
            return None
        kept = self._procedure.projection(facts, record_of(facts, plan, view, self._first_stage))
        if kept is None:
            return None
        call, projection = kept
        unsaved = facts.unsaved_steps
        is_waited_for = any(steps > facts.steps_saved for steps, _ in self._waiting)
        steps_wait = facts.outcome is None and len(unsaved) < MOST_STEPS and not is_waited_for
        if projection == self._saved and (steps_wait or not unsaved):
            return None
        steps = unsaved[:MOST_STEPS]
        return Save(call, self._message(projection, facts, steps), projection, facts.steps_saved + len(steps))

    def done(self, save: Save) -> None:
        """Keep what the database has now, and wake who waits for it."""
        self._saved = save.projection
        waiting, self._waiting = self._waiting, []
        for steps, saved in waiting:
            if save.steps_saved < steps:
                self._waiting.append((steps, saved))
            elif not saved.done():  # it is, where its effect was given up
                saved.set_result(None)

    async def until(self, steps: int) -> None:
        """Wait for the write that saves so many steps. It wakes who waits: a condition of their own would come in
        another order when a replay hands over two tasks as one."""
        saved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((steps, saved))
        await saved

    def _message(self, projection: Message, facts: F, steps: tuple[Any, ...]) -> Message:
        """The new steps, and of numbers and sections only what the database does not have."""
        record: CaseRecord = getattr(projection, "record")  # noqa: B009
        changes: dict[str, Any] = {
            "record": record.model_copy(update={"first_step": facts.steps_saved, "steps": steps})
        }
        if self._took_over:
            return projection.model_copy(update=changes)
        if self._saved is not None and type(self._saved) is type(projection):
            before: CaseRecord = getattr(self._saved, "record")  # noqa: B009
            news = tuple(number for number in record.numbers if number not in before.numbers)
            changes["record"] = changes["record"].model_copy(update={"numbers": news})
            for section in getattr(type(projection), "sections", ()):
                if getattr(projection, section) == getattr(self._saved, section):
                    changes[section] = None
        else:
            changes |= dict.fromkeys(getattr(projection, "as_opened", ()))
        return projection.model_copy(update=changes)
