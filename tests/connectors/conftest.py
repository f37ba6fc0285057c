"""The connectors against the sandbox, over real HTTP and SMTP; each test starts on an empty one."""

import dataclasses
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.connectors.connections import Connections
from activities.connectors.payments import Payments
from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox
from tests.connections import connections


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSandbox]:
    database: Path = tmp_path_factory.mktemp("sandbox") / "sandbox.db"
    async with running_sandbox(database=database) as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(running: RunningSandbox) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(running.http_url) as client:
        await client.reset()
        yield client


@pytest.fixture
def settings(running: RunningSandbox) -> Settings:
    return Settings(
        smtp_host=running.smtp_host,
        smtp_port=running.smtp_port,
        partner_timeout_seconds=5,
    )


@pytest.fixture
async def partners(running: RunningSandbox, settings: Settings) -> AsyncIterator[Connections]:
    """The connections to the sandbox."""
    found = connections(settings=settings, sandbox_url=running.http_url)
    yield found
    await found.aclose()


@pytest.fixture
def payments(partners: Connections, sandbox: SandboxClient) -> Payments:
    return Payments(partners)


@pytest.fixture
def activities() -> ActivityEnvironment:
    """Runs an activity as a worker would: `await activities.run(payments.send_refund, ask)`."""
    return ActivityEnvironment()


@pytest.fixture
def retries() -> ActivityEnvironment:
    """Runs an activity for the second time, as Temporal does after a failure."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(environment.info, attempt=2)
    return environment


@pytest.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server of these tests' own."""
    server = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    async with await WorkflowEnvironment.start_local(
        data_converter=DATA_CONVERTER, dev_server_existing_path=server, dev_server_log_level="error"
    ) as environment:
        yield environment
