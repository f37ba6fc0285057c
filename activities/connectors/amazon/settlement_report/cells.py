"""What cells of a settlement report mean: moments, and amounts of its currency (AMZ-8)."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from models.money import minor_digits, smallest_unit, to_minor_units

_PLAIN: Final = re.compile(r"([+-]?)([0-9]{1,12})(?:[.,]([0-9]{1,6}))?")
_GROUPED: Final = (
    re.compile(r"([+-]?)([0-9]{1,3}(?:,[0-9]{3}){1,3})\.([0-9]{1,6})"),
    re.compile(r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3}){1,3}),([0-9]{1,6})"),
    re.compile(r"([+-]?)([0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,3})(?:[.,]([0-9]{1,6}))?"),
)
"""With a mark between thousands, and another one before the fraction."""
_ISO: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?)?"
    r" ?(?:Z|UTC|GMT|\+00:?00)?"
)
_PARTS: Final = re.compile(
    r"([0-9]{1,2})[./]([0-9]{1,2})[./]((?:[0-9]{2}){1,2})(?: ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)? ?(?:UTC|GMT)?"
)


@lru_cache(maxsize=8192)
def units_of(word: str, currency: str) -> int:
    """`-77,98`, `1.234,50` and `1,234.5` in the currency's smallest unit.

    Raises ValueError in words that follow the column's name; nothing is rounded, and nothing guessed: three digits
    behind the only mark may be thousands.
    """
    found = _PLAIN.fullmatch(word) or next((one for form in _GROUPED if (one := form.fullmatch(word))), None)
    if found is None:
        raise ValueError("is no amount such as -77.98 or -77,98")
    sign, whole, fraction = found[1], re.sub(r"\D", "", found[2]), found[3] or ""
    if len(fraction.rstrip("0")) > minor_digits(currency) or (len(fraction) == 3 and minor_digits(currency) != 3):
        least = smallest_unit(currency)
        raise ValueError(
            f"is finer than the smallest unit of {currency}, {least}, or has a mark between thousands"
        )
    return to_minor_units(Decimal(f"{sign}{whole}.{fraction or '0'}"), currency)


class Said(NamedTuple):
    """What a date may mean; none: it is no such. Only one with slashes has two meanings."""

    day_first: datetime | None
    month_first: datetime | None

    @property
    def is_ambiguous(self) -> bool:
        return None not in self and self.day_first != self.month_first

    def of(self, month_first: bool) -> datetime | None:
        return self.month_first if month_first else self.day_first


@lru_cache(maxsize=8192)
def said_moment(word: str) -> Said:
    """Of `2025-06-09 05:23:19 UTC`, `09.06.2025 05:23:19 UTC`, `09/06/25`."""
    if found := _ISO.fullmatch(word):
        year, month, day, *time = (int(part or 0) for part in found.groups())
        moment = _moment(year, month, day, time)
        return Said(moment, moment)
    if found := _PARTS.fullmatch(word):
        first, second, year, *time = (int(part or 0) for part in found.groups())
        year = year if year > 99 else 2000 + year
        day_first = _moment(year, second, first, time)
        return Said(day_first, _moment(year, first, second, time) if "/" in word else day_first)
    return Said(None, None)


def _moment(year: int, month: int, day: int, time: list[int]) -> datetime | None:
    try:
        hour, minute, second = time
        return _within_bounds(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except ValueError:
        return None


def _within_bounds(moment: datetime) -> datetime | None:
    return moment if 2000 <= moment.year <= 2200 else None
