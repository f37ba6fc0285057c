"""Where a case stands: what it waits for, since when, who must act; as people and the books see it (NTF-3)."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.case import CaseRecord, CaseStatus, SlaState, Step, Wait, Who
    from models.message import Event
    from workflows.inbox import Inbox
    from workflows.showing import current_details

MOST_STEPS_SAVED = 200
"""How many steps of a timeline fit into one message, however long people's notes are."""


class Reminder:
    """Something to do once at a time while a wait lasts; `key` names it within the wait."""

    def __init__(self, key: str, at: datetime, act: Callable[[], None]) -> None:
        self.key = key
        self.at = at
        self.act = act


def reminders_after(since: datetime, days: Iterable[int], act: Callable[[int], None]) -> list[Reminder]:
    """One reminder for each of `days` after `since`; `act` is told which."""
    return [Reminder(f"{day}", since + timedelta(days=day), partial(act, day)) for day in days]


class Standing(ABC):
    """A case as people see it. Its procedure waits only through `wait_for` and `ask`, so that it always says what
    it waits for, since when, who must act, and what is due when."""

    def __init__(
        self, events: dict[str, type[Event]], *, seller_id: str, order_id: str, stages: type[StrEnum]
    ) -> None:
        self.run_id = workflow.info().first_execution_run_id
        """By which the books know that it is the same case that asks again, also after a reset."""
        self.inbox = Inbox(events, self._check_event, self._note_event, self._rejected)
        self.seller_id = seller_id
        self.order_id = order_id
        self.waits: list[Wait] = []
        self.deadlines: dict[str, datetime] = {}
        self.timeline: list[Step] = []
        self.outcome: str | None = None
        self.closing_message = ""
        self.sla_state = SlaState.ON_TIME
        self.wakeups = 0
        """Counts what makes a wait look at its deadlines again."""
        self.keeps_books = True
        """False for a case that never opened: its id may be another's."""
        self._stages = [stage.value for stage in stages]
        self._last_stage: str = self._stages[0]
        self._saving = asyncio.Lock()
        self._booking = asyncio.Lock()
        """One write at a time: none can come after a newer one."""
        self._saved_steps = 0
        self._shown: dict[str, Any] = {}
        self._reminders_done: set[tuple[str, str, datetime]] = set()
        self._mails: list[asyncio.Task[None]] = []
        self._stopping = False

    # ---- what a case is made of; each workflow says it for itself ----

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """The case's facts, as JSON, for the query `status`."""

    @abstractmethod
    async def write_books(self, record: CaseRecord) -> None:
        """Write the projection of this case into the books."""

    def check_event(self, name: str, event: Event) -> None:
        """Raise a BackhaulError when a rule refuses the event now; change nothing."""
        return

    @abstractmethod
    def note_event(self, name: str, event: Event) -> str:
        """Record the event's facts; give one line for the sender."""

    async def answer(self, event: Event, noted: str) -> tuple[bool, str]:
        """Whether the event does what its sender wants, and what the sender is told; `noted` is its fact."""
        return True, noted

    # ---- shown to people ----

    @property
    def stage(self) -> str:
        """Where the case stands: its outcome, or the stage of what it waits for."""
        if self.outcome is not None:
            return self.outcome
        return self.waits[0].stage if self.waits else self._last_stage

    def step(self, what: str, who: str = Who.BACKHAUL) -> None:
        """Add a line to the timeline."""
        self.timeline.append(Step(at=workflow.now(), what=what, who=who))
        self._render()

    @workflow.query(name="status", description="Stage, what it waits for, deadlines, timeline, facts")
    def status(self) -> CaseStatus:
        return CaseStatus(
            workflow_id=workflow.info().workflow_id,
            stage=self.stage,
            outcome=self.outcome,
            waiting_for=self.waits[0] if self.waits else None,
            also_waiting_for=tuple(self.waits[1:]),
            deadlines=dict(self.deadlines),
            sla_state=self.sla_state,
            timeline=tuple(self.timeline),
            rejected_events=tuple(self.inbox.rejected),
            rejected_count=self.inbox.rejected_count,
            facts=self.facts(),
        )

    @workflow.signal(dynamic=True, description="Unknown names are recorded as rejected events")
    def unknown_signal(self, name: str, payload: Sequence[RawValue]) -> None:
        self.inbox.take(name, payload)

    def label(self, *updates: SearchAttributeUpdate[Any]) -> None:
        """Upsert the search attributes whose value is new."""
        new = [update for update in updates if self._shown.get(update.key.name, ...) != update.value]
        if new:
            workflow.upsert_search_attributes(new)
            self._shown.update({update.key.name: update.value for update in new})

    async def show(self) -> None:
        """Let search attributes, current details and the books say where the case stands."""
        wait = self.waits[0] if self.waits else None
        due = wait.due if wait else None
        self.label(
            contract.STAGE.value_set(self.stage),
            contract.ORDER_ID.value_set(self.order_id),
            contract.SELLER_ID.value_set(self.seller_id),
            contract.SLA_STATE.value_set(self.sla_state.value),
            contract.WAITING_ON.value_set(wait.who) if wait else contract.WAITING_ON.value_unset(),
            contract.DUE_BY.value_set(due) if due else contract.DUE_BY.value_unset(),
        )
        self._render()
        await self.save()

    async def save(self) -> None:
        """Write the case into the books: its projection, and the steps that are new."""
        if not self.keeps_books:
            return
        async with self._saving:
            while True:
                steps = len(self.timeline)
                if steps - self._saved_steps > MOST_STEPS_SAVED and workflow.patched("steps-saved-in-parts"):
                    steps = self._saved_steps + MOST_STEPS_SAVED
                await self.write_books(self._record(steps))
                self._saved_steps = steps
                if len(self.timeline) - steps < MOST_STEPS_SAVED:
                    break
        if self.outcome is None:
            self.stop_if_cancelled()

    def _record(self, steps: int) -> CaseRecord:
        """What the books are told: where the case stands, and its new steps up to this one."""
        wait = self.waits[0] if self.waits else None
        info = workflow.info()
        return CaseRecord(
            workflow_id=info.workflow_id,
            run_id=self.run_id,
            stage=self.stage,
            seller_id=self.seller_id,
            order_id=self.order_id,
            waiting_on=wait.who if wait else None,
            waiting_for=wait.what if wait else None,
            waiting_since=wait.since if wait else None,
            due_by=wait.due if wait else None,
            sla_state=self.sla_state,
            ended=self.outcome is not None,
            first_step=self._saved_steps,
            steps=tuple(self.timeline[self._saved_steps : steps]),
        )

    def _render(self) -> None:
        workflow.set_current_details(current_details(self.status()))

    def _rejected(self) -> None:
        self.label(contract.REJECTED_EVENTS.value_set(self.inbox.rejected_count))
        self._render()

    def _check_event(self, name: str, event: Event) -> None:
        self.check_event(name, event)

    def _note_event(self, name: str, event: Event) -> str:
        message = self.note_event(name, event)
        self.step(f"{message} (note: {event.note})" if event.note else message, event.actor)
        return message

    # ---- waiting ----

    @contextmanager
    def waiting(self, stage: str, who: Who, what: str, due: datetime | None = None) -> Iterator[Wait]:
        """Say what the case waits for while the block lasts."""
        wait = Wait(stage=stage, who=who, what=what, since=workflow.now(), due=due)
        self.waits = sorted([*self.waits, wait], key=lambda open: self._stages.index(open.stage))
        try:
            yield wait
        finally:
            self._last_stage = stage
            self.waits = [other for other in self.waits if not _same(other, wait)]

    async def wait_for(
        self,
        until: Callable[[], bool],
        *,
        stage: str,
        who: Who,
        what: str,
        due: datetime | Callable[[], datetime | None] | None = None,
        expected: Callable[[], datetime | None] = lambda: None,
        timer: str = "",
        reminders: Callable[[], Sequence[Reminder]] = tuple,
    ) -> bool:
        """Wait until a fact is there, or until `due`: True if it is there, False if the time is over.

        Both are looked at whenever the case wakes up, so who woke it up decides nothing. `due` and
        `reminders` are asked again when staff move a deadline. `expected` is shown as the due date of a wait
        that has no end of its own. `timer` names the running timer for people.
        """
        self.stop_if_cancelled()
        if until():
            return True
        deadline = due if callable(due) else lambda: due
        with self.waiting(stage, who, what, deadline() or expected()) as wait:
            await self.show()
            while not until():
                limit, now = deadline(), workflow.now()
                if wait.due != (limit or expected()):
                    wait = self._redate(wait, limit or expected())
                    await self.show()
                to_come = [reminder for reminder in reminders() if not self._was_reminded(stage, reminder)]
                for reminder in to_come:
                    if reminder.at <= now:
                        self._reminders_done.add((stage, reminder.key, reminder.at))
                        reminder.act()
                if limit is not None and limit <= now:
                    return False
                moments = [reminder.at for reminder in to_come if reminder.at > now]
                moments += [limit] if limit is not None else []
                await self._sleep_until(until, min(moments, default=None), timer or what)
        return True

    def _was_reminded(self, stage: str, reminder: Reminder) -> bool:
        return (stage, reminder.key, reminder.at) in self._reminders_done

    def _redate(self, wait: Wait, due: datetime | None) -> Wait:
        redated = wait.model_copy(update={"due": due})
        self.waits = [redated if other is wait else other for other in self.waits]
        return redated

    async def _sleep_until(self, until: Callable[[], bool], moment: datetime | None, summary: str) -> None:
        woken = self.wakeups
        timeout = None if moment is None else moment - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: until() or self.wakeups != woken, timeout=timeout, timeout_summary=summary[:200]
            )
        except TimeoutError:
            return

    async def happens_before(self, fact: Callable[[], bool], moment: datetime, timer: str) -> bool:
        """Watch, beside the procedure, whether something is a fact before `moment`."""
        try:
            await workflow.wait_condition(
                fact, timeout=max(moment - workflow.now(), timedelta(0)), timeout_summary=timer[:200]
            )
        except TimeoutError:
            return fact()
        return True

    def stop_if_cancelled(self) -> None:
        """Raise CancelledError if staff cancelled the workflow while something was under way.

        A cancel that lands in one task with the completion of a child, or that waits for an activity to
        complete, does not raise by itself. What the books were asked is always noted before the case stops.
        """
        if workflow.cancellation_reason() is not None and not self._stopping:
            raise asyncio.CancelledError


def _same(one: Wait, other: Wait) -> bool:
    """Whether both are the same wait, whatever its due date is by now."""
    return (one.stage, one.who, one.what, one.since) == (other.stage, other.who, other.what, other.since)
