"""`ledger`: what every movement of money was entered as (BAL-1)."""

from typing import Annotated

import typer

from starter.cli.commands import command_group

app = command_group("The ledger: balances, entries, whether it is right, and Beancount (BAL-1).")

_JSON = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("balance", help="What each account has, by currency.")
def balance(
    seller: Annotated[str | None, typer.Option("--seller", help="Only this seller's accounts.")] = None,
    as_json: _JSON = False,
) -> None:
    """Raises what `opened_books` raises."""
    from starter.cli.ledger_reports import show_balances

    show_balances(seller, as_json)


@app.command("entries", help="What was entered, oldest first: the last ones, or those of an order.")
def entries(
    order: Annotated[str | None, typer.Option("--order", help="The order's number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="So many lines.")] = 50,
    as_json: _JSON = False,
) -> None:
    """Raises what `opened_books` raises."""
    from starter.cli.ledger_reports import show_entries

    show_entries(order, limit, as_json)


@app.command(
    "check",
    help="Is every movement entered, once, as it is booked?\n\n"
    "Compares every payment, charge, refund and credit memo with its entries. Exit code 0: all is right; 4: it "
    "says which are not.",
)
def check(as_json: _JSON = False) -> None:
    """Raises Conflict when something is entered otherwise than booked."""
    from starter.cli.ledger_reports import check_ledger

    check_ledger(as_json)


@app.command("backfill", help="Enter what was booked before there was a ledger. Done again it changes nothing.")
def backfill() -> None:
    """Raises what `opened_books` raises."""
    from starter.cli.ledger_reports import backfill_ledger

    backfill_ledger()


@app.command("export", help="The whole ledger in the format of Beancount, to standard output.")
def export() -> None:
    """Raises what `opened_books` raises."""
    from starter.cli.ledger_reports import export_ledger

    export_ledger()
