"""The world of a return in process: its database, gateway and supplier, and the order that replaces it."""

import random
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models.failures import Category
from models.ids import replacement_order_id
from models.parties import RmaMethod, Seller, Supplier
from models.partners import RmaAnswer
from models.records import CreditMemoBooked, Opening, ReturnOpening, ReturnReopened
from models.refunds import Direction, RefundResult, RefundState, Way
from models.replacements import ReplacementNews
from models.returns import OpenedLine, OpenedReturn, ReturnLine, ReturnRequest
from tests.model.replacement_order import Another
from tests.model.return_state import BUYER, COST, PAID, SELLER, ReturnSetup
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.refunds.attempts import MakeRefund
from workflows.returns.effects import (
    BookCreditMemo,
    CancelReplacement,
    OpenReturn,
    OpenSplitReturn,
    ReopenReturn,
    RequestRma,
    StartReplacement,
)
from workflows.returns.facts import ReturnFacts

REQUEST = ReturnRequest(
    return_id="RR-1001-1", order_id="1001", lines=(ReturnLine(sku="A", quantity=2, reason="does not fit"),)
)
TROUBLE = 0.02
UNDELIVERABLE = 0.02
FAILED_AFTERWARDS = "failed afterwards"


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


class ReturnWorld:
    """All that lies outside one return of both units of an order."""

    def __init__(self, setup: ReturnSetup) -> None:
        self.setup = setup
        self.chance = random.Random(0)
        self.rows: dict[str, Row] = {}
        self.sent = {BUYER: 0, SELLER: 0}
        self.troubled: set[str] = set()
        """Effects whose partner did not answer at first."""
        self.memos: set[str] = set()
        self.another: Another | None = None
        self.opened = opened(setup)
        self.last_facts: Any = None
        """Of the return, once it had ended."""

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
                return news(self.another)
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

    def last_to_change(self, whose: str, word: str, asked: set[str]) -> Row | None:
        """The last refund by a gateway that can still change so; `asked`: those that are looked for just now."""
        fits = ["silent", "pending", "in doubt"] + (["succeeded"] if word == "failed" else [])
        found = [
            row
            for row in self.rows.values()
            if row.whose == whose
            and row.state in fits
            and row.effect.way is Way.GATEWAY
            and not (row.state == "in doubt" and row.effect.refund_id in asked)
        ]
        return max(found, key=lambda row: ordinal(row.effect.refund_id), default=None)


def news(another: Another) -> ReplacementNews:
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


def ordinal(refund_id: str) -> int:
    return int(refund_id.rpartition("-")[2][1:])


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
