"""Crashes at a chosen moment of a chosen activity, many cases at a time.

Nothing in the product helps: partners are told to dawdle, the books are locked, the server is frozen, and so
the activities are under way, or done and not yet told, when the processes are killed.
"""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from enum import StrEnum
from typing import Final

from temporalio.api.enums.v1 import PendingActivityState, PendingWorkflowTaskState

from models import calls
from models.failures import BackhaulError
from starter.sandbox.facts import FaultKind, RequestRecord
from tests.chaos.rig import Rig, eventually
from tests.chaos.scenes import SCENES, AtPartner, AtServer, InBooks, Scene, Spot
from tests.chaos.stories import Story, patiently
from tests.world import World

BOOKS: Final = frozenset(
    call.name
    for call in (
        calls.OPEN_ORDER,
        calls.SAVE_ORDER,
        calls.OPEN_RETURN,
        calls.SAVE_RETURN,
        calls.BOOK_CREDIT_MEMO,
        calls.RESERVE_REFUND,
        calls.SETTLE_REFUND,
        calls.SAVE_CASE,
    )
)
FIRST_SECONDS: Final = 7.0
SECONDS_PER_STEP: Final = 1.0
ATTEMPTS: Final = 5
SLOW_MOTION_SECONDS: Final = 20.0

_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED


class Moment(StrEnum):
    """When the processes are killed, seen from the activity's effect."""

    BEFORE = "before"
    """Asked, not done: the effect never comes of this attempt."""
    DURING = "during"
    """Asked, and done when nobody waits for the answer any more."""
    AFTER = "after"
    """Done and answered; the worker could not tell the server."""


class Play:
    """A scene under way."""

    def __init__(self, scene: Scene, moment: Moment, world: World, chance: random.Random) -> None:
        self.call = SCENES[scene]
        self.moment = moment
        self.story = Story(world, chance)
        self.spot: Spot
        self._scene: AsyncIterator[Spot] = scene(self.story)
        self._trigger: asyncio.Task[Spot] | None = None

    def __str__(self) -> str:
        return f"{self.call.name}, {self.moment.value}"

    async def prepare(self) -> None:
        """Up to right before the activity."""
        try:
            self.spot = await anext(self._scene)
        except Exception as error:
            raise RuntimeError(f"{self}: not prepared: {error}") from error

    @property
    def trigger(self) -> "asyncio.Future[Spot]":
        """What sets the activity off, under way."""
        assert self._trigger is not None, "it was set off"
        return self._trigger

    def set_off(self) -> None:
        self._trigger = asyncio.ensure_future(anext(self._scene))

    async def end(self) -> None:
        """The rest of the story, when everything runs again."""
        try:
            await self.trigger
            async for _ in self._scene:
                raise AssertionError("a scene has two yields")
        except Exception as error:
            raise RuntimeError(f"{self}: did not go on: {type(error).__name__}: {error}") from error


def plays_at(
    names: Iterable[str], moments: Sequence[Moment], world: World, chance: random.Random, *, all_moments: bool
) -> list[Play]:
    """A play for each scene of these activities at each moment, or at one of them in turn."""
    wanted = set(names)
    scenes = [scene for scene, call in SCENES.items() if call.name in wanted]
    turn = chance.randrange(len(moments))
    if all_moments:
        return [Play(scene, moment, world, chance) for moment in moments for scene in scenes]
    return [
        Play(scene, moments[(turn + number) % len(moments)], world, chance) for number, scene in enumerate(scenes)
    ]


async def prepare(plays: Iterable[Play]) -> None:
    """Bring all of them to where they can be caught."""
    await asyncio.gather(*(play.prepare() for play in plays))


async def end(plays: Iterable[Play]) -> dict[str, str]:
    """Let all of them go on to their end; gives which outcome each case must have."""
    plays = list(plays)
    await asyncio.gather(*(play.end() for play in plays))
    return {case: outcome for play in plays for case, outcome in play.story.expected.items()}


# ---- partners ----


async def crash_at_partners(rig: Rig, plays: Sequence[Play]) -> None:
    """Worker, partners and server are killed while every one of these plays waits for a partner.

    All partners dawdle. Then the server is frozen, so that the worker can't tell what is AFTER; the worker is
    killed; then what is DURING is done; then the partners are killed, and what is BEFORE never comes.
    """
    clock = asyncio.get_running_loop().time
    unnamed = [play for play in plays if not _at_partner(play).named]
    named = [play for play in plays if _at_partner(play).named]
    answers_at = clock() + FIRST_SECONDS + SECONDS_PER_STEP * len(unnamed)
    late = {Moment.AFTER: 0.0, Moment.DURING: 2.5, Moment.BEFORE: 40.0}

    async def catch(play: Play) -> None:
        spot = _at_partner(play)
        seconds = answers_at + late[play.moment] - clock()
        fault = await rig.sandbox.add_fault(spot.partner, FaultKind.DELAY, spot.match, seconds=seconds)
        play.set_off()

        async def is_in() -> bool:
            return fault.id not in await rig.sandbox.faults()

        await eventually(is_in, f"{play} asks its partner")

    await asyncio.gather(*(catch(play) for play in named))
    for play in unnamed:  # one after the other: their requests look alike
        await catch(play)
    assert clock() < answers_at, "this machine is too slow to catch so many at once"
    rig.freeze("server")
    at_once = [play for play in plays if play.moment is Moment.AFTER]
    await eventually(lambda: _served(rig, at_once), "what is to be done before the crash is done")
    await asyncio.sleep(0.3)  # the answers reach the worker; nothing that we can see tells when
    await rig.kill("worker")
    await eventually(lambda: _served(rig, plays), "what is not to be lost is done", 10)
    await rig.kill("sandbox")
    await rig.kill("server")
    await asyncio.gather(rig.start_server(), rig.start_sandbox())
    await patiently(rig.hurry)
    await rig.start_worker()


async def _served(rig: Rig, plays: Sequence[Play]) -> bool:
    """Whether the partners have done what these plays asked late; a mail server drops it with the connection."""
    late = [record for record in await rig.sandbox.requests() if record.fault is FaultKind.DELAY]
    heard = {play for play in plays if play.moment is not Moment.BEFORE}
    heard -= {play for play in heard if play.call is calls.SEND_MAIL and play.moment is Moment.DURING}
    return all(any(_asked(play, record) for record in late) for play in heard) and len(late) >= len(heard)


def _asked(play: Play, record: RequestRecord) -> bool:
    spot = _at_partner(play)
    return record.partner is spot.partner and bool(re.search(spot.match, f"{record.method} {record.path}"))


def _at_partner(play: Play) -> AtPartner:
    assert isinstance(play.spot, AtPartner), f"{play} is at a partner"
    return play.spot


# ---- books ----


async def crash_at_books(rig: Rig, plays: Sequence[Play], *, after: bool) -> None:
    """The worker is killed while the books are locked and every play waits for its write; or, with `after`,
    with the server when all is written and the server, frozen, does not know it."""
    spots = [play.spot for play in plays if isinstance(play.spot, InBooks)]
    assert len(spots) == len(plays), "all of them write the books"
    async with rig.locked_books() as unlock:
        for play in plays:
            play.set_off()
        await eventually(lambda: _all_busy(rig, spots), "every case waits for the books")
        if not after:
            await rig.kill("worker")
            unlock()
            assert not any(_done(spot.is_done) for spot in spots), "nothing was written"
        else:
            rig.freeze("server")
            unlock()
            for play, spot in zip(plays, spots, strict=True):
                await eventually(lambda spot=spot: _is_done(spot), f"{play} is written")  # type: ignore[misc]
            await rig.kill("worker")
            await rig.kill("server")
            await rig.start_server()
    await patiently(rig.hurry)
    await rig.start_worker()


async def _all_busy(rig: Rig, spots: Sequence[InBooks]) -> bool:
    """Whether each case's workflow task was with the worker for a whole second."""
    for look in range(3):
        if look:
            await asyncio.sleep(0.5)
        for spot in spots:
            try:
                described = await spot.case.handle.describe()
            except Exception:  # it is only just being started
                return False
            task = described.raw_description.pending_workflow_task
            if task.state != PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED:
                return False
    return True


async def _is_done(spot: InBooks) -> bool:
    return await asyncio.to_thread(_done, spot.is_done)


def _done(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except BackhaulError:  # not in the books
        return False


# ---- what reads the Temporal server ----


async def crash_at_server(rig: Rig, world: World, chance: random.Random) -> list[Play]:
    """The worker is killed while it reads a case's history. Gives the plays that it took to catch it there."""
    scenes = [scene for scene, call in SCENES.items() if call is calls.EVENT_ARRIVAL]
    plays: list[Play] = []
    for _ in range(ATTEMPTS):
        for scene in scenes:
            play = Play(scene, Moment.DURING, world, chance)
            plays.append(play)
            await play.prepare()
            if await _caught_reading(rig, play):
                await rig.kill("worker")
                await patiently(rig.hurry)
                await rig.start_worker()
                return plays
            rig.thaw("worker")
    raise AssertionError(f"not caught in {ATTEMPTS} attempts: {plays[0]}")


async def _caught_reading(rig: Rig, play: Play) -> bool:
    """Let the worker run in slow motion, and look after each step whether it is at the activity.

    True: it is, and the worker is frozen there. False: it went by.
    """
    assert isinstance(play.spot, AtServer), f"{play} reads the server"
    handle = play.spot.case.handle
    rig.freeze("worker")
    play.set_off()
    clock = asyncio.get_running_loop().time
    await asyncio.wait_for(asyncio.shield(play.trigger), SLOW_MOTION_SECONDS)
    deadline = clock() + SLOW_MOTION_SECONDS
    while clock() < deadline:
        rig.thaw("worker")
        await asyncio.sleep(0.001)
        rig.freeze("worker")
        pending = (await handle.describe()).raw_description.pending_activities
        if any(one.activity_type.name == play.call.name and one.state == _STARTED for one in pending):
            return True
    return False
