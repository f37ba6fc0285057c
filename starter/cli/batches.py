"""`batch`: a document of refunds or cancellations to a marketplace (AMZ-5, AMZ-10)."""

from typing import Annotated, Final

import typer

from models.contract import CHANNEL_BATCH
from starter.cli.commands import command_group
from starter.cli.events import EventCommand, EventToSend, add_events

app = command_group("Documents of refunds and cancellations to Amazon.")

EVENTS: Final = (
    EventCommand(
        "resolve",
        "feed_resolved",
        "Say whether a document reached Amazon whose answer was lost: with its feed, or that it did not.",
        'B-RF-1001-D1 --outcome not-handed-in --reason "Seller Central has no such feed" --actor staff:kim',
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import batch_case
    from starter.cli.event_delivery import deliver

    deliver(batch_case(number), to_send)


@app.command("show", help="What is in it, how far it is, what Amazon said of it, and the timeline.")
def show(
    number: Annotated[str, typer.Argument(metavar="BATCH", help="The batch's id.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    from starter.cli.case_lookup import batch_case
    from starter.cli.case_status import show_status, status_of
    from starter.cli.output import run, show_json

    found = run(status_of(batch_case(number)))
    if as_json:
        show_json(found)
    else:
        show_status(found)


add_events(app, CHANNEL_BATCH, EVENTS, "The batch's id.", _send)
