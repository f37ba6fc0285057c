"""Replay recorded histories on the code at hand, as a worker runs it."""

from pathlib import Path

from temporalio.worker import Replayer

from models.converter import DATA_CONVERTER
from tests.replay.recording import history_in
from workflows.registry import WORKFLOWS
from workflows.runner import workflow_runner


def replayer() -> Replayer:
    return Replayer(workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner("on"))


async def replays(file: Path) -> bool:
    """Whether this code goes on with the recorded case."""
    result = await replayer().replay_workflow(history_in(file), raise_on_replay_failure=False)
    return result.replay_failure is None
