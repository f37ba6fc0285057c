"""`amazon queue`: refunds and cancellations that wait to be told to Amazon (AMZ-5, AMZ-7)."""

from typing import Annotated, Final

import typer

from models.amazon.queue import QueueKind, QueueState
from starter.cli.commands import command_group

app = command_group("What waits to be told to Amazon: refunds and cancellations.")

Seller = Annotated[str | None, typer.Option("--seller", help="The company's id.")]
Kind = Annotated[QueueKind | None, typer.Option("--kind", help="What is asked of Amazon.")]
Select = Annotated[
    list[str] | None,
    typer.Option("--select", metavar="ENTRY", help="An entry, such as RF-1001-D1; may be repeated."),
]
Actor = Annotated[str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who says so.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
MOST_LISTED: Final = 10_000


@app.command(
    "list",
    help="What waits and what is on its way, the oldest first; with document number and batch.\n\n\b\n"
    "Example:\n  backhaul amazon queue list --seller acme --kind refund",
)
def list_all(
    seller: Seller = None,
    kind: Kind = None,
    state: Annotated[QueueState | None, typer.Option("--state", help="Only what stands there.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also what is done or rejected.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_LISTED)] = 50,
    as_json: AsJson = False,
) -> None:
    from activities.database.amazon_queue import QueueFilter
    from starter.cli.queue_to_amazon import show_queue

    show_queue(QueueFilter(seller, kind, (state,) if state else (), every=every, limit=limit), as_json)


@app.command(
    "process",
    help="Send what is chosen to Amazon, all of an account and kind in one document.\n\n"
    "It says the document's number and batch. What Amazon refused is sent again only when it is named. One "
    "document of a kind is under way per account; one that was cut off goes on.\n\n\b\n"
    "Example:\n  backhaul amazon queue process --select RF-1001-D1 --select RF-1002-D1",
)
def process(
    select: Select = None,
    every: Annotated[bool, typer.Option("--all", help="All that is queued, of this company and kind.")] = False,
    seller: Seller = None,
    kind: Kind = None,
    actor: Actor = "seller:cli",
    as_json: AsJson = False,
) -> None:
    """Raises InvalidInput, NotFound (no such entry), Conflict (a document is under way), PartnerUnavailable."""
    from starter.cli.output import run
    from starter.cli.queue_processing import process_entries
    from starter.cli.queue_to_amazon import Choice

    run(process_entries(Choice(tuple(select or ()), every, seller, kind), actor, as_json))


@app.command(
    "reject",
    help="Take entries out of the queue: nothing is sent, and what was to be refunded is refundable again.\n\n"
    "What is on its way or done can't be rejected.\n\n\b\n"
    'Example:\n  backhaul amazon queue reject --select RF-1001-D1 --reason "refunded in Seller Central"',
)
def reject(
    reason: Annotated[str, typer.Option("--reason", help="Why; whoever asked for it is told.")],
    select: Select = None,
    every: Annotated[bool, typer.Option("--all", help="All that wait, of this company and kind.")] = False,
    seller: Seller = None,
    kind: Kind = None,
    actor: Actor = "seller:cli",
    as_json: AsJson = False,
) -> None:
    """Raises InvalidInput, NotFound (no such entry), Conflict (on its way), PartnerUnavailable."""
    from starter.cli.output import run
    from starter.cli.queue_to_amazon import Choice, reject_entries

    run(reject_entries(Choice(tuple(select or ()), every, seller, kind), reason, actor, as_json))
