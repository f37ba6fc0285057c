"""An order is fulfilled, or cancelled before it goes to a supplier (ORD, CAN)."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

with workflow.unsafe.imports_passed_through():
    from models import calls, contract, ids
    from models.case import CaseRecord, Ended, SlaState, Who
    from models.case import OrderStage as Stage
    from models.failures import Conflict, RefusedByRule
    from models.message import Event
    from models.order_lines import OrderLines, items_of
    from models.orders import (
        CancelRequest,
        Channel,
        Fault,
        Hold,
        OrderRequest,
        PaymentMethodUpdated,
        Release,
        Resume,
        Shipment,
    )
    from models.parties import Seller
    from models.partners import Recipient
    from models.records import Opening, OpenOrder, SaveOrder
    from models.returns import ReturnLine, ReturnRequest, Source
    from workflows.buying import Buying
    from workflows.cancelling import Cancels
    from workflows.ceasing import Ceasing
    from workflows.charging import SellerCharge
    from workflows.inbox import hears
    from workflows.refunding import RefundingCase
    from workflows.shipping import Shipping

AUTOMATIC_COUNTRIES = ("US",)
"""Automatic fulfilment is for buyers there (ORD-10)."""

PEOPLE_AWAITED = (Stage.AWAITING_RELEASE, Stage.AWAITING_PAYMENT, Stage.ON_HOLD)
"""While a person is waited for, nothing is on its way and a cancel is never too late."""


@workflow.defn(name=contract.ORDER)
@hears(contract.ORDER_EVENTS)
class Order(RefundingCase):
    """One order of a buyer, from its receipt until every line is shipped, cancelled or voided."""

    @workflow.init
    def __init__(self, request: OrderRequest) -> None:
        super().__init__(
            contract.ORDER_EVENTS, seller_id=request.seller_id, order_id=request.order_id, stages=Stage
        )
        currency = request.charge_currency
        self.request = request
        self.lines = OrderLines(request.lines, currency)
        self.charge = SellerCharge(self, currency)
        self.buying = Buying(self, self.lines, request.buyer.address, currency)
        self.shipping = Shipping(self, request, self.lines)
        self.cancels = Cancels()
        self.ceasing = Ceasing(self, request, self.lines, self.charge, lambda: self.seller)
        self.released_at: datetime | None = None
        self.held: Hold | None = None
        self.with_supplier = False
        """From here on the broker's orders are on their way, and it is too late to cancel (CAN-2, CAN-4)."""
        self._seller: Seller | None = None
        self._handoff_watch: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, request: OrderRequest) -> Ended:
        """Takes the order; gives how it ended. Bad input fails the workflow with `InvalidInput`."""
        return await self.conduct(self._procedure)

    async def _procedure(self) -> None:
        if not await self._open():
            return
        for step in (self._wait_for_release, self._authorize, self._keep_cancel_window, self._wait_while_held):
            await step()
            if self.cancels.accepted:
                await self._cancel()
                return
        plan, missing = await self.buying.find_sources(self.lines.open, self.seller.minimum_stock)
        await self.ceasing.void(missing, Fault.STOCK_FEED, "no warehouse has it", self.buying.evidence)
        if self.lines.open:
            await self._collect()
            if self.cancels.accepted:
                await self._cancel()
                return
        self.with_supplier = True
        while plan:
            refused = await self.buying.place(plan)
            plan, missing = await self.buying.find_sources(refused, self.seller.minimum_stock)
            await self.ceasing.void(missing, Fault.SUPPLIER, "the supplier refused it", self.buying.evidence)
        await self._ship()
        await self._return_what_was_cancelled_late()

    @property
    def seller(self) -> Seller:
        """The seller and its settings, as they were when the order opened."""
        assert self._seller is not None, "the order has opened"
        return self._seller

    @property
    def cancel_until(self) -> datetime | None:
        return self.deadlines.get("cancel_until")

    # ---- ORD-1, ORD-2: received and released ----

    async def _open(self) -> bool:
        info = workflow.info()
        opened = await self.book(
            calls.OPEN_ORDER,
            OpenOrder(
                request=self.request,
                workflow_id=info.workflow_id,
                run_id=self.run_id,
                received_at=info.workflow_start_time,
            ),
            "Write the order down",
        )
        if opened.opening is not Opening.OPENED or opened.seller is None:
            self.keeps_books = False
            self.end(Stage.REFUSED, opened.reason or "an order with this id exists already")
            return False
        self._seller = opened.seller
        self.lines.share_out(opened.shares)
        if self.charge.method is None and opened.seller.payment_method:
            self.charge.give_method(opened.seller.payment_method)
        self.label(contract.CHANNEL.value_set(self.request.channel.value))
        self.step(f"order received, {len(self.request.lines)} line(s)", f"channel:{self.request.channel.value}")
        return True

    async def _wait_for_release(self) -> None:
        """ORD-2, ORD-10: by itself, or by a click; then the broker has it, and its clocks run (ORD-4)."""
        country = self.request.buyer.address.country
        domestic = country in AUTOMATIC_COUNTRIES
        if self.seller.auto_release and domestic:
            self.released_at = workflow.info().workflow_start_time
        elif self.released_at is None:
            why = "you release each order" if domestic else f"it ships to {country}"
            self.mail("release", "release_needed", Recipient.SELLER, why=why)
            await self.wait_for(
                lambda: self.released_at is not None or self.cancels.call_for_action,
                stage=Stage.AWAITING_RELEASE,
                who=Who.SELLER,
                what=f"release the order, or cancel it ({why})",
            )
        if self.released_at is not None:
            self.deadlines["cancel_until"] = self.released_at + self.seller.cancel_window
            self.deadlines["handoff_due"] = self.released_at + self.seller.handoff_limit
        await self._judge_cancels()

    # ---- ORD-3: the broker's charge ----

    async def _authorize(self) -> None:
        """Reserve parts + shipping + tax; without a valid method the order waits, and the seller is told."""
        amount = self.lines.cost_still_due
        while amount and self.charge.current is None and not self.cancels.accepted:
            if self.charge.has_new_method:
                await self.charge.authorize(amount, self.seller)
            else:
                await self._wait_for_payment_method(amount)
        await self._judge_cancels()

    async def _wait_for_payment_method(self, amount: Decimal) -> None:
        self._watch_handoff()
        reason = self.charge.last_reason or "there is no payment method on file"
        self.mail(
            f"payment-{len(self.charge.records)}",
            "payment_needed",
            Recipient.SELLER,
            reason=reason,
            amount=amount,
            currency=self.charge.currency,
        )
        await self.wait_for(
            lambda: self.charge.has_new_method or self.cancels.call_for_action,
            stage=Stage.AWAITING_PAYMENT,
            who=Who.SELLER,
            what=f"give a valid card or PayPal ({reason})",
        )
        await self._judge_cancels()

    async def _collect(self) -> None:
        """Take the money for what can be bought; an authorization that is gone is made anew."""
        while self.lines.open and not self.cancels.accepted:
            amount = self.lines.cost_still_due
            if not amount or await self.charge.collect(amount):
                break
            await self._authorize()
        await self._wait_while_held()

    # ---- ORD-4, CAN-1..4: the cancel window ----

    async def _keep_cancel_window(self) -> None:
        """Up to 30 minutes in the broker's queue, then on without anyone's help."""
        while not self.cancels.accepted and workflow.now() < self.deadlines["cancel_until"]:
            await self.wait_for(
                lambda: self.cancels.call_for_action,
                stage=Stage.CANCEL_WINDOW,
                who=Who.CLOCK,
                what="the cancel window closes",
                due=lambda: self.cancel_until,
                timer=f"{self.seller.cancel_window_minutes}-minute cancel window",
            )
            await self._judge_cancels()

    async def _wait_while_held(self) -> None:
        await self._judge_cancels()
        self._watch_handoff()
        while self.held is not None and self.lines.open and not self.cancels.accepted:
            await self.wait_for(
                lambda: self.held is None or self.cancels.call_for_action,
                stage=Stage.ON_HOLD,
                who=Who.SELLER,
                what=f"release the hold, or cancel ({self.held.reason})",
            )
            await self._judge_cancels()

    async def _judge_cancels(self) -> None:
        late = await self.cancels.judge(self, self.cancel_until, fulfilled=lambda: self.with_supplier)
        for event in late:
            self.mail(
                f"too-late-{event.event_id}",
                "cancel_too_late",
                Recipient.SELLER,
                reason=event.reason,
                window_closed=f"{self.cancel_until:%Y-%m-%d %H:%M UTC}" if self.cancel_until else None,
            )

    async def _cancel(self) -> None:
        accepted = self.cancels.accepted
        assert accepted is not None, "a cancel request was accepted"
        await self.ceasing.cancel(accepted)
        self.end(Stage.CANCELLED, f"order cancelled: {accepted.event.reason}")

    # ---- ORD-4: within 60 minutes of receipt ----

    def _watch_handoff(self) -> None:
        if self._handoff_watch is None and self.buying.handed_off_at is None and self.released_at is not None:
            self._handoff_watch = asyncio.create_task(self._flag_late_handoff(), name="handoff limit")

    async def _flag_late_handoff(self) -> None:
        limit = f"{self.seller.handoff_minutes}-minute limit to reach a supplier"
        in_time = await self.happens_before(
            lambda: self.buying.handed_off_at is not None or self.outcome is not None,
            self.deadlines["handoff_due"],
            limit,
        )
        if not in_time:
            self.sla_state = SlaState.BREACHED
            self.step(f"{limit}: not kept")
            who = self.waits[0].who if self.waits else Who.STAFF
            self.alert_staff("handoff", f"order {self.order_id} is not with a supplier in time", who)
            await self.show()

    # ---- ORD-9, ORD-11: shipped ----

    async def _ship(self) -> None:
        """Each tracking number goes to the shop; done when every line is shipped, cancelled or voided."""
        placed = self.buying.handed_off_at or workflow.now()
        while self.lines.open:
            await self._judge_cancels()
            if self.shipping.has_new:
                await self.shipping.announce_next()
                continue
            await self.wait_for(
                lambda: self.shipping.has_new or self.cancels.undecided,
                stage=Stage.AWAITING_SHIPMENT,
                who=Who.SUPPLIER,
                what=f"ship {items_of(self.lines.open)}",
                timer="Reminder: not shipped yet",
                reminders=lambda: self.shipping.reminders(placed, self.seller),
            )
        if self.lines.shipped:
            self.end(Stage.SHIPPED, f"nothing is left open, after {len(self.shipping.announced)} shipment(s)")
        else:
            self.end(Stage.VOIDED, "order voided: no source has the items")

    async def _return_what_was_cancelled_late(self) -> None:
        """CAN-2: what was asked for too late goes on as a return once it is shipped."""
        await self._judge_cancels()
        if not self.cancels.too_late or not self.lines.shipped:
            return
        event = self.cancels.too_late[0]
        return_id = ids.late_cancel_return_id(self.order_id)
        await self.save()
        try:
            await workflow.start_child_workflow(
                contract.RETURN,
                ReturnRequest(
                    return_id=return_id,
                    order_id=self.order_id,
                    source=Source.LATE_CANCEL,
                    requested_by=event.actor,
                    lines=tuple(
                        ReturnLine(sku=line.sku, quantity=line.quantity, reason=event.reason)
                        for line in self.lines.shipped
                    ),
                    note="the cancel request came after the cancel window",
                ),
                id=ids.return_workflow_id(return_id),
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Return {return_id} · order {self.order_id} · cancelled too late",
            )
        except WorkflowAlreadyStartedError:
            self.step(f"return {return_id} exists already")
        else:
            self.step(f"goes on as return {return_id}")

    # ---- events ----

    def end(self, outcome: str, message: str) -> None:
        super().end(outcome, message)
        self.shipping.reject_leftovers(outcome)

    def check_event(self, name: str, event: Event) -> None:
        if self.outcome is not None:
            raise Conflict(f"the order is {self.outcome} already")
        match event:
            case Release() if self.released_at is not None:
                raise Conflict("the order is released already")
            case CancelRequest():
                self._check_cancel(event)
            case Hold() if self.with_supplier:
                raise RefusedByRule("CAN-2", "the order is with a supplier; it can't be held any more")
            case Resume() if self.held is None:
                raise Conflict("the order is not on hold")
            case Shipment() if self.cancels.accepted:
                raise RefusedByRule("CAN-11", "the order is cancelled and does not ship")
            case Shipment():
                self.shipping.check(event)
            case _:
                return

    def _check_cancel(self, event: CancelRequest) -> None:
        if self.cancels.accepted:
            raise Conflict("the order is being cancelled already")
        if self.request.channel is Channel.EBAY and not event.channel_reference:
            raise RefusedByRule(
                "CAN-5", "an eBay order needs the buyer's cancellation request there: give channel_reference"
            )
        if event.lines is not None and {line.sku: line.quantity for line in event.lines} != self.lines.open:
            raise RefusedByRule("CAN-10", "only the whole order can be cancelled here: split it first")

    def _awaits_people(self) -> bool:
        """Whether a person is waited for; or will be, once the window of a held order closes in this very task."""
        if self.with_supplier or self.stage in PEOPLE_AWAITED:
            return not self.with_supplier
        closes_now = self.stage == Stage.CANCEL_WINDOW and workflow.now() >= self.deadlines["cancel_until"]
        return self.held is not None and closes_now and workflow.patched("held-while-the-window-closes")

    def note_event(self, name: str, event: Event) -> str:
        match event:
            case Release():
                self.released_at = workflow.now()
                return "released to the broker"
            case CancelRequest():
                self.cancels.note(event, people_awaited=self._awaits_people())
                return f"cancel requested: {event.reason}"
            case PaymentMethodUpdated():
                self.charge.give_method(event.payment_method)
                return "payment method given"
            case Hold():
                self.held = event
                return f"put on hold: {event.reason}"
            case Resume():
                self.held = None
                return f"hold released: {event.reason}"
            case Shipment():
                return self.shipping.note(event)
            case _:
                return f"{name} recorded"

    async def answer(self, event: Event, noted: str) -> tuple[bool, str]:
        """A cancel request is answered once it is decided, also while a partner is waited for (CAN-2)."""
        if not isinstance(event, CancelRequest):
            return await super().answer(event, noted)
        if self._seller is not None:
            await self._judge_cancels()
        await workflow.wait_condition(
            lambda: self.cancels.answer_to(event.event_id) is not None or self.outcome is not None
        )
        message = self.cancels.answer_to(event.event_id)
        return message is not None and not self.cancels.is_too_late(event.event_id), (
            message or f"the order is {self.stage}"
        )

    # ---- shown and kept ----

    def facts(self) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "seller_id": self.seller_id,
            "channel": self.request.channel.value,
            "lines": [line.model_dump(mode="json") for line in self.lines.counts],
            "charges": [charge.model_dump(mode="json") for charge in self.charge.records],
            "supplier_orders": [record.model_dump(mode="json") for record in self.buying.records],
            "shipments": [shipment.model_dump(mode="json") for shipment in self.shipping.announced],
            "cessations": [cessation.model_dump(mode="json") for cessation in self.ceasing.cessations],
            "on_hold": self.held.reason if self.held else None,
        }

    async def write_books(self, record: CaseRecord) -> None:
        await self.book(
            calls.SAVE_ORDER,
            SaveOrder(
                order_id=self.order_id,
                record=record,
                lines=self.lines.counts,
                charges=tuple(self.charge.records),
                supplier_orders=tuple(self.buying.records),
                shipments=tuple(self.shipping.announced),
                cessations=tuple(self.ceasing.cessations),
                cancel_until=self.cancel_until,
                handoff_due=self.deadlines.get("handoff_due"),
                handed_off_at=self.buying.handed_off_at,
            ),
            f"Books: {self.stage.replace('_', ' ')}",
        )

    async def undo(self) -> None:
        """Before the order is with a supplier, nothing of it is left behind; after that, staff must look."""
        if self._seller is None and workflow.patched("stopped-orders-are-written-down"):
            # It was stopped before it was opened: the books can say so only of an order that they have.
            await self._open()
        if self.with_supplier:
            what = f"order {self.order_id} was stopped while it is with suppliers: nothing was called back"
            facts = f"{self.buying.in_words()}; {self.ceasing.money_in_words}"
            self.alert_staff("stopped", f"{what}; {facts}", Who.STAFF)
            await self.ceasing.finish_refunds()
        elif self._seller is not None:
            await self.ceasing.cancel_by_staff()
