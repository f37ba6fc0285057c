"""The stack as real processes that can be killed: Temporal server, sandbox partners, worker, books.

Every process is started by us, known by its process id, ended by it, and dies with this program.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.api.activity.v1 import ActivityOptions
from temporalio.api.common.v1 import WorkflowExecution as RunningExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflowservice.v1 import (
    ResetStickyTaskQueueRequest,
    UpdateActivityOptionsRequest,
)
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig, WorkflowEnvironment

from activities.database import upgrade
from activities.database.engines import make_engine
from models.contract import TASK_QUEUE
from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.ops.dev_server import ServerDatabase, ServerPorts, read_config, start_server
from starter.ops.processes import Child
from starter.ops.stack import LOCAL, StackPlan
from starter.sandbox import RunningSandbox, SandboxClient
from tests.chaos.evidence import Kill
from tests.chaos.forks import fork, get_ready
from tests.chaos.metrics import Gauges
from tests.chaos.ports import lasting_port
from tests.chaos.postgres import Postgres
from tests.chaos.staff import try_again_now
from tests.world import World

READY_SECONDS: Final = 180.0
"""How long anything may take that takes a second: machines of continuous integration are slow, and shared."""
PARTNER_SECONDS: Final = 55
"""How long a worker waits for a partner: longer than the partners are made to dawdle here."""
RETRY_SECONDS: Final = 10
"""What is left of an activity's minute on a worker that is known to be dead; and what its next tries have."""
AT_ONCE: Final = 16
"""How many cases are looked at together."""

_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


async def eventually(
    look: Callable[[], Awaitable[bool]], what: str, seconds: float = READY_SECONDS, every: float = 0.03
) -> None:
    """Look until it is so. Raises AssertionError when it does not become so."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await look():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(every)


class Rig:
    """A running stack with its kill switches; use `running_rig`."""

    def __init__(self, plan: StackPlan, postgres: Postgres | None) -> None:
        self.plan = plan
        self.postgres = postgres
        self.kills: list[Kill] = []
        self.engine: Engine = make_engine(plan.settings.database_url.get_secret_value())
        self.gauges = Gauges()
        """Of the worker that was started last."""
        self._children: dict[str, Child] = {}
        self._workers = 0
        self._sandbox: SandboxClient | None = None
        self._skipper: TimeSkipper | None = None

    # ---- starting ----

    async def start(self) -> None:
        get_ready()
        await asyncio.to_thread(upgrade, self.plan.settings.database_url.get_secret_value())
        await asyncio.gather(self.start_server(), self.start_partners())
        client = await Client.connect(
            self.plan.server.address, namespace=self.plan.server.namespace, data_converter=DATA_CONVERTER
        )
        self._skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        self._sandbox = SandboxClient(self.plan.sandbox_url)
        await self.start_worker()

    async def start_server(self) -> None:
        self._children["server"] = await start_server(self.plan.server, self.plan.logs / "temporal.log")

    async def start_partners(self) -> None:
        """The sandbox: all partners are one process."""
        plan = self.plan
        ports = ["--port", str(plan.sandbox_port), "--mail-port", str(plan.mail_port)]
        database = ["--database", str(plan.folder / "sandbox.db")]
        await self._start("partner", ["starter.cli", "sandbox", *ports, *database])
        for port in (plan.sandbox_port, plan.mail_port):
            await eventually(lambda port=port: _listens(port), "the partners listen")  # type: ignore[misc]

    async def start_worker(self, patch: str = "") -> None:
        """Start a worker, with one of the patches of `patched_worker` if told, and wait until it asks for work."""
        self._workers += 1
        self.gauges = Gauges()
        program = ["tests.chaos.patched_worker", patch] if patch else ["starter.cli", "worker"]
        child = await self._start("worker", program, log=f"worker-{self._workers}.log")

        async def is_ready() -> bool:
            assert child.exit_code is None, f"the worker ended: {child.last_words()}; see {child.log}"
            return "worker is ready" in child.log.read_text(errors="replace")

        await eventually(is_ready, "the worker is ready")

    async def stop_worker(self) -> None:
        """Let the worker end its work."""
        await self._children["worker"].stop(READY_SECONDS)

    async def _start(self, name: str, program: list[str], log: str = "") -> Child:
        environment = self.plan.environment() | {
            "BACKHAUL_PARTNER_TIMEOUT_SECONDS": str(PARTNER_SECONDS),
            "BACKHAUL_METRICS_ADDRESS": self.gauges.address,
            "NO_COLOR": "1",
        }
        path = self.plan.logs / (log or f"{name}.log")
        if name in self._children:
            forked = await fork(program, environment, path)  # all that a Child asks of a process
            child = Child(name, cast(asyncio.subprocess.Process, forked), path)
        else:  # once as a user starts it
            child = await Child.start(name, [sys.executable, "-m", *program], environment, path)
        self._children[name] = child
        return child

    async def stop(self) -> None:
        """End what still runs, each by its own process, the server last."""
        if self._sandbox is not None:
            await self._sandbox.__aexit__(None, None, None)
        for name in ("worker", "partner", "server"):
            child = self._children.get(name)
            if child is not None and child.exit_code is None:
                os.kill(child.pid, signal.SIGCONT)
                await child.stop(10)
        self.engine.dispose()

    # ---- breaking ----

    async def kill(self, name: str) -> None:
        """kill -9, at once."""
        child = self._children[name]
        os.kill(child.pid, signal.SIGKILL)
        self.kills.append(Kill(datetime.now(UTC), name))
        await child.wait()

    async def kill_database(self) -> None:
        """kill -9 of the database's processes; it recovers when it is started again."""
        assert self.postgres is not None, "the books are a PostgreSQL database"
        self.kills.append(Kill(datetime.now(UTC), "database"))
        await asyncio.to_thread(self.postgres.kill)

    def freeze(self, name: str) -> None:
        os.kill(self._children[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.kill(self._children[name].pid, signal.SIGCONT)

    async def hurry(self) -> None:
        """Let the server notice soon what it would notice within a minute: that the worker is dead.

        The time that is left to the dead worker's activities is cut short, and its cases are given to any
        worker. Nothing else changes. (Given its full time back between two tries, an activity of Server 1.32 ends
        at once with a ScheduleToStart timeout.)
        """
        await self._each_running(self._hurry)

    async def _hurry(self, case: WorkflowExecution) -> None:
        service, execution = self.client.workflow_service, _execution(case)
        await service.reset_sticky_task_queue(
            ResetStickyTaskQueueRequest(namespace=self.client.namespace, execution=execution)
        )
        described = await self.client.get_workflow_handle(case.id, run_id=case.run_id).describe()
        for pending in described.raw_description.pending_activities:
            if pending.state == _STARTED:
                await service.update_activity_options(
                    UpdateActivityOptionsRequest(
                        namespace=self.client.namespace,
                        execution=execution,
                        id=pending.activity_id,
                        activity_options=ActivityOptions(start_to_close_timeout=Duration(seconds=RETRY_SECONDS)),
                        update_mask=FieldMask(paths=["start_to_close_timeout"]),
                    )
                )

    async def try_again_now(self) -> None:
        """Activities that failed are tried again without their pause."""
        world = self.world()

        async def again(case: WorkflowExecution) -> None:
            await try_again_now(world, case.id)

        await self._each_running(again)

    async def _each_running(self, act: Callable[[WorkflowExecution], Awaitable[None]]) -> None:
        some = asyncio.Semaphore(AT_ONCE)

        async def if_it_runs(case: WorkflowExecution) -> None:
            try:
                async with some:
                    await act(case)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # it, or its activity, has ended meanwhile
                    raise

        await asyncio.gather(*[if_it_runs(case) for case in await self.running_cases()])

    # ---- seen ----

    @property
    def client(self) -> Client:
        assert self._skipper is not None, "the rig is started"
        return self._skipper.client

    @property
    def sandbox(self) -> SandboxClient:
        assert self._sandbox is not None, "the rig is started"
        return self._sandbox

    async def running_cases(self) -> Sequence[WorkflowExecution]:
        return [case async for case in self.client.list_workflows("ExecutionStatus = 'Running'")]

    @property
    def worker_pid(self) -> int:
        return self._children["worker"].pid

    def worker_log(self) -> str:
        """What the worker that was started last has written."""
        return self._children["worker"].log.read_text(errors="replace")

    def logs(self) -> list[Path]:
        """What the processes have written, the youngest last."""
        found = [*self.plan.logs.glob("*.log"), *self.plan.folder.glob("postgresql/server.log")]
        return sorted(found, key=lambda log: log.stat().st_mtime)

    def world(self) -> World:
        """This stack, for stories; its clocks are moved from outside, as an operator could."""
        running = RunningSandbox(http_url=self.plan.sandbox_url, smtp_host=LOCAL, smtp_port=self.plan.mail_port)
        # A World asks its environment for a client, `fast_forward` and `get_current_time`: a TimeSkipper has them.
        skipper = cast(WorkflowEnvironment, cast(Any, self._skipper))
        return World(skipper, running, self.sandbox, self.engine, self.plan.settings, TASK_QUEUE)


@asynccontextmanager
async def running_rig(folder: Path, *, postgres: bool = False) -> AsyncIterator[Rig]:
    """A stack of its own in `folder`, on free ports; nothing of it is left when the block ends."""
    database = Postgres(folder / "postgresql", lasting_port()) if postgres else None
    if database is not None:
        await asyncio.to_thread(database.create)
    rig = Rig(_plan(folder, database), database)
    try:
        await rig.start()
        yield rig
    finally:
        await rig.stop()
        if database is not None:
            await asyncio.to_thread(database.stop)


def _plan(folder: Path, database: Postgres | None) -> StackPlan:
    config = read_config()
    url = database.url if database is not None else f"sqlite:///{folder / 'books.db'}"
    server = config.model_copy(
        update={
            "ports": ServerPorts(frontend=lasting_port(), ui=lasting_port(), http=lasting_port()),
            "database": ServerDatabase(file=folder / "temporal.db", pragmas=config.database.pragmas),
        }
    )
    plan = StackPlan(
        server=server, settings=Settings.model_validate({"database_url": SecretStr(url)}), folder=folder
    )
    return replace(plan, sandbox_port=lasting_port(), mail_port=lasting_port(), front_port=lasting_port())


def _execution(case: WorkflowExecution) -> RunningExecution:
    return RunningExecution(workflow_id=case.id, run_id=case.run_id)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True
