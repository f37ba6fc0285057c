"""Several workers serve one case, with and without their caches: everything happens once (REF-6)."""

from collections import Counter
from contextlib import AsyncExitStack
from decimal import Decimal

import pytest

from tests.model.walking import ORDER_GOES_ON, RETURN_GOES_ON, walk
from tests.world import World
from worker import WorkerSettings, build_worker


@pytest.mark.parametrize("caches", [(2000, 2000), (0, 2000), (0, 0)], ids=["cached", "one cached", "uncached"])
async def test_REF_6_two_workers_with_one_case_do_everything_once(world: World, caches: tuple[int, int]) -> None:
    queue = f"two-{world.tag}"
    async with AsyncExitStack() as workers:
        for cached in caches:
            limits = WorkerSettings(drain_seconds=0.1, max_cached_workflows=cached)
            # As in another process: one connection has one worker on a task queue.
            client = await world.env.connect_client(data_converter=world.client.data_converter)
            await workers.enter_async_context(
                build_worker(client, world.settings, world.engine, task_queue=queue, limits=limits)
            )
        order = await world.simple_order(task_queue=queue)
        await walk(order, "ended", ORDER_GOES_ON)
        await order.ends("shipped")
        case = await world.return_of(order, task_queue=queue)
        await walk(case, "ended", RETURN_GOES_ON)
        await case.ends("completed")
    effects = await order.effects()
    assert [one.amount for one in effects.captures] == [Decimal("63.00")]
    assert len(effects.supplier_orders) == len(effects.shipments) == 1
    assert sorted(one.amount for one in effects.refunds) == [Decimal("1.00"), Decimal("63.00")]
    sent = Counter(one.message_id for one in effects.mails)
    assert sent
    assert set(sent.values()) == {1}
