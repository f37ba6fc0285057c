"""What the charts of the reports show: ageing, days to credit, fill rate, refunds by reason. Pure."""

import math
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from models.message import Message
from models.money import Amount, Currency

AGES: Final = ((0, 7), (8, 14), (15, 30), (31, 45), (46, 60), (61, None))
"""Days since the return request, first and last; the promise to refund the seller is of 60 days (RET-13)."""
FILL_RATE_AIM: Final = Decimal(98)
"""Percent: a fill rate of 98 % is normal (ORD-6)."""
MOST_WEEKS: Final = 26


def age_in_words(first: int, last: int | None) -> str:
    """`(8, 14)` -> `8 to 14 days`."""
    return f"over {first - 1} days" if last is None else f"{first} to {last} days"


class OpenByAge(Message):
    """Open returns of an age, by whether the promise to the seller is kept."""

    age: str
    on_time: int = 0
    at_risk: int = 0
    breached: int = 0

    @property
    def total(self) -> int:
        return self.on_time + self.at_risk + self.breached


class DaysToCredit(Message):
    """How long a supplier takes: calendar days (UTC) from the first parcel back, or if there is none from the
    return request, to a credit memo."""

    supplier_id: str
    credits: int
    median: int
    ninety_percent: int
    """So many days, or fewer, in nine of ten cases."""
    longest: int


def days_to_credit(supplier_id: str, counts: Iterable[tuple[int, int]]) -> DaysToCredit:
    """Of `(days, how many credits)`, at least one. The median of an even number is the lower of the middle two."""
    in_order = sorted((max(days, 0), count) for days, count in counts)
    credits = sum(count for _, count in in_order)
    return DaysToCredit(
        supplier_id=supplier_id,
        credits=credits,
        median=_at(in_order, math.ceil(credits / 2)),
        ninety_percent=_at(in_order, math.ceil(credits * 9 / 10)),
        longest=in_order[-1][0],
    )


def _at(in_order: Sequence[tuple[int, int]], place: int) -> int:
    """The days of the credit at this place, counted from 1."""
    passed = 0
    for days, count in in_order:
        passed += count
        if passed >= place:
            return days
    raise ValueError(f"there are only {passed}")


class FillRate(Message):
    """Orders of a week (from its Monday, UTC) that were sourced: from stock, second-sourced (ORD-6), or voided,
    all or in part, because nobody had it (ORD-7)."""

    week: date
    from_stock: int = 0
    second_sourced: int = 0
    voided: int = 0

    @property
    def orders(self) -> int:
        return self.from_stock + self.second_sourced + self.voided

    @property
    def percent(self) -> Decimal:
        """Of the orders those that were filled from stock; one digit, never rounded up to 98 or 100."""
        return (Decimal(1000 * self.from_stock // self.orders) / 10) if self.orders else Decimal(0)


def by_week(days: Iterable[tuple[date, int, int, int]]) -> tuple[FillRate, ...]:
    """Of `(day, from stock, second-sourced, voided)`: the last weeks that have orders."""
    weeks: dict[date, list[int]] = {}
    for day, *counts in days:
        monday = day - timedelta(days=day.weekday())
        so_far = weeks.setdefault(monday, [0, 0, 0])
        weeks[monday] = [a + b for a, b in zip(so_far, counts, strict=True)]
    found = [
        FillRate(week=week, from_stock=counts[0], second_sourced=counts[1], voided=counts[2])
        for week, counts in sorted(weeks.items())
    ]
    return tuple(found[-MOST_WEEKS:])


class RefundsByReason(Message):
    """Refunds of buyers that were made, by the reason of the first line that comes back; none: without a return.
    Amounts by currency."""

    reason: str | None
    refunds: int
    amounts: tuple[tuple[Currency, Amount], ...]


class Figures(Message):
    """All charts."""

    ageing: tuple[OpenByAge, ...]
    """Every age, the youngest first."""
    to_credit: tuple[DaysToCredit, ...]
    """The slowest supplier first."""
    fill_rate: tuple[FillRate, ...]
    """The oldest week first."""
    reasons: tuple[RefundsByReason, ...]
    """The most frequent first."""
