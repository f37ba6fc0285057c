"""A refund in process, and the world in which it lives: a gateway, the database, the case that asked for it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from models.contract import REFUND_KIND
from models.partners import RefundAnswer
from models.records import Opening, RefundTakenBack, ReservedRefund
from models.refunds import (
    GatewayUpdate,
    RefundConfirmed,
    RefundRejected,
    RefundRequest,
    RefundResolved,
    RefundState,
)
from models.returns import ReturnRequest
from tests.plans.rig import NOT_YET, Failed, Given, Pure, Rig, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.engine.save import record_of
from workflows.refunds.effects import (
    LookUp,
    ReportToCase,
    Reserve,
    Send,
    StartParts,
    TakeBack,
    WriteConfirmation,
)
from workflows.refunds.events import apply, check
from workflows.refunds.facts import RefundFacts
from workflows.refunds.plan import plan
from workflows.refunds.view import projection, view

PURE = Pure(REFUND_KIND, check, apply, plan)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IDENT = "re_1"
RETURN = ReturnRequest.model_validate(
    {"return_id": "RR-1001-1", "order_id": "1001", "lines": [{"sku": "A", "quantity": 1, "reason": "worn"}]}
)


def request(**fields: Any) -> RefundRequest:
    given: dict[str, Any] = {
        "refund_id": "RF-RR-1001-1-B1",
        "order_id": "1001",
        "return_id": "RR-1001-1",
        "amount": "40.00",
        "currency": "USD",
        "reason": "scratched",
        "requested_by": "seller:jane",
    }
    return RefundRequest.at_the_door({**given, **fields})


def direct(**fields: Any) -> RefundRequest:
    """A refund that a person asked for (REF-2)."""
    return request(**{"refund_id": "RF-1001-D1", "return_id": None, **fields})


def reserved(**fields: Any) -> ReservedRefund:
    given: dict[str, Any] = {
        "opening": Opening.OPENED,
        "amount": Decimal("40.00"),
        "payment_reference": "pi_1",
        "seller_id": "acme",
    }
    return ReservedRefund(**{**given, **fields})


def refused(reason: str = "nothing is left to refund") -> ReservedRefund:
    return ReservedRefund(opening=Opening.REFUSED, state=RefundState.REFUSED, reason=reason)


def duplicate(state: RefundState) -> ReservedRefund:
    return reserved(
        opening=Opening.DUPLICATE, state=state, gateway_refund_id=IDENT, reason="refund RF exists already"
    )


def says(state: str, reason: str | None = None) -> RefundAnswer:
    """What the gateway itself says."""
    return RefundAnswer.model_validate(
        {"state": state, "gateway_refund_id": None if state == "none" else IDENT, "reason": reason}
    )


OUTAGE = Troubled("no answer")


class World:
    """Answers as it is told; what is none, it does not answer yet."""

    def __init__(self) -> None:
        self.reservation: ReservedRefund | Troubled | None = reserved()
        self.send: RefundAnswer | Troubled | None = says("succeeded")
        self.look: RefundAnswer | Troubled | None = says("succeeded")
        self.reopen: ReturnRequest | None = RETURN
        self.case_runs = True
        self.written: ReservedRefund | Troubled | None = reserved()

    def answer(self, effect: Effect, facts: RefundFacts) -> Given:
        match effect:
            case Reserve():
                return self.reservation or NOT_YET
            case WriteConfirmation():
                return self.written or NOT_YET
            case Send():
                return self.send or NOT_YET
            case LookUp():
                return self.look or NOT_YET
            case TakeBack():
                return RefundTakenBack(reopen=self.reopen)
            case ReportToCase():
                return None if self.case_runs or effect.reopen else Failed("it has ended")
            case SendMail() | StartParts():
                return None
        raise AssertionError(effect.key)


class RefundStory(Rig[RefundFacts]):
    """One refund, from its first task on."""

    world: World

    def __init__(self, what: RefundRequest | None = None, *, by_case: bool = True, **known: Any) -> None:
        facts = RefundFacts(
            now=NOON, created_at=NOON, run_id="run-1", request=what or request(), started_by_case=by_case
        )
        super().__init__(PURE, facts, World())
        for name, value in known.items():
            setattr(self.world, name, value)
        self._events = 0

    def claim(self, status: str, ident: str = IDENT, **more: Any) -> str:
        """Somebody says how the refund stands; gives the event's id."""
        self._events += 1
        event_id = f"e{self._events}"
        given = {"event_id": event_id, "actor": "gateway:stripe", "status": status, "gateway_refund_id": ident}
        self.hear(GatewayUpdate.at_the_door({**given, **more}))
        return event_id

    def resolve(self, outcome: str, actor: str = "staff:sam") -> None:
        """A person says what became of the money."""
        self._events += 1
        self.hear(
            RefundResolved.at_the_door(
                {
                    "event_id": f"e{self._events}",
                    "actor": actor,
                    "outcome": outcome,
                    "evidence": "statement of 2 March",
                    "reason": "the gateway is gone",
                }
            )
        )

    def confirm(self, actor: str) -> bool:
        """A second person says yes (REF-12)."""
        self._events += 1
        return self.hear(RefundConfirmed.at_the_door({"event_id": f"e{self._events}", "actor": actor}))

    def reject(self, actor: str) -> bool:
        """A second person says no (REF-12)."""
        self._events += 1
        said = {"event_id": f"e{self._events}", "actor": actor, "reason": "he kept the goods"}
        return self.hear(RefundRejected.at_the_door(said))

    def days(self, days: float) -> None:
        self.clock(timedelta(days=days))

    # ---- what is seen ----

    @property
    def keys(self) -> list[str]:
        """What was begun, without mails and notes."""
        return [one.key for one in self.begun if not one.instant and not isinstance(one, SendMail)]

    @property
    def mailed(self) -> list[str]:
        return [one.key for one in self.mails()]

    @property
    def reports(self) -> list[ReportToCase]:
        return [one for one in self.begun if isinstance(one, ReportToCase)]

    @property
    def rejections(self) -> list[str]:
        return [one.reason for one in self.facts.rejected]

    @property
    def result(self) -> tuple[RefundState, Decimal]:
        return self.facts.result.state, self.facts.result.amount

    @property
    def waits_for(self) -> list[str]:
        return [str(one.who) for one in self.plan.waits]

    @property
    def saved(self) -> Any:
        """What the database is given of it; none: nothing."""
        record = record_of(self.facts, self.plan, view(self.facts, self.plan), "reserving")
        kept = projection(self.facts, record)
        return kept[1] if kept else None


def pending(**more: Any) -> RefundStory:
    """A refund of a return that the gateway has, and says nothing final of."""
    story = RefundStory(**{"send": says("pending"), "look": says("pending"), **more})
    story.rest()
    assert story.stage == "pending"
    return story


def steps_of(state: str) -> dict[str, Any]:
    worlds: dict[str, dict[str, Any]] = {
        "reserving": {"reservation": None},
        "sending": {"send": None},
        "pending": {"send": says("pending")},
        "in trouble": {"send": OUTAGE},
    }
    return worlds[state]
