"""Sequences of happenings: shuffled, repeated, damaged, too early and too late, with the clock moved between."""

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from tests.model import order_happenings, order_state, refund_procedure, return_happenings, return_state
from tests.model.damage import DAMAGES
from tests.model.order_procedure import OrderProcedure
from tests.model.order_state import OrderSetup
from tests.model.procedure import Happening
from tests.model.refund_procedure import RefundProcedure, RefundSetup
from tests.model.return_procedure import ReturnProcedure
from tests.model.return_state import ReturnSetup

SHORTEST, LONGEST = 3, 12
OTHERS_TO_ONE_DAMAGED = 8


@dataclass(frozen=True)
class Kind:
    """A kind of case: its events with their variants, its clock's moves, its settings, its model."""

    name: str
    events: dict[str, tuple[str, ...]]
    clock: tuple[int, ...]
    setups: tuple[Any, ...]
    procedure: Callable[[Any], Any]
    check: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Sequence:
    """One generated story."""

    kind: str
    setup: Any
    happenings: tuple[Happening, ...]

    def __str__(self) -> str:
        told = "\n".join(f"  {number}. {one}" for number, one in enumerate(self.happenings, 1))
        return f"{self.kind} with {self.setup}\n{told}"


KINDS = {
    "order": Kind(
        "order",
        order_happenings.EVENTS,
        order_happenings.CLOCK,
        tuple(
            OrderSetup(auto_release=auto_release, card=card, stock=stock)
            for auto_release, card, stock in itertools.product(
                (True, True, False),
                ("good", "good", "good", "", "declined"),
                ("in stock", "in stock", "second source", "nowhere"),
            )
        ),
        OrderProcedure,
        lambda state, _setup: order_state.check(state),
    ),
    "return": Kind(
        "return",
        return_happenings.EVENTS,
        return_happenings.CLOCK,
        tuple(
            ReturnSetup(rma_by_hand=by_hand, auto_refund=automatic, refund_on_breach=on_breach)
            for by_hand, automatic, on_breach in itertools.product((False, True), repeat=3)
        ),
        ReturnProcedure,
        lambda state, _setup: return_state.check(state),
    ),
    "refunds": Kind(
        "refunds",
        refund_procedure.EVENTS,
        refund_procedure.CLOCK,
        tuple(itertools.starmap(RefundSetup, itertools.product((False, True), repeat=2))),
        RefundProcedure,
        refund_procedure.check,
    ),
}


def choices_of(kind: Kind) -> list[tuple[Happening, bool]]:
    """All that may happen next, and whether it repeats what was sent before; the likelier, the more often."""
    ways = (("signal", True), ("signal", False), ("signal", True), ("update", True), ("signal", False))
    good = [
        (Happening(name, variant, way=way, waits=waits), False)
        for name, variants in kind.events.items()
        for variant in variants
        for way, waits in ways
    ]
    some = len(good) // 5
    first = good[0][0]
    again = [(replace(first, way=way, waits=waits), True) for way, waits in ways * (some // 5 + 1)]
    clock = [(Happening("clock", amount_of_time=time), False) for time in kind.clock] * (some // 2 + 1)
    usual = good + again + clock
    damaged = [(replace(one, way=way, waits=waits), False) for one in damages_of(kind) for way, waits in ways]
    choices = usual * (OTHERS_TO_ONE_DAMAGED * len(damaged) // len(usual)) + damaged
    random.Random(len(choices)).shuffle(choices)  # hypothesis draws more from a long list's beginning
    return choices


def damages_of(kind: Kind) -> list[Happening]:
    """Every event of this kind of case, damaged in every way."""
    return [
        Happening(name, variants[0], damage=damage)
        for (name, variants), damage in itertools.product(kind.events.items(), DAMAGES)
    ]


def numbered(happenings: list[tuple[Happening, bool]]) -> tuple[Happening, ...]:
    """Give each event an id of its own, but for those that repeat an event that was sent before."""
    idents = itertools.count(1)
    told: list[Happening] = []
    for happening, again in happenings:
        before = [one for one in told if one.name not in ("clock", "refund") and not one.damage]
        if again and before:
            told.append(replace(before[len(told) % len(before)], way=happening.way, waits=happening.waits))
        else:
            told.append(replace(happening, ident=next(idents)))
    return tuple(told)


def generated(kind: Kind, how_many: int, with_seed: int) -> list[Sequence]:
    """So many different sequences; the same ones for the same seed."""
    chance = random.Random(f"{kind.name} {with_seed}")
    choices = choices_of(kind)
    found: dict[Sequence, None] = {}
    while len(found) < how_many:
        happenings = numbered(chance.choices(choices, k=chance.randint(SHORTEST, LONGEST)))
        found.setdefault(Sequence(kind.name, chance.choice(kind.setups), happenings))
    return list(found)


def with_every_damage(kind: Kind, sequences: Iterable[Sequence], with_seed: int) -> list[Sequence]:
    """The same sequences; in between, somewhere, comes each event damaged in each way, beside those by chance."""
    chance = random.Random(with_seed)
    sequences = list(sequences)
    for number, one in enumerate(damages_of(kind)):
        damage = replace(one, ident=1000 + number, way=("signal", "update")[number % 2], waits=not number % 5)
        at, place = chance.choice(
            [(at, place) for at, sequence in enumerate(sequences) for place in _places(sequence)]
        )
        before, after = sequences[at].happenings[:place], sequences[at].happenings[place:]
        sequences[at] = replace(sequences[at], happenings=(*before, damage, *after))
    return sequences


def _places(sequence: Sequence) -> range:
    """Where one more event finds its case: anywhere; but refunds are there only once one was asked for."""
    first = 0
    if sequence.kind == "refunds":
        asked = (at for at, one in enumerate(sequence.happenings, 1) if one.name == "refund" and not one.damage)
        first = next(asked, len(sequence.happenings) + 1)
    return range(first, len(sequence.happenings) + 1)
