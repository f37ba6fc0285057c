"""Every event of the contract, at stages of every kind: early, late, twice, after the end, damaged (RET-16).

What each event does at each stage the plans decide, and that is tried without a server (`tests/plans`, where the
pairs of stage and event that are reached are counted). Here the server shows that the engine carries it out: each
event comes at a share of the stages, at each stage comes a share of the events.

Each case is brought to the stage; there the event comes damaged in two ways, both as a signal and as an update,
then as it should, once more with its id, and once more with a new id, all signals or all updates. What is sent how
takes turns: over the stages each event comes in every way. None of them is lost, people see every rejection, and
the case still comes to an end.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import pytest

from models.contract import ORDER_EVENTS, REFUND_EVENTS, RETURN_EVENTS
from models.parties import Seller
from tests.case_story import CaseStory, OrderStory
from tests.chaos.auditor import Audit, Auditor
from tests.chaos.evidence import gather
from tests.eventually import eventually
from tests.model.damage import DAMAGES
from tests.model.stage_walker import (
    ORDER_GOES_ON,
    REFUND_GOES_ON,
    RETURN_ENDS_SOON,
    RETURN_GOES_ON,
    Act,
    walk,
)
from tests.races.event_forms import Sender, damages_of, way_of
from tests.world import World

AT_A_TIME = 3
SHARE = 3
"""Each event comes at every so-many-th stage, before a worker has looked, and after the end."""
OF_USE_ONLY_AT = {
    "resume": "on_hold",
    "delivered": "awaiting_shipment",
    "shipment_corrected": "awaiting_shipment",
    "refund_confirmed": "awaiting_confirmation",
    "refund_rejected": "awaiting_confirmation",
    "gateway_update": "pending",
}
"""There it comes in any case."""
REFUND_STAGES = ("awaiting_confirmation", "pending")
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
        refused: frozenset[str] = frozenset(),
    ) -> None:
        """`ends_soon`: a short way to the end, which every other case takes. `refused`: what comes to nothing at
        these stages."""
        self.world = world
        self.start = start
        self.goes_on = goes_on
        self.ways = itertools.cycle([goes_on, ends_soon or goes_on])
        self.sku = sku
        self.refused = refused
        self.turn = asyncio.Semaphore(AT_A_TIME)
        self.taken: set[str] = set()
        """Events that at some stage were what they should be."""

    async def run(self, stages: Sequence[str], events: Iterable[str]) -> None:
        """Plays all of them, those before a worker has looked and after the end too, and audits what was done."""
        names = list(events)
        pairs = [(row, column) for row in range(len(stages)) for column in range(len(names))]
        chosen = [
            (row, column)
            for row, column in pairs
            if (row + column) % SHARE == 0 or OF_USE_ONLY_AT.get(names[column]) == stages[row]
        ]
        queue = f"later-{self.world.tag}"
        early = [await self._sent_early(name, queue) for name in names]
        async with self.world.worker(queue):
            await asyncio.gather(
                *(self._finish(sender) for sender in early),
                *(self._walk(stages[row], names[column], (row + column) // SHARE) for row, column in chosen),
                self._after_the_end(names),
            )
        assert self.taken == set(names) - self.refused, "what is of use at some stage"
        await self._audit(len(early) + len(chosen) + 1)

    async def _sent_early(self, name: str, queue: str) -> Sender:
        sender = Sender(await self.start(queue), name, self.sku, "signal")
        await sender.send(heard=False)
        return sender

    async def _walk(self, stage: str, name: str, turn: int) -> None:
        async with self.turn:
            case = await self.start(self.world.task_queue)
            sender = Sender(case, name, self.sku, way_of(turn, 0), damages_of(turn, 0))
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
            for number, name in enumerate(names):
                sender = Sender(case, name, self.sku, way_of(0, number))
                await sender.send()
                every = {"first": 2, "second": 1, "damaged": len(DAMAGES), "update": len(DAMAGES)}
                assert sender.told == every, name
            assert await case.status() == before

    async def _finish(self, sender: Sender) -> None:
        async with self.turn:
            await walk(sender.case, "ended", next(self.ways))
            await sender.case.handle.result()
            if await sender.assert_nothing_lost():
                self.taken.add(sender.name)

    async def _audit(self, cases: int) -> None:
        """Books, partners and histories say the same; the server lists a case a moment after its end."""
        world = self.world

        async def look() -> Audit:
            return Auditor(await gather(world.sandbox, world.engine, world.client, tag=world.tag)).audit()

        audit = await eventually(look, lambda seen: seen.cases >= cases, "not all cases are listed")
        assert not audit.violations, "\n".join(str(one) for one in audit.violations)


@pytest.mark.proof
async def test_RET_16_every_event_at_every_stage_of_an_order_is_kept_or_answered(world: World) -> None:
    supplier = await world.supplier()
    seller = await world.seller(auto_release=False, payment_method=None)
    sku = world.sku()
    await world.stock(sku, 1000, supplier)

    async def start(queue: str) -> CaseStory:
        return await world.order(seller, {"sku": sku, "quantity": 2}, task_queue=queue)

    of_void_ones = frozenset({"choice_after_void", "stock_arrived"})
    walks = Walks(world, start, ORDER_GOES_ON, sku, refused=of_void_ones)
    await walks.run(ORDER_STAGES, ORDER_EVENTS)


async def long_order(world: World, seller: Seller | None = None, **more: Any) -> OrderStory:
    """One order that many returns and refunds can be made of."""
    supplier = await world.supplier(rma="manual")
    sku = world.sku()
    await world.stock(sku, 1000, supplier)
    order = await world.order(seller or await world.seller(), {"sku": sku, "quantity": 200}, **more)
    await order.shipped()
    return order


@pytest.mark.proof
async def test_RET_16_every_event_at_every_stage_of_a_return_is_kept_or_answered(world: World) -> None:
    order = await long_order(world)

    async def start(queue: str) -> CaseStory:
        return await world.return_of(order, quantity=1, task_queue=queue)

    walks = Walks(world, start, RETURN_GOES_ON, order.request.lines[0].sku, ends_soon=RETURN_ENDS_SOON)
    await walks.run(RETURN_STAGES, RETURN_EVENTS)


async def test_RET_16_every_event_at_every_stage_of_a_refund_is_kept_or_answered(world: World) -> None:
    seller = await world.seller(refund_limits={"USD": "0.50"})
    order = await long_order(world, seller, buyer_method="pm_card_pendingRefund")

    async def start(queue: str) -> CaseStory:
        return await world.refund(order, amount="1.00", task_queue=queue)

    # A person's word counts when the gateway gives none: tests/rules/test_refund_settled_by_people.py (REF-11).
    walks = Walks(world, start, REFUND_GOES_ON, refused=frozenset({"refund_resolved"}))
    await walks.run(REFUND_STAGES, REFUND_EVENTS)
