"""A return of several lines in process: its database, gateway and supplier, and what the model expects of it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from models import contract
from models.message import Event
from models.naming import KitPart
from models.parties import Seller, Supplier
from models.records import CreditMemoBooked, Opening, ReturnOpening
from models.refunds import Direction, RefundResult, RefundState
from models.returns import OpenedLine, OpenedReturn, ReturnLine, ReturnRequest
from tests.model import return_lines_procedure
from tests.model.procedure import Happening
from tests.model.return_lines_procedure import BUYER, COST, PAID, SELLER, ReturnedLinesProcedure, ReturnedState
from tests.model.sold_lines import ITEMS, KIT, KIT_SKU, TARGETS
from tests.plans.against_model import Kind
from tests.plans.one_case import OneCase
from tests.plans.rig import Given, Pure, Rig
from tests.senders import sender_of
from workflows.engine.case import Effect, SendMail
from workflows.refunds.attempts import MakeRefund
from workflows.returns.checks import check
from workflows.returns.effects import BookCreditMemo, OpenReturn
from workflows.returns.events import apply
from workflows.returns.facts import ReturnFacts
from workflows.returns.plan import plan

BASE = datetime(2026, 3, 1, tzinfo=UTC)
PURE = Pure(contract.RETURN_KIND, check, apply, plan)
REQUEST = ReturnRequest(
    return_id="RR-1001-1",
    order_id="1001",
    lines=tuple(ReturnLine(line_id=one.line_id, quantity=one.quantity, reason="does not fit") for one in ITEMS),
)
OPENED = OpenedReturn(
    order_id="1001",
    seller=Seller.model_validate({"seller_id": "acme", "name": "Acme", "email": "office@acme.example"}),
    supplier=Supplier.model_validate(
        {
            "supplier_id": "reno",
            "name": "Reno Parts",
            "email": "dock@reno.example",
            "return_address": "1 Depot Way, Reno NV 89501",
        }
    ),
    channel="web_shop",
    supplier_order_number="1001-1",
    lines=tuple(
        OpenedLine(
            line_id=one.line_id,
            sku=one.sku,
            kit=KitPart(line_id=KIT, sku=KIT_SKU, each=one.in_kit) if one.in_kit else None,
            quantity=one.quantity,
            reason="does not fit",
            paid=Decimal(one.paid) / 100,
            cost=Decimal(one.cost) / 100,
        )
        for one in ITEMS
    ),
    currency="USD",
    charge_currency="USD",
)


class ReturnOfLines(OneCase):
    """One return of all that was sold, in a world in which each refund within its cap succeeds; it begins open."""

    unit = timedelta(days=1)
    most_answers = 2

    def __init__(self, setup: object, careful: bool) -> None:
        self.made: dict[str, tuple[MakeRefund, RefundState]] = {}
        self.rig = Rig(PURE, ReturnFacts(now=BASE, created_at=BASE, request=REQUEST), self, careful=careful)
        self.rig.rest()

    # ---- the world ----

    def answer(self, effect: Effect, facts: ReturnFacts) -> Given:
        match effect:
            case OpenReturn():
                return ReturnOpening(opening=Opening.OPENED, opened=OPENED)
            case BookCreditMemo():
                return CreditMemoBooked(state="booked", return_id=REQUEST.return_id)
            case MakeRefund():
                return self._refund(effect)
            case SendMail():
                return None
        raise AssertionError(f"a return of lines did {effect.key}")

    def _refund(self, effect: MakeRefund) -> RefundResult:
        assert effect.refund_id not in self.made, f"{effect.refund_id} is made twice (REF-6)"
        assert effect.amount is not None, "a return says how much comes back"
        before = [
            one
            for one, state in self.made.values()
            if state is RefundState.SUCCEEDED and one.direction is effect.direction
        ]
        cap = PAID if whose(effect) == BUYER else COST
        fits = sum(one.amount or 0 for one in (*before, effect)) * 100 <= cap
        for item in ITEMS:
            lines = [line for one in (*before, effect) for line in one.lines or () if line.line_id == item.line_id]
            fits = fits and sum(line.quantity for line in lines) <= item.quantity
        state = RefundState.SUCCEEDED if fits else RefundState.REFUSED
        self.made[effect.refund_id] = (effect, state)
        return RefundResult(
            refund_id=effect.refund_id,
            state=state,
            amount=effect.amount if fits else Decimal(0),
            currency=effect.currency,
            reason="as it is",
            direction=effect.direction,
        )

    # ---- what happens ----

    def happens(self, happening: Happening) -> None:
        self.rig.hear(event_of(happening))

    # ---- what is seen ----

    def seen(self) -> tuple[Any, ...]:
        facts = self.rig.facts
        refunds = sorted(
            (
                BUYER if one.direction is Direction.SELLER_TO_BUYER else SELLER,
                int(one.refund_id.rpartition("-")[2][1:]),
                int(one.amount * 100),
                one.state,
            )
            for one in facts.refunds
        )
        accepted = tuple(facts.accepted_units(line) for line in OPENED.lines)
        return self.rig.stage, tuple(refunds), accepted, int(facts.credited * 100), self.rejected

    @staticmethod
    def expected(procedure: ReturnedLinesProcedure, state: ReturnedState) -> tuple[Any, ...]:
        refunds = sorted((one.whose, one.number, one.cents, one.state) for one in state.refunds)
        return procedure.stage(state), tuple(refunds), state.accepted, state.credited, state.rejected

    def audit(self) -> None:
        """What is refunded unit by unit adds up to what was paid for each line (ORD-14, REF-13)."""
        for item in ITEMS:
            units = sum(
                line.quantity
                for one, state in self.made.values()
                if state is RefundState.SUCCEEDED
                for line in one.lines or ()
                if line.line_id == item.line_id
            )
            assert units <= item.quantity, f"{units} of line {item.line_id} are refunded (REF-13)"


def whose(effect: MakeRefund) -> str:
    return BUYER if effect.direction is Direction.SELLER_TO_BUYER else SELLER


@lru_cache(maxsize=4096)
def event_of(happening: Happening) -> Event:
    """What is sent for a happening."""
    name, variant = happening.name, happening.variant
    common: dict[str, Any] = {"event_id": f"h{happening.ident}", "actor": sender_of(name)}
    match name:
        case "seller_approval":
            common |= {"decision": "approved"}
        case "return_tracking":
            common |= {"carrier": "UPS", "tracking_number": "1ZBACK"}
            common |= {"lines": [_named(*variant.split(":"))]} if variant else {}
        case "goods_received":
            item, count, acceptance, *by = variant.split(":")
            common["actor"] = "supplier:dock" if by else "staff:sam"
            common["lines"] = [_named(item, count) | {"reception": "received", "acceptance": acceptance}]
        case "credit_memo":
            number, _, cents = variant.partition(":")
            money = {"amount": f"{int(cents) / 100:.2f}", "currency": "USD"}
            common |= {"number": number, "date": date(2026, 3, 1), **money}
        case "buyer_refund":
            common["reason"] = "goods are back"
            common |= {"lines": [_named(*variant.split(":"))]} if variant else {}
    return contract.RETURN_EVENTS[name].model_validate(common)


def _named(item: str, count: str) -> dict[str, Any]:
    return {"line_id" if item in TARGETS else "sku": item, "quantity": int(count)}


RETURNS_OF_LINES = Kind(
    name="return of lines",
    choices=return_lines_procedure.EVENTS,
    clock=return_lines_procedure.CLOCK,
    guide=return_lines_procedure.GUIDE,
    setup=lambda chance: None,
    procedure=ReturnedLinesProcedure,
    subject=ReturnOfLines,
    check=lambda state, _setup: return_lines_procedure.check(state),
)
