"""The page: one HTML file that needs nothing from elsewhere, for screens by day and by night, and for paper."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.buyers import DEFAULT_LANGUAGE
from models.reasons import reason_in_words
from models.report_figures import Figures, FillRate, RefundsByReason
from models.reports import MoneyReport, SlaReport
from models.text import visible
from starter.report_page import charts

_TEMPLATES: Final = Path(__file__).parent / "templates"
_BROKER: Final = ("charged", "refunded", "credited", "owed", "in_review", "in_doubt")
_BUYERS: Final = ("buyers_paid", "buyers_refunded", "buyers_pending", "buyers_in_doubt")
_SUPPLIERS: Final = ("expected", "late", "received")


class Reported(NamedTuple):
    """What the page shows. `of`: of which seller or supplier alone, in words."""

    sla: SlaReport
    money: MoneyReport
    figures: Figures
    of: str | None = None


def page_of(reported: Reported) -> str:
    """Raises nothing for empty books: what is not there is said."""
    reasons = _frequent(reported.figures.reasons)
    names = [_in_words(one) for one in reasons]
    figures = reported.figures
    return (
        templates()
        .get_template("report.html")
        .render(
            sla=reported.sla,
            money=reported.money,
            figures=figures,
            of=reported.of,
            open_returns=sum(one.total for one in figures.ageing),
            filled=_together(figures.fill_rate),
            ageing=charts.ageing(figures.ageing),
            to_credit=charts.to_credit(figures.to_credit),
            fill_rate=charts.fill_rate(figures.fill_rate),
            reasons=list(zip(names, reasons, strict=True)),
            reasons_chart=charts.reasons(reasons, names),
            broker=_BROKER,
            buyers=_BUYERS,
            suppliers=_SUPPLIERS,
        )
    )


def _together(weeks: Sequence[FillRate]) -> FillRate | None:
    """All weeks as if they were one."""
    if not weeks:
        return None
    return FillRate(
        week=weeks[0].week,
        from_stock=sum(one.from_stock for one in weeks),
        second_sourced=sum(one.second_sourced for one in weeks),
        voided=sum(one.voided for one in weeks),
    )


_OTHERS: Final = "all other reasons"


def _frequent(reasons: Sequence[RefundsByReason]) -> list[RefundsByReason]:
    """The most frequent ones; the rest together."""
    if len(reasons) <= charts.MOST_ROWS:
        return list(reasons)
    first, rest = reasons[: charts.MOST_ROWS - 1], reasons[charts.MOST_ROWS - 1 :]
    amounts: dict[str, Decimal] = {}
    for one in rest:
        for currency, amount in one.amounts:
            amounts[currency] = amounts.get(currency, Decimal(0)) + amount
    others = RefundsByReason(
        reason=_OTHERS, refunds=sum(one.refunds for one in rest), amounts=tuple(sorted(amounts.items()))
    )
    return [*first, others]


def _in_words(one: RefundsByReason) -> str:
    return "without a return" if one.reason is None else reason_in_words(one.reason, (), DEFAULT_LANGUAGE)


def templates() -> Environment:
    """Those of all pages: what they show is escaped."""
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: Any) -> Any:
    """As people read it, and nothing that could turn the line around: what strangers wrote is only text."""
    match value:
        case Markup():
            return value
        case None:
            return ""
        case Decimal():
            return f"{value:,f}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case int() if not isinstance(value, bool):
            return f"{value:,}"
    return visible(str(value))
