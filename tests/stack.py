"""The running stack as one test sees it, with a tag of its own for what it makes there."""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import Reading
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import Effects
from worker import WorkerSettings, build_worker


class Stack:
    """Temporal, the sandbox's partners and the database, and a worker on a task queue."""

    def __init__(
        self,
        env: WorkflowEnvironment,
        running: RunningSandbox,
        sandbox: SandboxClient,
        engine: Engine,
        settings: Settings,
        task_queue: str,
    ) -> None:
        self.env = env
        self.client: Client = env.client
        self.running = running
        self.sandbox = sandbox
        self.engine = engine
        self.settings = settings
        self.task_queue = task_queue
        self.tag = secrets.token_hex(4)
        self.numbers = itertools.count(1)
        self.reading = Reading(engine)

    async def effects(self) -> Effects:
        return await self.sandbox.effects()

    @asynccontextmanager
    async def worker(self, task_queue: str) -> AsyncIterator[None]:
        """A worker on a task queue of this test, so that it can be away while things happen."""
        limits = WorkerSettings(drain_seconds=0.1)
        async with build_worker(self.client, self.settings, self.engine, task_queue=task_queue, limits=limits):
            yield
