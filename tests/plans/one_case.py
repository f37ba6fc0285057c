"""One case in process, beside the tests' model: what all kinds of case have in common there."""

import random
from abc import ABC
from datetime import timedelta
from typing import Any, ClassVar

from tests.plans.rig import Rig


class OneCase(ABC):
    """A case, and how it goes on between what happens to it."""

    rig: Rig[Any]
    unit: ClassVar[timedelta]
    """Of the model's clock."""
    most_answers: ClassVar[int]
    """Between two happenings in one breath."""

    @property
    def stages(self) -> tuple[str, ...]:
        return (self.rig.stage,)

    @property
    def rejected(self) -> int:
        return self.rig.rejected

    @property
    def timeline(self) -> list[str]:
        return self.rig.steps

    def goes_on(self, chance: random.Random) -> None:
        for _ in range(chance.randint(0, self.most_answers)):
            self.rig.settle()
            if self.rig.pending and chance.random() < 0.7:
                self.rig.answer_one(chance.randrange)

    def rests(self, chance: random.Random) -> None:
        self.rig.rest(chance.randrange)

    def clock(self, amount: int, chance: random.Random) -> None:
        self.rig.clock(amount * self.unit, chance.randrange)
        self.rests(chance)

    def restart(self) -> None:
        self.rig.restart()
