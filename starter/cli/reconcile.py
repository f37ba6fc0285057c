"""`reconcile`: find the cases that the books have open and the server ended without a word."""

from typing import Annotated

import typer


def reconcile(
    write: Annotated[bool, typer.Option("--write", help="Note them in the books, and mail staff a line.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Which cases do the books have open that the server does not run: terminated, failed, or forgotten?

    Tells each with the money and goods that hang on it. Exit code 0: none, or all are noted; 4: some are not.
    A case that runs, or was started again, is never touched. What is reserved of a refund stays reserved.

    Example:

      backhaul reconcile --write
    """
    from starter.cli.lost_cases import find_and_note
    from starter.cli.output import run

    run(find_and_note(write, as_json))
