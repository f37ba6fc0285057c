"""One sandbox for all these tests, over real HTTP and SMTP; each test starts on an empty one."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningSandbox]:
    database: Path = tmp_path_factory.mktemp("sandbox") / "sandbox.db"
    async with running_sandbox(database=database) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
async def told(running: RunningSandbox) -> AsyncIterator[SandboxClient]:
    async with SandboxClient(running.http_url) as client:
        yield client


@pytest.fixture
async def sandbox(told: SandboxClient) -> SandboxClient:
    """Empty."""
    await told.reset()
    return told


@pytest.fixture(scope="session")
async def gateway(running: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client that speaks Stripe."""
    async with httpx.AsyncClient(base_url=running.gateway_url, auth=("sk_test_sandbox", "")) as client:
        yield client


@pytest.fixture(scope="session")
async def supplier(running: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer sandbox"}
    async with httpx.AsyncClient(base_url=running.supplier_url, headers=headers) as client:
        yield client


@pytest.fixture(scope="session")
async def shop(running: RunningSandbox) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer sandbox"}
    async with httpx.AsyncClient(base_url=running.shop_url, headers=headers) as client:
        yield client
