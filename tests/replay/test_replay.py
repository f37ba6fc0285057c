"""Code that decides otherwise than recorded is seen. That the recordings replay: `test_recordings.py`.

`make histories` records the paths that have no recording, whose recording does not replay, or that decide
otherwise.
"""

import os

import pytest

from tests.replay.paths import PATHS
from tests.replay.recording import (
    assert_decides_as_recorded,
    decides_as_recorded,
    history_of,
    newest,
    write,
)
from tests.replay.replaying import replays
from tests.world import World

RECORD = os.environ.get("BACKHAUL_RECORD_HISTORIES") == "1"


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
