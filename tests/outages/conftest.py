"""Books on a PostgreSQL server that these tests may stop, behind a door where they may cut it off."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from temporalio.testing import WorkflowEnvironment

from activities.database.engines import make_engine
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.chaos.postgres import Postgres
from tests.outages.tcp_proxy import Door
from tests.world import World
from worker import WorkerSettings, build_worker

WORKER = "worker under test"
"""What the worker's connections call themselves."""


@pytest.fixture
async def door(postgres: Postgres) -> AsyncIterator[Door]:
    async with Door(make_url(postgres.url)).standing() as door:
        yield door


@pytest.fixture
def books(postgres: Postgres) -> Iterator[Engine]:
    """The books, for the test itself: past the door."""
    engine = make_engine(postgres.url)
    yield engine
    engine.dispose()


@pytest.fixture
def session_options() -> str:
    """The worker's connections wait no longer, so that the tests need not either; a test may say otherwise."""
    return "-c lock_timeout=400ms -c statement_timeout=2s -c idle_in_transaction_session_timeout=2s"


@pytest.fixture
def worker_url(door: Door, session_options: str) -> str:
    """Where the worker finds the books."""
    url = make_url(door.url).update_query_dict(
        {"options": session_options, "application_name": WORKER, "connect_timeout": "3"}
    )
    return url.render_as_string(hide_password=False)


@pytest.fixture
def troubles() -> Iterator[Counter[str]]:
    """How often which SQLSTATE came back; none for a connection that broke."""
    seen: Counter[str] = Counter()

    def note(context: ExceptionContext) -> None:
        seen[getattr(context.original_exception, "sqlstate", None) or "none"] += 1

    event.listen(Engine, "handle_error", note)
    yield seen
    event.remove(Engine, "handle_error", note)


@pytest.fixture
async def world(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_settings: Settings,
    books: Engine,
    worker_url: str,
    request: pytest.FixtureRequest,
) -> AsyncIterator[World]:
    """The running stack, with a worker of this test alone; its books lie behind the door."""
    settings = stack_settings.model_copy(update={"database_url": SecretStr(worker_url)})
    task_queue = f"outage-{request.node.name}"
    engine = make_engine(worker_url)
    limits = WorkerSettings(drain_seconds=0.1)
    async with build_worker(env.client, settings, engine, task_queue=task_queue, limits=limits):
        yield World(env, stack_sandbox, stack_client, books, settings, task_queue)
    engine.dispose()
    await stack_client.clear_faults()
