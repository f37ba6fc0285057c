"""The refunds of one order in process: their database, their gateway, what the model expects to see of them."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models import contract
from models.message import Event
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
from tests.model import refund_procedure
from tests.model.procedure import Happening
from tests.model.refund_procedure import (
    FATES,
    LATE,
    LIES,
    LIMIT,
    MOST_REFUNDS,
    PAID,
    STRAY,
    RefundProcedure,
    RefundSetup,
    RefundsState,
    refund_of,
)
from tests.plans.against_model import Kind
from tests.plans.rig import Given, Pure, Rig, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.refunds.effects import LookUp, ReportToCase, Reserve, Send, TakeBack, WriteConfirmation
from workflows.refunds.events import apply, check
from workflows.refunds.facts import RefundFacts
from workflows.refunds.plan import plan

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.REFUND_KIND, check, apply, plan)
DAY = timedelta(days=1)


def money(cents: int) -> Decimal:
    return Decimal(cents) / 100


def cents(amount: Decimal | None) -> int:
    return int((amount or Decimal(0)) * 100)


@dataclass
class Row:
    """A refund as the database and the gateway have it."""

    cents: int = 0
    at_gateway: str = "none"
    number: str | None = None
    saved: RefundState = RefundState.RESERVED
    """As the database has it."""
    confirmed: bool = False
    ended: bool = False
    """It came to its end before."""


class Refunds:
    """Direct refunds of one order, each a case of its own, under one cap."""

    def __init__(self, setup: RefundSetup, careful: bool) -> None:
        self.setup = setup
        self.careful = careful
        self.now = BASE
        self.rigs: list[Rig[RefundFacts]] = []
        self.rows: list[Row] = []
        self.rejected_before = 0
        """By runs that have ended."""

    # ---- the world ----

    def answer(self, number: int, effect: Effect, facts: RefundFacts) -> Given:
        match effect:
            case Reserve():
                return self._reserve(number, effect, facts)
            case WriteConfirmation():
                self.rows[number].confirmed = True
                return ReservedRefund(opening=Opening.OPENED, amount=money(self.rows[number].cents))
            case Send():
                row = self.rows[number]
                limited = self.setup.has_limit and row.cents > LIMIT
                assert row.confirmed or not limited, "sent without a second person (REF-12)"
                return self._send(number)
            case LookUp():
                row = self.rows[number]
                return RefundAnswer(state=row.at_gateway, gateway_refund_id=row.number)
            case TakeBack():
                row = self.rows[number]
                assert row.saved is not RefundState.FAILED, "taken back twice (REF-7)"
                assert row.at_gateway == "failed", "taken back, and the gateway does not say so (REF-7)"
                row.saved = RefundState.FAILED
                return RefundTakenBack()
            case SendMail() | ReportToCase():
                return None
        raise AssertionError(f"a refund did {effect.key}")

    def _reserve(self, number: int, effect: Reserve, facts: RefundFacts) -> ReservedRefund:
        row = self.rows[number]
        if row.cents:
            assert row.ended, "it is reserved twice"
            return ReservedRefund(
                opening=Opening.DUPLICATE,
                state=row.saved,
                amount=money(row.cents),
                gateway_refund_id=row.number,
                reason="a refund with this id exists already",
            )
        if effect.known_only:
            return ReservedRefund(opening=Opening.REFUSED, reason="no refund of this id is known")
        left = PAID - sum(self._counted(other) for other in range(len(self.rows)))
        asked = cents(facts.request.amount) or left
        over = asked > max(left, 0)
        if asked <= 0 or (over and not self.setup.allow_over_refund):
            return ReservedRefund(opening=Opening.REFUSED, reason="more than what is still refundable")
        row.cents = asked
        limited = self.setup.has_limit and asked > LIMIT
        return ReservedRefund(
            opening=Opening.OPENED,
            amount=money(asked),
            payment_reference="pi_1",
            over_refund=over,
            over_limit=money(LIMIT) if limited else None,
        )

    def _counted(self, number: int) -> int:
        """Against what was paid (REF-3)."""
        row = self.rows[number]
        return row.cents if row.saved in (RefundState.RESERVED, RefundState.PENDING, RefundState.SUCCEEDED) else 0

    def _send(self, number: int) -> Given:
        row = self.rows[number]
        taken = sum(one.cents for one in self.rows if one.at_gateway in ("pending", "succeeded"))
        fate = self.setup.fate(number)
        silence = Troubled("the gateway gives no answer", alert=True)
        if fate == "no answer" or row.number is not None:
            assert fate in ("no answer", "unheard"), "sent twice (REF-6)"
            return silence
        if fate == "refused" or taken + row.cents > PAID:
            return RefundAnswer(state="refused", reason="charge_already_refunded")
        row.number = f"re_{number}"
        if fate == "unheard":
            row.at_gateway = "succeeded"
            return silence
        row.at_gateway = {"succeeds": "succeeded", "fails": "failed", "pending": "pending", "lost": "none"}[fate]
        said: Any = "pending" if fate == "lost" else row.at_gateway
        return RefundAnswer(state=said, gateway_refund_id=row.number)

    # ---- what happens ----

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(rig.stage for rig in self.rigs)

    @property
    def rejected(self) -> int:
        return self.rejected_before + sum(rig.rejected for rig in self.rigs)

    def happens(self, happening: Happening) -> None:
        if happening.name == "refund":
            if len(self.rigs) < MOST_REFUNDS:
                self.rows.append(Row())
                self.rigs.append(self._rig(len(self.rigs), happening.variant))
            return
        if happening.name == "stray":
            if len(self.rigs) < MOST_REFUNDS:
                self._stray(happening)
            return
        if happening.name == "stop":
            for rig in self.rigs:
                rig.press_cancel()
            return
        number = refund_of(happening, len(self.rigs))
        if number is None:
            return
        rig, row = self.rigs[number], self.rows[number]
        is_pending = rig.facts.state is RefundState.PENDING and row.at_gateway == "pending"
        if is_pending and happening.name == "gateway_update" and happening.variant in ("succeeded", "failed"):
            row.at_gateway = happening.variant
        if happening.name == "late_word":
            if happening.variant == "failed" and row.at_gateway in ("pending", "succeeded"):
                row.at_gateway = "failed"
            if rig.is_over:
                self._open_again(number, event_of(happening, rig.facts.gateway_refund_id))
                return
        rig.hear(event_of(happening, rig.facts.gateway_refund_id))

    def _stray(self, happening: Happening) -> None:
        """A word about the refund that is asked for next, signalled with a start: nothing may come of it."""
        status, amount = happening.variant.split(" ")
        number = len(self.rigs)
        self.rows.append(Row())
        rig = self._rig(number, amount, asked_for=False)
        word = {"event_id": f"h{happening.ident}", "actor": "gateway:stripe", "gateway_refund_id": "re_stray"}
        rig.hear(GatewayUpdate.model_validate({**word, "status": status}))
        rig.rest()
        assert [one.key for one in rig.begun] == ["reserve"], "a word about a refund that nobody knows moved it"
        assert (rig.is_over, rig.stage, self.rows.pop().cents) == (True, "refused", 0)
        self.rejected_before += rig.rejected

    def _rig(self, number: int, asked: str, *, asked_for: bool = True) -> Rig[RefundFacts]:
        amount = int(asked)
        request = RefundRequest(
            refund_id=f"RF-1001-D{number + 1}",
            order_id="1001",
            amount=money(amount) if amount else None,
            currency="USD",
            reason="goodwill",
            requested_by="seller:jane",
            asked_for=asked_for,
        )
        facts = RefundFacts(now=self.now, created_at=self.now, request=request)
        return Rig(PURE, facts, _World(self, number), careful=self.careful)

    def _open_again(self, number: int, event: Event) -> None:
        """The word comes with a start of the same refund: its first workflow task has the word."""
        before = self.rigs[number]
        request = before.facts.request.model_copy(update={"asked_for": False})
        facts = RefundFacts(now=self.now, created_at=self.now, request=request)
        self.rejected_before += before.rejected
        self.rigs[number] = Rig(PURE, facts, before.world, careful=self.careful)
        self.rigs[number].hear(event)

    def goes_on(self, chance: random.Random) -> None:
        for rig in self.rigs:
            for _ in range(chance.randint(0, 2)):
                rig.settle()
                if rig.pending and chance.random() < 0.7:
                    rig.answer_one(chance.randrange)
                self._save()

    def rests(self, chance: random.Random) -> None:
        order = list(self.rigs)
        chance.shuffle(order)
        for rig in order:
            rig.rest(chance.randrange)
            self._save()

    def _save(self) -> None:
        """What was settled is saved, once nothing more is a matter of seconds."""
        for row, rig in zip(self.rows, self.rigs, strict=True):
            if row.cents and not rig.facts.is_settling and not row.ended:
                row.saved = rig.facts.state
            row.ended = row.ended or (rig.is_over and row.cents > 0)

    def clock(self, amount: int, chance: random.Random) -> None:
        self.rests(chance)
        for _ in range(amount):
            self.now += DAY
            for rig in self.rigs:
                rig.clock(self.now - rig.now, chance.randrange)
                self._save()

    def restart(self) -> None:
        for rig in self.rigs:
            rig.restart()

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        return tuple((cents(rig.facts.amount), rig.stage) for rig in self.rigs), self.rejected

    @staticmethod
    def expected(procedure: RefundProcedure, state: RefundsState) -> tuple[Any, ...]:
        return tuple(
            (one.amount, procedure.stage(state, at)) for at, one in enumerate(state.refunds)
        ), state.rejected

    def audit(self) -> None:
        at_gateway = sum(row.cents for row in self.rows if row.at_gateway in ("pending", "succeeded"))
        assert at_gateway <= PAID, "more refunded than paid (REF-3)"

    @property
    def timeline(self) -> list[str]:
        return [f"{number}: {step}" for number, rig in enumerate(self.rigs) for step in rig.steps]


@dataclass(frozen=True)
class _World:
    """All refunds of the order, as one of them sees it."""

    refunds: Refunds
    number: int

    def answer(self, effect: Effect, facts: RefundFacts) -> Given:
        return self.refunds.answer(self.number, effect, facts)


@lru_cache(maxsize=4096)
def event_of(happening: Happening, number: str | None) -> Event:
    """What is sent for a happening; `number`: the gateway's of the refund, if it has one."""
    who = {"event_id": f"h{happening.ident}", "actor": "gateway:stripe"}
    variant = happening.variant.removeprefix("lie ")
    if happening.name == "refund_confirmed":
        actor = "staff:jane" if variant == "by who asked" else "seller:tom"
        return RefundConfirmed.model_validate({**who, "actor": actor})
    if happening.name == "refund_rejected":
        return RefundRejected.model_validate({**who, "actor": "seller:tom", "reason": "not agreed"})
    if happening.name == "refund_resolved":
        actor = "seller:jane" if variant == "by the seller" else "staff:sam"
        outcome = "moved" if variant == "by the seller" else variant
        said = {"outcome": outcome, "evidence": "bank statement", "reason": "as the bank says"}
        return RefundResolved.model_validate({**who, "actor": actor, **said})
    status = "succeeded" if variant == "other" else variant
    ident = "re_of_another" if variant == "other" or number is None else number
    return GatewayUpdate.model_validate({**who, "status": status, "gateway_refund_id": ident})


def setup(chance: random.Random) -> RefundSetup:
    fates = tuple(chance.choice(FATES) for _ in range(chance.randint(0, MOST_REFUNDS)))
    return RefundSetup(chance.random() < 0.4, chance.random() < 0.3, fates, chance.random() < 0.4)


REFUNDS = Kind(
    name="refunds",
    choices={
        **refund_procedure.EVENTS,
        "gateway_update": refund_procedure.EVENTS["gateway_update"] + LIES,
        "late_word": LATE,
        "stray": STRAY,
        "stop": ("",),
    },
    clock=refund_procedure.CLOCK,
    guide=refund_procedure.GUIDE,
    setup=setup,
    procedure=RefundProcedure,
    subject=Refunds,
    check=refund_procedure.check,
)
