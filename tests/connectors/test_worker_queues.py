"""One process serves a task queue per kind of partner: one that hangs makes nobody else wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from pydantic import HttpUrl
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from models.calls import Queue, queue_of
from models.failures import NotFound
from tests.connectors.probe_workflows import ManySupplierCalls
from tests.world import World, eventually
from worker import WorkerSettings, build_worker

CALLS = 200


class Silence:
    """Suppliers that take every request and answer none."""

    def __init__(self) -> None:
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests += 1
        try:
            while await reader.read(65536):
                pass
        finally:
            writer.close()


@pytest.fixture
async def silent() -> AsyncIterator[tuple[Silence, HttpUrl]]:
    silence = Silence()
    server = await asyncio.start_server(silence.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield silence, HttpUrl(f"http://127.0.0.1:{port}")
    server.close()


@pytest.mark.parametrize("calls_at_once", [40, CALLS])
async def test_200_supplier_calls_that_hang_do_not_hold_up_an_order_that_needs_no_supplier(
    world: World, silent: tuple[Silence, HttpUrl], calls_at_once: int
) -> None:
    silence, address = silent
    queue = f"backhaul-{uuid4().hex[:8]}"
    settings = world.settings.model_copy(
        update={
            "supplier_url": address,
            "partner_timeout_seconds": 60.0,
            "partner_calls_at_once": calls_at_once,
        }
    )
    limits = WorkerSettings(drain_seconds=0.1)
    there = World(world.env, world.running, world.sandbox, world.engine, settings, queue)
    suppliers = queue_of(queue, Queue.SUPPLIERS)
    async with (
        build_worker(world.client, settings, world.engine, task_queue=queue, limits=limits),
        Worker(
            world.client,
            task_queue=f"{queue}-probe",
            workflows=[ManySupplierCalls],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        hanging = await world.client.start_workflow(
            ManySupplierCalls.run, args=[suppliers, CALLS], id=f"probe-{queue}", task_queue=f"{queue}-probe"
        )
        places = min(limits.supplier_slots, calls_at_once)
        await eventually(lambda: _value(silence.requests), lambda seen: seen >= places, "the calls hang")
        took = [await _until_in_the_database(there) for _ in range(5)]
        assert silence.requests == places, "all of them hang as before"
        await hanging.terminate()
    # A tenth of a second on a quiet machine; behind one that hangs it would be the minute of its timeout.
    assert min(took) < 10, took


async def _value(number: int) -> int:
    return number


async def _until_in_the_database(world: World) -> float:
    """Seconds from the start of an order to its row."""
    order = await world.simple_order()
    started = (await order.handle.describe()).start_time
    await eventually(lambda: _is_there(world, order.id), bool, "the order is in the database")
    return (datetime.now(UTC) - started).total_seconds()


async def _is_there(world: World, order_id: str) -> bool:
    try:
        await asyncio.to_thread(world.reading.order_view, order_id)
    except NotFound:
        return False
    return True
