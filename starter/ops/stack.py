"""The whole local stack: Temporal server, books, sandbox partners, front and workers, as child processes."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from pydantic import HttpUrl, SecretStr
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.database.engines import open_database, upgrade
from models.contract import TASK_QUEUE
from models.converter import data_converter
from models.environment import DEFAULT_ADDRESS
from models.failures import BackhaulError, InvalidInput, PartnerUnavailable, Problem
from models.settings import Settings, home
from starter.ops.dev_server import DevServerConfig, ServerPorts, start_server
from starter.ops.folder import only_one_in, require_folder
from starter.ops.local_connections import add_first_connections, sandbox_connections, sandbox_key
from starter.ops.ports import PortUse, require_free
from starter.ops.processes import Child

log: structlog.stdlib.BoundLogger = structlog.get_logger("stack")

LOCAL: Final = "127.0.0.1"
_ALL_AT_ONCE: Final = "or all ports with --port-offset"
_PORTS: Final = ("sandbox_port", "mail_port", "front_port", "codec_port")
_READY_SECONDS: Final = 60.0
_LOOK_AGAIN_SECONDS: Final = 0.1
_STOP_SECONDS: Final = 15.0
_RESTARTS: Final = 3
_RESTARTS_WITHIN_SECONDS: Final = 60.0


@dataclass(frozen=True)
class StackPlan:
    """What is started, and where it listens. Ports of the server are in its own configuration."""

    server: DevServerConfig
    settings: Settings
    workers: int = 1
    sandbox_port: int = 8250
    mail_port: int = 8251
    front_port: int = 8252
    codec_port: int = 8253
    folder: Path = field(default=Path(".backhaul"))
    """Where all is kept: logs, the sandbox's state, the server's database, and the books, unless their place was
    said."""
    books: Path | None = None
    """The file of the books; none: `DATABASE_URL` was said."""

    @property
    def sandbox_url(self) -> str:
        return f"http://{LOCAL}:{self.sandbox_port}"

    @property
    def front_url(self) -> str:
        return f"http://{LOCAL}:{self.front_port}"

    @property
    def codec_url(self) -> str | None:
        """Where the codec server stands; none when nothing is encrypted."""
        return f"http://{LOCAL}:{self.codec_port}" if self.settings.payload_keys is not None else None

    @property
    def served(self) -> DevServerConfig:
        """The server as it is started: its database lies in the stack's folder, and its UI asks this stack's codec
        server, unless it has one of its own."""
        database = self.server.database
        if database.file is not None:
            database = database.model_copy(update={"file": self.folder / database.file})
        endpoint = self.server.ui_codec_endpoint
        if endpoint is None and self.codec_url is not None:
            endpoint = HttpUrl(self.codec_url)
        return self.server.model_copy(update={"database": database, "ui_codec_endpoint": endpoint})

    @property
    def ui_list(self) -> str:
        """The list of cases in Temporal's web UI; with `/<workflow id>`, the page of one."""
        return f"{self.server.ui_url}/namespaces/{self.server.namespace}/workflows"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def port_uses(self) -> list[PortUse]:
        """What the stack listens on beside the Temporal server, and which option changes it."""
        uses = [
            PortUse(self.sandbox_port, "the sandbox partners", f"it with --sandbox-port, {_ALL_AT_ONCE}"),
            PortUse(self.mail_port, "the sandbox's mail server", f"it with --mail-port, {_ALL_AT_ONCE}"),
            PortUse(self.front_port, "the page of the suppliers' links", f"it with --front-port, {_ALL_AT_ONCE}"),
        ]
        if self.codec_url is not None:
            uses.append(PortUse(self.codec_port, "the codec server", f"it with --codec-port, {_ALL_AT_ONCE}"))
        return uses

    def with_its_books(self) -> "StackPlan":
        """The same stack, whose books lie in its folder, unless somebody said where they are."""
        if "database_url" in self.settings.model_fields_set:
            return self
        books = self.folder.absolute() / "books.db"
        url = SecretStr(f"sqlite:///{books}")
        return replace(self, settings=self.settings.model_copy(update={"database_url": url}), books=books)

    def moved(self, offset: int) -> "StackPlan":
        """The same stack, with each of its ports moved. Raises InvalidInput when one is no port any more."""
        own = {name: getattr(self, name) + offset for name in _PORTS}
        served = {name: port + offset for name, port in self.server.ports.model_dump().items()}
        if not all(1 <= port <= 65535 for port in (*own.values(), *served.values())):
            problem = Problem("--port-offset", "moves a port out of 1 to 65535; give a smaller number")
            raise InvalidInput("the local stack", [problem])
        return replace(self, server=self.server.model_copy(update={"ports": ServerPorts(**served)}), **own)

    def exports(self) -> dict[str, str]:
        """What a command in another terminal must be told to find this stack: all that is not where it looks."""
        here = {**self._partners(), "TEMPORAL_ADDRESS": self.server.address}
        here["TEMPORAL_NAMESPACE"] = self.server.namespace
        usual = {f"BACKHAUL_{name.upper()}": str(field.default) for name, field in Settings.model_fields.items()}
        usual |= {"TEMPORAL_ADDRESS": DEFAULT_ADDRESS, "TEMPORAL_NAMESPACE": "default"}
        unusual = {name: value for name, value in here.items() if value != usual[name].rstrip("/")}
        if self.books is not None and (unusual or self.books != home() / "books.db"):
            unusual["DATABASE_URL"] = f"sqlite:///{self.books}"
        return unusual

    def _partners(self) -> dict[str, str]:
        """This stack's, but those that were set by hand."""
        local = {
            "smtp_host": LOCAL,
            "smtp_port": str(self.mail_port),
            "front_url": self.front_url,
            "temporal_ui_url": self.server.ui_url,
        }
        by_hand = self.settings.model_fields_set
        return {f"BACKHAUL_{name.upper()}": value for name, value in local.items() if name not in by_hand}

    def environment(self) -> dict[str, str]:
        """The children's environment: this stack's server and partners, unless a partner was set by hand."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
        return {
            **inherited,
            **self._partners(),
            "DATABASE_URL": self.settings.database_url.get_secret_value(),
            # Never the server of somebody's profile: this stack's own.
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "TEMPORAL_ADDRESS": self.server.address,
            "TEMPORAL_NAMESPACE": self.server.namespace,
        }


class StackFailed(BackhaulError):
    """A part of the stack ends again and again."""


class Stack:
    """A running stack."""

    def __init__(self, plan: StackPlan) -> None:
        self.plan = plan
        self._children: dict[str, Child] = {}
        self._restarted: dict[str, list[float]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._lock: TextIO | None = None

    async def connect(self) -> Client:
        """A client of the stack's Temporal server."""
        server = self.plan.server
        return await Client.connect(
            server.address, namespace=server.namespace, data_converter=data_converter(self.plan.settings)
        )

    def processes(self) -> dict[str, int]:
        """The process id of every child, by name."""
        return {name: child.pid for name, child in self._children.items()}

    async def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises InvalidInput when the folder can't be used, Conflict when a port is in use, PartnerUnavailable when
        a part does not get ready.
        """
        plan = self.plan
        require_folder(plan.folder)
        self._lock = only_one_in(plan.folder)
        require_free(plan.server.ip, [*plan.server.port_uses(), *plan.port_uses()])
        await _together(
            self._start_sandbox(),
            self._start_server_and_front(),
            self._start_books_and_workers(),
            self._start_codec(),
        )
        client = await self.connect()
        await self._ready("worker 1", lambda: _polled(client))
        self._watch = asyncio.create_task(self._restart_what_ends())

    async def wait(self) -> None:
        """Wait for ever. Raises StackFailed when a part ends more than three times within a minute."""
        if self._watch is not None:
            await self._watch

    async def _restart_what_ends(self) -> None:
        while True:
            names = {asyncio.create_task(child.wait()): name for name, child in self._children.items()}
            try:
                done, _ = await asyncio.wait(names, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in names:
                    task.cancel()
            for task in done:
                await self._again(names[task])

    async def stop(self) -> None:
        """End everything: workers drain first, the server goes last."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        server = self._children.pop("temporal", None)
        await asyncio.gather(*(child.stop(_STOP_SECONDS) for child in self._children.values()))
        self._children.clear()
        if server is not None:
            await server.stop(_STOP_SECONDS)
        if self._lock is not None:
            self._lock.close()

    async def _again(self, name: str) -> None:
        child = self._children[name]
        now = asyncio.get_running_loop().time()
        recent = [at for at in self._restarted.get(name, []) if now - at < _RESTARTS_WITHIN_SECONDS]
        said = child.last_words() or "it said nothing"
        if len(recent) >= _RESTARTS:
            raise StackFailed(
                f"the {name} ended {len(recent) + 1} times within a minute (exit code {child.exit_code}): "
                f"{said}; see {child.log}"
            )
        self._restarted[name] = [*recent, now]
        log.warning("a part ended and is started again", part=name, exit_code=child.exit_code, last_line=said)
        if name == "temporal":
            self._children[name] = await start_server(self.plan.served, child.log)
        else:
            await self._start_child(name, _COMMANDS[name.split()[0]](self.plan))

    async def _start_server_and_front(self) -> None:
        self._children["temporal"] = await start_server(self.plan.served, self.plan.logs / "temporal.log")
        await self._start_child("front", _COMMANDS["front"](self.plan))
        await self._ready("front", lambda: _listens(self.plan.front_port))

    async def _start_codec(self) -> None:
        if self.plan.codec_url is not None:
            await self._start_child("codec", _COMMANDS["codec"](self.plan))
            await self._ready("codec", lambda: _listens(self.plan.codec_port))

    async def _start_books_and_workers(self) -> None:
        await asyncio.to_thread(self._prepare_books)
        # They take a while to load, and try again while the server is not there yet.
        for number in range(1, self.plan.workers + 1):
            await self._start_child(f"worker {number}", _COMMANDS["worker"](self.plan))

    def _prepare_books(self) -> None:
        """Its tables, and the sandbox as its first partners."""
        plan = self.plan
        upgrade(plan.settings.database_url.get_secret_value())
        books = open_database(plan.settings)
        try:
            add_first_connections(books, sandbox_connections(plan.sandbox_url, sandbox_key(plan.folder)))
        finally:
            books.dispose()

    async def _start_sandbox(self) -> None:
        await self._start_child("sandbox", _COMMANDS["sandbox"](self.plan))
        await self._ready("sandbox", lambda: _listens(self.plan.sandbox_port))
        await self._ready("sandbox", lambda: _listens(self.plan.mail_port))

    async def _start_child(self, name: str, arguments: list[str]) -> None:
        self._children[name] = await Child.start(
            name,
            [sys.executable, "-m", "starter.cli", *arguments],
            self.plan.environment(),
            self.plan.logs / f"{name.replace(' ', '-')}.log",
        )

    async def _ready(self, name: str, is_ready: Callable[[], Awaitable[bool]]) -> None:
        """Look until it is ready, its process ends, or the time is over."""
        child = self._children[name]
        ended = asyncio.create_task(child.wait())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not await is_ready():
                    await asyncio.wait({ended}, timeout=_LOOK_AGAIN_SECONDS)
                    if ended.done():
                        raise PartnerUnavailable(
                            f"the {name} ended at once (exit code {child.exit_code}): "
                            f"{child.last_words() or 'it said nothing'}; see {child.log}"
                        )
        except TimeoutError:
            raise PartnerUnavailable(
                f"the {name} was not ready within {_READY_SECONDS:.0f} seconds; see {child.log}"
            ) from None
        finally:
            ended.cancel()


_COMMANDS: Final[Mapping[str, Callable[[StackPlan], list[str]]]] = {
    "sandbox": lambda plan: [
        "sandbox",
        "--port",
        str(plan.sandbox_port),
        "--mail-port",
        str(plan.mail_port),
        "--database",
        str(plan.folder / "sandbox.db"),
    ],
    "front": lambda plan: ["front", "--port", str(plan.front_port)],
    "worker": lambda _: ["worker"],
    "codec": lambda plan: [
        "codec",
        "serve",
        "--port",
        str(plan.codec_port),
        *(
            part
            for host in (LOCAL, "localhost")
            for part in ("--ui-origin", f"http://{host}:{plan.server.ports.ui}")
        ),
    ],
}


@asynccontextmanager
async def running_stack(plan: StackPlan) -> AsyncIterator[Stack]:
    """The stack for as long as the block lasts. A part that ends meanwhile is started again.

    Raises what `Stack.start` raises. `Stack.wait` raises StackFailed when a part keeps ending.
    """
    stack = Stack(plan)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """All at once; when one fails the others are ended before its failure is raised. Of several failures one that
    we have words for is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as group:
        foreseen = group.subgroup(BackhaulError)
        raise _first(group if foreseen is None else foreseen) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    failure = group.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOCAL, port)
    except OSError:
        return False
    writer.close()
    return True


async def _polled(client: Client) -> bool:
    """Whether a worker asks this task queue for work."""
    try:
        answer = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=TASK_QUEUE),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
            )
        )
    except RPCError:
        return False
    return len(answer.pollers) > 0
