"""A release that changes a procedure: cases go on as they began, new ones follow the new plan, all are readable.

No release was made yet, so the first tests make one up, for the parcels of `tests.engine.parcel_kind`.
"""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHandle, WorkflowHistory
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from models.case import CaseStatus, Ended
from models.converter import DATA_CONVERTER
from tests.engine.parcel_kind import (
    PARCEL,
    PROCEDURE,
    Parcel,
    ParcelFacts,
    ParcelRequest,
    Scales,
    Weigh,
    plan,
)
from tests.eventually import eventually
from tests.replay.releases import MODELS, facts_at_the_end, kept_facts, read_facts, write_facts
from workflows.engine import releases
from workflows.engine.inbox import receives
from workflows.engine.pieces import just
from workflows.engine.plan import Plan
from workflows.engine.run import Engine, fresh_or_continued

MADE_UP = "9.9-weigh-twice"
RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("models", "workflows", "tests", "iso4217")
)


class ParcelFactsOfNextRelease(ParcelFacts):
    """The next release keeps one thing more; facts that were kept before have none."""

    insured_for: str | None = None


def plan_of_next_release(facts: ParcelFacts, now: datetime) -> Plan:
    """The next release weighs a second time; cases that began before it don't."""
    again = just(Weigh(key="weigh:again")) if facts.procedure >= 1 and facts.weight is not None else Plan()
    return again + plan(facts, now)


def plan_that_forgets_the_past(facts: ParcelFacts, now: datetime) -> Plan:
    again = just(Weigh(key="weigh:again")) if facts.weight is not None else Plan()
    return again + plan(facts, now)


@workflow.defn(name=PARCEL.name)
@receives(PARCEL)
class ParcelOfNextRelease:
    @workflow.init
    def __init__(self, request: ParcelRequest) -> None:
        procedure = dataclasses.replace(PROCEDURE, plan=plan_of_next_release)
        self.engine = Engine(procedure, request, fresh_or_continued(ParcelFactsOfNextRelease, request))

    @workflow.run
    async def run(self, request: ParcelRequest) -> Ended:
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended


@workflow.defn(name=PARCEL.name)
@receives(PARCEL)
class ParcelThatForgetsThePast:
    @workflow.init
    def __init__(self, request: ParcelRequest) -> None:
        procedure = dataclasses.replace(PROCEDURE, plan=plan_that_forgets_the_past)
        self.engine = Engine(procedure, request, fresh_or_continued(ParcelFactsOfNextRelease, request))

    @workflow.run
    async def run(self, request: ParcelRequest) -> Ended:
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended


class Deployment:
    """A queue of parcels whose workers are replaced."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self.client = env.client
        self.queue = f"parcels-{uuid4().hex[:8]}"
        self.scales = Scales()

    @asynccontextmanager
    async def worker(self, code: type) -> AsyncIterator[None]:
        async with Worker(
            self.client,
            task_queue=self.queue,
            workflows=[code],
            activities=[self.scales.weigh, self.scales.look, self.scales.save],
            workflow_runner=RUNNER,
            graceful_shutdown_timeout=timedelta(seconds=1),
        ):
            yield

    async def begin(self) -> WorkflowHandle[object, Ended]:
        """A parcel that is on its way."""
        ident = uuid4().hex[:8]
        handle = await self.client.start_workflow(
            PARCEL.name,
            ParcelRequest(parcel_id=ident),
            id=PARCEL.workflow_id(ident),
            task_queue=self.queue,
            result_type=Ended,
        )
        await eventually(lambda: status(handle), lambda seen: seen.stage == "on_its_way", "it is not on its way")
        return handle


async def status(handle: WorkflowHandle[object, Ended]) -> CaseStatus:
    found: CaseStatus = await handle.query("status", result_type=CaseStatus, rpc_timeout=timedelta(seconds=20))
    return found


async def deliver(handle: WorkflowHandle[object, Ended]) -> WorkflowHistory:
    """Bring it to its end; gives its history."""
    await handle.signal("delivered", {"event_id": "d1", "actor": "carrier:ups"})
    assert (await handle.result()).outcome == "delivered"
    return await handle.fetch_history()


def weighings(history: WorkflowHistory) -> int:
    return sum(
        event.activity_task_scheduled_event_attributes.activity_type.name == "weigh_parcel"
        for event in history.events
    )


async def replay(history: WorkflowHistory, code: type) -> None:
    await Replayer(workflows=[code], data_converter=DATA_CONVERTER, workflow_runner=RUNNER).replay_workflow(
        history
    )


@pytest.fixture
async def deployed(env: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch) -> list[WorkflowHistory]:
    """The history of a parcel that began before the made-up release and ended after it, and of one begun after."""
    yard = Deployment(env)
    async with yard.worker(Parcel):
        before = await yard.begin()
    monkeypatch.setattr(releases, "RELEASES", (MADE_UP,))
    async with yard.worker(ParcelOfNextRelease):
        after = await yard.begin()
        return [await deliver(before), await deliver(after)]


async def test_a_case_goes_on_by_the_procedure_with_which_it_began(deployed: list[WorkflowHistory]) -> None:
    before, after = deployed
    assert weighings(before) == 1
    assert weighings(after) == 2


async def test_cases_of_both_procedures_replay_on_the_new_code(deployed: list[WorkflowHistory]) -> None:
    for history in deployed:
        await replay(history, ParcelOfNextRelease)


async def test_a_plan_that_does_not_ask_for_the_procedure_is_found_out(deployed: list[WorkflowHistory]) -> None:
    before, _ = deployed
    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replay(before, ParcelThatForgetsThePast)


async def test_facts_of_one_release_are_read_by_the_next_one(env: WorkflowEnvironment, tmp_path: Path) -> None:
    yard = Deployment(env)
    async with yard.worker(Parcel):
        history = await deliver(await yard.begin())
    [facts] = (await facts_at_the_end([history], [Parcel]))["parcel"]
    file = write_facts("9.8", "parcel", [facts], tmp_path)

    [read] = read_facts(file, ParcelFactsOfNextRelease)
    assert isinstance(read, ParcelFactsOfNextRelease)
    assert (read.outcome, read.insured_for) == ("delivered", None)
    assert read.model_dump(exclude={"insured_for"}) == facts.model_dump()


def test_a_releases_id_is_kept_for_ever_and_used_once() -> None:
    assert len(set(releases.RELEASES)) == len(releases.RELEASES)


@pytest.mark.parametrize("file", kept_facts(), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_facts_of_each_release_are_read_by_this_code(file: Path) -> None:
    assert read_facts(file, MODELS[file.stem])
