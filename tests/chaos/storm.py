"""Kills at random, by a seed, while many cases live their lives."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from tests.chaos.plots import PLOTS
from tests.chaos.rig import Rig
from tests.chaos.stories import Story, patiently
from tests.world import World

AT_ONCE: Final = 8
"""How many cases live at a time."""
WEIGHTS: Final = {"worker": 6, "partner": 2, "server": 2, "database": 4}


@dataclass(frozen=True)
class Weather:
    """How long the storm lasts at most, and how many cases live through it."""

    minutes: float
    cases: int
    seed: int


async def storm(rig: Rig, world: World, weather: Weather) -> dict[str, str]:
    """Let cases live while processes are killed; gives which outcome each case must have.

    When the time is over no new case begins, the kills end, and those that live go on to their end.
    """
    chance = random.Random(weather.seed)
    over = asyncio.get_running_loop().time() + 60 * weather.minutes
    expected: dict[str, str] = {}
    numbers = iter(range(weather.cases))

    async def live() -> None:
        for number in numbers:
            if asyncio.get_running_loop().time() > over:
                return
            story = Story(world, chance)
            plot = PLOTS[number % len(PLOTS)]
            try:
                await story.live(plot)
            except Exception as error:
                raise RuntimeError(f"{plot.__name__}: {type(error).__name__}: {error}") from error
            expected.update(story.expected)

    calm = asyncio.Event()

    async def all_live() -> None:
        await asyncio.gather(*(live() for _ in range(AT_ONCE)))
        calm.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(all_live())
        group.create_task(_kill_at_random(rig, chance, over, calm))
    return expected


async def _kill_at_random(rig: Rig, chance: random.Random, over: float, calm: asyncio.Event) -> None:
    """Kill and start again, until the time is over or the last case has ended."""
    victims = [name for name in WEIGHTS if name != "database" or rig.postgres is not None]
    each_once = list(victims)  # the rarest first
    while asyncio.get_running_loop().time() < over and not calm.is_set():
        await asyncio.sleep(chance.uniform(0.5, 4))
        (any_victim,) = chance.choices(victims, [WEIGHTS[name] for name in victims])
        await _kill_and_start(rig, each_once.pop() if each_once else any_victim, chance.uniform(0, 2))


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
