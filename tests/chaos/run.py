"""A whole run: crashes at every step, then a storm, then the audit of all of it."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models import calls
from tests.chaos.auditor import Auditor, Violation
from tests.chaos.crashes import (
    BOOKS,
    Moment,
    Play,
    crash_at_books,
    crash_at_partners,
    crash_at_server,
    end,
    plays_at,
    prepare,
)
from tests.chaos.evidence import gather
from tests.chaos.rig import Rig, running_rig
from tests.chaos.storm import Weather, storm

PARTNERS: Final = frozenset(call.name for call in calls.CALLS) - BOOKS - {calls.EVENT_ARRIVAL.name}

CALM_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Figures:
    """What a run came to."""

    steps: int
    """Activities at a moment, each caught by a kill on purpose."""
    kills: Counter[str]
    cases: int
    effects: int
    mails_again: int
    seconds: float
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.kills.items()))
        again = f"{self.mails_again} sent again because the mail server's answer was lost"
        return (
            f"steps hit {self.steps}; kills {self.kills.total()} ({kills}); cases {self.cases}; "
            f"effects checked {self.effects}; mails {again}; violations {len(self.violations)}; "
            f"{self.seconds:.0f} s"
        )


async def run(
    folder: Path, weather: Weather, *, short: bool, postgres: bool, say: Callable[[str], None]
) -> Figures:
    """Break a stack of its own in `folder` and audit what is left. Short: one moment per step.

    Raises RuntimeError when a case does not go on by itself.
    """
    began = time.monotonic()
    chance = random.Random(weather.seed)
    async with running_rig(folder, postgres=postgres) as rig:
        expected: dict[str, str] = {}
        steps = await _every_step(rig, chance, expected, short=short, say=say)
        if weather.cases:
            say(f"a storm of at most {weather.minutes:g} min over {weather.cases} stories, seed {weather.seed}")
            expected |= await storm(rig, rig.world(), weather)
        say("the audit")
        await _calm(rig)
        evidence = await gather(
            rig.sandbox, rig.engine, rig.client, kills=tuple(kill.at for kill in rig.kills), expected=expected
        )
        audit = Auditor(evidence).audit()
        return Figures(
            steps=steps,
            kills=Counter(kill.what for kill in rig.kills),
            cases=audit.cases,
            effects=audit.effects,
            mails_again=audit.mails_again,
            seconds=time.monotonic() - began,
            violations=audit.violations,
        )


async def _every_step(
    rig: Rig, chance: random.Random, expected: dict[str, str], *, short: bool, say: Callable[[str], None]
) -> int:
    world = rig.world()
    at_partners = plays_at(PARTNERS, tuple(Moment), world, chance, all_moments=not short)
    in_books = plays_at(BOOKS, (Moment.BEFORE, Moment.AFTER), world, chance, all_moments=not short)
    say(f"{len(at_partners) + len(in_books)} cases get ready")
    await prepare([*at_partners, *in_books])
    say("kill -9 of worker, partners and server while partners are asked")
    await crash_at_partners(rig, at_partners)
    expected |= await end(at_partners)
    for moment in (Moment.BEFORE, Moment.AFTER):
        plays = [play for play in in_books if play.moment is moment]
        say(f"kill -9 {moment.value} the books are written")
        await crash_at_books(rig, plays, after=moment is Moment.AFTER)
        expected |= await end(plays)
    say("kill -9 while the server's history is read")
    reading: list[Play] = await crash_at_server(rig, world, chance)
    expected |= await end(reading)
    return len(at_partners) + len(in_books) + 1


async def _calm(rig: Rig) -> None:
    """Until nothing is under way, so that books and partners can be compared.

    Raises AssertionError naming what still is after two minutes: more than an activity's minute, and its retry.
    """
    deadline = time.monotonic() + CALM_SECONDS
    while under_way := await _under_way(rig):
        assert time.monotonic() < deadline, f"still under way: {'; '.join(under_way)}"
        await asyncio.sleep(0.5)


async def _under_way(rig: Rig) -> list[str]:
    found: list[str] = []
    async for case in rig.client.list_workflows("ExecutionStatus = 'Running'"):
        raw = (await rig.client.get_workflow_handle(case.id).describe()).raw_description
        for one in raw.pending_activities:
            failed = f", {one.last_failure.message}" if one.last_failure.message else ""
            found.append(f"{case.id}: {one.activity_type.name}, attempt {one.attempt}{failed}")
        if raw.HasField("pending_workflow_task"):
            found.append(f"{case.id}: workflow task, attempt {raw.pending_workflow_task.attempt}")
    return found
