"""A gateway that answers one seller's calls so late that they hang holds up no other seller (NTF-9)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from temporalio.api.enums.v1 import EventType
from temporalio.testing import WorkflowEnvironment

from activities.database import upgrade
from activities.database.engines import make_engine
from models.parties import Seller
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.case_story import OrderStory
from tests.chaos.postgres import Postgres
from tests.eventually import eventually
from tests.outages.conftest import WORKER
from tests.outages.test_conflicts import shipped
from tests.world import World
from worker import WorkerSettings, build_worker

CALLS = 200
MANY = 10_000
SECONDS = 2.0
"""Within so many each activity of the other seller's order begins."""
ORDERS = 3
"""Of the other seller: what holds them up holds up all; a busy machine may hold up one."""


@pytest.fixture(params=["sqlite", "postgresql"])
def books(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Books of their own, as patient as those of an installation."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'books.db'}"
        upgrade(url)
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        named = make_url(postgres.url).update_query_dict({"application_name": WORKER})
        url = named.render_as_string(hide_password=False)
    engine = make_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
async def world(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_settings: Settings,
    books: Engine,
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """The running stack with a worker of this test, as it is unless set otherwise; calls hang for long."""
    url = SecretStr(books.url.render_as_string(hide_password=False))
    settings = stack_settings.model_copy(update={"database_url": url, "partner_timeout_seconds": 55.0})
    task_queue = f"hanging-{request.node.name}"
    limits = WorkerSettings(drain_seconds=0.1)
    async with build_worker(env.client, settings, books, task_queue=task_queue, limits=limits):
        yield World(env, stack_sandbox, stack_client, books, settings, task_queue)
    await stack_client.clear_faults()


async def test_NTF_9_200_refunds_of_one_seller_that_hang_at_the_gateway_hold_up_no_order_of_another(
    world: World,
) -> None:
    order, other_seller = await shipped(world), await world.seller()
    late = await world.sandbox.add_fault("gateway", "delay", "POST /v1/refunds", times=MANY, seconds=600)
    refunds = await asyncio.gather(*(world.refund(order, amount="0.50") for _ in range(CALLS)))
    places = world.settings.partner_calls_at_once_per_party
    await eventually(lambda: hanging(world), lambda seen: seen >= places, "the refunds do not hang", 60)
    longest = [await longest_wait(world, other_seller) for _ in range(ORDERS)]
    waited, name = min(longest)
    assert waited < SECONDS, f"{name} of the other seller waited for {waited:.1f} s"
    assert await hanging(world) == places, "all of them hang as before"
    await world.sandbox.take_back_fault(late.id)
    for refund in refunds:
        assert (await asyncio.wait_for(refund.handle.result(), 180))["state"] == "succeeded"
    paid = [one.amount for one in (await order.effects()).refunds]
    assert paid == [Decimal("0.50")] * CALLS


async def longest_wait(world: World, seller: Seller) -> tuple[float, str]:
    """Of the activities of one more order of this seller, until it has shipped."""
    order = await world.simple_order(seller)
    await order.shipped()
    return max((waited, name) for name, waited in (await waits(order)).items())


async def hanging(world: World) -> int:
    """How many refunds were sent whose answer is late."""
    (fault,) = (await world.sandbox.faults()).values()
    return MANY - (fault.left or 0)


async def waits(order: OrderStory) -> dict[str, float]:
    """For how many seconds each of its activities waited for a worker, by its name and number."""
    scheduled: dict[int, tuple[str, datetime]] = {}
    found = {}
    async for event in order.handle.fetch_history_events():
        at = event.event_time.ToDatetime()
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            scheduled[event.event_id] = f"{name} (event {event.event_id})", at
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            name, asked_at = scheduled[event.activity_task_started_event_attributes.scheduled_event_id]
            found[name] = (at - asked_at).total_seconds()
    return found
