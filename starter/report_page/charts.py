"""Where each mark of a chart stands, in units of its drawing. Pure; the templates draw it."""

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from models.report_figures import FILL_RATE_AIM, DaysToCredit, FillRate, OpenByAge, RefundsByReason

WIDTH: Final = 440
MOST_ROWS: Final = 12
CREDIT_DAYS: Final = 30
"""A supplier receives, inspects and credits within 30 days (RET-11)."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 430.0, 24.0, 176.0
_ROW: Final = 26
_ROW_LEFT, _ROW_RIGHT = 132.0, 376.0


class Tick(NamedTuple):
    """A line of the scale and its number."""

    at: float
    label: str


class Piece(NamedTuple):
    """A rectangle; `of`: what it counts, which gives its colour."""

    of: str
    x: float
    y: float
    width: float
    height: float
    label: str


class Column(NamedTuple):
    """A pile of pieces over a label."""

    middle: float
    top: float
    label: str
    total: int
    pieces: tuple[Piece, ...]


class Columns(NamedTuple):
    ticks: tuple[Tick, ...]
    columns: tuple[Column, ...]


class Row(NamedTuple):
    """A bar to the right of its name; `whisker`: how far a thinner line goes on."""

    y: float
    name: str
    width: float
    whisker: float
    label: str


class Rows(NamedTuple):
    height: float
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]
    limit: float | None = None


class Point(NamedTuple):
    x: float
    y: float
    below: bool
    label: str


class Points(NamedTuple):
    ticks: tuple[Tick, ...]
    points: tuple[Point, ...]
    aim: float
    days: tuple[Tick, ...]

    @property
    def line(self) -> str:
        return " ".join(f"{one.x},{one.y}" for one in self.points)


def ageing(ages: Sequence[OpenByAge]) -> Columns:
    """Open returns by age, piled up by whether the promise is kept."""
    most, step = scale(max((one.total for one in ages), default=0))
    per_unit = (_BOTTOM - _TOP) / most
    slot = (_RIGHT - _LEFT) / len(ages)
    columns = []
    for place, one in enumerate(ages):
        x, y, pieces = _LEFT + slot * place + slot * 0.18, _BOTTOM, []
        for of in ("on_time", "at_risk", "breached"):
            if count := getattr(one, of):
                height = count * per_unit
                y -= height
                label = f"{one.age}: {count} {of.replace('_', ' ')}"
                pieces.append(Piece(of, _round(x), _round(y), _round(slot * 0.64), _round(height), label))
        label = one.age.removesuffix(" days").replace(" to ", "–").replace("over ", "> ")
        columns.append(Column(_round(x + slot * 0.32), _round(y - 6), label, one.total, tuple(pieces)))
    ticks = tuple(Tick(_round(_BOTTOM - count * per_unit), str(count)) for count in range(0, most + 1, step))
    return Columns(ticks, tuple(columns))


def to_credit(suppliers: Sequence[DaysToCredit]) -> Rows:
    """The slowest suppliers: a bar to the median, a line on to what nine of ten cases need."""
    slowest = suppliers[:MOST_ROWS]
    most, step = scale(max([CREDIT_DAYS + 2, *(one.ninety_percent for one in slowest)]))
    per_day = (_ROW_RIGHT - _ROW_LEFT) / most
    rows = tuple(
        Row(
            y=place * _ROW + 8.0,
            name=_shortened(one.supplier_id),
            width=_round(one.median * per_day),
            whisker=_round(one.ninety_percent * per_day),
            label=f"{one.median} / {one.ninety_percent}",
        )
        for place, one in enumerate(slowest)
    )
    ticks = tuple(Tick(_round(_ROW_LEFT + days * per_day), str(days)) for days in range(0, most + 1, step))
    return Rows(len(rows) * _ROW + 34.0, ticks, rows, limit=_round(_ROW_LEFT + CREDIT_DAYS * per_day))


def reasons(found: Sequence[RefundsByReason], names: Sequence[str]) -> Rows:
    """How many refunds each reason has."""
    most = max((one.refunds for one in found), default=0) or 1
    rows = tuple(
        Row(
            y=place * _ROW + 8.0,
            name=_shortened(name),
            width=_round(one.refunds * (_ROW_RIGHT - _ROW_LEFT) / most),
            whisker=0.0,
            label=f"{one.refunds:,}",
        )
        for place, (one, name) in enumerate(zip(found, names, strict=True))
    )
    return Rows(len(rows) * _ROW + 8.0, (), rows)


def fill_rate(weeks: Sequence[FillRate]) -> Points:
    """Percent by week; the scale ends at 100 and begins a little under what is lowest."""
    lowest = min([Decimal(96), *(one.percent for one in weeks)])
    first = max(int(lowest // 5) * 5, 0) if lowest < 95 else 95
    span = 100 - first
    per_percent = (_BOTTOM - _TOP) / span
    slot = (_RIGHT - _LEFT) / max(len(weeks), 1)

    def height(percent: Decimal | int) -> float:
        return _round(_BOTTOM - float(percent - first) * per_percent)

    points = tuple(
        Point(
            x=_round(_LEFT + slot * (place + 0.5)),
            y=height(one.percent),
            below=one.percent < FILL_RATE_AIM,
            label=f"week of {one.week}: {one.percent} % of {one.orders} orders",
        )
        for place, one in enumerate(weeks)
    )
    step = 1 if span <= 5 else 5 if span <= 25 else 20
    ticks = tuple(Tick(height(percent), f"{percent}") for percent in range(first, 101, step))
    every = max(1, math.ceil(len(weeks) / 5))
    days = tuple(Tick(points[place].x, _day(weeks[place].week)) for place in range(0, len(weeks), every))
    return Points(ticks, points, height(int(FILL_RATE_AIM)), days)


def _day(day: date) -> str:
    return day.strftime("%d %b").lstrip("0")


def scale(highest: int) -> tuple[int, int]:
    """Where the scale ends, and its step: at most five steps of 1, 2 or 5 times a power of ten."""
    step = 1
    while step * 5 < highest:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return max(math.ceil(highest / step), 1) * step, step


def _shortened(name: str) -> str:
    return name if len(name) <= 17 else f"{name[:16]}…"


def _round(value: float) -> float:
    return round(value, 1)
