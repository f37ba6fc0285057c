"""The engine alone, on the real server: Cancel is a fact, one timer, one save, floods, restarts (RET-16)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from models.case import CaseStatus, Ended
from tests.engine.parcel_kind import Parcel, ParcelRequest, Scales
from tests.eventually import eventually
from workflows.engine import run
from workflows.runner import OneRequestRunner, give_tasks_time

RUNNER = OneRequestRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("models", "workflows", "tests", "iso4217")
)


class Yard:
    """A queue, its activities, and parcels on it."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.env = env
        self.client = env.client
        self.queue = f"parcels-{uuid4().hex[:8]}"
        self.scales = Scales()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        worker = Worker(
            self.client,
            task_queue=self.queue,
            workflows=[Parcel],
            activities=[self.scales.weigh, self.scales.look, self.scales.save],
            workflow_runner=RUNNER,
            graceful_shutdown_timeout=timedelta(seconds=1),
        )
        give_tasks_time(worker)
        async with worker:
            yield

    async def parcel(self, *, workflow_id: str | None = None, **more: object) -> WorkflowHandle[object, Ended]:
        ident = uuid4().hex[:8]
        request = ParcelRequest.model_validate({"parcel_id": ident, **more})
        return await self.client.start_workflow(
            "Parcel", request, id=workflow_id or f"parcel-{ident}", task_queue=self.queue, result_type=Ended
        )


@pytest.fixture
def yard(env: WorkflowEnvironment) -> Yard:
    return Yard(env)


async def status(handle: WorkflowHandle[object, Ended]) -> CaseStatus:
    found: CaseStatus = await handle.query("status", result_type=CaseStatus, rpc_timeout=timedelta(seconds=20))
    return found


async def reaches(handle: WorkflowHandle[object, Ended], stage: str) -> CaseStatus:
    found: CaseStatus = await eventually(lambda: status(handle), lambda seen: seen.stage == stage, stage)
    return found


def scan(number: int, place: str = "Reno") -> dict[str, str]:
    return {"event_id": f"e{number}", "actor": "carrier:ups", "place": place}


async def kinds(handle: WorkflowHandle[object, Ended]) -> list[int]:
    return [event.event_type async for event in handle.fetch_history_events()]


async def test_from_its_facts_to_its_end(yard: Yard) -> None:
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
        await handle.signal("scanned", scan(1))
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        assert (await handle.result()).message == "delivered after 1 scans"
    stages = [record.stage for record in yard.scales.saved]
    assert stages == ["on_its_way", "delivered"], "one save at each rest, none between"
    steps = [step.what for record in yard.scales.saved for step in record.steps]
    assert steps == ["500 grams", "scanned at Reno", "delivered", "delivered after 1 scans"], "each step once"
    seen = await kinds(handle)
    assert seen.count(EventType.EVENT_TYPE_TIMER_STARTED) == 1
    assert seen.count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) == 2


async def test_what_is_not_wanted_any_more_is_given_up(yard: Yard) -> None:
    """The look that nobody answers holds up nothing: the plan no longer names it once it is delivered."""
    async with yard.worker():
        handle = await yard.parcel(look=True)
        await reaches(handle, "on_its_way")
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        await handle.result()
    assert EventType.EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED in await kinds(handle)


async def test_the_timer_changes_the_plan(yard: Yard) -> None:
    async with yard.worker():
        handle = await yard.parcel(days=3)
        await reaches(handle, "on_its_way")
        await yard.env.fast_forward(handle, timedelta(days=4))
        await reaches(handle, "late")


@pytest.mark.parametrize("moment", ["weighing", "on_its_way", "twice"])
async def test_cancel_is_a_fact(yard: Yard, moment: str) -> None:
    if moment == "weighing":
        yard.scales.fail_with = ApplicationError("later", type="PartnerUnavailable")
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "weighing" if moment == "weighing" else "on_its_way")
        await handle.cancel()
        if moment == "twice":
            await handle.cancel()
        if moment == "weighing":  # what is under way comes to its end first: nothing is cut off
            await eventually(lambda: status(handle), lambda seen: len(seen.timeline) > 0, "the stop")
            yard.scales.fail_with = None
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, CancelledError)
    last = yard.scales.saved[-1]
    assert (last.stage, last.ended) == ("stopped", True)


async def test_a_worker_that_puts_the_case_out_of_its_memory_stops_nothing(yard: Yard) -> None:
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
    async with yard.worker():
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        await handle.result()


async def test_under_another_id_it_does_nothing(yard: Yard) -> None:
    async with yard.worker():
        handle = await yard.parcel(workflow_id=f"other-{uuid4().hex[:8]}")
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "InvalidInput"
    assert "start it as parcel-" in str(failed.value.cause)
    assert yard.scales.weighed == 0
    assert yard.scales.saved == []


async def test_nobody_else_says_what_a_case_knows(yard: Yard) -> None:
    async with yard.worker():
        handle = await yard.parcel(continued={"weight": "1"})
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "InvalidInput"
    assert yard.scales.weighed == 0


async def test_a_fault_of_ours_is_seen_at_once_and_goes_on_when_it_is_mended(yard: Yard) -> None:
    yard.scales.fail_with = ValueError("a fault of ours")
    async with yard.worker():
        handle = await yard.parcel()
        seen = await reaches(handle, "weighing")
        await eventually(lambda: _records(yard), bool, "it is in no list")
        assert yard.scales.saved[-1].stage == "weighing"
        assert seen.waiting_for is not None
        yard.scales.fail_with = None
        await yard.env.fast_forward(handle, timedelta(minutes=20))
        await reaches(handle, "on_its_way")


async def _records(yard: Yard) -> int:
    return len(yard.scales.saved)


@pytest.mark.parametrize("many", [1200])
async def test_a_flood_of_wrong_events_costs_one_look(yard: Yard, many: int) -> None:
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
    await asyncio.gather(*(handle.signal("scanned", {"event_id": f"w{i}"}) for i in range(many)))
    async with yard.worker():
        seen = await eventually(lambda: status(handle), lambda seen: seen.rejected_count == many, "the flood", 60)
        assert len(seen.rejected_events) == 50
        await handle.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        await handle.result()
    failed = [
        event.workflow_task_failed_event_attributes.cause
        async for event in handle.fetch_history_events()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
    ]
    # The server itself ends a task whose buffer of signals is full.
    assert set(failed) <= {WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND}
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT not in await kinds(handle)


async def test_a_long_history_continues_as_new(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its facts: what was counted is counted, what was done is not done again."""
    monkeypatch.setattr(run, "LONGEST_HISTORY", 60)
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
        first = (await handle.describe()).run_id
        for number in range(40):
            await handle.signal("scanned", scan(number // 2))
        latest = yard.client.get_workflow_handle(handle.id, result_type=Ended)
        await eventually(latest.describe, lambda told: told.run_id != first, "it goes on in the same run")
        await eventually(lambda: status(latest), lambda seen: seen.facts["scans"] == 20, "each scan once")
        await latest.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        ended = await latest.result()
    assert ended.message == "delivered after 20 scans"
    assert yard.scales.weighed == 1
    steps = [step.what for record in yard.scales.saved for step in record.steps]
    assert len(steps) == 23, "no step is saved twice, none is lost"


@pytest.mark.proof
async def test_as_many_signals_as_the_server_takes(yard: Yard) -> None:
    """10,000 of one run: the next one is refused only until a worker has looked."""
    async with yard.worker():
        handle = await yard.parcel()
        await reaches(handle, "on_its_way")
    sent = 0
    while sent < 10_000:
        told = await asyncio.gather(
            *(handle.signal("scanned", scan(1)) for _ in range(200)), return_exceptions=True
        )
        sent += 200
        if any(isinstance(one, RPCError) for one in told):
            break
    latest = yard.client.get_workflow_handle(handle.id, result_type=Ended)
    async with yard.worker():
        seen = await eventually(lambda: status(latest), lambda seen: seen.facts["scans"] == 1, "the scan", 120)
        assert seen.rejected_count == 0
        await latest.signal("delivered", {"event_id": "d", "actor": "carrier:ups"})
        assert (await latest.result()).message == "delivered after 1 scans"
