"""`amazon`: what comes from sellers' accounts at Amazon, and what goes there (AMZ-1, AMZ-5, AMZ-8)."""

from pathlib import Path
from typing import Annotated

import typer

from starter.cli import amazon_queue
from starter.cli.commands import command_group
from starter.cli.report_format import Format

app = command_group("Sellers' accounts at Amazon: what comes from there, and what goes there.")
app.add_typer(amazon_queue.app, name="queue")

_JSON = typer.Option("--json", help="For programs.")


@app.command(
    "import-returns",
    help="Start the returns of an Amazon returns report, and tell those that are there what is new.\n\n"
    "XML or tab separated, packed with GZIP or not. Only approved rows become returns; one of an order that is "
    "not known here is kept, and starts when it is. Later statuses and tracking numbers reach their return. What "
    "Amazon refunds by itself is not refunded again.\n\n"
    "A bad row stops no other: it is listed with its line and column, and the exit code is 2. The same file again "
    "changes nothing; once it was read, the import goes on whatever becomes of this command.\n\n\b\n"
    "Example:\n  backhaul amazon import-returns returns.txt --connection acme-amazon-na",
)
def import_returns(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report, as Amazon gave it.")],
    connection: Annotated[str, typer.Option("--connection", help="The account at Amazon that it is of.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raises NotFound (no such file or connection), InvalidInput (no returns report, bad rows),
    PartnerUnavailable."""
    from models.amazon.report_imports import ReportKind
    from starter.cli.output import run
    from starter.cli.report_import import import_report

    run(import_report(ReportKind.RETURNS, file, connection, as_json))


@app.command(
    "import-orders",
    help="Put the orders on hold whose buyers want to cancel, as an Amazon order report says.\n\n"
    "Tab separated, packed with GZIP or not. An order that no supplier has waits until its seller cancels it, or "
    "declines; one that Amazon has cancelled while it waits is cancelled. A request of an order that is not known "
    "here is kept, and told when it is. A report without the column says nothing: no order is taken for one whose "
    "buyer does not ask.\n\n"
    "A bad row stops no other: it is listed with its line and column, and the exit code is 2. The same file again "
    "changes nothing.\n\n\b\n"
    "Example:\n  backhaul amazon import-orders orders.txt --connection acme-amazon-na",
)
def import_orders(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report, as Amazon gave it.")],
    connection: Annotated[str, typer.Option("--connection", help="The account at Amazon that it is of.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raises NotFound (no such file or connection), InvalidInput (no order report, bad rows),
    PartnerUnavailable."""
    from models.amazon.report_imports import ReportKind
    from starter.cli.output import run
    from starter.cli.report_import import import_report

    run(import_report(ReportKind.ORDERS, file, connection, as_json))


@app.command(
    "import-settlement",
    help="Enter a settlement of Amazon in the ledger, and match its refunds with ours.\n\n"
    "The flat file V2, packed with GZIP or not. The sum of its amounts must be its total, and every row "
    "readable: otherwise it is held, nothing is booked, and the exit code is 2; the corrected file takes its "
    "place. Words that are new are booked on an account of their own, and listed. Refunds that Amazon made by "
    "itself reach their return.\n\n"
    "The same settlement again changes nothing; one of its number with other contents is refused.\n\n\b\n"
    "Example:\n  backhaul amazon import-settlement settlement.txt --connection acme-amazon-na",
)
def import_settlement(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The report, as Amazon gave it.")],
    connection: Annotated[str, typer.Option("--connection", help="The account at Amazon that it is of.")],
    with_difference: Annotated[
        bool, typer.Option("--with-difference", help="Book it as it is: what it is off goes to suspense.")
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raises NotFound (no such file or connection), InvalidInput (no settlement report, does not add up), Conflict
    (there with other contents), PartnerUnavailable."""
    from starter.cli.output import run
    from starter.cli.settlement_import import import_settlement

    run(import_settlement(file, connection, with_difference=with_difference, as_json=as_json))


@app.command(
    "reconcile",
    help="A settlement against the books: its sums, what was expected and what came, words that are new.\n\n\b\n"
    "Example:\n  backhaul amazon reconcile --settlement 18000000001",
)
def reconcile(
    settlement: Annotated[str, typer.Option("--settlement", help="Amazon's number of it.")],
    connection: Annotated[
        str | None, typer.Option("--connection", help="Of which account, where several have one of this number.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="html: one page, which loads nothing.")] = Format.TABLE,
    as_json: Annotated[bool, typer.Option("--json", help="For programs; the same as --format json.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets; the same as --format csv.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar="FILE", help="Write it there, readable for you alone, instead of showing it."
        ),
    ] = None,
) -> None:
    """Raises NotFound, Conflict (several accounts have it), and what `opened_books` raises."""
    from starter.cli.settlement_output import show_settlement

    wanted = Format.JSON if as_json else Format.CSV if as_csv else form
    show_settlement(settlement, connection, wanted, output)


@app.command(
    "imports",
    help="The imports of reports, the newest first: from files, and by themselves.\n\n\b\n"
    "Example:\n  backhaul amazon imports",
)
def imports(
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")] = 20,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Reads the database alone."""
    from starter.cli.report_import import show_imports

    show_imports(as_json, limit)


@app.command(
    "rejected",
    help="The rows of an import that were not taken, or not as they stand: line, column and reason.\n\n"
    "With --json one row a line, with what stands in it, to be corrected; never who the buyer is.\n\n\b\n"
    "Example:\n  backhaul amazon rejected acme-amazon-na.20261129T072003.412000Z",
)
def rejected(
    import_id: Annotated[str, typer.Argument(metavar="IMPORT", help="As `backhaul amazon imports` lists it.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Raises NotFound."""
    from starter.cli.report_import import show_rejected

    show_rejected(import_id, as_json)
