"""The same sequences against the running product: what is sent for each happening, and what is seen after it."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus
from models.contract import REFUND, REJECTED_EVENTS
from models.ids import refund_workflow_id, supplier_order_number
from starter.sandbox.client import SandboxError
from tests.case_story import CaseStory, OrderStory
from tests.eventually import PATIENCE
from tests.model.damage import damaged, damaged_refund
from tests.model.order_happenings import ADDRESSES, label_of
from tests.model.order_procedure import OrderProcedure
from tests.model.order_state import OrderSetup, OrderState
from tests.model.procedure import Happening
from tests.model.refund_procedure import MOST_REFUNDS, RefundProcedure, RefundSetup, RefundsState, refund_of
from tests.model.return_happenings import receipt
from tests.model.return_procedure import ReturnProcedure
from tests.model.return_state import ReturnSetup, ReturnState
from tests.model.stage_walker import rests
from tests.senders import sender_of
from tests.world import NEWARK, World

CARDS = {"good": "pm_card_visa", "declined": "pm_card_chargeDeclined"}


def cents(amount: Decimal | str) -> int:
    return int(Decimal(amount) * 100)


class RealCase(ABC):
    """One real case and all that a sequence does to it.

    `sent`: what reached the server; `told`: how many of these the sender was told were useless.
    """

    order: OrderStory

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[Happening] = []
        self.told = 0

    @property
    @abstractmethod
    def cases(self) -> list[CaseStory]: ...

    @abstractmethod
    async def happens(self, happening: Happening) -> None: ...

    @abstractmethod
    async def seen(self) -> tuple[Any, ...]:
        """What people see of the case now, to be compared with `expected`."""

    @staticmethod
    @abstractmethod
    def expected(procedure: Any, state: Any) -> tuple[Any, ...]:
        """What people would see if the case were in this state of the model."""

    async def quiet(self) -> None:
        for case in self.cases:
            await rests(case)

    async def forward(self, duration: timedelta) -> None:
        for case in self.cases:
            description = await case.handle.describe()
            if description.status is WorkflowExecutionStatus.RUNNING:
                await self.world.env.fast_forward(case.handle, duration)

    async def deliver(self, case: CaseStory, happening: Happening, name: str, fields: dict[str, Any]) -> None:
        """Send an event, damaged or not, as a signal or an update; count what the sender is told."""
        event = {"event_id": f"h{happening.ident}", "actor": sender_of(name), **fields}
        args = [event]
        if happening.damage:
            name, args = damaged(name, event, happening.damage)
        try:
            if happening.way == "signal":
                await case.handle.signal(name, args=args)
            else:
                ident = f"{event['event_id']}-{happening.damage}" if happening.damage else event["event_id"]
                await asyncio.wait_for(case.handle.execute_update(name, args=args, id=ident), 30)
        except WorkflowUpdateFailedError:
            self.told += 1
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            self.told += 1
        self.sent.append(happening)

    async def rejected(self, *statuses: CaseStatus) -> int:
        """How many events could not be used: told to the sender, or recorded for people to see."""
        for case, status in zip(self.cases, statuses, strict=True):
            shown = await case.attribute(REJECTED_EVENTS) or 0
            wrong = [one for one in status.rejected_events if one.sender_at_fault]
            assert shown == status.rejected_count >= len(wrong), "people don't see the rejections"
        return self.told + sum(status.rejected_count for status in statuses)


class RealOrder(RealCase):
    """An order of two units, as the model has it."""

    sku: str

    @property
    def cases(self) -> list[CaseStory]:
        return [self.order]

    @classmethod
    async def begin(cls, world: World, setup: OrderSetup) -> "RealOrder":
        case = cls(world)
        supplier = await world.supplier()
        seller = await world.seller(auto_release=setup.auto_release, payment_method=CARDS.get(setup.card))
        case.sku = world.sku()
        if setup.stock == "in stock":
            await world.stock(case.sku, 10, supplier)
        elif setup.stock == "second source":
            await world.stock(case.sku, 10, supplier, second_source=True, cost="40.00", at=NEWARK)
        case.order = await world.order(seller, {"sku": case.sku, "quantity": 2})
        return case

    async def happens(self, happening: Happening) -> None:
        if happening.name == "clock":
            await self.forward(timedelta(minutes=happening.amount_of_time))
            return
        await self.deliver(self.order, happening, happening.name, self._fields(happening))

    def _fields(self, happening: Happening) -> dict[str, Any]:
        match happening.name:
            case "payment_method_updated":
                return {"payment_method": CARDS[happening.variant]}
            case "shipment":
                parcel, units, *other = happening.variant.split(":")
                lines = [{"sku": self.sku, "quantity": int(units)}]
                number = label_of(parcel, *other)
                return {"shipment_id": parcel, "carrier": "UPS", "tracking_number": number, "lines": lines}
            case "shipment_corrected":
                number = label_of(happening.variant, "new")
                return {"shipment_id": happening.variant, "carrier": "UPS", "tracking_number": number}
            case "supplier_shortage":
                ordinal, _, units = happening.variant.partition(":")
                number = supplier_order_number(self.order.id, int(ordinal))
                some = {"lines": [{"sku": self.sku, "quantity": int(units)}]} if units else {}
                return {"supplier_order_number": number, "reason": "sold twice", **some}
            case "address_changed":
                return {"address": ADDRESSES[happening.variant]}
            case "choice_after_void":
                return {"choice": happening.variant}
            case "release" | "stock_arrived":
                return {}
            case _:
                return {"reason": "changed their mind"}

    async def seen(self) -> tuple[Any, ...]:
        status = await self.order.status()
        shipped = sum(line["shipped"] for line in status.facts["lines"])
        sent = any(record["state"] == "accepted" for record in status.facts["supplier_orders"])
        return status.stage, shipped, sent, await self.rejected(status)

    @staticmethod
    def expected(procedure: OrderProcedure, state: OrderState) -> tuple[Any, ...]:
        return procedure.stage(state), state.shipped, state.sent, state.rejected


class RealReturn(RealCase):
    """A return of both units of a shipped order."""

    story: CaseStory

    @property
    def cases(self) -> list[CaseStory]:
        return [self.story]

    @classmethod
    async def begin(cls, world: World, setup: ReturnSetup) -> "RealReturn":
        case = cls(world)
        supplier = await world.supplier(rma="manual" if setup.rma_by_hand else "none")
        seller = await world.seller(
            auto_refund_buyer=setup.auto_refund, on_refund_breach="refund" if setup.refund_on_breach else "wait"
        )
        case.order = await world.simple_order(seller, supplier=supplier)
        await case.order.shipped()
        case.story = await world.return_of(case.order)
        return case

    async def happens(self, happening: Happening) -> None:
        if happening.name == "clock":
            await self.forward(timedelta(days=happening.amount_of_time))
            return
        await self.deliver(self.story, happening, happening.name, self._fields(happening.name, happening.variant))

    def _fields(self, name: str, variant: str) -> dict[str, Any]:
        match name:
            case "seller_approval":
                decision = "rejected" if variant == "rejected" else "approved"
                fee = {"with fee": "10.00", "too dear": "1000.00", "all of it": "100.00"}.get(variant, "0")
                returnless = variant == "returnless"
                return {"decision": decision, "return_fee": fee, "returnless": returnless, "reason": "as agreed"}
            case "supplier_rma":
                return {"outcome": variant, "rma_number": f"RMA-{self.story.id}", "reason": "as agreed"}
            case "return_tracking":
                return {"carrier": "UPS", "tracking_number": "1ZBACK"}
            case "goods_received":
                return {"lines": receipt(self.order.request.lines[0].sku, variant)}
            case "refund_declined":
                return {"kind": variant, "reason": "as agreed"}
            case "credit_memo":
                number, _, said = variant.partition(":")
                amount, _, final = said.partition(" ")
                money = {"amount": f"{int(amount or 100) / 100:.2f}", "currency": "USD" if amount else "EUR"}
                paper = {"number": f"{number}-{self.story.id}", "date": "2026-03-01", "final": bool(final)}
                return paper | money
            case "buyer_refund":
                return {"reason": "goods are back"} | ({"amount": f"{int(variant) / 100:.2f}"} if variant else {})
            case "channel_update":
                return {"status": variant}
            case "staff_override":
                who = "seller:jane" if variant == "by the seller" else "staff:sam"
                return {
                    "actor": who,
                    "waive": "tracking" if variant == "by the seller" else variant,
                    "reason": "as agreed",
                }
            case _:
                return {"reason": "changed their mind"}

    async def seen(self) -> tuple[Any, ...]:
        status = await self.story.status()
        refunds = status.facts["buyer_refunds"]
        return (
            status.stage,
            sum(cents(one["amount"]) for one in refunds),
            cents(status.facts["credited"]),
            "seller refunded" in (status.facts["seller_refund"] or ""),
            await self.rejected(status),
        )

    @staticmethod
    def expected(procedure: ReturnProcedure, state: ReturnState) -> tuple[Any, ...]:
        return (
            procedure.stage(state),
            state.refunded,
            state.credited,
            state.seller_refunded > 0,
            state.rejected,
        )


class RealRefunds(RealCase):
    """Direct refunds of one shipped order."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.refunds: list[CaseStory] = []

    @property
    def cases(self) -> list[CaseStory]:
        return self.refunds

    @classmethod
    async def begin(cls, world: World, setup: RefundSetup) -> "RealRefunds":
        case = cls(world)
        seller = await world.seller(allow_over_refund=setup.allow_over_refund)
        method = "pm_card_pendingRefund" if setup.slow else "pm_card_visa"
        case.order = await world.simple_order(seller, buyer_method=method)
        await case.order.shipped()
        return case

    async def happens(self, happening: Happening) -> None:
        if happening.name == "clock":
            await self.forward(timedelta(days=happening.amount_of_time))
        elif happening.name == "refund":
            await self._start(happening)
        else:
            await self._update(happening)

    async def _start(self, happening: Happening) -> None:
        if happening.damage:
            await self._start_damaged(happening)
        elif len(self.refunds) < MOST_REFUNDS:
            asked = int(happening.variant)
            amount = {"amount": f"{asked / 100:.2f}"} if asked else {}
            self.refunds.append(await self.world.refund(self.order, **amount))
            self.sent.append(happening)

    async def _start_damaged(self, happening: Happening) -> None:
        """Past the starter, which refuses it at the door: it must fail by its input, and not be tried for ever."""
        refund_id = f"RF-{self.order.id}-X{happening.ident}"
        request = {
            "refund_id": refund_id,
            "order_id": self.order.id,
            "amount": "1.00",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "seller:jane",
        }
        handle = await self.world.client.start_workflow(
            REFUND,
            args=damaged_refund(request, happening.damage),
            id=refund_workflow_id(refund_id),
            task_queue=self.world.task_queue,
        )
        self.sent.append(happening)
        try:
            await asyncio.wait_for(handle.result(), PATIENCE)
        except WorkflowFailureError as error:
            if not isinstance(error.cause, ApplicationError) or error.cause.type != "InvalidInput":
                raise
            self.told += 1
        except TimeoutError:
            await handle.terminate("its input is damaged")
            raise AssertionError(f"{refund_id} is tried for ever: {happening}") from None

    async def _update(self, happening: Happening) -> None:
        number = refund_of(happening, len(self.refunds))
        if number is None:
            return
        case = self.refunds[number]
        if happening.name == "refund_resolved":
            actor, outcome = (
                ("seller:jane", "moved")
                if happening.variant == "by the seller"
                else ("staff:sam", happening.variant)
            )
            said = {"actor": actor, "outcome": outcome, "evidence": "bank statement", "reason": "as the bank says"}
            await self.deliver(case, happening, happening.name, said)
            return
        if happening.name in ("refund_confirmed", "refund_rejected"):
            actor = "staff:jane" if happening.variant == "by who asked" else "seller:tom"
            no = {"reason": "not agreed"} if happening.name == "refund_rejected" else {}
            await self.deliver(case, happening, happening.name, {"actor": actor, **no})
            return
        await rests(case)
        stands = await case.status()
        known = stands.facts["gateway_refund_id"]
        gateway_id = known if known and happening.variant != "other" else "re_of_another"
        status = "succeeded" if happening.variant == "other" else happening.variant
        if stands.stage == "pending" and not happening.damage and happening.variant in ("succeeded", "failed"):
            # What has ended stays so at this gateway; a contrary word after the end is a wrong one.
            with suppress(SandboxError):
                await self.world.sandbox.settle_refund(known, "failed" if status == "failed" else "succeeded")
        fields = {"actor": "gateway:stripe", "status": status, "gateway_refund_id": gateway_id}
        await self.deliver(case, happening, "gateway_update", fields)

    async def seen(self) -> tuple[Any, ...]:
        statuses = [await case.status() for case in self.refunds]
        stand = tuple((cents(status.facts["amount"] or "0"), status.stage) for status in statuses)
        return stand, await self.rejected(*statuses)

    @staticmethod
    def expected(procedure: RefundProcedure, state: RefundsState) -> tuple[Any, ...]:
        return tuple((one.amount, one.state) for one in state.refunds), state.rejected
