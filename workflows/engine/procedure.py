"""What makes a kind of case: pure functions of its facts, and how each of its effects is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from models.calls import Call
from models.case import CaseRecord, Custody, MoneyState, SlaState
from models.contract import CaseKind
from models.message import Event, Message
from models.worklists import Work
from workflows.engine.case import CaseFacts, Effect
from workflows.engine.plan import Plan

Asked = TypeVar("Asked", bound=Message)
Given = TypeVar("Given", bound=Message)
F = TypeVar("F", bound=CaseFacts)


@dataclass(frozen=True)
class CaseView:
    """What of the facts is shown beside stage, waits and timeline.

    `attributes`: the kind's own search attributes by name; none unsets it. `is_kept`: whether lists and database
    show the case (one that was refused at its opening may bear the id of another). `deadlines`: those that are
    still open. `custody` and `money` are two rails, never mixed (NTF-5), in words for the case's page; `work`: the
    worklists of its kind (NTF-6); `numbers`: every number by which people find it (RET-17).
    """

    is_kept: bool
    attributes: dict[str, Any]
    deadlines: dict[str, datetime]
    sla_state: SlaState = SlaState.ON_TIME
    custody: Custody | None = None
    money: MoneyState = MoneyState.NONE
    goods_said: str = ""
    money_said: str = ""
    work: tuple[Work, ...] = ()
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """What the sender of an update is told. `accepted`: the event does what its sender wants."""

    accepted: bool
    message: str


class Ask(Protocol):
    """Asks a partner or the database, for as long as it takes; what holds it up becomes a fact of the case."""

    async def __call__(self, call: Call[Asked, Given], message: Asked) -> Given: ...


class CouldNot(Exception):
    """An effect could not be done, and that is its result; the text says why, in one line."""


Perform = Callable[[F, Effect, Ask], Awaitable[Message | None]]
"""Does an effect; gives its answer, or raises CouldNot."""


def noted(facts: CaseFacts, event: Event) -> Reply | None:
    """The reply to an event that needs no decision: its sender is told its line in the timeline."""
    return Reply(accepted=True, message="")


@dataclass(frozen=True)
class Procedure(Generic[F]):
    """One kind of case. All but `perform` is pure: called by tests without a server."""

    kind: CaseKind
    check: Callable[[F, Event], None]
    """Raises a BackhaulError when a rule refuses the event now; changes nothing."""
    apply: Callable[[F, Message], F]
    """The facts after an event, an answer, or anything else that happened. Never raises."""
    plan: Callable[[F, datetime], Plan]
    view: Callable[[F, Plan], CaseView]
    facts_in_status: Callable[[F], dict[str, Any]]
    """The case's facts as the query `status` tells them: JSON, with the names of the contract."""
    projection: Callable[[F, CaseRecord], tuple[Call[Any, Any], Message] | None]
    """What the database keeps, and by which call; none: nothing, its id may be another's. The message has a field
    `record`; of its class's `sections` those that are as they were saved are sent as none."""
    perform: Perform[F]
    result: Callable[[F], Message]
    """What the workflow gives when it has ended."""
    reply: Callable[[F, Event], Reply | None] = noted
    """What the sender of an update is told; none while it is undecided. An empty message: the event's own line in
    the timeline."""
    reply_within: timedelta | None = None
    """After so long its sender is told that it is not decided yet; none: it waits."""
