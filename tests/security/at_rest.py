"""Worlds whose payloads are encrypted, and what Temporal keeps of their cases."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.testing import WorkflowEnvironment

from models.converter import data_converter
from models.encryption import new_key
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from tests.world import World
from worker import WorkerSettings, build_worker

KEY_1 = new_key("k1")
KEY_2 = new_key("k2")


def with_keys(settings: Settings, *keys: str) -> Settings:
    """The same settings with these keys, as they are read from the environment."""
    return Settings.model_validate(
        settings.model_dump(exclude={"payload_keys"}) | {"payload_keys": SecretStr(",".join(keys))}
    )


class SealedWorld(World):
    """A world whose client has the first key, and whose workers have the keys that a test gives them."""

    def __init__(
        self,
        env: WorkflowEnvironment,
        running: RunningSandbox,
        sandbox: SandboxClient,
        engine: Engine,
        settings: Settings,
    ) -> None:
        super().__init__(env, running, sandbox, engine, settings, f"sealed-{uuid4().hex[:8]}")
        self.client = self.client_with(KEY_1)

    def client_with(self, *keys: str) -> Client:
        """A client that reads and writes with these keys."""
        config = self.env.client.config()
        config["data_converter"] = data_converter(with_keys(self.settings, *keys))
        return Client(**config)

    @asynccontextmanager
    async def worker_with(self, *keys: str) -> AsyncIterator[None]:
        """A worker that has these keys, for as long as the block lasts. It keeps nothing in memory."""
        limits = WorkerSettings(drain_seconds=0.1, max_cached_workflows=0)
        settings = with_keys(self.settings, *keys)
        client = self.client_with(*keys)
        async with build_worker(client, settings, self.engine, task_queue=self.task_queue, limits=limits):
            yield

    async def history(self, workflow_id: str) -> WorkflowHistory:
        """As the server keeps it."""
        return await self.env.client.get_workflow_handle(workflow_id).fetch_history()

    async def at_rest(self, workflow_id: str) -> bytes:
        """Every byte that the server keeps of a case: its history, and what it shows in lists."""
        history = await self.history(workflow_id)
        described = await self.env.client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=self.env.client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
            )
        )
        events = b"".join(event.SerializeToString() for event in history.events)
        return events + described.SerializeToString()

    async def read_with(self, workflow_id: str, *keys: str) -> str:
        """The inputs of a case's events, read with these keys."""
        converter = self.client_with(*keys).data_converter
        read = []
        for event in (await self.history(workflow_id)).events:
            if event.HasField("workflow_execution_started_event_attributes"):
                read += await converter.decode(event.workflow_execution_started_event_attributes.input.payloads)
            if event.HasField("workflow_execution_signaled_event_attributes"):
                read += await converter.decode(event.workflow_execution_signaled_event_attributes.input.payloads)
        return str(read)
