"""Committed histories of every path replay on the code at hand; code that decides otherwise is seen.

`make histories` records the paths that have no recording, whose recording does not replay, or that decide
otherwise.
"""

import os
from pathlib import Path

import pytest
from temporalio.worker import Replayer

from tests.replay.paths import PATHS
from tests.replay.recording import (
    all_recordings,
    assert_decides_as_recorded,
    decides_as_recorded,
    history_in,
    history_of,
    newest,
    write,
)
from tests.replay.replaying import replayer, replays
from tests.world import World

RECORD = os.environ.get("BACKHAUL_RECORD_HISTORIES") == "1"


@pytest.fixture(scope="module")
def this_code() -> Replayer:
    return replayer()


@pytest.mark.parametrize("file", all_recordings(), ids=lambda file: f"{file.parent.name}-{file.stem}")
async def test_a_recorded_case_replays_on_this_code(this_code: Replayer, file: Path) -> None:
    """Each run of these tests hashes texts otherwise than the one that recorded: no set's order may decide."""
    await this_code.replay_workflow(history_in(file))


@pytest.mark.parametrize("path", PATHS)
async def test_a_path_decides_as_recorded(world: World, path: str) -> None:
    """Fails when the code decides otherwise than recorded; then `make histories` records it anew."""
    live = [await history_of(case) for case in await PATHS[path](world)]
    if RECORD:
        old = newest(path)
        if not (old and decides_as_recorded(path, live) and all([await replays(file) for file in old])):
            write(path, live)
        return
    assert_decides_as_recorded(path, live)
