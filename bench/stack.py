"""The stack that is measured: Temporal server, sandbox and workers, each a process of its own, in one folder."""

import asyncio
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.client import Client

from activities.database import open_database, upgrade
from bench.activity_feed import ActivityFeed
from bench.bench_worker import READY
from models.converter import DATA_CONVERTER
from models.failures import PartnerUnavailable
from models.settings import Settings
from starter.ops.dev_server import ServerDatabase, ServerPorts, read_config, start_server
from starter.ops.ports import free_port
from starter.ops.processes import Child
from starter.ops.stack import LOCAL, StackPlan
from starter.sandbox import SandboxClient

Kind = Literal["backhaul", "bare"]
KINDS: Final[tuple[Kind, Kind]] = ("backhaul", "bare")
_READY_SECONDS: Final = 120.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_ROOT: Final = Path(__file__).resolve().parents[1]


def cpu_ms(pid: int) -> float:
    """What this process has used so far, all its threads, user and system, in milliseconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS * 1000


def memory_kb(pid: int) -> float:
    """What this process has in memory, in kB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1000


def database_kb(path: Path) -> float:
    """How much a SQLite database has in use, in kB: its pages without the free ones, wherever they are."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        used, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    finally:
        connection.close()
    return float((used - free) * size / 1000)


@dataclass(frozen=True)
class Cpu:
    """CPU that server and both workers have used, in milliseconds."""

    server: float
    backhaul: float
    bare: float

    def worker(self, kind: Kind) -> float:
        return self.backhaul if kind == "backhaul" else self.bare

    def __sub__(self, before: "Cpu") -> "Cpu":
        return Cpu(self.server - before.server, self.backhaul - before.backhaul, self.bare - before.bare)

    def __mul__(self, times: float) -> "Cpu":
        return Cpu(self.server * times, self.backhaul * times, self.bare * times)


class BenchStack:
    """A running stack; use `running`. Workers are started apart from it."""

    def __init__(self, folder: Path) -> None:
        self.plan = _plan(folder)
        self.feed = ActivityFeed(folder / "feed")
        self.sandbox = SandboxClient(self.plan.sandbox_url)
        self.client: Client
        """Speaks as Backhaul does."""
        self.plain_client: Client
        """Speaks as the bare workflows do: with Temporal's own converter."""
        self.books: Engine
        self._children: dict[str, Child] = {}

    async def start(self) -> None:
        plan = self.plan
        self.feed.listen()
        self._children["server"] = await start_server(plan.server, plan.logs / "temporal.log")
        ports = ["--port", str(plan.sandbox_port), "--mail-port", str(plan.mail_port)]
        await self._start(
            "sandbox", ["starter.cli", "sandbox", *ports, "--database", str(plan.folder / "sandbox.db")]
        )
        url = plan.settings.database_url.get_secret_value()
        await asyncio.to_thread(upgrade, url)
        self.books = open_database(plan.settings)
        address, namespace = plan.server.address, plan.server.namespace
        self.client = await Client.connect(address, namespace=namespace, data_converter=DATA_CONVERTER)
        self.plain_client = await Client.connect(address, namespace=namespace)
        for port in (plan.sandbox_port, plan.mail_port):
            await self._until_listening("sandbox", port)

    async def stop(self) -> None:
        """End every process by its own id, the server last."""
        await self.sandbox.__aexit__(None, None, None)
        for name in ("backhaul", "bare", "other", "sandbox", "server"):
            await self.stop_one(name)
        if hasattr(self, "books"):
            self.books.dispose()
        self.feed.close()

    async def stop_one(self, name: str) -> None:
        if (child := self._children.pop(name, None)) is not None:
            await child.stop(20)

    # ---- workers ----

    async def start_worker(self, kind: Kind, *, count_sql: bool = False, **settings: object) -> None:
        """Start one, in the place of the one that ran. `settings`: of `worker.WorkerSettings` and `Settings`."""
        await self.stop_one(kind)
        measuring = {
            "BENCH_FEED": str(self.feed.path),
            "BENCH_BARE_DATABASE": f"sqlite:///{self.plan.folder / 'bare.db'}",
            **({"BENCH_COUNT_SQL": "1"} if count_sql else {}),
            **{f"BACKHAUL_{name.upper()}": str(value) for name, value in settings.items()},
        }
        child = await self._start(kind, ["bench.bench_worker", kind], measuring)
        await _until_ready(child)

    async def start_product_worker(self) -> int:
        """Start the product's own `backhaul worker`, wait until it asks for work; gives its process id."""
        child = await self._start("other", ["starter.cli", "worker"])
        await _until_ready(child)
        return child.pid

    async def stop_product_worker(self) -> None:
        await self.stop_one("other")

    def pid(self, name: str) -> int:
        return self._children[name].pid

    def cpu(self) -> Cpu:
        used = {name: cpu_ms(child.pid) for name, child in self._children.items()}
        return Cpu(used["server"], used.get("backhaul", 0.0), used.get("bare", 0.0))

    # ---- processes ----

    async def _start(self, name: str, program: list[str], more: dict[str, str] | None = None) -> Child:
        inherited = {n: v for n, v in self.plan.environment().items() if n != "PYTHONDONTWRITEBYTECODE"}
        environment = (
            inherited
            | {"PYTHONPATH": str(_ROOT), "NO_COLOR": "1", "BACKHAUL_BENCH_SANDBOX": self.plan.sandbox_url}
            | (more or {})
        )
        log = self.plan.logs / f"{name}-{len(list(self.plan.logs.glob('*.log')))}.log"
        child = await Child.start(name, [sys.executable, "-m", *program], environment, log)
        self._children[name] = child
        return child

    async def _until_listening(self, name: str, port: int) -> None:
        child = self._children[name]
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection(LOCAL, port)
                except OSError:
                    _require_alive(child)
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return


async def _until_ready(child: Child) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        while not re.search(READY, child.log.read_text(errors="replace")):
            _require_alive(child)
            await asyncio.sleep(0.005)


def _require_alive(child: Child) -> None:
    if child.exit_code is not None:
        text = child.log.read_text(errors="replace")[-2000:]
        raise PartnerUnavailable(f"the {child.name} ended at once (exit code {child.exit_code}): {text}")


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[BenchStack]:
    """A stack on free ports, with all its state in `folder`."""
    stack = BenchStack(folder)
    try:
        await stack.start()
        yield stack
    finally:
        await stack.stop()


def _plan(folder: Path) -> StackPlan:
    config = read_config(_ROOT / "temporal-dev.yaml")
    server = config.model_copy(
        update={
            "ports": ServerPorts(frontend=free_port(), ui=free_port(), http=free_port()),
            "database": ServerDatabase(file=folder / "temporal.db", pragmas=config.database.pragmas),
        }
    )
    settings = Settings.model_validate({"database_url": SecretStr(f"sqlite:///{folder / 'books.db'}")})
    plan = StackPlan(server=server, settings=settings, folder=folder)
    return replace(plan, sandbox_port=free_port(), mail_port=free_port(), front_port=free_port())
