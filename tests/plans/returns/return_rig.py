"""A return in process: two units, 50.00 paid and 31.50 charged each, and a world that answers as it is told."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from models.case import CaseRecord, SlaState
from models.contract import RETURN_EVENTS, RETURN_KIND
from models.failures import Category
from models.parties import Seller, Supplier
from models.partners import RmaAnswer
from models.records import CreditMemoBooked, Opening, ReturnOpening, ReturnReopened
from models.refunds import RefundResult, RefundState
from models.replacements import ReplacementNews
from models.returns import OpenedLine, OpenedReturn, ReturnRequest
from tests.plans.divided import divided
from tests.plans.rig import NOT_YET, Given, NotYet, Pure, Rig, Troubled
from tests.senders import sender_of
from workflows.engine.case import Effect, SendMail
from workflows.engine.procedure import CaseView
from workflows.refunds.attempts import BUYER, SELLER, MakeRefund
from workflows.returns.checks import check
from workflows.returns.effects import (
    BookCreditMemo,
    CancelReplacement,
    KeepAsOrphan,
    OpenReturn,
    OpenSplitReturn,
    ReopenReturn,
    RequestRma,
    StartReplacement,
)
from workflows.returns.events import apply
from workflows.returns.facts import ReturnFacts
from workflows.returns.plan import plan
from workflows.returns.view import facts_in_status, last_facts, view

PURE = Pure(RETURN_KIND, check, apply, plan)
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PAID, COST = Decimal("100.00"), Decimal("63.00")


class ReturnWorld:
    """Books, supplier's web service and gateway. `fates`: what becomes of the next refunds, by whom they go to
    (`60.00+40.00`: in these parts); afterwards each succeeds, if the amount is within what was paid."""

    def __init__(self, seller: Seller, supplier: Supplier) -> None:
        self.seller, self.supplier = seller, supplier
        self.lines: tuple[OpenedLine, ...] = (
            OpenedLine(line_id="A", sku="A", title="Item A", quantity=2, reason="worn", paid=PAID, cost=COST),
        )
        self.siblings: tuple[ReturnRequest, ...] = ()
        self.open: Given = None
        self.reopen: Given = None
        self.split: Given = None
        self.keep: Given = None
        self.mail: Given = None
        self.rma: Given = RmaAnswer(state="pending")
        self.counted_for: dict[str, str] = {}
        """Which return a credit memo's number was counted for."""
        self.booking: Given = None
        self.replacement: Given = None
        """Why the replacement is not ordered; none: it is (RET-24)."""
        self.cancelling: Given = None
        self.fates: dict[str, list[str]] = {"seller": [], "buyer": []}
        self.moved_otherwise = Decimal(0)  # for both units, by a direct refund whose other part failed (REF-13)
        self.gave: dict[str, Decimal] = {}
        """Money that moved, by refund id: never twice."""

    def answer(self, effect: Effect, facts: ReturnFacts) -> Given:
        match effect:
            case OpenReturn():
                return self.open or self.opening()
            case ReopenReturn():
                assert self.reopen is not None, "the test says what the database knows"
                return self.reopen
            case OpenSplitReturn():
                return self.split
            case KeepAsOrphan():
                return self.keep
            case RequestRma():
                return self.rma
            case BookCreditMemo():
                counted = self.counted_for.get(effect.memo.number, facts.return_id)
                state = "booked" if counted == facts.return_id else "duplicate"
                return self.booking or CreditMemoBooked.model_validate({"state": state, "return_id": counted})
            case MakeRefund():
                return self.refund(effect, facts)
            case StartReplacement():
                return self.replacement or ReplacementNews(replacement_id=effect.replacement_id)
            case CancelReplacement():
                return self.cancelling
        assert isinstance(effect, SendMail)
        return self.mail

    def opening(self) -> ReturnOpening:
        snapshot = OpenedReturn(
            order_id="1001",
            seller=self.seller,
            supplier=self.supplier,
            channel="web_shop",
            supplier_order_number="1001-1",
            lines=self.lines,
            currency="USD",
            charge_currency="USD",
            siblings=self.siblings,
        )
        return ReturnOpening(opening=Opening.OPENED, opened=snapshot)

    def refund(self, effect: MakeRefund, facts: ReturnFacts) -> Given:
        assert effect.amount is not None, "a return knows how much"
        whom = "buyer" if effect.direction is BUYER else "seller"
        fates = self.fates[whom]
        fate = fates.pop(0) if fates else "succeeded"
        if fate == "not yet":
            fates.insert(0, fate)
            return NOT_YET
        if fate in ("pending", "no answer", "to confirm"):
            fates.insert(0, "not yet")
            return NotYet(result_of(effect, fate))
        if "+" in fate:
            return divided(effect, fate)
        if fate != "succeeded":
            return result_of(effect, fate)
        amount = effect.amount
        if effect.less_moved:
            amount -= self.moved_otherwise * sum(line.quantity for line in effect.lines) / 2
        mine = [one for one in facts.refunds if one.direction is effect.direction]
        taken = sum((self.gave.get(one.refund_id, Decimal(0)) for one in mine), Decimal(0))
        cap = PAID if whom == "buyer" else COST
        if amount > cap - taken:
            return result_of(effect, "refused", reason="more than is still refundable")
        assert effect.refund_id not in self.gave, f"{effect.refund_id} moved money twice"
        self.gave[effect.refund_id] = amount
        return result_of(effect.model_copy(update={"amount": amount}), "succeeded")


def result_of(effect: MakeRefund, fate: str, reason: str | None = None) -> RefundResult:
    """`fate`: a state, or `in doubt`, or `to confirm` by a second person; or `no answer` while its workflow goes
    on, or `another's` for an id that belongs to another request."""
    state = {"in doubt": "refused", "no answer": "pending", "another's": "refused"}.get(fate, fate)
    state = "reserved" if fate == "to confirm" else state
    return RefundResult(
        refund_id=effect.refund_id,
        state=RefundState(state),
        amount=(effect.amount or Decimal(0)) if state in ("succeeded", "pending", "reserved") else Decimal(0),
        currency=effect.currency,
        reason=reason or (None if state == "succeeded" else f"the gateway says {fate}"),
        direction=effect.direction,
        unknown=fate in ("in doubt", "no answer"),
        conflict=fate == "another's",
        to_confirm=fate == "to confirm",
    )


class ReturnStory(Rig[ReturnFacts]):
    """What seller, supplier, buyer, marketplace, gateway and staff do to one return."""

    world: ReturnWorld

    def __init__(self, facts: ReturnFacts, world: ReturnWorld) -> None:
        super().__init__(PURE, facts, world)
        self.world = world
        self.events = 0

    # ---- what happens ----

    def says(self, name: str, **fields: Any) -> Self:
        """An event as a signal, and all that follows from it at once."""
        assert self.hear(self.event(name, **fields)), f"{name} was refused: {self.facts.rejected[-1].reason}"
        self.rest()
        return self

    def refuses(self, name: str, **fields: Any) -> str:
        """Why an event can't be used."""
        assert not self.hear(self.event(name, **fields)), f"{name} was accepted"
        self.rest()
        return self.facts.rejected[-1].reason if self.facts.rejected else "the return has ended"

    def event(self, name: str, **fields: Any) -> Any:
        self.events += 1
        given = {"event_id": f"e{self.events}", "actor": sender_of(name), "reason": "worn"}
        model = RETURN_EVENTS[name]
        return model.at_the_door({k: v for k, v in {**given, **fields}.items() if k in model.model_fields})

    def days(self, days: float) -> Self:
        self.clock(timedelta(days=days))
        return self

    def report(self, refund_id: str, state: str, **fields: Any) -> Self:  # type: ignore[override]
        """A refund of the return says what became of it (REF-7)."""
        attempt = self.facts.attempt(refund_id)
        given = {
            "refund_id": refund_id,
            "state": state,
            "amount": str(attempt.amount) if attempt else "5.00",
            "currency": "USD",
            "direction": attempt.direction if attempt else BUYER,
            "reason": "account closed" if state == "failed" else None,
        }
        if state == "failed":
            self.world.gave.pop(refund_id, None)
        super().report(RefundResult.model_validate({**given, **fields}))
        self.rest()
        return self

    def stopped(self) -> Self:
        self.press_cancel()
        self.rest()
        return self

    # ---- often ----

    def approved(self, **fields: Any) -> Self:
        return self.says("seller_approval", decision="approved", **{"reason": None, **fields})

    def sent(self) -> Self:
        return self.says("return_tracking", carrier="UPS", tracking_number="1Z")

    def received(self, acceptance: str = "accepted", reception: str = "received", quantity: int = 2) -> Self:
        """All that comes; of fewer units the others don't."""
        reception = "short" if quantity < 2 else reception
        return self.says("goods_received", **goods(acceptance, reception, quantity))

    def credited(self, amount: str = "63.00", number: str = "CM-1", **fields: Any) -> Self:
        return self.says("credit_memo", **memo(amount, number, **fields))

    def clicked(self, **fields: Any) -> Self:
        return self.says("buyer_refund", **fields)

    # ---- what is seen ----

    @property
    def waits(self) -> list[tuple[str, str]]:
        return [(str(wait.stage), str(wait.who)) for wait in self.plan.waits]

    @property
    def templates(self) -> list[str]:
        return [mail.template for mail in self.mails()]

    def letters(self, template: str) -> list[SendMail]:
        return [mail for mail in self.mails() if mail.template == template]

    @property
    def alerts(self) -> list[str]:
        return [mail.facts["what"] for mail in self.letters("staff_alert")]

    @property
    def asked(self) -> list[tuple[str, str, bool]]:
        """Every refund that was asked for: its id, how much, and whether again."""
        made = [one for one in self.begun if isinstance(one, MakeRefund)]
        return [(one.refund_id, str(one.amount), one.again) for one in made]

    @property
    def declined(self) -> list[str | None]:
        """Events that were answered with no, by no fault of their senders; there are no others."""
        assert self.facts.rejected_count == 0, "they are not counted as wrong events"
        return [one.event_id for one in self.facts.rejected if not one.sender_at_fault]

    @property
    def outcome(self) -> str | None:
        return self.facts.outcome

    @property
    def states(self) -> dict[str, str]:
        return {one.refund_id: one.state for one in self.facts.refunds}

    @property
    def money(self) -> tuple[str, str]:
        """What really moved: to the buyer by the gateway and by the marketplace, to the seller."""
        refunds = {one.refund_id: one for one in self.facts.refunds}
        gave = {"buyer": Decimal(0), "seller": Decimal(0)}
        for refund_id, amount in self.world.gave.items():
            gave["seller" if refunds[refund_id].direction is SELLER else "buyer"] += amount
        return f"{gave['buyer']:.2f}", f"{gave['seller']:.2f}"

    @property
    def shown(self) -> dict[str, Any]:
        return facts_in_status(self.facts)

    @property
    def seen(self) -> CaseView:
        return view(self.facts, self.plan)

    @property
    def deadlines(self) -> dict[str, datetime]:
        return view(self.facts, self.plan).deadlines

    # ---- the next run ----

    def kept_facts(self) -> dict[str, Any]:
        """The last facts, as the database gives them back."""
        facts: dict[str, Any] = json.loads(json.dumps(last_facts(self.facts)))
        return facts

    def opened_again(
        self, refund_id: str, failed: Iterable[RefundResult] = (), facts: dict[str, Any] | None = None
    ) -> "ReturnStory":
        """A start of this return by `refund_id`; the database has these refunds as failed (REF-7)."""
        kept = facts if facts is not None else self.kept_facts()
        self.world.reopen = ReturnReopened(opening=Opening.OPENED, facts=kept, failed=tuple(failed))
        request = self.facts.request.model_copy(update={"reopened_by": refund_id})
        again = ReturnStory(fresh(request, self.now, run_id="run-2"), self.world)
        again.events = 100
        again.rest()
        return again


def goods(acceptance: str = "accepted", reception: str = "received", quantity: int = 2) -> dict[str, Any]:
    line = {"sku": "A", "quantity": quantity, "reception": reception, "acceptance": acceptance}
    return {"actor": "supplier:sue", "lines": [line]}


def memo(amount: str = "63.00", number: str = "CM-1", **fields: Any) -> dict[str, Any]:
    given = {"actor": "supplier:sue", "number": number, "date": "2026-03-20", "amount": amount, "currency": "USD"}
    return given | fields


def fresh(request: ReturnRequest, now: datetime = NOON, run_id: str = "run-1") -> ReturnFacts:
    return ReturnFacts(now=now, created_at=now, run_id=run_id, request=request)


def a_request(**fields: Any) -> ReturnRequest:
    given = {"return_id": "RR-1", "order_id": "1001", "lines": [{"sku": "A", "quantity": 2, "reason": "worn"}]}
    return ReturnRequest.at_the_door({**given, **fields})


def unopened(
    supplier: dict[str, Any] | None = None, request: dict[str, Any] | None = None, **seller: Any
) -> ReturnStory:
    """A request that was just made; `seller`: settings."""
    parties = (
        Seller.model_validate({"seller_id": "acme", "name": "Acme", "email": "a@acme.example", **seller}),
        Supplier.model_validate(
            {
                "supplier_id": "sup",
                "name": "Sup",
                "email": "s@sup.example",
                "return_address": "1 Depot Way, Reno",
                **(supplier or {}),
            }
        ),
    )
    return ReturnStory(fresh(a_request(**(request or {}))), ReturnWorld(*parties))


def requested(
    supplier: dict[str, Any] | None = None, request: dict[str, Any] | None = None, **seller: Any
) -> ReturnStory:
    """A return that awaits the seller's approval."""
    story = unopened(supplier, request, **seller)
    story.rest()
    return story


def in_transit(supplier: dict[str, Any] | None = None, **seller: Any) -> ReturnStory:
    """A return whose goods are on their way."""
    return requested(supplier, **seller).approved().sent()


def awaiting_click(**seller: Any) -> ReturnStory:
    """The seller has its money, the buyer's refund is to be clicked."""
    return in_transit(**seller).received().credited()


def completed(**seller: Any) -> ReturnStory:
    """Both have their money."""
    return awaiting_click(**seller).clicked()


def a_record() -> CaseRecord:
    """Where a case stands, as it is saved beside the return."""
    common = {
        "workflow_id": "return-RR-1",
        "run_id": "r",
        "stage": "completed",
        "seller_id": "acme",
        "order_id": "1",
    }
    waits = dict.fromkeys(("waiting_on", "waiting_for", "waiting_since", "due_by"))
    more = {"sla_state": SlaState.ON_TIME, "ended": True, "first_step": 0, "steps": ()}
    return CaseRecord.model_validate({**common, **waits, **more})


def failure(refund_id: str, amount: str = "100.00", to: str = "buyer") -> RefundResult:
    """As the database has a refund that failed after it had succeeded."""
    return RefundResult(
        refund_id=refund_id,
        state=RefundState.FAILED,
        amount=Decimal(amount),
        currency="USD",
        reason="account closed",
        direction=BUYER if to == "buyer" else SELLER,
    )


DOWN = Troubled("PartnerUnavailable: no answer", Category.PARTNER_UNAVAILABLE, alert=True)
OUR_FAULT = Troubled("Internal: an allocation that can't be", Category.INTERNAL, alert=True)
