"""Workflows run the same in every sandbox, and no code of theirs does what a replay could not repeat."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker

from models import contract
from tests.connectors.probe_workflows import HELD_UP, IsHeldUp, ReadsTheClock
from tests.eventually import eventually
from tests.world import World
from worker import WorkerSettings, build_worker
from workflows.runner import give_tasks_time, workflow_runner

ROOT = Path(__file__).parent.parent.parent
Sandbox = Literal["strict", "on", "off"]

OUTSIDE = frozenset(
    {"time", "random", "secrets", "uuid", "os", "io", "pathlib", "socket", "threading", "subprocess", "sqlite3"}
    | {"httpx", "requests", "sqlalchemy", "sqlmodel", "activities", "starter"}
)
"""Modules that no workflow may import: clock, chance, files, network, database."""
CLOCKS = frozenset({"now", "utcnow", "today"})


@pytest.mark.parametrize("sandbox", ["strict", "on", "off"])
async def test_RET_16_a_case_runs_and_a_start_without_a_request_fails_in_every_sandbox(
    world: World, sandbox: Sandbox
) -> None:
    queue = f"backhaul-{uuid4().hex[:8]}"
    there = World(world.env, world.running, world.sandbox, world.engine, world.settings, queue)
    limits = WorkerSettings(drain_seconds=0.1, workflow_sandbox=sandbox)
    async with build_worker(world.client, world.settings, world.engine, task_queue=queue, limits=limits):
        order = await there.simple_order()
        await order.reaches("cancel_window")
        wrong = await world.client.start_workflow(contract.ORDER, id=f"order-{queue}", task_queue=queue)
        with pytest.raises(WorkflowFailureError) as raised:
            await wrong.result()
    assert isinstance(raised.value.cause, ApplicationError)
    assert raised.value.cause.type == "InvalidInput"


@pytest.mark.parametrize("sandbox", ["strict", "on"])
async def test_a_workflow_that_reads_the_clock_is_stopped_by_the_sandbox(world: World, sandbox: Sandbox) -> None:
    queue = f"clock-{uuid4().hex[:8]}"
    async with Worker(
        world.client, task_queue=queue, workflows=[ReadsTheClock], workflow_runner=workflow_runner(sandbox)
    ):
        case = await world.client.start_workflow(
            ReadsTheClock.run, {}, id=queue, task_queue=queue, run_timeout=timedelta(seconds=30)
        )

        async def refusals() -> list[str]:
            history = (await case.fetch_history()).events
            return [
                event.workflow_task_failed_event_attributes.failure.message
                for event in history
                if event.HasField("workflow_task_failed_event_attributes")
            ]

        (refusal, *_) = await eventually(refusals, bool, "the task fails")
        await case.terminate()
    assert "Cannot access datetime.datetime.now.__call__ from inside a workflow" in refusal


# ---- modules that are imported once for all cases are not watched: their text is ----


def sources() -> Iterator[Path]:
    yield from sorted((ROOT / "workflows").rglob("*.py"))


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sources()])
def test_no_workflow_uses_clock_chance_files_or_network(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert list(forbidden(tree)) == []


def forbidden(tree: ast.AST) -> Iterator[str]:
    """Each use of what a replay could not repeat, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            names = []
            called = node.func
            if isinstance(called, ast.Name) and called.id in ("open", "input", "print", "hash", "id"):
                yield f"line {node.lineno}: {called.id}()"
            if isinstance(called, ast.Attribute) and called.attr in CLOCKS and not _is_workflow(called.value):
                yield f"line {node.lineno}: {ast.unparse(called)}()"
        else:
            continue
        yield from (f"line {node.lineno}: import {name}" for name in names if name.split(".")[0] in OUTSIDE)


def _is_workflow(of: ast.expr) -> bool:
    return isinstance(of, ast.Name) and of.id == "workflow"


@pytest.mark.parametrize(
    "code", ["import time", "from uuid import uuid4", "datetime.now(UTC)", "date.today()", "open('x')"]
)
def test_the_check_of_workflow_code_sees_what_is_forbidden(code: str) -> None:
    assert list(forbidden(ast.parse(code)))


async def test_a_task_that_a_busy_machine_holds_up_is_not_ended_as_a_deadlock(world: World) -> None:
    """The SDK ends one after two seconds of the clock, and the next try would have still more to do."""
    queue = f"backhaul-{uuid4().hex[:8]}"
    worker = Worker(world.client, task_queue=queue, workflows=[IsHeldUp], workflow_runner=workflow_runner("on"))
    give_tasks_time(worker)
    async with worker:
        handle = await world.client.start_workflow(IsHeldUp.run, id=queue, task_queue=queue)
        assert await handle.result() >= HELD_UP
    assert [
        one
        async for one in handle.fetch_history_events()
        if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ] == []
