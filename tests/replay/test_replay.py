"""Committed histories of every path replay on the code at hand; code that decides anew is seen.

`make histories` records the paths that have no recording, or whose decisions changed behind a patch.
"""

import os
from pathlib import Path

import pytest
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from models.converter import DATA_CONVERTER
from tests.replay.paths import PATHS
from tests.replay.recording import (
    HISTORIES,
    assert_decides_as_recorded,
    decided,
    decisions,
    history_in,
    newest,
    record,
    recorded,
)
from tests.world import World
from worker import PASSED_THROUGH
from workflows.registry import WORKFLOWS

RECORD = os.environ.get("BACKHAUL_RECORD_HISTORIES") == "1"
FILES = sorted(HISTORIES.glob("*.json"))


def replayer() -> Replayer:
    return Replayer(
        workflows=WORKFLOWS,
        data_converter=DATA_CONVERTER,
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
        ),
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_recorded_case_replays_on_this_code(file: Path) -> None:
    await replayer().replay_workflow(history_in(file))


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_decides_as_recorded(world: World, path: str) -> None:
    """Fails when the code decides otherwise than in the newest recording: patch it, and record it anew."""
    cases = await PATHS[path](world)
    live = await decided(cases)
    if RECORD and live != [decisions(history_in(file).events) for file in newest(path)]:
        await record(path, cases)
        return
    assert_decides_as_recorded(path, live)


async def test_a_changed_workflow_does_not_replay() -> None:
    """The replay is not blind: a history of another order of steps is refused."""
    history = history_in(recorded("order_shipped")[0])
    scheduled = [e for e in history.events if e.HasField("activity_task_scheduled_event_attributes")]
    scheduled[0].activity_task_scheduled_event_attributes.activity_type.name = "charge_twice"

    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replayer().replay_workflow(history)
