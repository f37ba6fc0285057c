"""What the model of an order, a return and an order's refunds have in common: what happens to a case, and
every state that it may be in afterwards.

A case goes on by itself between events (a partner answers, a timer fires), so an event may find it before or
after each of its own steps. The model follows all of these ways: `possible` states in, possible states out.
It is written from the rules of the business and shares no code with the workflows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


@dataclass(frozen=True)
class Happening:
    """Something that happens to a case: an event, or (`clock`) time that passes.

    `ident` names the event: a second one with the same ident is the same event again. `waits`: whether the
    next one comes only when the case rests. `amount_of_time` in the model's unit of its clock.
    """

    name: str
    variant: str = ""
    ident: int = 0
    damage: str = ""
    way: str = "signal"
    waits: bool = True
    amount_of_time: int = 0

    def __str__(self) -> str:
        if self.name == "clock":
            return f"clock +{self.amount_of_time}"
        text = f"{self.way} {self.name}({self.variant}) #{self.ident}"
        return text + (f" damaged: {self.damage}" if self.damage else "") + ("" if self.waits else " at once")


D = TypeVar("D")


def changed(one: D, /, **changes: Any) -> D:
    """A copy of a frozen dataclass with other values: `dataclasses.replace`, three times as fast."""
    new: D = object.__new__(type(one))
    new.__dict__.update(one.__dict__)
    new.__dict__.update(changes)
    return new


class HasEnd(Protocol):
    """A state of a case. `rejected` counts the events that could not be used, told to the sender or recorded."""

    @property
    def outcome(self) -> str | None: ...

    @property
    def rejected(self) -> int: ...


S = TypeVar("S", bound=HasEnd)
MOST_STATES = 4000
OUTSIDE = ("stop", "refund_word", "replacement_word")
"""No events that somebody sends to the case: staff stop it, or one of its refunds says what became of it."""


class Procedure(Protocol[S]):
    """One kind of case."""

    def begin(self) -> S: ...

    def reaches(self, state: S, event: Happening) -> bool:
        """Whether there is a case already that this can be sent to."""

    def hear(self, state: S, event: Happening) -> Iterable[S]:
        """What may follow when an undamaged, new event reaches the case."""

    def outside(self, state: S, happening: Happening) -> Iterable[S]:
        """What may follow when something of `OUTSIDE` happens."""

    def steps(self, state: S) -> Iterable[S]:
        """What the case may do next by itself; nothing: it waits, or it has ended."""

    def seen(self, state: S, ident: int) -> bool: ...

    def reject(self, state: S) -> S: ...

    def next_deadline(self, state: S, until: int) -> int | None:
        """The next moment up to `until` at which time alone changes something."""

    def at(self, state: S, moment: int) -> S: ...

    def clock(self, state: S) -> int: ...


class Possible(Generic[S]):
    """All states that a case may be in."""

    def __init__(self, procedure: Procedure[S]) -> None:
        self.procedure = procedure
        self.states: frozenset[S] = frozenset({procedure.begin()})

    def happens(self, happening: Happening) -> None:
        """Follow every way in which this may go."""
        if happening.name == "clock":
            self.settle()
            self.states = frozenset(
                state for now in self.states for state in self._later(now, happening.amount_of_time)
            )
        else:
            self._go_on()
            self.states = frozenset(after for state in self.states for after in self._heard(state, happening))
        if happening.waits:
            self.settle()

    def settle(self) -> None:
        """The case rests: only states in which nothing goes on by itself are left."""
        self._go_on()
        self.states = frozenset(state for state in self.states if not list(self.procedure.steps(state)))

    def keep(self, matches: Callable[[S], bool]) -> bool:
        """Leave only the states that were seen to be so; False, and all are kept, if there is none."""
        kept = frozenset(state for state in self.states if matches(state))
        self.states = kept or self.states
        return bool(kept)

    def _heard(self, state: S, event: Happening) -> Iterable[S]:
        procedure = self.procedure
        if event.name in OUTSIDE:
            return procedure.outside(state, event)
        if not procedure.reaches(state, event):
            return [state]
        known = procedure.seen(state, event.ident)
        if event.damage:
            return [procedure.reject(state)]
        if state.outcome is not None:
            # The case has ended: the sender is told, unless the event is known and counted once.
            return [procedure.reject(state), state] if known else [procedure.reject(state)]
        return [state] if known else procedure.hear(state, event)

    def _later(self, state: S, time: int) -> Iterable[S]:
        """Let time pass from deadline to deadline; the case does its steps at each."""
        procedure = self.procedure
        until = procedure.clock(state) + time
        waiting = {state}
        arrived: set[S] = set()
        while waiting:
            now = waiting.pop()
            moment = None if now.outcome else procedure.next_deadline(now, until)
            after = procedure.at(now, until if moment is None else moment)
            for rested in rest(procedure, {after}):
                if moment is None:
                    arrived.add(rested)
                else:
                    waiting.add(rested)
        return arrived

    def _go_on(self) -> None:
        self.states = closure(self.procedure, self.states)


def closure(procedure: Procedure[S], states: Iterable[S]) -> frozenset[S]:
    """These states, and all that follow by the case's own steps."""
    known = set(states)
    fresh = list(known)
    while fresh:
        for after in procedure.steps(fresh.pop()):
            if after not in known:
                known.add(after)
                fresh.append(after)
        assert len(known) < MOST_STATES, "the model has too many ways to follow"
    return frozenset(known)


def rest(procedure: Procedure[S], states: Iterable[S]) -> list[S]:
    """Those of the closure in which the case rests."""
    return [state for state in closure(procedure, states) if not list(procedure.steps(state))]
