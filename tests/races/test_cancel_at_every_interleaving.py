"""A cancel against placing the order, at every place between two records that the server allows (CAN-2..4).

Nothing runs by itself here: the procedure's worker and the worker of its calls (partners and books) are let in by
turns, so that the server records things in the order that the test wants. Round the end of the window and round
each answer after it the cancel comes before it, after it in the same task, or after it in a task of its own; and
so does a hold that came earlier. Here each round is tried at one place, to prove that the server and the engine
keep these orders apart; the plan alone is tried at all of them (`tests/plans/orders`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.races.test_cancel_against_placing import LATE, assert_one_of_both
from tests.world import World
from worker import WorkerSettings, build_worker

ROUNDS = 12
"""The window closes; then answer by answer until the order is with its supplier."""
PLACES = ("before it", "after it, in one task", "after it, in a task of its own")
Position = tuple[int, str]
POSITIONS: list[Position] = [
    *((0, place) for place in PLACES),
    *((round, PLACES[round % len(PLACES)]) for round in range(1, ROUNDS)),
]
IN_TIME = POSITIONS[0]
HOLDS = (IN_TIME, (0, PLACES[2]), (3, PLACES[0]), (5, PLACES[2]))
AFTER_A_HOLD = 2
"""How many places after a hold a cancel is tried at."""
HOLD = {"reason": "look at it first"}
AT_A_TIME = 8
SETTLED = ("cancelled", "awaiting_shipment", "on_hold")


class Sent:
    """An order, and what is sent to it where."""

    def __init__(self, order: OrderStory, cancel: Position, hold: Position | None) -> None:
        self.order = order
        self.cancel = cancel
        self.hold = hold

    def __str__(self) -> str:
        held = f"held at {self.hold}, " if self.hold else ""
        return f"{self.order.id}, {held}cancelled at {self.cancel}"

    async def send(self, position: Position) -> None:
        if self.hold == position:
            await self.order.signal("hold", **HOLD)
        if self.cancel == position:
            await self.order.signal("cancel_request", **LATE)


@asynccontextmanager
async def only(world: World, queue: str, **limits: Any) -> AsyncIterator[None]:
    """A worker of this queue that does a part of the work."""

    def limited(client: Client, **all_of_it: Any) -> Worker | None:
        if "workflows" in all_of_it:
            return Worker(client, **(all_of_it | limits))
        return None if limits.get("no_remote_activities") else Worker(client, **all_of_it)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.Worker", limited)
        # Without a cache no task is kept for a worker that is not let in now.
        settings = WorkerSettings(drain_seconds=0.1, max_cached_workflows=0)
        worker = build_worker(world.client, world.settings, world.engine, task_queue=queue, limits=settings)
    worker.workers = {kind: one for kind, one in worker.workers.items() if one is not None}
    async with worker:
        yield


async def nothing_pending(orders: list[OrderStory], what: str) -> None:
    """Wait until the server has no more `tasks` for the procedure, or no more `calls` for partners."""

    async def none_of(order: OrderStory) -> bool:
        raw = (await order.handle.describe()).raw_description
        return not (raw.HasField("pending_workflow_task") if what == "tasks" else raw.pending_activities)

    for order in orders:
        # A task that was handed to a worker just as it went away comes back after ten seconds.
        for _ in range(4):
            with suppress(AssertionError):
                await eventually(partial(none_of, order), bool, f"there are still {what} of {order.id}")
                break
        else:
            raise AssertionError(f"there are still {what} of {order.id}")


async def procedures_turn(world: World, queue: str, orders: list[OrderStory]) -> None:
    """The procedure hears all that was recorded, and asks for more; nobody does what it asks for."""
    async with only(world, queue, no_remote_activities=True):
        await nothing_pending(orders, "tasks")


async def calls_turn(world: World, queue: str, orders: list[OrderStory]) -> None:
    """What partners and books were asked is done and recorded; the procedure does not hear of it yet."""
    async with only(world, queue, workflows=[]):
        await nothing_pending(orders, "calls")


async def windows_close(orders: list[OrderStory]) -> None:
    for order in orders:
        until = (await order.books()).cancel_until
        assert until is not None
        await eventually(order.now, until.__lt__, "the window closes")


async def in_their_windows(world: World, queue: str) -> list[Sent]:
    """Orders seconds before their windows close: one for each place of the cancel, and of a hold before it."""
    supplier, seller, sku = await world.supplier(), await world.seller(), world.sku()
    await world.stock(sku, 100_000, supplier)
    plan: list[tuple[Position | None, Position]] = [(None, cancel) for cancel in POSITIONS]
    plan += [(hold, cancel) for hold in HOLDS for cancel in POSITIONS[POSITIONS.index(hold) :][:AFTER_A_HOLD]]
    turn = asyncio.Semaphore(AT_A_TIME)

    async def begin(hold: Position | None, cancel: Position) -> Sent:
        async with turn:
            order = await world.order(seller, {"sku": sku, "quantity": 2}, task_queue=queue)
            await order.reaches("cancel_window")
            return Sent(order, cancel, hold)

    async with world.worker(queue):
        sent = await asyncio.gather(*(begin(hold, cancel) for hold, cancel in plan))
    for one in sent:
        until = (await one.order.books()).cancel_until
        assert until is not None
        await one.order.forward_to(until - timedelta(seconds=5))
        # At once: from here on its clock goes on by itself.
        await one.send(IN_TIME)
    return list(sent)


@pytest.mark.proof
async def test_CAN_4_wherever_a_cancel_comes_the_order_is_cancelled_or_sent_and_never_both(world: World) -> None:
    queue = f"turns-{world.tag}"
    sent = await in_their_windows(world, queue)
    orders = [one.order for one in sent]
    for round in range(ROUNDS):
        before, with_it, after = ((round, place) for place in PLACES)
        if round == 0:
            await windows_close(orders)
        else:
            await asyncio.gather(*(one.send(before) for one in sent))
            await calls_turn(world, queue, orders)
        await asyncio.gather(*(one.send(with_it) for one in sent))
        await procedures_turn(world, queue, orders)
        await asyncio.gather(*(one.send(after) for one in sent))
        await procedures_turn(world, queue, orders)
    never_held = sent[len(POSITIONS) - 1].order
    assert (await never_held.effects()).supplier_orders, "more rounds are needed"

    ends = []
    async with world.worker(queue):
        for one in sent:
            status = await one.order.shows(f"which of both it is ({one})", lambda seen: seen.stage in SETTLED)
            if status.stage == "on_hold":
                # The cancel was too late for its window, and the hold kept the order from being sent.
                assert one.hold is not None, f"{one}"
                await one.order.update("cancel_request", **LATE)
                status = await one.order.reaches("cancelled")
            if status.stage == "cancelled":
                await one.order.ends("cancelled")
            end = await assert_one_of_both(one.order)
            assert (end == "cancelled") == (status.stage == "cancelled"), f"{one}"
            if one.hold is None or one.cancel == IN_TIME:
                assert (end == "cancelled") == (one.cancel == IN_TIME), f"{one}"
            if one.hold == IN_TIME:
                assert end == "cancelled", f"a held order is sent: {one}"
                assert not any("already fulfilled" in step.what for step in status.timeline), f"{one}"
            ends.append(end)
    assert {"cancelled", "sent"} == set(ends)
