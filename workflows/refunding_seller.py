"""The supplier's side of a return: received, inspected, credited; then the broker refunds the seller
(RET-11..13)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import ids
    from models.case import ReturnStage as Stage
    from models.case import SlaState, Who
    from models.failures import RefusedByRule
    from models.money import share_of_units
    from models.parties import OnBreach
    from models.partners import Recipient
    from models.records import ReceptionRecord
    from models.refunds import Direction, RefundResult, RefundState
    from models.returns import Acceptance, GoodsReceived, OpenedLine, ReceivedLine, Waivable
    from workflows.crediting import Credits
    from workflows.refunding import refund
    from workflows.standing import Reminder

if TYPE_CHECKING:
    from workflows.return_request import Return

PAUSE_AFTER_FAILURE = timedelta(days=3)
"""A refund of the seller that failed is tried again after this, unless staff stop the case."""


class SupplierSide:
    """What the supplier received, accepted and credited, and the seller's refund by the broker."""

    def __init__(self, case: Return) -> None:
        self._case = case
        self._received: dict[str, ReceivedLine] = {}
        self._goods_events = 0
        self._early_goods: list[GoodsReceived] = []
        """What came before the return opened: it can be judged only then."""
        self.credits = Credits(case)
        self._attempts = 0
        self._ended_after_all: RefundResult | None = None
        """What became of a refund that staff had stopped."""
        self._breached = False
        self._overdue_told = False
        self._settled = False
        self._taken_back: list[RefundResult] = []
        self.done = False
        self.money_moved = False
        self.results: list[str] = []
        """What became of the seller's refund, in words."""

    # ---- facts ----

    @property
    def has_receptions(self) -> bool:
        return bool(self._received or self._early_goods)

    @property
    def receptions(self) -> tuple[ReceptionRecord, ...]:
        return tuple(
            ReceptionRecord(
                sku=line.sku, quantity=line.quantity, reception=line.reception, acceptance=line.acceptance
            )
            for line in self._received.values()
        )

    @property
    def inspected(self) -> bool:
        """Every line was received or not, and accepted or rejected (RET-11)."""
        return all(
            line.sku in self._received and self._received[line.sku].acceptance is not Acceptance.MANUAL
            for line in self._case.opened.lines
        )

    def accepted_units(self, line: OpenedLine) -> int:
        """How many units of a line the supplier accepted; all, when nobody needs to inspect them."""
        received = self._received.get(line.sku)
        if received is None or received.acceptance is Acceptance.MANUAL:
            return line.quantity if self._inspection_is_moot else 0
        return received.quantity if received.acceptance is Acceptance.ACCEPTED else 0

    @property
    def _inspection_is_moot(self) -> bool:
        return Waivable.INSPECTION in self._case.waived or self.credits.in_full or self._at_brokers_expense

    @property
    def _at_brokers_expense(self) -> bool:
        """RET-13: the SLA is breached, and the seller's setting says refund."""
        return self._breached and self._case.seller.on_refund_breach is OnBreach.REFUND

    @property
    def _expected(self) -> Decimal:
        """What the seller gets back: parts + tax of the accepted units, in the charge's currency."""
        currency = self._case.opened.charge_currency
        return sum(
            (
                share_of_units(line.cost, line.quantity, 0, self.accepted_units(line), currency)
                for line in self._case.opened.lines
            ),
            Decimal(0),
        )

    # ---- events ----

    def check_goods(self, event: GoodsReceived) -> None:
        if not self._case.has_opened:
            return
        lines = {line.sku: line.quantity for line in self._case.opened.lines}
        for line in event.lines:
            if line.quantity > lines.get(line.sku, 0):
                raise RefusedByRule(
                    "RET-11", f"{line.quantity} of {line.sku}: the return has {lines.get(line.sku, 0)}"
                )
        if self.money_moved:
            raise RefusedByRule("RET-11", "the seller is refunded; the inspection is over")

    def judge_early_goods(self) -> None:
        """RET-11 for goods that came before it was known what the return has."""
        early, self._early_goods = self._early_goods, []
        for event in early:
            try:
                self.check_goods(event)
            except RefusedByRule as error:
                self._case.inbox.reject("goods_received", str(error), event.event_id)
            else:
                self.note_goods(event)

    def note_goods(self, event: GoodsReceived) -> str:
        if self._case.has_opened:
            self._goods_events += 1
            self._received.update({line.sku: line for line in event.lines})
        else:
            self._early_goods.append(event)
        return "; ".join(
            f"{line.quantity} x {line.sku} {line.reception.value.replace('_', ' ')}, {line.acceptance.value}"
            for line in event.lines
        )

    def answer_the_rest(self) -> None:
        """The return ends, or never opened: what was said of goods and credits is answered (RET-16)."""
        for goods in self._early_goods:
            self._case.inbox.reject("goods_received", f"the return ended: {self._case.outcome}", goods.event_id)
        self._early_goods = []
        self.credits.answer_the_rest()

    # ---- the procedure ----

    async def refund(self) -> None:
        """Inspection, credit, the seller's refund, once; ends without money if nothing was accepted."""
        if self._settled:
            return
        try:
            while True:
                await self._wait_for_inspection()
                if self._case.withdrawal is not None:
                    return
                if not self._expected:
                    self._end_without_credit()
                    return
                if self._credit_settled:
                    break
                await self._wait_for_credit()
            self._note_missing_credit()
            await self._refund_seller(self._expected)
        finally:
            self._settled = self.done = True

    def reopen(self) -> None:
        """The return was completed before: nothing is waited for but what the gateway took back (REF-7)."""
        self._settled = self.done = self.money_moved = True

    def take_back(self, failed: RefundResult) -> None:
        """A refund of the seller failed after it had succeeded: it is made again (REF-7)."""
        self._taken_back.append(failed)
        self.results.append(f"refund {failed.refund_id} failed afterwards")
        self.done = False

    async def refund_again(self, until: Callable[[], bool]) -> None:
        """Beside the buyer's side: make each refund again that the gateway took back, until `until()`."""
        while True:
            await workflow.wait_condition(lambda: bool(self._taken_back) or until())
            if not self._taken_back:
                return
            await self._wait_for_mending()
            await self._refund_seller(self._taken_back[0].amount)
            self._taken_back.pop(0)
            self.done = not self._taken_back

    async def _wait_for_inspection(self) -> None:
        """RET-11: the supplier receives and inspects, up to 30 days."""
        case = self._case
        case.deadlines.setdefault("inspection_due", workflow.now() + timedelta(days=case.seller.inspection_days))
        while not self._inspection_over:
            manual = [sku for sku, line in self._received.items() if line.acceptance is Acceptance.MANUAL]
            await case.wait_for(
                partial(self._inspection_moved, self._goods_events),
                stage=Stage.IN_TRANSIT,
                who=Who.STAFF if manual else Who.SUPPLIER,
                what=f"decide about {', '.join(manual)}" if manual else "receive and inspect the goods",
                expected=lambda: case.deadlines["inspection_due"],
                timer=f"{case.seller.inspection_days} days to receive and inspect",
                reminders=self._overdue,
            )

    def _inspection_moved(self, events: int) -> bool:
        return self._inspection_over or self._goods_events != events

    @property
    def _inspection_over(self) -> bool:
        return self.inspected or self._inspection_is_moot or self._case.withdrawal is not None

    def _overdue(self) -> list[Reminder]:
        due = self._case.deadlines["inspection_due"]
        return [] if self._overdue_told else [Reminder("overdue", due, self._alert_overdue)]

    def _alert_overdue(self) -> None:
        """RET-11: receiving, inspecting and crediting have one limit, and staff are told of it once."""
        self._overdue_told = True
        missing = "credited" if self._inspection_over else "received and inspected"
        self._case.step(f"not {missing} in time: staff are alerted")
        what = f"return {self._case.return_id} is not {missing} in time"
        self._case.alert_staff("inspection", what, Who.SUPPLIER)

    def _end_without_credit(self) -> None:
        self._case.step("the supplier accepted nothing: no credit, no refund by the broker")
        self._case.tell("goods-rejected", "goods_rejected", Recipient.SELLER, items=self._in_words())
        self.results.append("the supplier accepted nothing")

    def _in_words(self) -> str:
        return ", ".join(
            f"{line.quantity} x {line.sku}: {line.reception.value.replace('_', ' ')}, {line.acceptance.value}"
            for line in self._received.values()
        )

    async def _wait_for_credit(self) -> None:
        """RET-12: until a credit memo or a new word about the goods comes, or nothing more is waited for."""
        case, currency = self._case, self._case.opened.charge_currency
        await case.wait_for(
            partial(self._credit_moved, len(self.credits.memos), self._goods_events),
            stage=Stage.AWAITING_CREDIT,
            who=Who.SUPPLIER,
            what=f"credit {self._expected} {currency} (credited so far: {self.credits.total})",
            expected=lambda: case.deadlines["refund_due"],
            timer=f"{case.seller.inspection_days} days to receive, inspect and credit",
            reminders=self._overdue,
        )

    def _credit_moved(self, memos: int, goods_events: int) -> bool:
        moved = len(self.credits.memos) != memos or self._goods_events != goods_events
        return moved or self._credit_settled or self._case.withdrawal is not None

    def _note_missing_credit(self) -> None:
        if self.credits.total < self._expected:
            missing = self._expected - self.credits.total
            currency = self._case.opened.charge_currency
            self._case.step(f"{missing} {currency} is not credited: refunded at the broker's expense")

    @property
    def _credit_settled(self) -> bool:
        waived = Waivable.CREDIT_MEMO in self._case.waived
        return self.credits.total >= self._expected or waived or self._at_brokers_expense

    async def _refund_seller(self, amount: Decimal) -> None:
        """RET-13. A refund that failed is tried again under a new id; one refused is left to staff (REF-7)."""
        case, currency = self._case, self._case.opened.charge_currency
        self.money_moved, doubtful = True, False
        while True:
            result, self._ended_after_all = self._ended_after_all, None
            if result is None:
                if not doubtful:  # else this very refund is asked for again: it looks before it sends
                    self._attempts += 1
                result = await refund(
                    case,
                    refund_id=ids.seller_refund_id(case.return_id, self._attempts, case.opening),
                    direction=Direction.BROKER_TO_SELLER,
                    amount=amount,
                    currency=currency,
                    reason=f"return {case.return_id}",
                    requested_by="broker:backhaul",
                    stage=Stage.REFUNDING_SELLER,
                    return_id=case.return_id,
                )
            if result.state is RefundState.SUCCEEDED:
                case.step(f"the broker refunded the seller {amount} {currency}", Who.GATEWAY)
                case.tell("seller-refunded", "seller_refunded", Recipient.SELLER, amount=amount, currency=currency)
                self.results.append(f"seller refunded {amount} {currency}")
                return
            what = f"the seller's refund {result.refund_id} did not succeed: {result.reason}"
            case.step(what, Who.GATEWAY)
            case.alert_staff(result.refund_id, what, Who.STAFF)
            if result.unknown and workflow.patched("stopped-refunds-are-asked-for-again"):
                doubtful = True
                await self._wait_for_mending()
                continue
            doubtful = False
            if result.state is not RefundState.FAILED:
                self.results.append(f"seller not refunded here: {result.reason}")
                return
            await self._wait_for_mending()

    def hear_end(self, result: RefundResult) -> None:
        """A refund that staff had stopped went on by itself (REF-6)."""
        self._ended_after_all = result

    async def _wait_for_mending(self) -> None:
        await self._case.wait_for(
            lambda: self._ended_after_all is not None,
            stage=Stage.REFUNDING_SELLER,
            who=Who.STAFF,
            what="mend the seller's payment method; then the refund is tried again",
            due=workflow.now() + PAUSE_AFTER_FAILURE,
            timer="Try the seller's refund again",
        )

    # ---- RET-13: within 60 days of the creation of the RR ----

    async def watch_refund_sla(self) -> None:
        """Beside the procedure: reminders before the due date, an alert at the breach; staff may move it."""
        case = self._case
        told: set[tuple[datetime, int]] = set()
        while not self.done and case.outcome is None:
            if case.parcel.expired:
                await workflow.wait_condition(lambda: not case.parcel.expired or case.outcome is not None)
                continue
            due, now, woken = case.deadlines["refund_due"], workflow.now(), case.wakeups
            days_before = [*case.seller.refund_reminder_days_before, 0]
            reached = [days for days in days_before if due - timedelta(days=days) <= now]
            self._breached = now >= due
            case.sla_state = _sla_state(reached)
            if reached and (due, min(reached)) not in told:
                told.update((due, days) for days in reached)
                await self._tell_sla(due, min(reached))
                continue
            upcoming = [due - timedelta(days=days) for days in days_before if days not in reached]
            try:
                await workflow.wait_condition(
                    partial(self._sla_is_moot, woken),
                    timeout=min(upcoming) - now if upcoming else None,
                    timeout_summary=f"{case.seller.refund_sla_days}-day refund SLA",
                )
            except TimeoutError:
                continue

    def _sla_is_moot(self, woken: int) -> bool:
        case = self._case
        return self.done or case.parcel.expired or case.outcome is not None or case.wakeups != woken

    async def _tell_sla(self, due: datetime, days: int) -> None:
        case, date = self._case, f"{due:%Y-%m-%d}"
        if days:
            case.step(f"{days} day(s) left to refund the seller")
            case.tell(f"sla-{date}-{days}", "refund_due_soon", Recipient.STAFF, due=date, days=days)
        else:
            consequence = "; the broker pays" if self._at_brokers_expense else ""
            case.step(f"{case.seller.refund_sla_days}-day refund SLA breached{consequence}")
            case.tell(f"sla-{date}-breach", "refund_overdue", Recipient.STAFF, due=date)
        await case.show()

    def facts(self) -> dict[str, Any]:
        return {
            "receptions": [line.model_dump(mode="json") for line in self.receptions],
            "credit_memos": [
                memo.model_dump(mode="json", include={"number", "date", "amount", "currency"})
                for memo in self.credits.memos
            ],
            "credited": str(self.credits.total),
            "seller_refund": "; ".join(self.results) or None,
        }


def _sla_state(days_reached: list[int]) -> SlaState:
    if 0 in days_reached:
        return SlaState.BREACHED
    return SlaState.AT_RISK if days_reached else SlaState.ON_TIME
