"""What is played anew decides as its recording. That each recording replays: `test_recordings.py`, which sees code
that decides otherwise; here a path is seen that leads elsewhere by now, and a third of them is enough a day.

`make histories` plays all, and records those that have no recording, whose recording does not replay, or that
decide otherwise.
"""

import os
from datetime import UTC, datetime

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
SHARE = 3
"""Of so many paths one is played a day; of as many days each."""

ALL = list(PATHS)
TODAY = ALL if RECORD else ALL[datetime.now(UTC).toordinal() % SHARE :: SHARE]


@pytest.mark.parametrize("path", TODAY)
async def test_a_path_decides_as_recorded(world: World, path: str) -> None:
    """Fails when the code decides otherwise than recorded; then `make histories` records it anew."""
    live = [await history_of(case) for case in await PATHS[path](world)]
    if RECORD:
        old = newest(path)
        if not (old and decides_as_recorded(path, live) and all([await replays(file) for file in old])):
            write(path, live)
        return
    assert_decides_as_recorded(path, live)
