"""A tiny kind of case, for proofs of the engine alone: a parcel that is weighed, scanned, and delivered."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field
from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from models.calls import Call
    from models.case import CaseRecord, Ended, Who
    from models.contract import CaseKind
    from models.failures import RefusedByRule
    from models.message import Event, Message, Request
    from models.records import SaveCase, Saved
    from models.senders import Role
    from workflows.engine.case import Answered, CaseFacts, Effect, Note
    from workflows.engine.common_facts import apply_common
    from workflows.engine.inbox import receives
    from workflows.engine.pieces import in_flight, just, wait
    from workflows.engine.plan import End, Plan
    from workflows.engine.procedure import Ask, CaseView, Procedure
    from workflows.engine.run import Engine, fresh_or_continued


class ParcelRequest(Request):
    """Starts a parcel; it is late after so many days."""

    parcel_id: str
    days: int = 30
    look: bool = False
    continued: dict[str, Any] | None = None


class Scanned(Event):
    """Somewhere on its way."""

    place: str


class Delivered(Event):
    """It has arrived."""


class ParcelStage(StrEnum):
    WEIGHING = "weighing"
    ON_ITS_WAY = "on_its_way"
    LATE = "late"
    DELIVERED = "delivered"
    STOPPED = "stopped"


EVENTS: Final[Mapping[str, type[Event]]] = {"scanned": Scanned, "delivered": Delivered}
PARCEL: Final = CaseKind(
    "Parcel",
    "parcel-",
    ParcelRequest,
    "parcel_id",
    EVENTS,
    ParcelStage,
    frozenset({ParcelStage.DELIVERED, ParcelStage.STOPPED}),
    {"scanned": (Role.CARRIER, Role.STAFF), "delivered": (Role.CARRIER, Role.STAFF)},
)


class Weigh(Effect):
    """Ask the scales."""

    kind: Literal["weigh"] = "weigh"
    who: ClassVar[Who] = Who.SUPPLIER

    @property
    def summary(self) -> str:
        return "weigh the parcel"


class Look(Effect):
    """Ask where it is, for as long as nobody says that it is delivered."""

    kind: Literal["look"] = "look"
    cancellable: ClassVar[bool] = True
    quick: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        return "look where the parcel is"


class ParcelFacts(CaseFacts):
    in_flight: dict[str, Annotated[Note | Weigh | Look, Field(discriminator="kind")]] = Field(default_factory=dict)
    request: ParcelRequest
    weight: str | None = None
    scans: int = 0
    delivered: bool = False

    @property
    def case_id(self) -> str:
        return PARCEL.workflow_id(self.request.parcel_id)

    @property
    def order_id(self) -> str:
        return self.request.parcel_id

    @property
    def seller_id(self) -> str:
        return "acme"


class Question(Message):
    parcel_id: str


class Weight(Message):
    grams: str


WEIGH: Final = Call("weigh_parcel", Question, Weight)
LOOK: Final = Call("look_for_parcel", Question, Weight)
SAVE: Final = Call("save_parcel", SaveCase, Saved)


def check(f: ParcelFacts, event: Event) -> None:
    if isinstance(event, Scanned) and event.place == "nowhere":
        raise RefusedByRule("PAR-1", "there is no such place")


def apply(f: ParcelFacts, fact: Message) -> ParcelFacts:
    match fact:
        case Scanned():
            return f.with_(scans=f.scans + 1).step(f"scanned at {fact.place}", fact.actor)
        case Delivered():
            return f.with_(delivered=True).step("delivered", fact.actor)
        case Answered(effect=Weigh()):
            return f.finish(fact.effect).with_(weight=fact.answer.grams).step(f"{fact.answer.grams} grams")
    return apply_common(f, fact)


def plan(facts: ParcelFacts, now: datetime) -> Plan:
    f = facts.as_of(now)
    if f.outcome is not None:
        return Plan(end=End(f.outcome, f.closing_message))
    if f.stopped_at is not None:
        return Plan(end=End(ParcelStage.STOPPED, "stopped by staff"))
    weigh = Weigh(key="weigh")
    if f.weight is None:
        return just(weigh) + in_flight(f, ParcelStage.WEIGHING, weigh)
    if f.delivered:
        return Plan(end=End(ParcelStage.DELIVERED, f"delivered after {f.scans} scans"))
    due = f.created_at + timedelta(days=f.request.days)
    look = just(Look(key="look")) if f.request.look else Plan()
    if f.now >= due:
        return look + wait(ParcelStage.LATE, Who.STAFF, "find the parcel", due)
    return look + wait(ParcelStage.ON_ITS_WAY, Who.CLOCK, "arrive", f.created_at, due, "the parcel is late")


async def perform(f: ParcelFacts, effect: Effect, ask: Ask) -> Message | None:
    call = WEIGH if isinstance(effect, Weigh) else LOOK
    return await ask(call, Question(parcel_id=f.request.parcel_id))


def view(f: ParcelFacts, plan: Plan) -> CaseView:
    return CaseView(is_kept=True, attributes={}, deadlines={})


def projection(f: ParcelFacts, record: CaseRecord) -> tuple[Call[Any, Any], Message]:
    return SAVE, SaveCase(record=record)


def result(f: ParcelFacts) -> Ended:
    return Ended(workflow_id=f.case_id, outcome=str(f.outcome), message=f.closing_message)


def facts_in_status(f: ParcelFacts) -> dict[str, Any]:
    return {"scans": f.scans, "weight": f.weight}


PROCEDURE: Final = Procedure(PARCEL, check, apply, plan, view, facts_in_status, projection, perform, result)


@workflow.defn(name=PARCEL.name)
@receives(PARCEL)
class Parcel:
    """A parcel on its way."""

    @workflow.init
    def __init__(self, request: ParcelRequest) -> None:
        self.engine = Engine(PROCEDURE, request, fresh_or_continued(ParcelFacts, request))

    @workflow.run
    async def run(self, request: ParcelRequest) -> Ended:
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended


class Scales:
    """The activities of a parcel; a test holds them, and counts."""

    def __init__(self) -> None:
        self.saved: list[CaseRecord] = []
        self.weighed = 0
        self.fail_with: Exception | None = None
        self.late = 0
        """So many saves to come are late ones to the database."""

    @activity.defn(name="weigh_parcel")
    async def weigh(self, question: Question) -> Weight:
        self.weighed += 1
        if self.fail_with is not None:
            raise self.fail_with
        return Weight(grams="500")

    @activity.defn(name="look_for_parcel")
    async def look(self, question: Question) -> Weight:
        activity.raise_complete_async()  # nobody answers

    @activity.defn(name="save_parcel")
    async def save(self, ask: SaveCase) -> Saved:
        if self.late:
            self.late -= 1
            return Saved(is_newest=False)
        self.saved.append(ask.record)
        return Saved()
