"""Every event of the contract, at every stage: early, late, twice, after the end, damaged (RET-16).

Each case is walked to the stage; there the event comes as it should, once more with its id, once more with a
new id, and damaged. None of them is lost, and the case still comes to an end.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus
from models.contract import ORDER_EVENTS, REFUND_EVENTS, RETURN_EVENTS
from models.returns import Waivable
from tests.model.procedure import DAMAGES
from tests.model.real_cases import damaged
from tests.races.walking import ORDER_GOES_ON, RETURN_ENDS_SOON, RETURN_GOES_ON, Act, walk
from tests.world import CaseStory, OrderStory, World

AT_A_TIME = 3
ORDER_STAGES = ("awaiting_release", "awaiting_payment", "cancel_window", "on_hold", "awaiting_shipment")
RETURN_STAGES = (
    "awaiting_approval",
    "awaiting_rma",
    "rma_refused",
    "awaiting_tracking",
    "expired",
    "in_transit",
    "awaiting_credit",
    "awaiting_buyer_refund",
)


def good(name: str, sku: str) -> dict[str, Any]:
    """The fields of an event as it should be, beside the common ones."""
    fields: dict[str, dict[str, Any]] = {
        "payment_method_updated": {"payment_method": "pm_card_visa"},
        "shipment": {
            "shipment_id": "s1",
            "carrier": "UPS",
            "tracking_number": "1Z",
            "lines": [{"sku": sku, "quantity": 1}],
        },
        "seller_approval": {"decision": "approved"},
        "supplier_rma": {"outcome": "issued", "rma_number": "RMA-7"},
        "return_tracking": {"carrier": "UPS", "tracking_number": "1Z"},
        "goods_received": {
            "lines": [{"sku": sku, "quantity": 1, "reception": "received", "acceptance": "accepted"}]
        },
        "credit_memo": {"number": "CM-7", "date": "2026-03-01", "amount": "1.00", "currency": "USD"},
        "buyer_refund": {"reason": "goods are back", "amount": "1.00"},
        "channel_update": {"status": "escalated"},
        "staff_override": {"waive": Waivable.TRACKING.value, "reason": "agreed by phone"},
        "gateway_update": {"status": "succeeded", "gateway_refund_id": "re_of_another"},
    }
    return fields.get(name, {"reason": "as agreed"} if name != "release" else {})


class Sender:
    """Sends one event to one case in all its forms, and looks for what became of each."""

    def __init__(self, case: CaseStory, name: str, sku: str, damage: str) -> None:
        self.case = case
        self.name = name
        self.fields = good(name, sku)
        if name in ("credit_memo", "supplier_rma"):
            number = "number" if name == "credit_memo" else "rma_number"
            self.fields |= {number: f"{self.fields[number]}-{case.id}"}
        self.damage = damage
        self.told: list[str] = []

    def event(self, ident: str) -> dict[str, Any]:
        return {"event_id": ident, "actor": f"staff:{ident}", **self.fields}

    async def send(self) -> None:
        await self._signal("first", self.name, [self.event("first")])
        await self._signal("first", self.name, [self.event("first")])
        await self._signal("second", self.name, [self.event("second")])
        await self._signal("damaged", *damaged(self.name, self.event("damaged"), self.damage))

    async def _signal(self, ident: str, name: str, args: list[Any]) -> None:
        try:
            await self.case.handle.signal(name, args=args)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            self.told.append(ident)

    async def assert_nothing_lost(self) -> None:
        """Each event is a step of the timeline once, or a rejection that says why, or its sender was told."""
        status = await self.case.status()
        about = f"{self.name} to {self.case.id}, damaged by {self.damage}"
        for ident in ("first", "second"):
            noted = [step.what for step in status.timeline if step.who == f"staff:{ident}"]
            rejections = [one for one in status.rejected_events if one.event_id == ident]
            assert len(noted) == len(set(noted)), f"{about}: {ident} counted twice: {noted}"
            assert noted or rejections or ident in self.told, f"{about}: {ident} is lost"
            assert all(one.reason for one in rejections), about
        assert not any(step.who == "staff:damaged" for step in status.timeline), f"{about}: damaged and counted"
        if "damaged" not in self.told:
            names = {one.name for one in status.rejected_events if one.event_id not in ("first", "second")}
            assert names & {self.name, f"{self.name}_please"}, f"{about}: the damaged one is not to be seen"


Start = Callable[[str], Awaitable[CaseStory]]


class Walks:
    """One case for each stage and event: walked there, sent the event in all its forms, walked to its end."""

    def __init__(
        self,
        world: World,
        start: Start,
        goes_on: dict[str, Act],
        sku: str = "",
        *,
        ends_soon: dict[str, Act] | None = None,
    ) -> None:
        """`ends_soon`: a short way to the end, which every other case takes."""
        self.world = world
        self.start = start
        self.goes_on = goes_on
        self.ways = itertools.cycle([goes_on, ends_soon or goes_on])
        self.sku = sku
        self.turn = asyncio.Semaphore(AT_A_TIME)
        self.numbers = itertools.count()

    async def run(self, stages: Sequence[str], events: Iterable[str]) -> int:
        """Plays all of them, those before a worker has looked and after the end too; how many cases."""
        names = list(events)
        queue = f"later-{self.world.tag}"
        early = [await self._sent_early(name, queue) for name in names]
        async with self.world.worker(queue):
            await asyncio.gather(
                *(self._finish(sender) for sender in early),
                *(self._walk(stage, name) for stage in stages for name in names),
                self._after_the_end(names),
            )
        return len(early) + len(stages) * len(names) + 1

    async def _sender(self, name: str, queue: str) -> Sender:
        damage = DAMAGES[next(self.numbers) % len(DAMAGES)]
        return Sender(await self.start(queue), name, self.sku, damage)

    async def _sent_early(self, name: str, queue: str) -> Sender:
        sender = await self._sender(name, queue)
        await sender.send()
        return sender

    async def _walk(self, stage: str, name: str) -> None:
        async with self.turn:
            sender = await self._sender(name, self.world.task_queue)
            await walk(sender.case, stage, self.goes_on)
            await sender.send()
        await self._finish(sender)

    async def _after_the_end(self, names: list[str]) -> None:
        """One case that has ended gets all of them: its senders are told, each time."""
        async with self.turn:
            case = await self.start(self.world.task_queue)
            await walk(case, "ended", self.goes_on)
            await case.handle.result()
            before = await case.status()
            for name in names:
                sender = Sender(case, name, self.sku, "extra field")
                await sender.send()
                assert sender.told == ["first", "first", "second", "damaged"], name
            assert await case.status() == before

    async def _finish(self, sender: Sender) -> None:
        async with self.turn:
            await walk(sender.case, "ended", next(self.ways))
            await sender.case.handle.result()
            await sender.assert_nothing_lost()


async def test_RET_16_every_event_at_every_stage_of_an_order_is_kept_or_answered(world: World) -> None:
    supplier = await world.supplier()
    seller = await world.seller(auto_release=False, payment_method=None)
    sku = world.sku()
    await world.stock(sku, 1000, supplier)

    async def start(queue: str) -> CaseStory:
        return await world.order(seller, {"sku": sku, "quantity": 2}, task_queue=queue)

    assert (
        await Walks(world, start, ORDER_GOES_ON, sku).run(ORDER_STAGES, ORDER_EVENTS) == 6 * len(ORDER_EVENTS) + 1
    )


async def long_order(world: World, **more: Any) -> OrderStory:
    """One order that many returns and refunds can be made of."""
    supplier = await world.supplier(rma="manual")
    sku = world.sku()
    await world.stock(sku, 1000, supplier)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 200}, **more)
    await order.shipped()
    return order


async def test_RET_16_every_event_at_every_stage_of_a_return_is_kept_or_answered(world: World) -> None:
    order = await long_order(world)

    async def start(queue: str) -> CaseStory:
        return await world.return_of(order, quantity=1, task_queue=queue)

    walks = Walks(world, start, RETURN_GOES_ON, order.request.lines[0].sku, ends_soon=RETURN_ENDS_SOON)
    assert await walks.run(RETURN_STAGES, RETURN_EVENTS) == 9 * len(RETURN_EVENTS) + 1


async def settle(case: CaseStory, status: CaseStatus) -> None:
    ident = status.facts["gateway_refund_id"]
    await case.world.sandbox.settle_refund(ident, "succeeded")
    await case.update("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)


async def test_RET_16_every_event_at_every_stage_of_a_refund_is_kept_or_answered(world: World) -> None:
    order = await long_order(world, buyer_method="pm_card_pendingRefund")

    async def start(queue: str) -> CaseStory:
        return await world.refund(order, amount="1.00", task_queue=queue)

    assert await Walks(world, start, {"pending": settle}).run(["pending"], REFUND_EVENTS) == 3
