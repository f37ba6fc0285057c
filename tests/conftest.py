"""One running stack for all tests: a real Temporal server with time skipping, sandbox, books, a worker.

BACKHAUL_TEST_CACHED_CASES=0: no worker keeps a case, so each of its tasks replays it from the start.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.database import open_database, upgrade
from models.contract import SEARCH_ATTRIBUTES
from models.converter import DATA_CONVERTER
from models.logs import configure_logs
from models.settings import Settings
from starter.ops.dev_server import dynamic_config_options, read_config
from starter.ops.ports import free_port
from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox
from tests.chaos.postgres import Postgres, is_installed
from tests.connections import connect_broker
from tests.postgres import POSTGRES_URL, EmptyPostgres
from tests.world import World
from worker import GC_THRESHOLDS, build_worker

ROOT = Path(__file__).parent.parent
CACHED_CASES = os.environ.get("BACKHAUL_TEST_CACHED_CASES")
if CACHED_CASES is not None:
    os.environ["BACKHAUL_MAX_CACHED_WORKFLOWS"] = CACHED_CASES

gc.disable()  # until the tests run: to read them makes no garbage, and looking for it takes an eighth of the time

configure_logs("console", "WARNING")  # else they stand amid what a command under test prints

hypothesis.settings.register_profile("no-times", deadline=None)  # no test compares a time
hypothesis.settings.load_profile("no-times")

PROOFS = ("bench", "chaos", "demo", "model", "outages", "races", "replay", "security")
"""Folders whose tests prove the whole under pressure, for minutes: `make prove` runs them, not `make test`."""
NOTHING_BUT_PROOFS = ("demo", "outages", "security")
LONGEST_FIRST = (
    "demo/test_running_demo.py",
    "races/test_frozen_worker.py",
    "chaos/test_sabotage.py",
    "outages/test_code_that_fails.py",
    "outages/test_silence.py",
    "model/test_model_on_server.py",
    "races/test_every_event_in_every_stage.py",
    "bench/test_bench_smoke.py",
    "rules/test_refund_taken_back.py",
    "races/test_every_event_while_partners_are_asked.py",
    "rules/test_terminated.py",
    "security/test_demo_keeps_secrets.py",
    "replay/test_replay.py",
    "outages/test_connection_lost.py",
)
"""Files that take minutes: a process that was handed one of them at the end would work on alone."""


def pytest_configure(config: pytest.Config) -> None:
    """Of several processes that read all tests each begins with another room. What one has read, pytest keeps with
    its assertions in words for the others; on a clean clone that is most of the work."""
    process: dict[str, Any] | None = getattr(config, "workerinput", None)
    if process is None or config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    rooms = sorted(str(room) for room in (ROOT / "tests").iterdir() if any(room.glob("**/test_*.py")))
    first = len(rooms) * int(process["workerid"].removeprefix("gw")) // process["workercount"]
    config.args = [*rooms[first:], *rooms[:first], *(str(file) for file in (ROOT / "tests").glob("test_*.py"))]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    try:
        return (yield)
    finally:
        gc.freeze()  # what was read stays: it need not be looked through again and again
        gc.set_threshold(*GC_THRESHOLDS)
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What holds proofs alone is not even read where none is run: each process would spend seconds on that."""
    if config.option.markexpr != "not proof":
        return None
    if collection_path.is_dir():
        is_room = collection_path.parent == Path(__file__).parent
        return True if is_room and collection_path.name in NOTHING_BUT_PROOFS else None
    if collection_path.suffix == ".py" and "\npytestmark = pytest.mark.proof\n" in collection_path.read_text():
        return True
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of those folders that need the running stack; those that take longest come first."""
    here = Path(__file__).parent
    items.sort(key=lambda item: (item.path.relative_to(here).as_posix() not in LONGEST_FIRST, item.path))
    for item in items:
        room = item.path.relative_to(here).parts[0]
        runs_stack = "world" in getattr(item, "fixturenames", ()) or room in NOTHING_BUT_PROOFS
        if room in PROOFS and runs_stack:
            item.add_marker(pytest.mark.proof)


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """The dev server, with the clock of each case in the test's hands."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        data_converter=DATA_CONVERTER,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=shutil.which("temporal", path=str(Path(sys.executable).parent)),
        dev_server_log_level="error",
        dev_server_extra_args=[
            *dynamic_config_options(read_config(ROOT / "temporal-dev.yaml")),
            # So soon a case that a test deletes is gone; else it takes more than half a minute.
            "--dynamic-config-value",
            'history.transferProcessorUpdateAckInterval="200ms"',
            "--dynamic-config-value",
            'history.visibilityProcessorUpdateAckInterval="200ms"',
        ],
    ) as env:
        yield env


@pytest.fixture(scope="session")
async def stack_sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSandbox]:
    async with running_sandbox(database=tmp_path_factory.mktemp("stack") / "sandbox.db") as running:
        yield running


@pytest.fixture(scope="session")
def stack_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SQLite file; with BACKHAUL_TEST_POSTGRES_URL a database on that server, for the whole suite."""
    if POSTGRES_URL is None:
        yield f"sqlite:///{tmp_path_factory.mktemp('stack') / 'books.db'}"
        return
    with EmptyPostgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this process's own, which a test may stop and start; its tables are up to date.

    Skips where PostgreSQL is not installed.
    """
    if not is_installed():
        pytest.skip("needs PostgreSQL on this machine: install Debian's package postgresql")
    with tempfile.TemporaryDirectory(prefix="books-") as folder:  # not pytest's, which is closed to other users
        server = Postgres(Path(folder) / "postgresql", free_port())
        try:
            server.create()
            upgrade(server.url)
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def stack_settings(stack_sandbox: RunningSandbox, stack_database: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": SecretStr(stack_database),
            "smtp_port": stack_sandbox.smtp_port,
            "partner_timeout_seconds": 5,
            # All tests share one worker: one that makes a partner fail must not keep the next ones waiting.
            "partner_longest_pause_seconds": 0.5,
            # All tests share one database: an alert of one must not be the reason that the next one gets none.
            "alert_seconds": 1,
        }
    )


@pytest.fixture(scope="session")
def stack_books(stack_settings: Settings, stack_sandbox: RunningSandbox) -> Iterator[Engine]:
    upgrade(stack_settings.database_url.get_secret_value())
    engine = open_database(stack_settings)
    connect_broker(engine, stack_sandbox.http_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
async def stack_worker(
    env: WorkflowEnvironment, stack_settings: Settings, stack_books: Engine
) -> AsyncIterator[str]:
    """The task queue of a worker that runs for all tests."""
    task_queue = f"backhaul-{uuid4().hex[:8]}"
    async with build_worker(env.client, stack_settings, stack_books, task_queue=task_queue):
        yield task_queue


@pytest.fixture(scope="session")
async def stack_client(stack_sandbox: RunningSandbox) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(stack_sandbox.http_url) as client:
        yield client


@pytest.fixture
async def world(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
    stack_worker: str,
) -> AsyncIterator[World]:
    """The running stack, seen by one test."""
    yield World(env, stack_sandbox, stack_client, stack_books, stack_settings, stack_worker)
    await stack_client.clear_faults()
