"""Kills at random, by a seed, while many cases live their lives."""

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from tests.chaos.rig import Rig
from tests.chaos.stories import PLOTS, Story, patiently
from tests.world import World

AT_ONCE: Final = 8
"""How many cases live at a time."""
WEIGHTS: Final = {"worker": 6, "sandbox": 2, "server": 2, "postgresql": 2}


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

    killer = asyncio.create_task(_kill_at_random(rig, chance, over))
    try:
        await asyncio.gather(*(live() for _ in range(AT_ONCE)))
    finally:
        killer.cancel()
        ended = await asyncio.gather(killer, return_exceptions=True)
    if isinstance(ended[0], Exception):
        raise ended[0]
    return expected


async def _kill_at_random(rig: Rig, chance: random.Random, over: float) -> None:
    victims = [name for name in WEIGHTS if name != "postgresql" or rig.postgres is not None]
    each_once = list(victims)  # the rarest first
    while asyncio.get_running_loop().time() < over:
        await asyncio.sleep(chance.uniform(0.5, 4))
        (any_victim,) = chance.choices(victims, [WEIGHTS[name] for name in victims])
        victim = each_once.pop() if each_once else any_victim
        # Once killed it is always started again, also when the storm ends meanwhile.
        await asyncio.shield(asyncio.ensure_future(_kill_and_start(rig, victim, chance.uniform(0, 2))))


async def _kill_and_start(rig: Rig, victim: str, away: float) -> None:
    if victim == "postgresql":
        assert rig.postgres is not None, "it is one of the victims"
        await rig.kill_postgres()
        await asyncio.sleep(away)
        await asyncio.to_thread(rig.postgres.start)
        return
    await rig.kill(victim)
    await asyncio.sleep(away)
    if victim == "server":
        await rig.start_server()
    elif victim == "sandbox":
        await rig.start_sandbox()
    else:
        await patiently(rig.hurry)
        await rig.start_worker()
