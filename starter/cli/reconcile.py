"""`reconcile`: find the cases that the books have open and the server ended without a word."""

from typing import TYPE_CHECKING, Annotated

import typer

from models.environment import settings_from_environment
from models.failures import Conflict
from starter.cli.case_lookup import opened_books
from starter.cli.output import run, say, show_json, show_table
from starter.client.connection import connect

if TYPE_CHECKING:  # the books are slow to load, and `--help` needs none
    from starter.ops.reconcile import Lost


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
    run(_reconcile(write, as_json))


async def _reconcile(write: bool, as_json: bool) -> None:
    from activities.database import Contacts
    from activities.database.reconciliation import Reconciling
    from activities.mail.delivery import Mailer
    from starter.ops.reconcile import find_lost, note_lost, tell_staff

    settings = settings_from_environment()
    with opened_books() as engine:
        books, contacts = Reconciling(engine), Contacts(engine, settings)
        lost = await find_lost(await connect(), books)
        _show(lost, as_json)
        noted = await note_lost(books, lost) if write else []
        if write:
            told = await tell_staff(Mailer(settings, contacts, contacts), books)
            if not as_json:
                say(f"{len(noted)} noted in the books, staff told of {told}")
    if left := [one.case.workflow_id for one in lost if one not in noted]:
        hint = "look at them" if write else "`backhaul reconcile --write` notes them"
        raise Conflict(f"{len(left)} open in the books and not on the server: {', '.join(left[:5])}; {hint}")


def _show(lost: "list[Lost]", as_json: bool) -> None:
    if as_json:
        show_json(lost)
    elif not lost:
        say("all that the books have open runs on the server")
    else:
        show_table(
            ("case", "stage in the books", "the server says", "since (UTC)", "money and goods"),
            (
                (one.case.workflow_id, one.case.stage, one.server_says, one.since, "\n".join(one.hangs_on_it))
                for one in lost
            ),
        )
