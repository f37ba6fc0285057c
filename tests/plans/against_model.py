"""Plans beside the tests' model: sequences by chance that follow the stage, and the shortest one that shows a
difference.

A sequence is played on both: several events in one task, answers in any order, effects in flight when the next
event comes, restarts in between. Whenever the case rests, what is seen of it must be what the model allows.
"""

import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest

from tests.model.procedure import OUTSIDE, Happening, Possible

SHORTEST, LONGEST = 3, 12
BURST = 3
"""Most events in one breath."""
FOLLOWS_THE_STAGE = 0.6
PASSES_TIME = 0.2
RESTARTS = 0.03
CAREFUL = 0.01
"""Share of the sequences in which each plan is made twice, and the facts are read again from JSON after each."""
SETTLES_FIRST = 0.7
SEED = int(os.environ.get("BACKHAUL_TEST_SEED", "1"))
TIMES = int(os.environ.get("BACKHAUL_TEST_TIMES", "1"))
"""How many times as many sequences. `make prove` plays others."""


class Subject(Protocol):
    """A case, or some that belong together, in process."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Where each case stands now."""

    @property
    def rejected(self) -> int: ...
    def happens(self, happening: Happening) -> None: ...
    def goes_on(self, chance: random.Random) -> None:
        """A little: some tasks, some answers."""

    def rests(self, chance: random.Random) -> None: ...
    def clock(self, amount: int, chance: random.Random) -> None: ...
    def restart(self) -> None: ...
    def seen(self) -> tuple[Any, ...]: ...
    def expected(self, procedure: Any, state: Any) -> tuple[Any, ...]: ...
    def audit(self) -> None:
        """What must hold whatever happened; raises AssertionError."""

    @property
    def timeline(self) -> list[str]: ...


@dataclass(frozen=True)
class Kind:
    """What is played of one kind of case."""

    name: str
    choices: Mapping[str, tuple[str, ...]]
    """All that may happen beside the clock, with its variants."""
    clock: tuple[int, ...]
    guide: Mapping[str, tuple[tuple[str, str], ...]]
    setup: Callable[[random.Random], Any]
    procedure: Callable[[Any], Any]
    subject: Callable[[Any, bool], Subject]
    check: Callable[[Any, Any], None] = lambda state, setup: None


@dataclass(frozen=True)
class Moment:
    """Something that happens, and the chance by which answers come around it."""

    happening: Happening
    chance: int
    restart: bool = False

    def __str__(self) -> str:
        return f"{self.happening}{' (restart)' if self.restart else ''} [{self.chance}]"


@dataclass
class Play:
    """One sequence, played once."""

    kind: Kind
    setup: Any
    settles_first: bool
    careful: bool
    moments: list[Moment] = field(default_factory=list)
    reached: list[tuple[str, str]] = field(default_factory=list)
    """Which event came in which stage."""

    def __post_init__(self) -> None:
        self.possible: Possible[Any] = Possible(self.kind.procedure(self.setup))
        self.subject = self.kind.subject(self.setup, self.careful)
        if self.settles_first:
            self.possible.settle()
            self.subject.rests(random.Random(0))

    def step(self, moment: Moment) -> str | None:
        """Let it happen to both; the difference, if there is one."""
        self.moments.append(moment)
        try:
            self._happens(moment)
            if not moment.happening.waits:
                return None
            self.subject.audit()
            return self._difference()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {error} ({where.filename}, line {where.lineno})"

    def _happens(self, moment: Moment) -> None:
        chance, happening, subject = random.Random(moment.chance), moment.happening, self.subject
        name = happening.name
        told = f"{name} {happening.variant}" if name in OUTSIDE else name
        self.reached.extend((stage, told.strip()) for stage in subject.stages[:1])
        if moment.restart:
            subject.restart()
        if name == "clock":
            subject.clock(happening.amount_of_time, chance)
        else:
            subject.happens(happening)
            if happening.waits:
                subject.rests(chance)
            else:
                subject.goes_on(chance)
        self.possible.happens(happening)

    def _difference(self) -> str | None:
        seen, expected, procedure = self.subject.seen(), self.subject.expected, self.possible.procedure
        if self.possible.keep(lambda state: expected(procedure, state) == seen):
            for state in self.possible.states:
                self.kind.check(state, self.setup)
            return None
        allowed = sorted({str(expected(procedure, state)) for state in self.possible.states})
        return f"seen    {seen}\nallowed " + "\n     or ".join(allowed[:8])

    def next(self, chance: random.Random, ident: int, *, waits: bool) -> Moment:
        """What happens next: often what the stage calls for, or what is awkward in it."""
        kind = self.kind
        moment = Moment(Happening("clock"), chance.getrandbits(30), chance.random() < RESTARTS)
        if waits and chance.random() < PASSES_TIME:
            return replace(moment, happening=Happening("clock", amount_of_time=chance.choice(kind.clock)))
        before = [one.happening for one in self.moments if one.happening.name not in ("clock", "stop")]
        if before and chance.random() < 0.07:
            return replace(moment, happening=replace(chance.choice(before), waits=waits))
        stages = self.subject.stages
        place = chance.randrange(len(stages)) if stages else 0
        stage = stages[place] if stages else ""
        if stage in kind.guide and chance.random() < FOLLOWS_THE_STAGE:
            name, variant = chance.choice(kind.guide[stage])
        else:
            name = chance.choice(tuple(kind.choices))
            variant = chance.choice(kind.choices[name])
            place = chance.randrange(4)
        if name == "clock":
            if not waits:
                return self.next(chance, ident, waits=waits)
            return replace(moment, happening=Happening("clock", amount_of_time=int(variant)))
        return replace(moment, happening=Happening(name, variant, ident=ident * 4 + place, waits=waits))


def played(kind: Kind, seed: int) -> tuple[Play, str | None]:
    """The sequence of this seed; and the difference, where it ends with one."""
    chance = random.Random(seed)
    play = Play(kind, kind.setup(chance), chance.random() < SETTLES_FIRST, chance.random() < CAREFUL)
    left, ident = chance.randint(SHORTEST, LONGEST), 0
    bursts = chance.random() < 0.7
    while left > 0:
        burst = min(left, chance.randint(1, BURST) if bursts else 1)
        for number in range(burst):
            ident += 1
            difference = play.step(play.next(chance, ident, waits=number == burst - 1))
            if difference is not None:
                return play, difference
        left -= burst
    return play, None


def shortest(play: Play, difference: str) -> tuple[Play, str]:
    """The same difference, or another one, by fewer happenings."""
    found, why = play, difference
    smaller = True
    while smaller:
        smaller = False
        for at in reversed(range(len(found.moments))):
            moments = found.moments[:at] + found.moments[at + 1 :]
            again, also = _again(found, moments)
            if also is not None:
                found, why, smaller = again, also, True
                break
    return found, why


def _again(play: Play, moments: Iterable[Moment]) -> tuple[Play, str | None]:
    again = Play(play.kind, play.setup, play.settles_first, play.careful)
    for moment in moments:
        difference = again.step(moment)
        if difference is not None:
            return again, difference
    return again, None


def told(play: Play, difference: str, seed: int) -> str:
    """Everything that is needed to understand a difference, and to see it again."""
    moments = "\n".join(f"  {number}. {one}" for number, one in enumerate(play.moments, 1))
    first = "after it has opened" if play.settles_first else "from its very start"
    timeline = "\n".join(f"    {line}" for line in play.subject.timeline)
    return (
        f"{play.kind.name}, seed {seed}, {play.setup}, {first}\n{moments}\n{difference}\n  timeline:\n{timeline}"
    )


@dataclass
class Figures:
    """What was played, for people."""

    sequences: int = 0
    happenings: int = 0
    seconds: float = 0
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    def table(self, kind: Kind) -> str:
        """How many of the pairs of stage and event were reached, and which were not."""
        stages = sorted({stage for stage, _ in self.reached})
        names = [name for name in kind.choices if name not in OUTSIDE]
        names += [f"{name} {one}".strip() for name in OUTSIDE for one in kind.choices.get(name, ())] + ["clock"]
        missed = [f"{stage} x {name}" for stage in stages for name in names if not self.reached[stage, name]]
        return (
            f"{kind.name}: {self.sequences} sequences, {self.happenings} happenings in {self.seconds:.1f} s;"
            f" {len(stages)} stages, {len(stages) * len(names) - len(missed)} of {len(stages) * len(names)}"
            f" pairs of stage and event" + (f"; never: {', '.join(missed)}" if missed else "")
        )


def play_all(kind: Kind, seeds: Iterable[int], most_differences: int = 3) -> Figures:
    """Play the sequences of these seeds; those that differ are made as short as they can be."""
    figures, began = Figures(), time.process_time()
    for seed in seeds:
        play, difference = played(kind, seed)
        figures.sequences += 1
        figures.happenings += len(play.moments)
        figures.reached.update(play.reached)
        if difference is not None:
            figures.differences.append(told(*shortest(play, difference), seed))
            if len(figures.differences) >= most_differences:
                break
    figures.seconds = time.process_time() - began
    return figures


PARTS = range(4)
"""So that several processes share them."""
HALF_PROOFS = [pytest.param(part, marks=[pytest.mark.proof] if part >= 2 else []) for part in PARTS]
"""`make test` plays half of them: as many sequences as notice each deliberate fault (`tests.plans.sabotage`)."""


def assert_all_allowed(kind: Kind, part: int, sequences: int, pairs: int) -> None:
    """Play so many sequences, and say what was reached; `pairs`: of stage and event, at the least."""
    first = (SEED * len(PARTS) + part) * 1_000_000
    figures = play_all(kind, range(first, first + sequences * TIMES))
    print(f"\n{figures.table(kind)}")
    assert not figures.differences, "\n\n".join(figures.differences)
    assert len(figures.reached) >= pairs, "the generator does not get everywhere any more"
