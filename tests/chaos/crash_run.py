"""A scene under way: brought to right before its activity, set off, crashed, and told to its end."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from enum import StrEnum

from tests.chaos.crash_coverage import Scene, Spot
from tests.chaos.crash_points import SCENES
from tests.chaos.stories import Story
from tests.world import World


class Moment(StrEnum):
    """When the processes are killed, seen from the activity's effect."""

    BEFORE = "before"
    """Asked, not done: the effect never comes of this attempt."""
    DURING = "during"
    """At a partner: done when nobody waits for the answer any more. In the books: written, not committed."""
    AFTER = "after"
    """Done and answered; the worker could not tell the server."""


class Play:
    """A scene under way."""

    def __init__(self, scene: Scene, moment: Moment, world: World, chance: random.Random) -> None:
        self.call = SCENES[scene]
        self.moment = moment
        self.story = Story(world, chance)
        self.spot: Spot
        self._name = scene.__name__
        self._scene: AsyncIterator[Spot] = scene(self.story)
        self._trigger: asyncio.Task[Spot] | None = None

    def __str__(self) -> str:
        return f"{self.call.name}, {self.moment.value} ({self._name})"

    async def prepare(self) -> None:
        """Up to right before the activity."""
        try:
            self.spot = await anext(self._scene)
        except Exception as error:
            raise RuntimeError(f"{self}: not prepared: {type(error).__name__}: {error}") from error

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


def at(moment: Moment, plays: Sequence[Play]) -> list[Play]:
    """Those of the plays that crash at this moment."""
    return [play for play in plays if play.moment is moment]


async def prepare(plays: Iterable[Play]) -> None:
    """Bring all of them to where they can be caught."""
    await asyncio.gather(*(play.prepare() for play in plays))


async def end(plays: Iterable[Play]) -> dict[str, str]:
    """Let all of them go on to their end; gives which outcome each case must have."""
    plays = list(plays)
    await asyncio.gather(*(play.end() for play in plays))
    return {case: outcome for play in plays for case, outcome in play.story.expected.items()}
