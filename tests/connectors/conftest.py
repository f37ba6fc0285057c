"""The connectors against the sandbox, over real HTTP and SMTP; each test starts on an empty one."""

import dataclasses
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import HttpUrl
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox


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
        gateway_url=HttpUrl(running.gateway_url),
        supplier_url=HttpUrl(running.supplier_url),
        shop_url=HttpUrl(running.shop_url),
        smtp_host=running.smtp_host,
        smtp_port=running.smtp_port,
        partner_timeout_seconds=5,
    )


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
