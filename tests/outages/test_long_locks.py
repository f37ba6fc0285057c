"""Somebody keeps a lock for longer than we wait: the case waits, others go on, and it does afterwards (REF-6)."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from temporalio.testing import WorkflowEnvironment

from activities.database import engines, upgrade
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.eventually import eventually
from tests.outages.test_conflicts import lock_order, shipped
from tests.world import World
from worker import WorkerSettings, build_worker

LOCK_TIMEOUT, STATEMENT_TIMEOUT = "55P03", "57014"
MORE_THAN_THREADS = 24
IMPATIENT_WITH_LOCKS = "-c lock_timeout=300ms"
IMPATIENT_WITH_STATEMENTS = "-c lock_timeout=0 -c statement_timeout=300ms"


async def test_REF_6_a_refund_waits_for_an_order_that_somebody_keeps_locked_and_others_do_not(
    world: World, books: Engine, troubles: Counter[str]
) -> None:
    order, other_order = await shipped(world), await shipped(world)
    with books.connect() as other:
        lock_order(other, order.id)
        refund = await world.refund(order, amount="30.00")
        await times_out(troubles, LOCK_TIMEOUT)
        await (await world.refund(other_order, amount="1.00")).ends("succeeded")
        assert await nothing_is_paid(world, order.id)
        other.rollback()
    await refund.ends("succeeded")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")]


@pytest.mark.parametrize(
    ("session_options", "trouble"),
    [(IMPATIENT_WITH_LOCKS, LOCK_TIMEOUT), (IMPATIENT_WITH_STATEMENTS, STATEMENT_TIMEOUT)],
    ids=["lock timeout", "statement timeout"],
)
async def test_REF_3_more_refunds_than_threads_wait_for_a_locked_table_and_all_go_on(
    world: World, books: Engine, troubles: Counter[str], trouble: str
) -> None:
    order = await shipped(world)
    with books.connect() as other:
        other.execute(text("LOCK TABLE refund IN ACCESS EXCLUSIVE MODE"))
        refunds = [await world.refund(order, amount="5.00") for _ in range(MORE_THAN_THREADS)]
        await times_out(troubles, trouble)
        other.rollback()
    ends = Counter([(await asyncio.wait_for(one.handle.result(), 60))["state"] for one in refunds])
    assert ends == {"succeeded": 20, "refused": 4}
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("5.00")] * 20


async def times_out(troubles: Counter[str], trouble: str) -> None:
    """Wait until one activity has used up its tries, and the next one began."""

    async def seen() -> int:
        return troubles[trouble]

    await eventually(seen, lambda times: times > 4, f"no transaction is given up with {trouble}")


async def nothing_is_paid(world: World, order_id: str) -> bool:
    return not [one for one in (await world.effects()).refunds if one.metadata.get("order_id") == order_id]


@pytest.fixture
async def world_on_sqlite(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """The stack with books in a SQLite file, which wait for a lock for a moment only."""
    url = f"sqlite:///{tmp_path / 'books.db'}"
    upgrade(url)
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.3)
    books = engines.make_engine(url)
    settings = stack_settings.model_copy(update={"database_url": SecretStr(url)})
    task_queue = f"outage-{request.node.name}"
    limits = WorkerSettings(drain_seconds=0.1)
    async with build_worker(env.client, settings, books, task_queue=task_queue, limits=limits):
        yield World(env, stack_sandbox, stack_client, books, settings, task_queue)
    books.dispose()


async def test_REF_6_a_refund_waits_for_a_sqlite_file_that_another_process_keeps_locked(
    world_on_sqlite: World, troubles: Counter[str]
) -> None:
    world = world_on_sqlite
    order = await shipped(world)
    lock = sqlite3.connect(str(world.engine.url.database), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    refund = await world.refund(order, amount="30.00")
    await times_out(troubles, "none")
    assert await nothing_is_paid(world, order.id)
    lock.rollback()
    lock.close()
    await refund.ends("succeeded")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")]
