"""The one loop of every kind of case: plan, begin what is due, show, and wait in exactly one place.

Staff's Cancel reaches only the workflow's primary task, and that awaits in one line: so it is a fact, never an
exception in the middle of something. Effects run in tasks of their own; what comes of them are facts.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.case import CaseStatus
    from models.contract import CaseKind
    from models.failures import Category
    from models.message import Event, Message, Request
    from models.text import summary_of
    from workflows.engine import case
    from workflows.engine.calls import Asking, Setback, took_over
    from workflows.engine.case import CaseFacts, Effect, SendMail
    from workflows.engine.children import call_orphans, make_refund
    from workflows.engine.details import current_details
    from workflows.engine.heard import is_known, require_room
    from workflows.engine.keeping import keep
    from workflows.engine.mail import send_mail
    from workflows.engine.plan import Plan
    from workflows.engine.procedure import CaseView, CouldNot, Procedure, Reply
    from workflows.engine.releases import procedure_of_now
    from workflows.engine.replies import Replies
    from workflows.engine.save import Save, Saves, shown_wait, stage_of, waiting_on, waits_in_status
    from workflows.engine.worklists import work_of
    from workflows.refunds.attempts import MakeRefund

F = TypeVar("F", bound=CaseFacts)

MOST_ROUNDS = 500
"""A plan that asks for something new more often than that never comes to rest."""
LONGEST_HISTORY = 4000
"""Events after which a case continues as new with its facts: well before the server's limits."""
STOPPED = "stopped"
FAILED = "failed"
"""It was started wrongly, and does nothing."""


class Engine(Generic[F]):
    """Runs one case from its facts to its end."""

    def __init__(self, procedure: Procedure[F], request: Request, facts: F) -> None:
        self.procedure = procedure
        self.facts = facts
        self.plan = Plan()
        self._request = request
        self._first_stage: str = next(iter(procedure.kind.stages)).value
        self._changed = True
        self._broken: BaseException | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._begun: list[Effect] = []
        self._given_up: list[str] = []
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: datetime | None = None
        self._seen: tuple[Any, ...] = ()
        self._details = ""
        self._saves: Saves[F] = Saves(procedure, self._first_stage, took_over=took_over())
        self._saving: asyncio.Task[None] | None = None
        self._was_saved = False
        self._replies: Replies[F] = Replies(procedure)

    # ---- the loop ----

    async def run(self) -> Message:
        """Run the case to its end; gives its result. A case that staff stopped ends as cancelled."""
        self._require_own_start()
        for effect in tuple(self.facts.in_flight.values()):  # of the run that this one continues
            self._perform_beside(effect)
        while True:
            if self._changed:
                # In this order: it does not depend on what else came in the same task.
                self._settle()
                self._replies.give(self.facts, self.stage)
                self._perform_what_began()
                self._show()
            elif self._was_saved:
                self._save_what_is_new()
            if self._is_over():
                break
            if self._must_continue_as_new():
                self._continue_as_new()
            try:
                await workflow.wait_condition(self._must_look)
            except asyncio.CancelledError:
                if workflow.cancellation_reason() is None or self.facts.stopped_at is not None:
                    raise  # the worker puts the case out of its memory
                self.take(case.StoppedByStaff())
            if self._broken is not None:
                raise self._broken
        if self.facts.outcome == STOPPED:
            raise asyncio.CancelledError
        return self.procedure.result(self.facts)

    def _must_look(self) -> bool:
        return self._changed or self._was_saved or self._is_over() or self._must_continue_as_new()

    def _require_own_start(self) -> None:
        """A case under another id than its own could do all and never save anything: it does nothing instead. Nor
        does one whose starter claims facts, or is not the one that alone may start it."""
        info, kind = workflow.info(), self.procedure.kind
        own = kind.workflow_id_of(self._request)
        if info.workflow_id != own:
            self._refuse_start(f"this {kind.name} was started as workflow {info.workflow_id}: start it as {own}")
        by = self._request.only_started_by if info.continued_run_id is None else None
        if by is not None and (info.parent is None or info.parent.workflow_id != by):
            self._refuse_start(f"this {kind.name} is started by {by} alone")
        if getattr(self._request, "continued", None) is not None and info.continued_run_id is None:
            self._refuse_start(f"{kind.name}: continued: only a case itself says this, when it continues as new")

    def _refuse_start(self, why: str) -> None:
        """Whoever asks for its status afterwards is told why."""
        self._apply(case.CaseEnded(outcome=FAILED, message=f"it failed: {why}"))
        raise ApplicationError(why, type=Category.INVALID_INPUT.value, non_retryable=True)

    def _settle(self) -> None:
        """Begin all that is due, until the plan asks for nothing new."""
        self._changed = False
        for _ in range(MOST_ROUNDS):
            self.facts = self.facts.as_of(workflow.now())
            plan = self.procedure.plan(self.facts, workflow.now())
            due = [effect for effect in plan.effects if effect.key not in self.facts.done]
            for effect in due:
                self._begin(effect)
            if not due and plan.end is not None and self.facts.outcome is None:
                self._apply(case.CaseEnded(outcome=plan.end.outcome, message=plan.end.message))
            elif not due:
                self.plan = plan
                self._give_up_unwanted()
                return
        raise RuntimeError("the plan does not come to rest")

    # ---- effects ----

    def _begin(self, effect: Effect) -> None:
        if effect.key in self.facts.done:
            return  # named twice by one plan
        self._apply(case.Started(effect=effect))
        if not effect.instant:
            self._begun.append(effect)

    def _perform_what_began(self) -> None:
        begun, self._begun = self._begun, []
        for effect in begun:
            self._perform_beside(effect)

    def _perform_beside(self, effect: Effect) -> None:
        task = asyncio.create_task(self._guarded(self._perform(effect)), name=effect.key)
        self._tasks[effect.key] = task

    async def _perform(self, effect: Effect) -> None:
        answer: Message | None = None
        failure: str | None = None
        try:
            match effect:
                case SendMail():
                    await send_mail(self.facts, effect, self._ask_for(effect).troubled)
                case MakeRefund():
                    answer = await make_refund(self.facts, effect, self._ask_for(effect))
                case _:
                    answer = await self.procedure.perform(self.facts, effect, self._ask_for(effect))
        except CouldNot as error:
            failure = str(error)
        except asyncio.CancelledError:
            if effect.key not in self._given_up:
                raise  # the worker puts the case out of its memory
            self.take(case.GivenUp(effect=effect))
            return
        self._tasks.pop(effect.key, None)
        self.take(case.Answered(effect=effect, answer=answer, failure=failure))

    def _ask_for(self, effect: Effect) -> Asking:
        """What holds it up becomes a fact of the case."""

        def troubled(why: Setback) -> None:
            self.take(case.InTrouble(effect=effect, **vars(why)))

        return Asking(effect.summary, lambda: self.facts.seller_id, troubled)

    def _give_up_unwanted(self) -> None:
        wanted = {effect.key for effect in self.plan.effects}
        for key, effect in self.facts.in_flight.items():
            if effect.cancellable and key not in wanted and key in self._tasks:
                self._given_up.append(key)
                self._tasks.pop(key).cancel()

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A fault in a task of its own would be lost: the loop raises it, so that the workflow task fails."""
        try:
            await work
        except Exception as error:
            self._broken, self._changed = error, True

    # ---- its end ----

    def _is_over(self) -> bool:
        end, in_flight = self.plan.end, self.facts.in_flight
        if end is None or self.facts.outcome is None or self._changed or self._saving is not None:
            return False
        return all(key in end.leaves for key in in_flight) and workflow.all_handlers_finished()

    def _must_continue_as_new(self) -> bool:
        info = workflow.info()
        grown = info.get_current_history_length() >= LONGEST_HISTORY or info.is_continue_as_new_suggested()
        return grown and not self._changed and self._saving is None and workflow.all_handlers_finished()

    def _continue_as_new(self) -> None:
        facts = self.facts.model_dump(mode="json")
        workflow.continue_as_new(self._request.model_copy(update={"continued": facts}))

    # ---- facts ----

    def take(self, fact: Message) -> None:
        """Something happened: record it, and look again what follows."""
        self._apply(fact)
        self._changed = True

    def _apply(self, fact: Message) -> None:
        self.facts = self.procedure.apply(self.facts.as_of(workflow.now()), fact)

    def knows(self, event: Event, name: str) -> bool:
        return is_known(self.facts, name, event)

    def check(self, name: str, event: Event) -> None:
        """Raises a BackhaulError when a rule refuses the event now."""
        require_room(self.facts, name)
        self.procedure.check(self.facts.as_of(workflow.now()), event)

    def receive(self, name: str, event: Event) -> str:
        """Count the event and record its facts; gives its line in the timeline."""
        self.take(event)
        self.facts = self.facts.count_event(name, event)
        return self.facts.timeline[-1].what

    def reject(self, name: str, reason: str, event_id: str | None) -> None:
        self.take(case.EventRejected(name=name[:100], reason=reason[:500], event_id=event_id))

    async def reply_to(self, event: Event, noted_as: str) -> Reply:
        """What the sender of an update is told, once it is decided."""
        if not self._replies.are_decided_later:
            return Reply(accepted=True, message=noted_as)
        self._changed = True
        return await self._replies.to(event, noted_as)

    # ---- shown to people ----

    @property
    def kind(self) -> CaseKind:
        return self.procedure.kind

    @property
    def stage(self) -> str:
        return stage_of(self.facts, self.plan, self._first_stage)

    def status(self) -> CaseStatus:
        view = self.procedure.view(self.facts, self.plan)
        waits = waits_in_status(self.facts, self.plan, self.stage)
        return CaseStatus(
            workflow_id=workflow.info().workflow_id,
            stage=self.stage,
            outcome=self.facts.outcome,
            waiting_for=waits[0] if waits else None,
            also_waiting_for=tuple(waits[1:]),
            deadlines=view.deadlines,
            sla_state=view.sla_state,
            custody=view.custody,
            money=view.money,
            work=work_of(self.facts, view, self.plan.waits),
            timeline=self.facts.timeline,
            rejected_events=self.facts.rejected,
            rejected_count=self.facts.rejected_count,
            facts=self.procedure.facts_in_status(self.facts),
        )

    def _show(self) -> None:
        """Once per workflow task, and only what changed. While an answer is a matter of seconds, lists wait."""
        seen = (self.facts.steps, self.plan.waits, self.facts.outcome, self.facts.rejected_count)
        if seen == self._seen and self.facts.is_settling:
            return
        view = self.procedure.view(self.facts, self.plan)
        if seen != self._seen:
            self._seen = seen
            details = current_details(self.facts, self.plan.waits, view, self.stage)
            if details != self._details:
                self._details = details
                workflow.set_current_details(details)
        if self.facts.is_settling:
            return
        self._keep_timer(self.plan.wake_at, self.plan.timer)
        if view.is_kept or self.facts.outcome is not None or self.facts.trouble:
            self._label(view)
        if view.is_kept:
            self._begin_saving(view)

    def _label(self, view: CaseView) -> None:
        """Upsert the search attributes whose value is new."""
        wait = shown_wait(self.facts, self.plan)
        values: dict[str, Any] = {
            contract.STAGE.name: self.stage,
            contract.CUSTODY.name: view.custody,
            contract.MONEY.name: view.money.value,
            contract.SLA_STATE.name: view.sla_state.value,
            contract.WAITING_ON.name: waiting_on(self.facts, self.plan) or None,
            contract.WORK.name: [work.value for work in work_of(self.facts, view, self.plan.waits)] or None,
            contract.NUMBERS.name: list(view.numbers[: contract.MOST_NUMBERS]) or None,
            contract.DUE_BY.name: wait.due if wait else None,
            contract.ORDER_ID.name: self.facts.order_id,
            contract.SELLER_ID.name: self.facts.seller_id or None,
            contract.REJECTED_EVENTS.name: self.facts.rejected_count or None,
            **view.attributes,
        }
        known = workflow.info().typed_search_attributes
        changed: list[SearchAttributeUpdate[Any]] = []
        for key in contract.SEARCH_ATTRIBUTES:
            if key.name not in values or known.get(key) == values[key.name]:
                continue
            value = values[key.name]
            changed.append(key.value_unset() if value is None else key.value_set(value))
        if changed:
            workflow.upsert_search_attributes(changed)

    def _keep_timer(self, moment: datetime | None, summary: str) -> None:
        """One timer, replaced only when the next moment is another one."""
        if moment == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = moment
        self._timer = None
        if moment is not None:
            self._timer = asyncio.create_task(self._guarded(self._sleep(moment, summary)), name="timer")

    async def _sleep(self, moment: datetime, summary: str) -> None:
        await workflow.sleep(max(moment - workflow.now(), timedelta(0)), summary=summary_of(summary))
        if self._timer_at == moment:
            self._timer, self._timer_at = None, None
            self._changed = True

    # ---- saved ----

    def _save_what_is_new(self) -> None:
        self._was_saved = False
        view = self.procedure.view(self.facts, self.plan)
        if view.is_kept:
            self._begin_saving(view)

    def _begin_saving(self, view: CaseView) -> None:
        """One write at a time: none can come after a newer one. The loop alone begins them: a save that began the
        next one itself would come before or after other commands, as the server packs its tasks."""
        if self._saving is None and (save := self._saves.next(self.facts, self.plan, view)) is not None:
            self._saving = asyncio.create_task(self._guarded(self._save(save)), name="save")

    async def _save(self, save: Save) -> None:
        summary = f"Save: {self.stage.replace('_', ' ')}"
        saved = await keep(save, summary, seller_id=self.facts.seller_id, troubled=self._save_troubled)
        self._changed = self._changed or self.facts.save_trouble is not None
        self._apply(case.StepsSaved(count=save.steps_saved))
        self._saves.done(save)
        await call_orphans(saved.orphans, self.facts.case_id)
        self._saving, self._was_saved = None, True

    async def saved(self, steps: int) -> None:
        """Wait until the database has so many steps, and with them all that they say."""
        if self.facts.steps_saved < steps:
            await self._saves.until(steps)

    def _save_troubled(self, why: Setback) -> None:
        self.take(case.SaveInTrouble(reason=why.reason, category=why.category, alert=why.alert, topic=why.topic))


def fresh_or_continued(facts: type[F], request: Request, **more: Any) -> F:
    """The facts with which a run begins: of the run that it continues, or new ones of this request.

    Facts in a request count only when the server says that the run continues another one: nobody else's do.
    """
    info, now = workflow.info(), workflow.now()
    continued = getattr(request, "continued", None)
    if continued is not None and info.continued_run_id is not None:
        return facts.model_validate(continued).with_(now=now)
    return facts(
        now=now,
        created_at=info.workflow_start_time,
        run_id=info.first_execution_run_id,
        procedure=procedure_of_now(),
        request=request if continued is None else request.model_copy(update={"continued": None}),
        **more,
    )
