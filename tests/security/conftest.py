"""Cases whose payloads are encrypted, on the stack of all tests."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment

from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.security.at_rest import SealedWorld


@pytest.fixture
async def sealed(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
) -> AsyncIterator[SealedWorld]:
    """A world whose payloads are encrypted; no worker runs yet."""
    yield SealedWorld(env, stack_sandbox, stack_client, stack_books, stack_settings)
    await stack_client.clear_faults()
