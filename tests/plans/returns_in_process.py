"""A return in process: its database, gateway and supplier, and what the model expects to see of it."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models import contract
from models.failures import Category
from models.ids import replacement_order_id
from models.message import Event
from models.parties import RmaMethod, Seller, Supplier
from models.partners import RmaAnswer
from models.records import CreditMemoBooked, Opening, ReturnOpening, ReturnReopened
from models.refunds import Direction, RefundResult, RefundState, Way
from models.replacements import ReplacementNews
from models.returns import OpenedLine, OpenedReturn, ReturnLine, ReturnRequest
from tests.model import return_procedure
from tests.model.procedure import Happening
from tests.model.replacement_order import Another
from tests.model.return_procedure import (
    BUYER,
    CORRECTIONS,
    COST,
    FATES,
    PAID,
    REPLACING,
    SELLER,
    TAKEN_BACK,
    WORDS,
    Refund,
    ReturnProcedure,
    ReturnSetup,
    ReturnState,
    receipt,
)
from tests.plans.against_model import Kind
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Pure, Rig, Troubled
from tests.senders import sender_of
from workflows.engine.case import Effect, SendMail
from workflows.refunds.attempts import MakeRefund
from workflows.returns.checks import check
from workflows.returns.effects import (
    BookCreditMemo,
    CancelReplacement,
    OpenReturn,
    OpenSplitReturn,
    ReopenReturn,
    RequestRma,
    StartReplacement,
)
from workflows.returns.events import apply
from workflows.returns.facts import ReturnFacts
from workflows.returns.plan import plan
from workflows.returns.replacement_results import ReplacementReported

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.RETURN_KIND, check, apply, plan)
REQUEST = ReturnRequest(
    return_id="RR-1001-1", order_id="1001", lines=(ReturnLine(sku="A", quantity=2, reason="does not fit"),)
)
TROUBLE = 0.02
UNDELIVERABLE = 0.02
FAILED_AFTERWARDS = "failed afterwards"
STATES = {"in_doubt": "in doubt", "failed_afterwards": FAILED_AFTERWARDS}
"""The plan's words for the state of a refund that are not the model's."""


class Row:
    """A refund as its own workflow has it."""

    def __init__(self, effect: MakeRefund) -> None:
        self.effect = effect
        self.state = "asked"
        self.told = False
        self.taken_back = False

    @property
    def whose(self) -> str:
        return BUYER if self.effect.direction is Direction.SELLER_TO_BUYER else SELLER

    @property
    def cents(self) -> int:
        return int((self.effect.amount or 0) * 100)

    @property
    def counts(self) -> bool:
        return self.state in ("silent", "pending", "succeeded", "in doubt")

    def result(self, *, conflict: bool = False) -> RefundResult:
        states = {"asked": "reserved", "silent": "reserved", "in doubt": "reserved", FAILED_AFTERWARDS: "failed"}
        state = RefundState(states.get(self.state, self.state))
        return RefundResult(
            refund_id=self.effect.refund_id,
            state=state,
            amount=Decimal(0) if self.state == "refused" else self.effect.amount or Decimal(0),
            currency=self.effect.currency,
            reason=f"as it is: {self.state}",
            direction=self.effect.direction,
            unknown=state in (RefundState.RESERVED, RefundState.PENDING),
            conflict=conflict,
            taken_back=self.taken_back,
        )


class Return:
    """One return of both units of an order."""

    def __init__(self, setup: ReturnSetup, careful: bool) -> None:
        self.setup = setup
        self.careful = careful
        self.chance = random.Random(0)
        self.rows: dict[str, Row] = {}
        self.sent = {BUYER: 0, SELLER: 0}
        self.troubled: set[str] = set()
        self.memos: set[str] = set()
        self.another: Another | None = None
        self.opened = opened(setup)
        facts = ReturnFacts(now=BASE, created_at=BASE, request=REQUEST)
        self.rig = Rig(PURE, facts, self, careful=careful)
        self.mails: list[SendMail] = []
        self.rejected_before = 0

    # ---- the world ----

    def answer(self, effect: Effect, facts: ReturnFacts) -> Given:
        match effect:
            case MakeRefund():
                return self._refund(effect)
            case SendMail():
                return Failed("no such mailbox") if self.chance.random() < UNDELIVERABLE else None
        if effect.key not in self.troubled and self.chance.random() < TROUBLE:
            self.troubled.add(effect.key)
            category = self.chance.choice((Category.PARTNER_UNAVAILABLE, Category.INTERNAL))
            return Troubled("it does not answer", category, self.chance.random() < 0.5)
        match effect:
            case OpenReturn() if self.setup.refused:
                return ReturnOpening(opening=Opening.REFUSED, reason="2 of A: 0 can come back")
            case OpenReturn():
                return ReturnOpening(opening=Opening.OPENED, opened=self.opened)
            case ReopenReturn():
                failed = tuple(row.result() for row in self.rows.values() if row.state == FAILED_AFTERWARDS)
                return ReturnReopened(opening=Opening.OPENED, facts=self.last_facts, failed=failed)
            case BookCreditMemo():
                number = effect.memo.number
                assert number not in self.memos, f"credit memo {number} is booked twice (RET-12)"
                self.memos.add(number)
                return CreditMemoBooked(state="booked", return_id=REQUEST.return_id)
            case RequestRma():
                said: Any = {"state": self.setup.service, "reason": "too old", "rma_number": "RMA-S"}
                return RmaAnswer.model_validate(said)
            case OpenSplitReturn():
                return None
            case StartReplacement():
                assert self.another is None, "it is replaced twice (RET-24)"
                self.another = Another(sum(line.quantity for line in effect.lines))
                return self._news(self.another)
            case CancelReplacement():
                assert self.another is not None, "it was ordered"
                self.another = self.another.given_up()
                return Failed("its order has ended") if self.another.ended else None
        raise AssertionError(f"a return did {effect.key}")

    def _refund(self, effect: MakeRefund) -> Given:
        row = self.rows.setdefault(effect.refund_id, Row(effect))
        if effect.again and row.effect.key != effect.key:
            asked = row.state == "in doubt"
            row.effect, row.state, row.told = effect, "asked" if asked else row.state, False
        assert row.effect.key == effect.key, f"{effect.refund_id} is made twice (REF-6)"
        if row.state == "asked":
            conflict = self._decide(row)
            if conflict:
                return row.result(conflict=True)
        if row.state in ("silent", "pending"):
            if row.told:
                return NOT_YET
            row.told = True
            return NotYet(row.result().model_copy(update={"unknown": row.state == "silent"}))
        return row.result()

    def _decide(self, row: Row) -> bool:
        """The cap, then the gateway; whether its id belongs to another request."""
        taken = sum(one.cents for one in self.rows.values() if one.whose == row.whose and one.counts)
        if row.cents > (PAID if row.whose == BUYER else COST) - taken:
            row.state = "refused"
            return False
        if row.effect.way is Way.MARKETPLACE:
            row.state = "succeeded"
            return False
        fates = self.setup.buyer_fates if row.whose == BUYER else self.setup.seller_fates
        fate = fates[self.sent[row.whose]] if self.sent[row.whose] < len(fates) else "succeeds"
        self.sent[row.whose] += 1
        row.state = {"succeeds": "succeeded", "fails": "failed", "id taken": "refused"}.get(fate, fate)
        return fate == "id taken"

    # ---- what happens ----

    @property
    def stages(self) -> tuple[str, ...]:
        return (self.rig.stage,)

    @property
    def rejected(self) -> int:
        return self.rig.rejected

    def happens(self, happening: Happening) -> None:
        match happening.name:
            case "stop":
                self.rig.press_cancel()
            case "replacement_word":
                self._replacement(happening.variant)
            case "refund_word":
                self._word(*happening.variant.split(" ", maxsplit=1))
            case "goods_received" if happening.variant.startswith("instead: "):
                receipts = self.rig.facts.receipts
                corrects = receipts[-1].event_id if receipts else "none"
                self.rig.hear(event_of(happening, corrects))
            case _:
                self.rig.hear(event_of(happening))

    def _replacement(self, word: str) -> None:
        """Its order says how it stands, if there is one, to a return that has not ended."""
        if self.another is None or self.rig.facts.outcome is not None:
            return
        self.another = self.another.said(word)
        self.rig.take(ReplacementReported(news=self._news(self.another)))

    @staticmethod
    def _news(another: Another) -> ReplacementNews:
        line = {"line_id": "A", "sku": "A", "quantity": another.units, "shipped": another.shipped}
        ended = "shipped" if another.shipped else "voided" if another.gone else "stopped"
        return ReplacementNews.model_validate(
            {
                "replacement_id": replacement_order_id(REQUEST.return_id),
                "lines": [line | {"voided": another.gone}],
                "with_supplier": another.with_supplier,
                "cancel_refused": another.too_late,
                "outcome": ("stopped" if another.open else ended) if another.ended else None,
            }
        )

    def _word(self, whose: str, word: str) -> None:
        """The last refund that can still change so says that it did."""
        fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
        rows = sorted(self.rows.values(), key=lambda row: ordinal(row.effect.refund_id))
        asked = {one.refund_id for one in self.rig.facts.refunds if one.state == "asked"}
        found = [
            row
            for row in rows
            if row.whose == whose
            and row.state in fits
            and row.effect.way is Way.GATEWAY
            and not (row.state == "in doubt" and row.effect.refund_id in asked)  # it is looked for just now
        ]
        if not found:
            return
        row = found[-1]
        before = row.state
        row.taken_back = before == "succeeded" or word == TAKEN_BACK
        row.state = FAILED_AFTERWARDS if row.taken_back else word
        by_its_end = before in ("silent", "pending") and word != TAKEN_BACK and self.chance.random() < 0.6
        if by_its_end:
            for effect in self.rig.pending:
                if effect.key == row.effect.key and not self.rig.is_over:
                    self.rig.answer(effect)
                    break
        elif self.rig.is_over and self.rig.facts.outcome == "completed":
            self._open_again(row.effect.refund_id)
        else:
            self.rig.report(row.result())

    def _open_again(self, refund_id: str) -> None:
        """REF-7: the refund starts the return again, which knows what it knew when it ended."""
        before = self.rig
        self.last_facts = before.facts.model_dump(mode="json")
        request = REQUEST.model_copy(update={"reopened_by": refund_id})
        facts = ReturnFacts(now=before.now, created_at=before.now, request=request)
        self.mails.extend(before.mails())
        self.rig = Rig(PURE, facts, self, careful=self.careful)
        self.rig.rejected = before.rejected
        self.troubled = set()

    def goes_on(self, chance: random.Random) -> None:
        self.chance = chance
        for _ in range(chance.randint(0, 2)):
            self.rig.settle()
            if self.rig.pending and chance.random() < 0.7:
                self.rig.answer_one(chance.randrange)

    def rests(self, chance: random.Random) -> None:
        self.chance = chance
        self.rig.rest(chance.randrange)
        if any(effect.key in self.troubled for effect in self.rig.pending):
            self.rig.rest(chance.randrange)

    def clock(self, amount: int, chance: random.Random) -> None:
        self.rests(chance)
        self.rig.clock(timedelta(days=amount), chance.randrange)
        self.rests(chance)

    def restart(self) -> None:
        self.rig.restart()

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        facts = self.rig.facts
        refunds = sorted(
            (
                BUYER if one.direction is Direction.SELLER_TO_BUYER else SELLER,
                ordinal(one.refund_id),
                int(one.amount * 100),
                STATES.get(one.state, one.state),
            )
            for one in facts.refunds
        )
        credited = int(facts.credited * 100) if facts.opened else 0
        return self.rig.stage, tuple(refunds), credited, self.rejected, replaced(facts)

    @staticmethod
    def expected(procedure: ReturnProcedure, state: ReturnState) -> tuple[Any, ...]:
        refunds = sorted((one.whose, one.number, one.cents, shown(one)) for one in state.refunds)
        one = state.another
        another = (one.units, one.shipped, one.gone, one.abandoned) if one is not None else ()
        return procedure.stage(state), tuple(refunds), state.credited, state.rejected, another

    def audit(self) -> None:
        for whose, cap in ((BUYER, PAID), (SELLER, COST)):
            moved = sum(row.cents for row in self.rows.values() if row.whose == whose and row.counts)
            assert moved <= cap, f"more refunded to the {whose} than paid (REF-3)"
        self._audit_mails()

    def _audit_mails(self) -> None:
        """NTF-1: who gets money is told once of each refund; whoever clicked, of what failed."""
        told = [mail.key for mail in (*self.mails, *self.rig.mails())]
        assert len(set(told)) == len(told), "an e-mail is sent twice (NTF-1)"
        if self.rig.facts.outcome == "stopped":
            return
        for row in self.rows.values():
            if row.state == "succeeded" and row.effect.way is Way.GATEWAY:
                key = "refunded" if row.whose == BUYER else "seller-refunded"
                assert f"mail:{key}-{row.effect.refund_id}" in told, f"nobody is told of {row.effect.refund_id}"

    @property
    def timeline(self) -> list[str]:
        return self.rig.steps


def replaced(facts: ReturnFacts) -> tuple[Any, ...]:
    """Units of the replacement, those that were sent, those that came to nothing, and whether it was abandoned."""
    one = facts.replacement
    if one is None:
        return ()
    (line,) = one.lines
    return line.quantity, line.shipped, line.cancelled + line.voided, one.abandoned


def ordinal(refund_id: str) -> int:
    return int(refund_id.rpartition("-")[2][1:])


def shown(refund: Refund) -> str:
    """What may have been sent, and was not answered, is in doubt (REF-11)."""
    return "in doubt" if refund.state == "silent" else refund.state


@lru_cache(maxsize=64)
def opened(setup: ReturnSetup) -> OpenedReturn:
    """What the database says of the order, its seller and supplier."""
    rma = RmaMethod.MANUAL if setup.rma_by_hand else RmaMethod.SERVICE if setup.service else RmaMethod.NONE
    return OpenedReturn.model_validate(
        {
            "order_id": "1001",
            "seller": Seller.model_validate(
                {
                    "seller_id": "acme",
                    "name": "Acme",
                    "email": "office@acme.example",
                    "auto_refund_buyer": setup.auto_refund,
                    "on_refund_breach": "refund" if setup.refund_on_breach else "wait",
                    "final_credit": "agreed" if setup.pays_as_agreed else "credited",
                    "replacement_sent": "at_once" if setup.replaces_at_once else "when_received",
                }
            ),
            "supplier": Supplier.model_validate(
                {
                    "supplier_id": "reno",
                    "name": "Reno Parts",
                    "email": "dock@reno.example",
                    "return_address": "1 Depot Way, Reno NV 89501",
                    "rma": rma,
                }
            ),
            "channel": "web_shop",
            "supplier_order_number": "1001-1",
            "lines": [
                OpenedLine(
                    line_id="A", sku="A", quantity=2, reason="does not fit", paid=Decimal(100), cost=Decimal(63)
                )
            ],
            "currency": "USD",
            "charge_currency": "USD",
        }
    )


@lru_cache(maxsize=4096)
def event_of(happening: Happening, corrects: str | None = None) -> Event:
    """What is sent for a happening."""
    model = contract.RETURN_EVENTS[happening.name]
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(happening.name)}
    common |= {"corrects": corrects} if corrects else {}
    return model.model_validate(common | _fields(happening.name, happening.variant))


def _fields(name: str, variant: str) -> dict[str, Any]:
    match name:
        case "seller_approval":
            fee = {"with fee": "10.00", "too dear": "1000.00", "all of it": "100.00"}.get(variant, "0")
            decision = "rejected" if variant == "rejected" else "approved"
            said = {"return_fee": fee, "returnless": variant == "returnless", "reason": "as agreed"}
            if variant == "replacement":
                said["resolution"] = "replacement"
            return {"decision": decision, **said}
        case "supplier_rma":
            return {"outcome": variant, "rma_number": "RMA-1", "reason": "as agreed"}
        case "return_tracking":
            return {"carrier": "UPS", "tracking_number": "1ZBACK"}
        case "goods_received":
            return {"lines": receipt("A", variant.removeprefix("instead: "))}
        case "credit_memo":
            number, _, rest = variant.partition(":")
            cents, _, final = rest.partition(" ")
            money = {"amount": f"{int(cents or 100) / 100:.2f}", "currency": "USD" if cents else "EUR"}
            return {"number": number, "date": date(2026, 3, 1), "final": bool(final), **money}
        case "refund_declined":
            return {"kind": variant, "reason": "as agreed"}
        case "buyer_refund":
            return {"reason": "goods are back"} | ({"amount": f"{int(variant) / 100:.2f}"} if variant else {})
        case "channel_update":
            return {"status": variant}
        case "staff_override":
            by_seller = variant == "by the seller"
            who, what = ("seller:jane", "tracking") if by_seller else ("staff:sam", variant)
            return {"actor": who, "waive": what, "reason": "as agreed"}
    return {"reason": "changed their mind"}


def setup(chance: random.Random) -> ReturnSetup:
    rma = chance.choice(("none", "by hand", "issued", "refused", "pending", "none", "by hand"))
    return ReturnSetup(
        rma_by_hand=rma == "by hand",
        refused=chance.random() < 0.03,
        service=rma if rma not in ("none", "by hand") else "",
        auto_refund=chance.random() < 0.5,
        refund_on_breach=chance.random() < 0.5,
        pays_as_agreed=chance.random() < 0.3,
        replaces_at_once=chance.random() < 0.5,
        buyer_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
        seller_fates=tuple(chance.choice(FATES) for _ in range(chance.randint(0, 3))),
    )


GUIDE = return_procedure.GUIDE | {
    "awaiting_approval": return_procedure.GUIDE["awaiting_approval"] + (("seller_approval", "replacement"),) * 3,
    "awaiting_tracking": (*return_procedure.GUIDE["awaiting_tracking"], ("replacement_word", "ships one")),
    "in_transit": (*return_procedure.GUIDE["in_transit"], ("replacement_word", "nobody has it")),
}

RETURNS = Kind(
    name="return",
    choices={
        **return_procedure.EVENTS,
        "goods_received": return_procedure.EVENTS["goods_received"] + CORRECTIONS,
        "seller_approval": return_procedure.EVENTS["seller_approval"] + REPLACING["seller_approval"] * 2,
        "staff_override": return_procedure.EVENTS["staff_override"] + REPLACING["staff_override"],
        "replacement_word": REPLACING["replacement_word"],
        "refund_word": WORDS,
        "stop": ("",),
    },
    clock=(1, *return_procedure.CLOCK),
    guide=GUIDE,
    setup=setup,
    procedure=ReturnProcedure,
    subject=Return,
    check=lambda state, _setup: return_procedure.check(state),
)
