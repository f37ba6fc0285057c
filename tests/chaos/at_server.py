"""Crashes while the worker asks the Temporal server itself: a read, so there is only before it and after it."""

import asyncio
from collections.abc import Sequence
from typing import Final

from tests.chaos.patched_worker import DAWDLES, DawdlesAfterReading, DawdlesBeforeReading
from tests.chaos.plays import Moment, Play
from tests.chaos.rig import Rig, eventually
from tests.chaos.stories import PATIENCE_SECONDS, patiently

_PATCHES: Final = {Moment.BEFORE: DawdlesBeforeReading, Moment.AFTER: DawdlesAfterReading}


async def crash_at_server(rig: Rig, plays: Sequence[Play]) -> None:
    """The worker is killed right before, or right after, it has read a case's history.

    The server can't dawdle for one question alone, so the worker is one that dawdles there itself.
    """
    for play in plays:
        await rig.stop_worker()
        play.set_off()
        await asyncio.wait_for(asyncio.shield(play.trigger), PATIENCE_SECONDS)
        await rig.start_worker(_PATCHES[play.moment].__name__)

        async def dawdles() -> bool:
            return DAWDLES in rig.worker_log()

        await eventually(dawdles, f"{play} is at the server")
        await rig.kill("worker")
        await patiently(rig.hurry)
        await rig.start_worker()
