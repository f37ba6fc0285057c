"""A case in process: the engine's loop without a server, with a world that answers when and how a test likes.

It does what `workflows/engine/run.py` does with the same pure functions, and insists on what the engine relies on:
the plan comes to rest, no effect is begun twice or after the end, facts survive JSON, the same facts give the same
plan.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from models.alerts import AlertTopic
from models.contract import CaseKind
from models.failures import BackhaulError, Category
from models.message import Event, Message
from models.refunds import RefundResult
from workflows.engine import case
from workflows.engine.case import CaseFacts, Effect, SendMail
from workflows.engine.heard import is_known, require_room
from workflows.engine.plan import Plan
from workflows.refunds.attempts import RefundReported

F = TypeVar("F", bound=CaseFacts)
MOST_ROUNDS = 500


@dataclass(frozen=True)
class Failed:
    """The effect could not be done, and that is its result."""

    reason: str


@dataclass(frozen=True)
class Troubled:
    """No answer yet, and the case is told why; the effect goes on. `topic`: what other cases may tell too;
    `asked`: it may have been done all the same."""

    reason: str
    category: Category = Category.PARTNER_UNAVAILABLE
    alert: bool = False
    topic: AlertTopic | None = None
    asked: bool = True


@dataclass(frozen=True)
class NotYet:
    """No answer yet; `report`: what a refund says of itself meanwhile."""

    report: RefundResult | None = None


NOT_YET = NotYet()
Given = Message | Failed | Troubled | NotYet | None
"""What a world says when it is asked for the answer to an effect; none: it is done, and that is all."""


Known = TypeVar("Known", bound=CaseFacts, contravariant=True)


class World(Protocol[Known]):
    """All that lies outside the case."""

    def answer(self, effect: Effect, facts: Known) -> Given: ...


@dataclass(frozen=True)
class Pure(Generic[F]):
    """The pure part of a procedure."""

    kind: CaseKind
    check: Callable[[F, Event], None]
    apply: Callable[[F, Message], F]
    plan: Callable[[F, datetime], Plan]


class Rig(Generic[F]):
    """One case and its world. `careful`: look at each plan twice, and at the facts as JSON after each."""

    def __init__(self, pure: Pure[F], facts: F, world: World[F], *, careful: bool = True) -> None:
        self.pure = pure
        self.facts = facts
        self.world = world
        self.careful = careful
        self.now = facts.now
        self.plan = Plan()
        self.begun: list[Effect] = []
        """All effects, in the order in which they were begun."""
        self.pending: list[Effect] = []
        """Those that are not answered yet."""
        self.rejected = 0
        """Events that could not be used, told to the sender or recorded."""
        self.plans = 0
        self._keys: set[str] = set()
        self._names = {model: name for name, model in pure.kind.events.items()}
        self._settled: F | None = None
        self.is_over = False
        """The workflow has ended: nothing reaches it any more."""

    # ---- what is seen ----

    @property
    def stage(self) -> str:
        """Where the case stands; before its first wait, the first stage of its kind."""
        if self.facts.outcome is not None:
            return self.facts.outcome
        if self.plan.waits:
            return self.plan.waits[0].stage
        return str(next(iter(self.pure.kind.stages)).value)

    @property
    def steps(self) -> list[str]:
        return [step.what for step in self.facts.timeline]

    def mails(self) -> Iterator[SendMail]:
        """All e-mails, in the order in which they were begun."""
        return (one for one in self.begun if isinstance(one, SendMail))

    # ---- the loop ----

    def settle(self) -> None:
        """Begin all that is due, until the plan asks for nothing new: the end of one workflow task."""
        if self.is_over or (self.facts is self._settled and self.facts.now == self.now):
            return
        for _ in range(MOST_ROUNDS):
            self.facts = self.facts.as_of(self.now)
            facts = self.facts
            plan = self.pure.plan(facts, self.now)
            self.plans += 1
            if self.careful:
                assert self.pure.plan(facts, self.now) == plan, "the same facts give another plan"
            due = [effect for effect in plan.effects if effect.key not in facts.done]
            for effect in due:
                self._begin(effect)
            if due:
                continue
            if plan.end is not None and facts.outcome is None:
                self.take(case.CaseEnded(outcome=plan.end.outcome, message=plan.end.message))
                continue
            self.plan, self._settled = plan, facts
            if self._give_up_unwanted(plan):
                continue
            assert plan.waits or plan.end is not None or facts.in_flight, "nobody knows what the case waits for"
            if self.careful:
                self._survives_json()
            if plan.end is not None and facts.outcome is not None:
                self.is_over = all(key in plan.end.leaves for key in facts.in_flight)
            return
        raise AssertionError(f"the plan does not come to rest: {[effect.key for effect in due]}")

    def _begin(self, effect: Effect) -> None:
        if effect.key in self.facts.done:
            return  # named twice by one plan
        assert effect.key not in self._keys, f"{effect.key} is begun a second time"
        self._keys.add(effect.key)
        self.begun.append(effect)
        self.take(case.Started(effect=effect))
        assert effect.key in self.facts.done, f"{effect.key} is begun, and the facts do not say so"
        if not effect.instant:
            assert effect.key in self.facts.in_flight, f"{effect.key} is in flight, and the facts do not say so"
            self.pending.append(effect)

    def _give_up_unwanted(self, plan: Plan) -> bool:
        wanted = {effect.key for effect in plan.effects}
        unwanted = [one for one in self.pending if one.cancellable and one.key not in wanted]
        for effect in unwanted:
            self.pending.remove(effect)
            self.take(case.GivenUp(effect=effect))
        return bool(unwanted)

    def _survives_json(self) -> None:
        said = self.facts.model_dump_json()
        again = type(self.facts).model_validate_json(said)
        assert again == self.facts, "the facts are others after JSON"
        assert again.model_dump_json() == said, "the facts are written in another order after JSON"

    # ---- what happens to the case ----

    def take(self, fact: Message) -> None:
        """Something happened: its facts are recorded; what follows is looked at by `settle`."""
        before = self.facts.rejected_count
        self.facts = self.pure.apply(self.facts.as_of(self.now), fact)
        self.rejected += max(self.facts.rejected_count - before, 0)

    def answer(self, effect: Effect) -> bool:
        """Ask the world for the answer to an effect that is in flight; False: there is none yet."""
        given = self.world.answer(effect, self.facts)
        match given:
            case NotYet():
                if given.report is not None:
                    self.take(RefundReported(result=given.report))
                return False
            case Troubled():
                trouble = case.InTrouble(
                    effect=effect,
                    reason=given.reason,
                    category=given.category,
                    alert=given.alert,
                    topic=given.topic,
                    asked=given.asked,
                )
                self.take(trouble)
                return False
        self.pending.remove(effect)
        if isinstance(given, Failed):
            self.take(case.Answered(effect=effect, failure=given.reason))
        else:
            self.take(case.Answered(effect=effect, answer=given))
        assert effect.key not in self.facts.in_flight, f"{effect.key} is answered, and the facts do not say so"
        return True

    def answer_one(self, choose: Callable[[int], int] = lambda many: 0) -> bool:
        """The answer to one of the effects in flight, and what follows; False: none has an answer yet."""
        waiting = list(self.pending)
        while waiting and not self.is_over:
            if self.answer(waiting.pop(choose(len(waiting)))):
                self.settle()
                return True
        self.settle()
        return False

    def answer_all(self, choose: Callable[[int], int] = lambda many: 0) -> bool:
        """All answers that there are come in one task; False: there are none."""
        waiting, answered = list(self.pending), False
        while waiting:
            answered = self.answer(waiting.pop(choose(len(waiting)))) or answered
        self.settle()
        return answered

    def rest(self, choose: Callable[[int], int] = lambda many: 0) -> None:
        """Until the world has no more answers: they come one by one, or together."""
        self.settle()
        while not self.is_over and (self.answer_one(choose) if choose(3) == 0 else self.answer_all(choose)):
            pass

    def hear(self, event: Event) -> bool:
        """An event reaches the case, as a signal; whether it could be used, or was counted before."""
        if self.is_over:
            self.rejected += 1
            return False
        name = self._names[type(event)]
        try:
            self.pure.kind.require_sender(name, event)
            if is_known(self.facts, name, event):
                return True
            require_room(self.facts, name)
            self.pure.check(self.facts.as_of(self.now), event)
        except BackhaulError as error:
            fact = case.EventRejected(name=name, reason=str(error)[:500], event_id=event.event_id)
            self.take(fact)
            return False
        before = self.facts.steps
        self.take(event)
        assert self.facts.steps == before + 1, f"{name} wrote {self.facts.steps - before} steps"
        self.facts = self.facts.count_event(name, event)
        return True

    def report(self, result: RefundResult) -> None:
        """A refund of the case says what became of it (REF-7)."""
        if not self.is_over:
            self.take(RefundReported(result=result))

    def press_cancel(self) -> None:
        """Staff press Cancel in the Temporal UI: only the first one reaches the case."""
        if not self.is_over and self.facts.stopped_at is None:
            self.take(case.StoppedByStaff())

    def clock(
        self,
        delta: timedelta,
        choose: Callable[[int], int] = lambda many: 0,
        rests: Callable[[], None] | None = None,
    ) -> None:
        """Time passes; each moment at which the plan wants to look again is one task of its own. Nobody looks at
        other moments: a plan that changes by time alone must have said so. `rests`: how it comes to rest at each
        of them, where that is more than `rest` does."""
        end = self.now + delta
        come_to_rest = rests if rests is not None else lambda: self.rest(choose)
        come_to_rest()
        for _ in range(MOST_ROUNDS):
            if self.is_over or self.plan.wake_at is None or self.plan.wake_at > end:
                break
            before = self.plan.wake_at
            self.now = max(self.now, before)
            come_to_rest()
            assert self.is_over or self.plan.wake_at is None or self.plan.wake_at > before, (
                "a timer fires for ever"
            )
        else:
            raise AssertionError("timers without end")
        self.now = end

    def restart(self) -> None:
        """Continue as new, or a reset: only the facts go on, as JSON, and what is in flight is performed again."""
        if self.is_over:
            return
        dumped = json.loads(json.dumps(self.facts.model_dump(mode="json")))
        self.facts = type(self.facts).model_validate(dumped).with_(now=self.now)
        effects = list(self.facts.in_flight.values())
        assert {one.key for one in effects} == {one.key for one in self.pending}, "what is in flight is lost"
        self.pending = effects


def opened_again(rig: Rig[F], facts: F) -> Rig[F]:
    """A new run of a case that had ended, in the same world: with facts of its own."""
    after: Rig[Any] = Rig(rig.pure, facts, rig.world, careful=rig.careful)
    after.rejected, after.plans = rig.rejected, rig.plans
    return after
