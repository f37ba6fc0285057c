"""`credit-memo`: what suppliers credit (RET-12)."""

from pathlib import Path
from typing import Annotated

import typer

from starter.cli.commands import command_group

app = command_group("What suppliers credit (RET-12).")


@app.callback()
def credit_memo() -> None:
    """One command stays a group."""


@app.command(
    "import",
    help="Send every credit memo of a supplier's statement to its return.\n\n"
    "A CSV file, separated by commas or semicolons. Its first line names the columns: `number`, `date` "
    "(2026-03-01), `amount`, `currency`, at least one of `rma`, `return`, `order`; also `final` (yes, no) and "
    "`total` of a paper that credits several returns. They stand in any order, others are passed over.\n\n"
    "A row whose return is not found, or is one of several, is kept as an orphan. A bad row stops no other: it is "
    "listed, and the exit code is 2. The same file again changes nothing.\n\n\b\n"
    "Example:\n  backhaul credit-memo import statement.csv --supplier cascade",
)
def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The statement, in UTF-8; `-`: standard input.")],
    supplier: Annotated[str, typer.Option("--supplier", help="The supplier's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Raises NotFound (no such file, no such supplier), InvalidInput with the bad rows, PartnerUnavailable."""
    from starter.cli.output import run
    from starter.cli.statement_import import import_statement

    run(import_statement(file, supplier, as_json))
