"""One process serves a task queue per kind of partner: one that hangs makes nobody else wait."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import pytest
from pydantic import HttpUrl
from sqlalchemy import Engine
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.database import ConnectionRegister
from models import calls
from models.calls import Queue, queue_of
from models.connections import Connection, ConnectionKind
from models.failures import NotFound
from tests.connectors.probe_workflows import ManyCallsOfOneSupplier, ManySupplierCalls
from tests.eventually import eventually
from tests.world import World
from worker import WorkerSettings, build_worker

CALLS = 200


class Moved(ConnectionRegister):
    """The connections of the database, but that the supplier network is elsewhere."""

    def __init__(self, engine: Engine, address: HttpUrl) -> None:
        super().__init__(engine)
        self._address = address

    def find(self, connection_id: str) -> Connection | None:
        found = super().find(connection_id)
        return None if found is None else self._moved(found)

    def active(self, kind: ConnectionKind, *owners: str) -> list[Connection]:
        return [self._moved(one) for one in super().active(kind, *owners)]

    def _moved(self, one: Connection) -> Connection:
        if one.kind is not ConnectionKind.SUPPLIER:
            return one
        return one.model_copy(update={"base_url": self._address})


def moved(world: World, address: HttpUrl) -> Moved:
    return Moved(world.engine, address)


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


class Network:
    """The sandbox's supplier network, in which one supplier takes every request and answers none."""

    def __init__(self, silent: str, port: int) -> None:
        self.hanging = 0
        self._silent = silent.encode()
        self._port = port

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Gives its port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request by each connection."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            body = await reader.readexactly(int(length[1]) if length else 0)
            if self._silent in body:
                self.hanging += 1
                await reader.read()
            else:
                writer.write(await self._answer(head, body))
                await writer.drain()
        writer.close()

    async def _answer(self, head: bytes, body: bytes) -> bytes:
        from_sandbox, to_sandbox = await asyncio.open_connection("127.0.0.1", self._port)
        to_sandbox.write(re.sub(rb"(?i)connection: *keep-alive", b"Connection: close", head) + body)
        await to_sandbox.drain()
        answer = await from_sandbox.read()
        to_sandbox.close()
        return answer


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
            "partner_timeout_seconds": 60.0,
            "partner_calls_at_once": calls_at_once,
        }
    )
    limits = WorkerSettings(drain_seconds=0.1)
    there = World(world.env, world.running, world.sandbox, world.engine, settings, queue)
    suppliers = queue_of(queue, Queue.SUPPLIERS)
    async with (
        build_worker(
            world.client, settings, world.engine, task_queue=queue, limits=limits, directory=moved(world, address)
        ),
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
        places = min(limits.supplier_slots * 4 // 5, calls_at_once)
        await eventually(lambda: _value(silence.requests), lambda seen: seen >= places, "the calls hang")
        for _ in range(5):
            await _is_in_the_database(there)
        assert silence.requests == places, "all of them hang as before"
        await hanging.terminate()


async def test_200_calls_of_one_sellers_supplier_that_hang_leave_places_for_another_sellers_order(
    world: World,
) -> None:
    queue, silent = f"backhaul-{uuid4().hex[:8]}", f"silent-{world.tag}"
    network = Network(silent, int(str(HttpUrl(world.running.http_url).port)))
    async with network.listening() as port:
        address = HttpUrl(f"http://127.0.0.1:{port}/supplier")
        settings = world.settings.model_copy(update={"partner_timeout_seconds": 60.0})
        limits = WorkerSettings(drain_seconds=0.1)
        of_another = World(world.env, world.running, world.sandbox, world.engine, settings, queue)
        async with (
            build_worker(
                world.client,
                settings,
                world.engine,
                task_queue=queue,
                limits=limits,
                directory=moved(world, address),
            ),
            Worker(
                world.client,
                task_queue=f"{queue}-probe",
                workflows=[ManyCallsOfOneSupplier],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ),
        ):
            hanging = await world.client.start_workflow(
                ManyCallsOfOneSupplier.run,
                args=[queue_of(queue, Queue.SUPPLIERS), CALLS, silent],
                id=f"probe-{queue}",
                task_queue=f"{queue}-probe",
            )
            places = settings.partner_calls_at_once_per_party
            await eventually(lambda: _value(network.hanging), lambda seen: seen >= places, "the calls hang")
            order = await of_another.simple_order()
            await order.placed()
            assert network.hanging == places, "all of them hang as before"
            await hanging.terminate()


async def _value(number: int) -> int:
    return number


async def _is_in_the_database(world: World) -> None:
    order = await world.simple_order()
    await eventually(lambda: _is_there(world, order.id), bool, "the order is in the database")


async def _is_there(world: World, order_id: str) -> bool:
    try:
        await asyncio.to_thread(world.reading.order_view, order_id)
    except NotFound:
        return False
    return True


async def test_each_call_of_a_plan_has_its_activity_on_its_queue(world: World) -> None:
    served = build_worker(world.client, world.settings, world.engine, task_queue=f"unused-{world.tag}").workers
    there = {
        (queue, activity.__name__)
        for queue, worker in served.items()
        for activity in worker.config()["activities"]
    }
    assert there == {(one.queue, one.name) for one in calls.CALLS}
