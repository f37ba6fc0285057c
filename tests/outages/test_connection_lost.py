"""The connection to the books breaks in the middle: what was under way is done once, nothing is lost (REF-6)."""

import asyncio
import random
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from tests.chaos.stories import PLOTS, an_order_is_cancelled, goods_come_back, the_buyer_is_refunded_in_parts
from tests.outages.conftest import WORKER
from tests.outages.lives import audited, live
from tests.outages.tcp_proxy import Cut, Door
from tests.world import World

WRITTEN = {"orders", "supplier_order", "shipment", "returns", "refund", "credit_memo", "mail_sent", "case_file"}
"""Each of these is written by a transaction whose commit is cut."""
ONCE, LONGER_THAN_ONE_ACTIVITY_TRIES = 1, 5
ENOUGH = 60
"""So many transactions are cut, however slowly the cases go on by that."""


@pytest.mark.parametrize(
    ("cut", "times"),
    [
        (Cut.AFTER_COMMIT, ONCE),
        (Cut.AFTER_COMMIT, LONGER_THAN_ONE_ACTIVITY_TRIES),
        (Cut.BEFORE_COMMIT, LONGER_THAN_ONE_ACTIVITY_TRIES),
    ],
)
async def test_REF_6_a_commit_that_is_cut_off_is_done_once_whether_or_not_it_was_done_before(
    world: World, door: Door, cut: Cut, times: int
) -> None:
    door.cut_commits(cut, times)
    expected = await live(world, (goods_come_back, the_buyer_is_refunded_in_parts, an_order_is_cancelled))
    assert {table for tables in door.cuts for table in tables} >= WRITTEN
    assert max(door.cuts.values()) == times
    await audited(world, expected, door.moments)


async def test_REF_6_cases_whose_connections_are_ended_by_the_server_again_and_again_are_done_once(
    world: World, books: Engine, door: Door
) -> None:
    lives = asyncio.create_task(live(world, PLOTS))
    ends = await end_connections(books, lives)
    assert len(ends) >= 10, "connections were not ended within transactions"
    await audited(world, await lives, ends)


async def end_connections(books: Engine, lives: asyncio.Task[dict[str, str]]) -> list[datetime]:
    """End the worker's connections every moment, while the lives last and until it was enough; gives when one was
    in a transaction."""
    statement = text(
        "SELECT xact_start IS NOT NULL, pg_terminate_backend(pid) "
        "FROM pg_stat_activity WHERE application_name = :w"
    )
    chance = random.Random(7)
    in_transaction: list[datetime] = []

    def end_all() -> list[datetime]:
        with books.connect() as connection:
            ended = connection.execute(statement, {"w": WORKER})
            return [datetime.now(UTC) for busy, _ in ended if busy]

    while not lives.done() and len(in_transaction) < ENOUGH:
        in_transaction += await asyncio.to_thread(end_all)
        await asyncio.sleep(chance.uniform(0.02, 0.2))
    return in_transaction
