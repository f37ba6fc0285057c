"""A whole run: crashes at every step, then a storm, then the audit of all of it."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models import calls
from tests.chaos.audit_facts import Violation
from tests.chaos.auditor import Auditor
from tests.chaos.crash_at_partners import crash_at_partners
from tests.chaos.crash_in_database import crash_in_books
from tests.chaos.crash_in_worker import crash_at_dawdlers
from tests.chaos.crash_run import Moment, end, plays_at, prepare
from tests.chaos.evidence import gather
from tests.chaos.quiescence import calm, situation
from tests.chaos.rig import Rig, running_rig
from tests.chaos.storm import Weather, storm

SQLITE: Final = "SQLite"
POSTGRESQL: Final = "PostgreSQL"
IN_BOOKS: Final = frozenset(
    call.name
    for call in (
        calls.OPEN_ORDER,
        calls.SPLIT_ORDER,
        calls.SAVE_ORDER,
        calls.OPEN_RETURN,
        calls.SAVE_RETURN,
        calls.REOPEN_RETURN,
        calls.BOOK_CREDIT_MEMO,
        calls.RESERVE_REFUND,
        calls.TAKE_BACK_REFUND,
        calls.SAVE_REFUND,
        calls.OPEN_COST_REVIEW,
        calls.SAVE_COST_REVIEW,
        calls.OPEN_CLAIM,
        calls.SAVE_CLAIM,
        calls.QUEUE_REFUND,
        calls.OPEN_BATCH,
        calls.RETURN_ENTRIES,
        calls.SAVE_REPORT_IMPORT,
    )
)
AT_WORKER: Final = frozenset(
    call.name
    for call in (
        calls.EVENT_ARRIVAL,
        calls.REFUND_OUTCOME,
        calls.SAVE_CASE,
        calls.SAVE_ORPHAN,
        calls.FIND_CASES,
        calls.PREPARE_REPLACEMENT,
        calls.CHOOSE_CONNECTION,
        calls.CHECK_SPECIAL_ORDER,
        calls.DELIVER_EVENT,
        calls.TAKE_RETURNS,
        calls.TAKE_ORDERS,
        calls.BOOK_SETTLEMENT,
        calls.NOTE_DELIVERY,
        calls.NOTE_CORRECTION,
    )
)
AT_PARTNERS: Final = frozenset(call.name for call in calls.CALLS) - IN_BOOKS - AT_WORKER


@dataclass(frozen=True)
class Figures:
    """What a run came to, or several together."""

    books: str
    """`SQLite` or `PostgreSQL`."""
    steps: Counter[Moment]
    """Activities that were caught by a kill on purpose, by the moment."""
    kills: Counter[str]
    cases: int
    effects: int
    mails_again: int
    seconds: float
    violations: tuple[Violation, ...]
    runs: int = 1

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            books=f"{self.books} and {other.books}",
            steps=self.steps + other.steps,
            kills=self.kills + other.kills,
            cases=self.cases + other.cases,
            effects=self.effects + other.effects,
            mails_again=self.mails_again + other.mails_again,
            seconds=self.seconds + other.seconds,
            violations=self.violations + other.violations,
            runs=self.runs + other.runs,
        )

    def __str__(self) -> str:
        steps = ", ".join(f"{self.steps[moment]} {moment.value}" for moment in Moment)
        kills = ", ".join(f"{count} {what}" for what, count in sorted(self.kills.items()))
        again = f"mails sent again because an answer was lost {self.mails_again}"
        return (
            f"books on {self.books}: runs {self.runs}; {self.seconds:.0f} s; "
            f"steps hit {self.steps.total()} ({steps}); "
            f"kills {self.kills.total()} ({kills}); cases {self.cases}; effects compared {self.effects}; "
            f"{again}; violations {len(self.violations)}"
        )


class StoodStill(RuntimeError):
    """A case did not go on by itself; the text says all that is known about it."""


async def run(
    folder: Path, weather: Weather, *, short: bool, postgres: bool, say: Callable[[str], None]
) -> Figures:
    """Break a stack of its own in `folder` and audit what is left. Short: one moment per step.

    Raises StoodStill when a case does not go on by itself.
    """
    began = time.monotonic()
    chance = random.Random(weather.seed)
    expected: dict[str, str] = {}
    async with running_rig(folder, postgres=postgres) as rig:
        try:
            steps = await _every_step(rig, chance, expected, short=short, say=say)
            if weather.cases:
                say(
                    f"a storm of at most {weather.minutes:g} min over {weather.cases} stories, seed {weather.seed}"
                )
                expected |= await storm(rig, rig.world(), weather)
            say("until all is calm")
            await calm(rig)
        except Exception as error:
            raise StoodStill(await situation(rig)) from error
        say("the audit")
        evidence = await gather(
            rig.sandbox,
            rig.engine,
            rig.client,
            kills=tuple(rig.kills),
            expected=expected,
        )
        audit = Auditor(evidence).audit()
        return Figures(
            books=POSTGRESQL if postgres else SQLITE,
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
) -> Counter[Moment]:
    world = rig.world()
    at_partners = plays_at(AT_PARTNERS, tuple(Moment), world, chance, all_moments=not short)
    in_books = plays_at(IN_BOOKS, tuple(Moment), world, chance, all_moments=not short)
    # What only reads changes nothing: there is only before and after it.
    at_worker = plays_at(AT_WORKER, (Moment.BEFORE, Moment.AFTER), world, chance, all_moments=not short)
    plays = [*at_partners, *in_books, *at_worker]
    say(f"{len(plays)} cases get ready")
    await prepare(plays)
    say(f"kill -9 of worker, partners and server while partners are asked: {len(at_partners)} steps")
    chance.shuffle(at_partners)  # in each round, should there be several, crashes at each moment
    expected |= await crash_at_partners(rig, at_partners)
    say(f"kill -9 of worker and server while the books are written: {len(in_books)} steps")
    expected |= await crash_in_books(rig, in_books)
    say(f"kill -9 of the worker while it dawdles itself: {len(at_worker)} steps")
    await crash_at_dawdlers(rig, at_worker)
    expected |= await end(at_worker)
    return Counter(play.moment for play in plays)
