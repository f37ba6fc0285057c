"""Crashes while the books are written."""

import asyncio
from collections.abc import Sequence

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.service import RPCError

from models.failures import BackhaulError
from tests.chaos.crash_coverage import InBooks
from tests.chaos.crash_in_worker import crash_at_dawdlers, has_dawdler
from tests.chaos.crash_run import Moment, Play, at, end
from tests.chaos.rig import Rig, eventually
from tests.chaos.slow_database import dawdling, locked
from tests.chaos.stories import patiently

_ASKED = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


async def crash_before_writes(rig: Rig, plays: Sequence[Play]) -> None:
    """The worker is killed while every play waits to write the books, which are locked."""
    assert all(play.moment is Moment.BEFORE for play in plays), "they crash before the write"
    with locked(rig.engine) as unlock:
        await _all_set_off(plays)
        await rig.kill("worker")
        unlock()
    assert not any([await _is_written(play) for play in plays]), "nothing is written"
    await _go_on(rig)


async def crash_during_write(rig: Rig, play: Play) -> None:
    """The worker is killed when it has written, and has not committed."""
    assert play.moment is Moment.DURING, "it crashes in the midst of its write"
    with dawdling(rig.engine, _in_books(play).row) as is_under_way:
        play.set_off()
        await eventually(lambda: asyncio.to_thread(is_under_way), f"{play} is under way")
        await rig.kill("worker")
    assert not await _is_written(play), "what was not committed is not there"
    await _go_on(rig)


async def crash_after_writes(rig: Rig, plays: Sequence[Play]) -> None:
    """Worker, server and PostgreSQL are killed when all is written and the server, frozen, does not know it."""
    assert all(play.moment is Moment.AFTER for play in plays), "they crash after the write"
    with locked(rig.engine) as unlock:
        await _all_set_off(plays)
        rig.freeze("server")
        unlock()
    for play in plays:
        await eventually(lambda play=play: _is_written(play), f"{play} is written")  # type: ignore[misc]
    await rig.kill("worker")
    await rig.kill("server")
    if rig.postgres is not None:
        await rig.kill_database()
        await asyncio.to_thread(rig.postgres.start)
    await rig.start_server()
    await _go_on(rig)


async def crash_in_books(rig: Rig, plays: Sequence[Play]) -> dict[str, str]:
    """Each play at its moment, and on to its end; gives which outcome each case must have.

    Those of one moment end before the next come: what goes on writes the books too, and would be counted.
    """
    held = [play for play in plays if not has_dawdler(play)]
    before, during, after = (at(moment, held) for moment in (Moment.BEFORE, Moment.DURING, Moment.AFTER))
    expected: dict[str, str] = {}
    if after:
        await crash_after_writes(rig, after)
        expected |= await end(after)
    if before:
        await crash_before_writes(rig, before)
    for play in during:
        await crash_during_write(rig, play)
    await crash_at_dawdlers(rig, [play for play in plays if has_dawdler(play)])
    return expected | await end([play for play in plays if play not in after])


async def _go_on(rig: Rig) -> None:
    await patiently(rig.hurry)
    await rig.start_worker()


async def _all_set_off(plays: Sequence[Play]) -> None:
    for play in plays:
        play.set_off()
    await eventually(lambda: _all_write(plays), "every case waits for the books")


async def _all_write(plays: Sequence[Play]) -> bool:
    """Whether each play's activity is with the worker."""
    for play in plays:
        try:
            described = (await _in_books(play).case.handle.describe()).raw_description
        except RPCError:  # it is only just being started
            return False
        at_work = [one.activity_type.name for one in described.pending_activities if one.state == _ASKED]
        if play.call.name not in at_work:
            return False
    return True


async def _is_written(play: Play) -> bool:
    try:
        return await asyncio.to_thread(_in_books(play).is_done)
    except BackhaulError:  # not in the books
        return False


def _in_books(play: Play) -> InBooks:
    assert isinstance(play.spot, InBooks), f"{play} is in the books"
    return play.spot
