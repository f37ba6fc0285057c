"""A case decides the same however its tasks are packed: each recording replays with its empty ones joined."""

from pathlib import Path

import pytest

from tests.replay.joined_tasks import joined
from tests.replay.recording import all_recordings, history_in
from tests.replay.replaying import replayer

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
async def failures() -> dict[Path, str]:
    """Of the recordings that do not replay so. Most have some empty tasks."""
    found: dict[Path, str] = {}
    count = 0
    for file in all_recordings():
        history, empty_tasks = joined(history_in(file))
        count += empty_tasks
        result = await replayer().replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            found[file] = str(result.replay_failure)
    assert count > len(all_recordings()), "there is something to join"
    return found


@pytest.mark.parametrize("file", all_recordings(), ids=lambda file: file.name)
async def test_a_recording_replays_with_its_empty_tasks_joined(failures: dict[Path, str], file: Path) -> None:
    assert file not in failures, failures.get(file)
