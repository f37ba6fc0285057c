"""`report`: all cases together: promises and money, as a table, CSV, JSON, or a page to look at."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from models.failures import InvalidInput, Problem
from starter.cli.commands import command_group
from starter.cli.report_format import Format

app = command_group("Promises and money of all cases together.")

_DAYS_AGO: Final = re.compile(r"^(?P<days>\d{1,4})d$")


_Format = Annotated[
    Format, typer.Option("--format", help="html: one page with charts, of all reports; it loads nothing.")
]
_Json = Annotated[bool, typer.Option("--json", help="For programs; the same as --format json.")]
_Seller = Annotated[str | None, typer.Option("--seller", help="Only what is of this seller.")]
_Supplier = Annotated[str | None, typer.Option("--supplier", help="Only what is of this supplier.")]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output", metavar="FILE", help="Write it there, readable for you alone, instead of showing it."
    ),
]
_Since = Annotated[
    str | None, typer.Option("--since", metavar="DAY|TIME|30d", help="Only what moved from then on (UTC).")
]
_Until = Annotated[
    str | None, typer.Option("--until", metavar="DAY|TIME|30d", help="Only what moved before then.")
]


@app.command(
    "sla",
    help="Promises that are open: due in time, at risk, broken; by supplier and by seller.\n\n"
    "The seller is refunded within 60 days of the return request, an order is with a supplier within 60 minutes, "
    "a claim or a cost review is decided within 30 days.",
)
def sla(
    seller: _Seller = None,
    supplier: _Supplier = None,
    form: _Format = Format.TABLE,
    as_json: _Json = False,
    output: _Output = None,
) -> None:
    """Raises NotFound for an unknown seller or supplier, and what `opened_books` raises."""
    from starter.cli.report_output import show_sla

    show_sla(seller, supplier, Format.JSON if as_json else form, output)


@app.command(
    "money",
    help="Money by seller and by supplier, each currency for itself.\n\n"
    "Of a seller: charged, refunded, credited, owed, in review, in doubt; and what its buyers paid and got back. "
    "Of a supplier: credits expected, late, received. What moved is of the period, if one is given; what is open "
    "is of now.",
)
def money(
    seller: _Seller = None,
    supplier: _Supplier = None,
    since: _Since = None,
    until: _Until = None,
    form: _Format = Format.TABLE,
    as_json: _Json = False,
    output: _Output = None,
) -> None:
    """Raises InvalidInput for a period that is none, NotFound for an unknown seller or supplier, and what
    `opened_books` raises."""
    from activities.database.money_report import Period
    from starter.cli.report_output import show_money

    period = Period(_moment("--since", since), _moment("--until", until))
    if period.since is not None and period.until is not None and period.since >= period.until:
        raise InvalidInput("--until", [Problem(str(until)[:100], "must be later than --since")])
    show_money(seller, supplier, period, Format.JSON if as_json else form, output)


def _moment(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    if match := _DAYS_AGO.match(text):
        return datetime.now(UTC) - timedelta(days=int(match["days"]))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            option, [Problem(text[:100], "must be a day, a time, or such as 30d, which is 30 days ago")]
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
