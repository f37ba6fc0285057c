"""What follows from the facts of a case: which effects must have begun, who is waited for, and how it ends.

Pure.
"""

from dataclasses import dataclass
from datetime import datetime

from models.case import Who
from workflows.engine.case import Effect


@dataclass(frozen=True)
class Wait:
    """Who must do what, since when, until when: one line of what people see. The first one is the stage."""

    stage: str
    who: Who
    what: str
    since: datetime
    due: datetime | None = None


@dataclass(frozen=True)
class End:
    """How the case ends. `leaves`: the keys of effects that go on by themselves when the case is over."""

    outcome: str
    message: str
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What follows from the facts. It names all effects that must have been begun by now; the engine begins each
    key once. `wake_at`: the next moment at which time alone changes the plan; `timer` says in words why."""

    effects: tuple[Effect, ...] = ()
    waits: tuple[Wait, ...] = ()
    wake_at: datetime | None = None
    timer: str = ""
    end: End | None = None

    def __add__(self, other: "Plan") -> "Plan":
        if other.is_empty:
            return self
        if self.is_empty:
            return other
        first = self if _before(self.wake_at, other.wake_at) else other
        return Plan(
            self.effects + other.effects,
            self.waits + other.waits,
            first.wake_at,
            first.timer,
            self.end or other.end,
        )

    @property
    def is_empty(self) -> bool:
        return not (self.effects or self.waits or self.wake_at or self.end)

    @property
    def goes_on(self) -> bool:
        """Nothing is waited for here: the next step's turn."""
        return not self.waits and self.end is None


def _before(one: datetime | None, other: datetime | None) -> bool:
    return other is None or (one is not None and one <= other)
