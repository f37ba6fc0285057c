"""What every kind of case has in common: frozen facts, and effects that are begun once by their key.

Pure: nothing here knows Temporal, so whatever a case decides is tried without a server.
"""

from abc import abstractmethod
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import Field

from models.alerts import AlertTopic
from models.case import RejectedEvent, Step, Who
from models.failures import Category
from models.message import Event, Message
from models.partners import MailLine, QuotedMail, Recipient

REJECTIONS_KEPT = 50
"""How many of the last rejected events a case keeps; it counts them all."""
STEPS_KEPT = 400
"""How many of the last steps a case keeps beside those that are not saved yet; the database has them all."""


# ---- effects: a closed union per kind of case; these three are everybody's ----


class Effect(Message):
    """Something to do once in the life of a case: `key` names it for ever."""

    instant: ClassVar[bool] = False
    """Done by recording it: nothing outside is touched."""
    cancellable: ClassVar[bool] = False
    """Given up as soon as the plan does not name it any more."""
    quick: ClassVar[bool] = True
    """Its answer is a matter of seconds: lists show where the case stands after it, unless there is trouble."""
    who: ClassVar[Who] = Who.BACKHAUL
    """Who must act until it is answered."""
    key: str

    @property
    def summary(self) -> str:
        """What it does, in the words of the business: shown beside its activity, and when there is trouble."""
        return self.key


class Note(Effect):
    """A line in the timeline, written once."""

    kind: Literal["note"] = "note"
    instant: ClassVar[bool] = True
    what: str
    by: str = Who.BACKHAUL


class RejectEvent(Effect):
    """An event that was accepted, and can't be used after all."""

    kind: Literal["reject_event"] = "reject_event"
    instant: ClassVar[bool] = True
    name: str
    event_id: str
    reason: str


class SendMail(Effect):
    """An e-mail (NTF-1). What it carries beside the order, return and parties of the case is in `facts` and
    `lines`; `quotes`: the mail of this case that did not reach its reader (NTF-8); `topic`: what the alerts of
    other cases may be about too (NTF-9)."""

    kind: Literal["send_mail"] = "send_mail"
    quick: ClassVar[bool] = False
    who: ClassVar[Who] = Who.MAIL
    template: str
    to: Recipient
    facts: dict[str, str] = Field(default_factory=dict)
    lines: tuple[MailLine, ...] = ()
    quotes: QuotedMail | None = None
    topic: AlertTopic | None = None

    @property
    def summary(self) -> str:
        return f"E-mail {self.to}: {self.template.replace('_', ' ')}"


class UndeliveredMail(Message):
    """An e-mail that can't go, and why, in one line (NTF-8)."""

    mail: SendMail
    reason: str


# ---- what happens to a case beside its events ----


class Started(Message):
    """An effect has begun; an instant one is done."""

    effect: Any


class Answered(Message):
    """What came of an effect. `failure`: why it could not be done, where that is a result."""

    effect: Any
    answer: Any = None
    failure: str | None = None


class GivenUp(Message):
    """A cancellable effect that was not wanted any more."""

    effect: Any


class Trouble(Message):
    """Why an effect is not answered yet; it goes on being tried. `alert`: staff must be told now. `topic`: what
    may hold up other cases too; `at`: when it was tried in vain for the first time in this hour."""

    reason: str
    category: Category = Category.PARTNER_UNAVAILABLE
    since: datetime
    alert: bool = False
    topic: AlertTopic | None = None
    at: datetime | None = None
    asked: bool = True
    """The partner may have done it all the same."""


class InTrouble(Message):
    """A partner or the database has not answered, or we are at fault; the effect goes on."""

    effect: Any
    reason: str
    category: Category
    alert: bool
    topic: AlertTopic | None = None
    asked: bool = True


class EventRejected(Message):
    """An event that could not be used: its name and why, never its data."""

    name: str
    reason: str
    event_id: str | None = None


class StepsSaved(Message):
    """The database has the first `count` steps of the timeline."""

    count: int


class SaveInTrouble(Message):
    """The database did not take a save, or we are at fault; it goes on being tried."""

    reason: str
    category: Category
    alert: bool
    topic: AlertTopic | None = None


class CaseEnded(Message):
    """The plan says that the case came to its end."""

    outcome: str
    message: str


class StoppedByStaff(Message):
    """Staff pressed Cancel in the Temporal UI."""


# ---- facts ----


class CaseFacts(Message):
    """All that a case knows. Only `apply` makes new facts of old ones; what follows from them is a property.

    Facts are kept for months (continue-as-new, reopening): a new field has a default, and none is renamed.
    """

    derived: ClassVar[tuple[str, ...]] = ()
    """What is computed once from the facts as they are."""

    version: int = 1
    now: datetime
    """The moment as of which these are the facts."""
    created_at: datetime
    run_id: str = ""
    """The first run's id: by it the database knows that it is the same case that asks again."""
    procedure: int = 0
    """The release whose procedure this case follows (`workflows/engine/releases.py`)."""
    done: dict[str, datetime] = Field(default_factory=dict)
    """Every effect that was ever begun, and when."""
    in_flight: dict[str, Any] = Field(default_factory=dict)
    """Those whose answer is not here yet. Each kind says which effects there are (a discriminated union)."""
    trouble: dict[str, Trouble] = Field(default_factory=dict)
    """Why one of them takes so long."""
    timeline: tuple[Step, ...] = ()
    steps_before: int = 0
    """How many older steps only the database has."""
    steps_saved: int = 0
    """How many steps the database has, of all."""
    save_trouble: Trouble | None = None
    """Why the database does not have what people see."""
    undelivered: tuple[UndeliveredMail, ...] = ()
    """E-mails that reached nobody: the plan says who must know (NTF-8)."""
    seen_events: dict[str, str] = Field(default_factory=dict)
    """Every event that was counted: its name by its id."""
    rejected: tuple[RejectedEvent, ...] = ()
    rejected_count: int = 0
    """Of those whose sender was at fault."""
    outcome: str | None = None
    closing_message: str = ""
    stopped_at: datetime | None = None

    # ---- what a case and its mails are about; each kind says it ----

    @property
    @abstractmethod
    def case_id(self) -> str:
        """Its workflow id."""

    @property
    @abstractmethod
    def order_id(self) -> str: ...

    @property
    @abstractmethod
    def seller_id(self) -> str:
        """Empty while it is not known."""

    @property
    def return_id(self) -> str | None:
        return None

    @property
    def supplier_id(self) -> str | None:
        return None

    # ---- making new facts of old ones ----

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        attributes = (item for base in cls.__mro__ for item in vars(base).items())
        cls.derived = tuple(name for name, value in attributes if isinstance(value, cached_property))

    def __copy__(self) -> Self:
        return self.with_()

    def with_(self, **changes: Any) -> Self:
        """The facts with these changes, and without what followed from them before (`cached_property`): it may be
        otherwise now. A case does this a thousand times: it takes a third of `model_copy`."""
        kind, values = type(self), self.__dict__ | changes
        for name in kind.derived:
            values.pop(name, None)
        changed = kind.__new__(kind)
        object.__setattr__(changed, "__dict__", values)
        object.__setattr__(changed, "__pydantic_fields_set__", self.__pydantic_fields_set__ | changes.keys())
        object.__setattr__(changed, "__pydantic_extra__", None)
        object.__setattr__(changed, "__pydantic_private__", None)
        return changed

    def as_of(self, now: datetime) -> Self:
        return self if now == self.now else self.with_(now=now)

    def step(self, what: str, who: str = Who.BACKHAUL) -> Self:
        return self.with_(timeline=(*self.timeline, Step(at=self.now, what=what, who=who)))

    def reject(self, name: str, reason: str, event_id: str | None) -> Self:
        """Keep that an event could not be used by its sender's fault: its name and the reason, never its data."""
        one = RejectedEvent(name=name[:100], reason=reason[:500], at=self.now, event_id=event_id)
        return self._kept(one).with_(rejected_count=self.rejected_count + 1)

    def decline(self, name: str, reason: str, event_id: str | None) -> Self:
        """Keep that what an event asked for was not done, by no fault of its sender: a gateway's no, or a rule's
        when its turn came. It is not counted as a wrong event."""
        one = RejectedEvent(name=name[:100], reason=reason[:500], at=self.now, event_id=event_id)
        return self._kept(one.model_copy(update={"sender_at_fault": False}))

    def _kept(self, one: RejectedEvent) -> Self:
        return self.with_(rejected=(*self.rejected[-REJECTIONS_KEPT + 1 :], one))

    def count_event(self, name: str, event: Event) -> Self:
        return self.with_(seen_events=self.seen_events | {event.event_id: name})

    def begin(self, effect: Effect) -> Self:
        done = self.done | {effect.key: self.now}
        if effect.instant:
            return self.with_(done=done)
        return self.with_(done=done, in_flight=self.in_flight | {effect.key: effect})

    def finish(self, effect: Effect) -> Self:
        in_flight = {key: one for key, one in self.in_flight.items() if key != effect.key}
        trouble = {key: why for key, why in self.trouble.items() if key != effect.key}
        return self.with_(in_flight=in_flight, trouble=trouble)

    def stop(self) -> Self:
        ended = self.outcome is not None
        what = "cancelled by staff after its end" if ended else "the workflow was cancelled by staff"
        return self.with_(stopped_at=self.now).step(what, "staff:temporal")

    def end(self, outcome: str, message: str) -> Self:
        return self.with_(outcome=outcome, closing_message=message).step(message)

    # ---- what follows ----

    @property
    def steps(self) -> int:
        """How many steps there are, of all."""
        return self.steps_before + len(self.timeline)

    @property
    def unsaved_steps(self) -> tuple[Step, ...]:
        return self.timeline[max(self.steps_saved - self.steps_before, 0) :]

    def is_answered(self, key: str) -> bool:
        """The effect was begun, and its answer is here."""
        return key in self.done and key not in self.in_flight

    def is_slow(self, effect: Effect) -> bool:
        """Whether this effect, which has begun, is known to take longer than seconds; each kind may say so."""
        return not effect.quick or effect.key in self.trouble

    @property
    def is_settling(self) -> bool:
        """An answer is a matter of seconds: lists show where the case stands after it."""
        return self.outcome is None and not all(self.is_slow(one) for one in self.in_flight.values())

    def is_in_flight(self, *kinds: type[Effect]) -> bool:
        return any(isinstance(one, kinds) for one in self.in_flight.values())
