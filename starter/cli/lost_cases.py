"""What `reconcile` does: show the cases that the server has lost, note them, and tell staff."""

from activities.database import Alerts, Contacts
from activities.database.reconciliation import Reconciling
from activities.mail.delivery import Mailer
from models.environment import settings_from_environment
from models.failures import Conflict
from starter.cli.case_lookup import opened_books
from starter.cli.output import say, show_json, show_table
from starter.client.connection import connect
from starter.ops.reconcile import Lost, find_lost, note_lost, tell_staff


async def find_and_note(write: bool, as_json: bool) -> None:
    """Show the cases that the server has lost; with `write`, note them. Raises Conflict for those left."""
    settings = settings_from_environment()
    with opened_books() as engine:
        books, contacts = Reconciling(engine), Contacts(engine, settings)
        client = await connect()
        lost = await find_lost(client, books)
        _show(lost, as_json)
        noted = await note_lost(client, books, lost) if write else []
        if write:
            mailer = Mailer(settings, contacts, contacts, Alerts(engine), client.namespace)
            told = await tell_staff(mailer, books)
            if not as_json:
                say(f"{len(noted)} noted in the books, staff told of {told}")
    if left := [one.case.workflow_id for one in lost if one not in noted]:
        hint = "look at them" if write else "`backhaul reconcile --write` notes them"
        raise Conflict(f"{len(left)} open in the books and not on the server: {', '.join(left[:5])}; {hint}")


def _show(lost: list[Lost], as_json: bool) -> None:
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
