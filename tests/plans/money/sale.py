"""One sale and all that comes of it: order, splits, refunds, returns, replacements, claims and reviews.

Each is a real plan in process, over one book and one gateway. Between any two steps a case may be cut short and
go on from its facts, and an answer may be lost after what was asked is done.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from activities.database.returnable_units import NOTHING_CAME_BACK, Worth
from models import contract, ids
from models.charges import ChargeConnection
from models.claims import ClaimRequest, OpenedClaim
from models.cost_reviews import CostReviewRequest, OpenedCostReview
from models.event_times import Arrival
from models.failures import Category
from models.orders import OrderRequest
from models.parties import Seller
from models.partners import PlacedOrder
from models.payments import PaidBy
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    LineQuantities,
    OpenedOrder,
    Opening,
    RefundTakenBack,
    ReturnOpening,
    ReturnReopened,
    Saved,
)
from models.refunds import GatewayUpdate, RefundRequest, RefundResult, RefundState
from models.replacements import ReplacementNews
from models.returns import ReturnRequest
from models.splits import SplitOrder
from tests.plans.money.book import Book
from tests.plans.money.gateway import Gateway
from tests.plans.money.procedures import CLAIMS, ORDERS, REFUNDS, RETURNS, REVIEWS
from tests.plans.money.saves import save
from tests.plans.money.snapshots import opened, opened_claim, opened_review, replacement, sources, worth_of
from tests.plans.rig import NOT_YET, Failed, Given, NotYet, Pure, Rig, Troubled
from workflows.claims.effects import WriteClaim
from workflows.claims.facts import ClaimFacts
from workflows.cost_reviews.effects import OpenReview
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.engine.case import CaseFacts, Effect, SendMail
from workflows.orders import effects as of_order
from workflows.orders.cancellation import return_of
from workflows.orders.charges import records_of
from workflows.orders.facts import OrderFacts
from workflows.orders.lines import first_lines
from workflows.orders.splitting import first_cancels
from workflows.refunds import effects as of_refund
from workflows.refunds.attempts import MakeRefund
from workflows.refunds.facts import RefundFacts
from workflows.returns import effects as of_return
from workflows.returns.facts import ReturnFacts
from workflows.returns.replacement_results import ReplacementReported

NOON: Final = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BY_STRIPE = ChargeConnection(connection_id="broker-stripe", provider=PaidBy.STRIPE)
OUTAGE, LOST, CRASH = 0.02, 0.04, 0.04
"""How often nobody is reached, an answer is lost after the deed, and a case is cut short."""
CUT_SHORT = ("stopped", "terminated")
MOST_ROUNDS = 300


class Sale:
    """All cases of one sale, by their workflow ids."""

    def __init__(self, request: OrderRequest, seller: Seller, chance: random.Random) -> None:
        self.chance, self.seller, self.now = chance, seller, NOON
        self.currency = request.paid_currency
        self.paid, self.first_id = request.paid, request.order_id
        self.book, self.gateway = Book(self.currency, NOON), Gateway()
        for payment in request.paid_with:
            self.gateway.received[str(payment.reference)] = payment.amount
        self.cases: dict[str, Rig[Any]] = {}
        self.runs: dict[str, int] = {}
        self.held: dict[str, dict[str, Worth]] = {}
        """By return, the units of each line that it holds."""
        self.is_calm = False
        """Nothing breaks any more."""
        self.stirred = False
        self.start_order(request)

    # ---- the cases ----

    def of_kind(self, facts: type[CaseFacts]) -> list[Rig[Any]]:
        return [one for one in self.cases.values() if isinstance(one.facts, facts)]

    def _start(self, workflow_id: str, pure: Pure[Any], facts: CaseFacts) -> Rig[Any]:
        self.runs[workflow_id] = self.runs.get(workflow_id, 0) + 1
        self.cases[workflow_id] = Rig(pure, facts, _World(self, workflow_id), careful=False)
        self.stirred = True
        return self.cases[workflow_id]

    def start_order(self, request: OrderRequest) -> None:
        workflow_id = ids.order_workflow_id(request.order_id)
        if workflow_id not in self.cases:
            facts = OrderFacts(
                **self._born(),
                request=request,
                lines=first_lines(request),
                cancels=first_cancels(request.split_from),
            )
            self._start(workflow_id, ORDERS, facts)

    def start_return(self, request: ReturnRequest) -> None:
        workflow_id = ids.return_workflow_id(request.return_id)
        if workflow_id not in self.cases:
            self._start(workflow_id, RETURNS, ReturnFacts(**self._born(), request=request))

    def start_refund(self, request: RefundRequest, *, by_case: bool = False) -> None:
        facts = RefundFacts(**self._born(), request=request, started_by_case=by_case)
        self._start(ids.refund_workflow_id(request.refund_id), REFUNDS, facts)

    def start_claim(self, request: ClaimRequest) -> None:
        facts = ClaimFacts(**self._born(), request=request)
        self._start(ids.claim_workflow_id(request.claim_id), CLAIMS, facts)

    def start_review(self, request: CostReviewRequest) -> None:
        facts = CostReviewFacts(**self._born(), request=request)
        self._start(ids.cost_review_workflow_id(request.review_id), REVIEWS, facts)

    def _born(self) -> dict[str, datetime]:
        return {"now": self.now, "created_at": self.now}

    # ---- time ----

    def rests(self) -> None:
        """All that is asked is answered, and saved; then everything is counted."""
        for _ in range(MOST_ROUNDS):
            self.stirred = False
            for rig in list(self.cases.values()):
                if not self.is_calm and self.chance.random() < CRASH:
                    rig.restart()
                rig.rest(self.chance.randrange)
                save(self.book, rig.facts)
            if not self.stirred:
                break
        else:
            raise AssertionError("it does not come to rest")
        self.book.audit()

    def passes(self, time: timedelta) -> None:
        self.now += time
        for rig in list(self.cases.values()):
            if rig.now < self.now:
                rig.clock(self.now - rig.now, self.chance.randrange)
        self.rests()

    # ---- the world ----

    def answer(self, workflow_id: str, effect: Effect, facts: CaseFacts) -> Given:
        breaks = 1.0 if self.is_calm or isinstance(effect, SendMail | MakeRefund) else self.chance.random()
        if breaks < OUTAGE:
            self.stirred = True
            return Troubled("nobody is reached", Category.PARTNER_UNAVAILABLE, asked=False)
        given = self._given(workflow_id, effect, facts)
        if isinstance(given, NotYet):
            return given
        self.stirred = True
        return Troubled("its answer is lost") if breaks < OUTAGE + LOST else given

    def _given(self, workflow_id: str, effect: Effect, facts: CaseFacts) -> Given:
        if isinstance(effect, SendMail):
            return None
        if isinstance(effect, MakeRefund):
            return self._refund_of(workflow_id, effect, facts)
        match facts:
            case OrderFacts():
                return self._of_order(effect, facts)
            case RefundFacts():
                return self._of_refund(workflow_id, effect, facts)
            case ReturnFacts():
                return self._of_return(effect, facts)
            case ClaimFacts():
                assert isinstance(effect, WriteClaim)
                return self._open_claim(facts)
            case CostReviewFacts():
                assert isinstance(effect, OpenReview)
                return self._open_review(facts)
        raise AssertionError(effect.key)

    def _refund_of(self, workflow_id: str, effect: MakeRefund, facts: CaseFacts) -> Given:
        """As `workflows/engine/children.py`: a workflow of its own, whose end is awaited."""
        own = ids.refund_workflow_id(effect.refund_id)
        rig = self.cases.get(own)
        key = f"{workflow_id} {effect.key}"
        if rig is None or (effect.again and rig.is_over and key not in self.runs):
            self.runs[key] = 1
            request = RefundRequest(
                refund_id=effect.refund_id,
                order_id=facts.order_id,
                return_id=facts.return_id,
                direction=effect.direction,
                way=effect.way,
                amount=effect.amount,
                currency=effect.currency,
                reason=effect.reason,
                requested_by=effect.requested_by,
                lines=effect.lines,
            )
            self.start_refund(request, by_case=True)
            return NOT_YET
        if not rig.is_over:
            return NOT_YET
        save(self.book, rig.facts)
        result: RefundResult = rig.facts.result
        return result

    # ---- what an order asks ----

    def _of_order(self, effect: Effect, f: OrderFacts) -> Given:
        match effect:
            case of_order.WriteDown():
                shares = self.book.open_order(f.request)
                return OpenedOrder(
                    opening=Opening.OPENED, seller=self.seller, shares=shares, charge_connection=BY_STRIPE
                )
            case of_order.Authorize():
                return self.gateway.authorize(effect.charge_id, effect.amount, self.chance)
            case of_order.Capture():
                return self.gateway.capture(effect.charge_id, effect.amount, self.chance)
            case of_order.VoidAuthorization():
                return self.gateway.void(effect.charge_id)
            case of_order.SaveCharge():
                self.book.charge(f.order_id, records_of(f.charges))
                return None
            case of_order.SearchStock():
                return sources(f.lines.units(effect.units), self.currency, self.chance)
            case of_order.Place():
                refused = not self.is_calm and self.chance.random() < 0.05
                return PlacedOrder(state="refused", reason="sold") if refused else PlacedOrder(state="accepted")
            case of_order.LookUpArrival():
                return Arrival(at=self.now.isoformat())
            case of_order.SplitOff():
                made = self.book.split(SplitOrder(split_from=effect.split_from, units=effect.units))
                if made.request is not None:
                    self.start_order(made.request)
                return made
            case of_order.OpenLateCancelReturn():
                self.start_return(return_of(f))
                return of_order.ReturnOpened(return_id=return_of(f).return_id)
            case of_order.TellReturn():
                told = self.cases[ids.return_workflow_id(effect.return_id)]
                if told.is_over:
                    return Failed("it has ended")
                told.take(ReplacementReported(news=effect.news))
                return None
            case of_order.AnnounceTracking() | of_order.StopShipping():
                return Saved()
        raise AssertionError(effect.key)

    # ---- what a refund asks ----

    def _of_refund(self, workflow_id: str, effect: Effect, f: RefundFacts) -> Given:
        match effect:
            case of_refund.Reserve():
                run = f"run-{self.runs[workflow_id]}"
                return self.book.reserve(f.request, run, known_only=effect.known_only)
            case of_refund.Send():
                known = f.reservation
                assert known is not None
                assert known.amount is not None
                assert known.payment_reference is not None
                assert self.book.refunds[f.refund_id].counts, "it is sent, and nothing is reserved (REF-3)"
                now, reference = self.now, known.payment_reference
                return self.gateway.refund(f.refund_id, reference, known.amount, now, self.chance)
            case of_refund.LookUp():
                return self.gateway.look_up(f.refund_id)
            case of_refund.TakeBack():
                assert self.gateway.refunds[f.refund_id].status == "failed", "taken back by nobody's word (REF-7)"
                self.book.settle(f.refund_id, RefundState.FAILED, f.gateway_refund_id)
                case = self.cases.get(ids.return_workflow_id(f.return_id)) if f.return_id else None
                may = case is not None and case.facts.outcome not in CUT_SHORT
                return RefundTakenBack(reopen=case.facts.request if may and case is not None else None)
            case of_refund.ReportToCase():
                return self._report(effect)
        raise AssertionError(effect.key)

    def _report(self, effect: of_refund.ReportToCase) -> Given:
        case = self.cases[effect.workflow_id]
        if not case.is_over:
            case.report(effect.result)
            return None
        if effect.reopen is None:
            return Failed("it has ended")
        last = case.facts.model_dump(mode="json")
        request = effect.reopen.model_copy(update={"reopened_by": effect.result.refund_id})
        self._start(effect.workflow_id, RETURNS, ReturnFacts(**self._born(), request=request))
        self.cases[effect.workflow_id].world = _World(self, effect.workflow_id, last)
        return None

    def gateway_says(self, refund_id: str, status: Any, event_id: str) -> None:
        """It decides what was pending, or takes a success back (REF-7), and says so."""
        one, own = self.gateway.refunds[refund_id], ids.refund_workflow_id(refund_id)
        one.status = status
        said = {"event_id": event_id, "actor": "gateway:stripe", "status": status}
        word = GatewayUpdate.model_validate({**said, "gateway_refund_id": one.number})
        if self.cases[own].is_over:
            request = self.cases[own].facts.request.model_copy(update={"asked_for": False})
            self.start_refund(request)
        self.cases[own].hear(word)

    # ---- what a return asks ----

    def _of_return(self, effect: Effect, f: ReturnFacts) -> Given:
        match effect:
            case of_return.OpenReturn():
                return self._open_return(f.request)
            case of_return.ReopenReturn():
                world = self.cases[f.case_id].world
                assert isinstance(world, _World)
                rows = self.book.refunds.items()
                failed = [
                    self.cases[ids.refund_workflow_id(name)].facts.result
                    for name, row in rows
                    if row.request.return_id == f.return_id and row.state is RefundState.FAILED
                ]
                return ReturnReopened(opening=Opening.OPENED, facts=world.last, failed=tuple(failed))
            case of_return.BookCreditMemo():
                said = effect.memo
                memo = BookCreditMemo(
                    supplier_id="north",
                    number=said.number,
                    return_id=f.request.return_id,
                    date=said.date,
                    amount=said.amount,
                    currency=said.currency,
                    final=said.final,
                    actor=said.actor,
                    at=f.done[effect.key],
                )
                state: Any = self.book.credit(memo, f.order_id)
                return CreditMemoBooked(state=state, return_id=f.request.return_id)
            case of_return.StartReplacement():
                return self._replacement(effect, f)
            case of_return.CancelReplacement():
                own = self.cases[ids.order_workflow_id(effect.replacement_id)]
                said_no = {"event_id": "given-up-by-its-return", "actor": effect.actor, "reason": effect.reason}
                event = contract.ORDER_EVENTS["cancel_request"].model_validate(said_no)
                own.hear(event)
                return Failed("its order has ended") if own.is_over else None
        raise AssertionError(effect.key)

    def _open_return(self, request: ReturnRequest) -> ReturnOpening:
        before: dict[str, Worth] = {}
        for return_id, units in self.held.items():
            rig = self.cases[ids.return_workflow_id(return_id)]
            of_it = rig.facts.order_id == request.order_id and rig.facts.outcome not in NOTHING_CAME_BACK
            if of_it and return_id != request.return_id:
                for line_id, worth in units.items():
                    before[line_id] = before.get(line_id, Worth()) + worth
        mine = worth_of(request, self.book.orders[request.order_id], before, self.currency)
        if mine is None:
            return ReturnOpening(opening=Opening.REFUSED, reason="more than was shipped")
        units = self.held.setdefault(request.return_id, mine)
        return ReturnOpening(opening=Opening.OPENED, opened=opened(request, units, self.seller, self.currency))

    def _replacement(self, effect: of_return.StartReplacement, f: ReturnFacts) -> ReplacementNews:
        if ids.order_workflow_id(effect.replacement_id) not in self.cases:
            before = self.book.orders[f.order_id].request
            self.start_order(replacement(before, effect.replacement_id, f.request.return_id, effect.lines))
        quantities = [
            LineQuantities(line_id=one.line_id, sku=one.sku, quantity=one.quantity) for one in effect.lines
        ]
        return ReplacementNews(replacement_id=effect.replacement_id, lines=tuple(quantities))

    # ---- claims and reviews ----

    def _open_claim(self, f: ClaimFacts) -> OpenedClaim:
        of_order = self.cases[ids.order_workflow_id(f.request.order_id)].facts
        voided = {one.line_id: one.voided for one in of_order.lines.counts}
        others = [one.facts for one in self.of_kind(ClaimFacts)]
        return opened_claim(f.request, voided, others, self.seller)

    def _open_review(self, f: CostReviewFacts) -> OpenedCostReview:
        others = [one.facts for one in self.of_kind(CostReviewFacts)]
        return opened_review(f.request, self.book, others)


class _World:
    """The sale, as one of its cases sees it. `last`: what a return knew that is opened again."""

    def __init__(self, sale: Sale, workflow_id: str, last: dict[str, Any] | None = None) -> None:
        self.sale, self.workflow_id, self.last = sale, workflow_id, last

    def answer(self, effect: Effect, facts: CaseFacts) -> Given:
        return self.sale.answer(self.workflow_id, effect, facts)
