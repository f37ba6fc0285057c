"""Kills at random, by a seed, while many cases live their lives."""

import asyncio
import contextlib
import itertools
import random
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.rare_stories import PLOTS
from tests.chaos.rig import Rig
from tests.chaos.stories import Story, patiently
from tests.world import World

AT_ONCE: Final = 8
"""How many cases live at a time."""
MORE_CASES: Final = 100
"""At most, while somebody was not killed yet."""
WEIGHTS: Final = {"worker": 6, "partner": 2, "server": 2, "database": 4}


@dataclass(frozen=True)
class Weather:
    """How long the storm lasts at most, and how many cases live through it; a little longer, and a few more, until
    each victim was killed once."""

    minutes: float
    cases: int
    seed: int


class Spared(RuntimeError):
    """A storm in which some victim was never killed: it proves nothing of it."""


@dataclass
class _Storm:
    """One storm under way. `spared`: who was not killed yet, the rarest last."""

    chance: random.Random
    over: float
    spared: list[str]
    victims: list[str]
    calm: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def goes_on(self) -> bool:
        return bool(self.spared) or asyncio.get_running_loop().time() < self.over

    async def is_calm_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.calm.wait(), seconds)
        return self.calm.is_set()


async def storm(rig: Rig, world: World, weather: Weather) -> dict[str, str]:
    """Let cases live while processes are killed; gives which outcome each case must have.

    When the time is over no new case begins, the kills end, and those that live go on to their end. Raises Spared.
    """
    victims = [name for name in WEIGHTS if name != "database" or rig.postgres is not None]
    over = asyncio.get_running_loop().time() + 60 * weather.minutes
    now = _Storm(random.Random(weather.seed), over, list(victims), victims)
    expected: dict[str, str] = {}
    numbers = itertools.count()

    async def live() -> None:
        while now.goes_on and (number := next(numbers)) < weather.cases + MORE_CASES * bool(now.spared):
            story = Story(world, now.chance)
            plot = PLOTS[number % len(PLOTS)]
            try:
                await story.live(plot)
            except Exception as error:
                raise RuntimeError(f"{plot.__name__}: {type(error).__name__}: {error}") from error
            expected.update(story.expected)

    async def all_live() -> None:
        await asyncio.gather(*(live() for _ in range(AT_ONCE)))
        now.calm.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(all_live())
        group.create_task(_kill_at_random(rig, now))
    if now.spared:
        raise Spared(f"never killed in this storm: {', '.join(now.spared)}; let it last longer")
    return expected


async def _kill_at_random(rig: Rig, now: _Storm) -> None:
    """Kill and start again, until the time is over or the last case has ended; first each victim once."""
    while now.goes_on and not await now.is_calm_within(now.chance.uniform(0.5, 4)):
        (victim,) = now.chance.choices(now.victims, [WEIGHTS[name] for name in now.victims])
        if now.spared:
            victim = now.spared[-1]
        await _kill_and_start(rig, victim, now.chance.uniform(0, 2))
        if now.spared:
            now.spared.pop()


async def _kill_and_start(rig: Rig, victim: str, away: float) -> None:
    if victim == "database":
        assert rig.postgres is not None, "it is one of the victims"
        await rig.kill_database()
        await asyncio.sleep(away)
        await asyncio.to_thread(rig.postgres.start)
        return
    await rig.kill(victim)
    await asyncio.sleep(away)
    if victim == "server":
        await rig.start_server()
    elif victim == "partner":
        await rig.start_partners()
    else:
        await patiently(rig.hurry)
        await rig.start_worker()
