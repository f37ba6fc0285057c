"""When things of a settlement were: `09/06/25` is the ninth of June, or the sixth of September where the report's
other dates say so (AMZ-8)."""

from datetime import datetime, timedelta
from typing import Final

from activities.connectors.amazon.settlement_report.cells import Said, said_moment

_LONGEST_PERIOD: Final = timedelta(days=45)
"""A settlement is of two weeks, rarely of a month."""
_AROUND: Final = timedelta(days=1)


class Dates:
    """Of one report: it writes the day first, or the month first, everywhere. Where nothing in it says which, the
    day is first, as Amazon's form is. Raises ValueError where its dates contradict each other."""

    def __init__(self) -> None:
        self._month_first: bool | None = None
        self._assumed = False
        self._period: tuple[datetime, datetime] | None = None

    def of_head(self, started: str, ended: str, deposited: str) -> tuple[datetime | None, ...]:
        """Its dates; a settlement ends after it begins, and soon."""
        words = [said_moment(one) for one in (started, ended, deposited)]
        for one in words:
            self._hear(one)
        if self._month_first is None:
            fitting = {order for order in (False, True) if _is_period(words[0].of(order), words[1].of(order))}
            if len(fitting) == 1 and any(one.is_ambiguous for one in words):
                (self._month_first,) = fitting
        found = tuple(self._taken(one) for one in words)
        if found[0] is not None and found[1] is not None:
            self._period = found[0], found[1]
        return found

    def moment(self, word: str) -> datetime | None:
        """None: it is not said, or can't be read."""
        said = said_moment(word)
        self._hear(said)
        if said.is_ambiguous and self._month_first is None and not self._assumed:
            fitting = {order for order in (False, True) if self._is_within(said.of(order))}
            if len(fitting) == 1:
                (self._month_first,) = fitting
        return self._taken(said)

    def _hear(self, said: Said) -> None:
        """What can be meant in one way alone says how the others are meant."""
        if (said.day_first is None) == (said.month_first is None):
            return
        month_first = said.day_first is None
        if self._month_first is None and not (self._assumed and month_first):
            self._month_first = month_first
        elif self._month_first is not month_first:
            raise ValueError(
                "has dates with the day first and with the month first, so that some may be two days: "
                "write them as 2025-06-09"
            )

    def _taken(self, said: Said) -> datetime | None:
        self._assumed |= said.is_ambiguous and self._month_first is None
        return said.of(bool(self._month_first))

    def _is_within(self, moment: datetime | None) -> bool:
        if moment is None or self._period is None:
            return False
        start, end = self._period
        return start - _AROUND <= moment <= end + _AROUND


def _is_period(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and start <= end <= start + _LONGEST_PERIOD
