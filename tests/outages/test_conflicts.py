"""Transactions that collide: what the server gave up is done again, once (REF-3, REF-6)."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest
from sqlalchemy import Connection, Engine, text

from models.refunds import RefundState
from tests.case_story import OrderStory
from tests.eventually import eventually
from tests.outages.conftest import WORKER
from tests.world import World

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :w AND wait_event_type = 'Lock'")


async def shipped(world: World) -> OrderStory:
    """An order for which the buyer paid 100.00."""
    order = await world.simple_order()
    await order.shipped()
    return order


async def a_worker_waits(books: Engine) -> None:
    """Wait until a transaction of the worker waits for somebody's lock."""

    def look() -> int:
        with books.connect() as connection:
            return int(connection.execute(WAITING, {"w": WORKER}).scalar_one())

    await eventually(lambda: asyncio.to_thread(look), bool, "no transaction of the worker waits for a lock")


@pytest.mark.parametrize(
    "session_options", ["-c default_transaction_isolation=serializable"], ids=["serializable by default"]
)
async def test_REF_3_the_cap_holds_where_the_server_refuses_to_serialize(
    world: World, troubles: Counter[str]
) -> None:
    order = await shipped(world)
    cases = await asyncio.gather(*(world.refund(order, amount="30.00") for _ in range(8)))
    ends = [(await case.handle.result())["state"] for case in cases]
    assert sorted(ends) == [RefundState.REFUSED] * 5 + [RefundState.SUCCEEDED] * 3
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")] * 3
    assert troubles[SERIALIZATION_FAILURE] > 0


@pytest.mark.parametrize("session_options", ["-c lock_timeout=20s"], ids=["patient"])
async def test_REF_6_a_refund_whose_transaction_falls_victim_to_a_deadlock_is_paid_once(
    world: World, books: Engine, troubles: Counter[str]
) -> None:
    order = await shipped(world)
    with books.connect() as other:
        # The other never looks for deadlocks, so that it is the worker's transaction that is given up.
        other.execute(text("SET LOCAL deadlock_timeout = '10min'"))
        other.execute(text("LOCK TABLE refund IN SHARE MODE"))
        refund = await world.refund(order, amount="30.00")
        await a_worker_waits(books)
        await asyncio.to_thread(lock_order, other, order.id)
        other.rollback()
    await refund.ends("succeeded")
    assert troubles[DEADLOCK] == 1
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")]
    assert (await order.books()).refunds.buyer.left == Decimal("70.00")


def lock_order(connection: Connection, order_id: str) -> None:
    connection.execute(text("SELECT 1 FROM orders WHERE order_id = :id FOR UPDATE"), {"id": order_id})
