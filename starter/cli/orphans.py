"""`orphan`: what was said about cases that are not known here: kept, looked at, matched, dismissed (RET-20)."""

from typing import Annotated, Final

import typer

from models.contract import ORPHAN
from starter.cli.commands import command_group
from starter.cli.events import EventCommand, EventToSend, add_events

app = command_group("What was said about cases that are not known here (RET-20).")

EVENTS: Final = (
    EventCommand(
        "match",
        "match",
        "Say which case it belongs to: the event is given to it. A named person's word.",
        'ebay-0123456789abcdef --case-id return-RR-1001-1 --reason "the buyer named it" --actor staff:kim',
    ),
    EventCommand(
        "dismiss",
        "dismiss",
        "Say that it belongs to no case here. A named person's word.",
        'ebay-0123456789abcdef --reason "another company\'s parcel" --actor staff:kim',
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import orphan_case
    from starter.cli.event_delivery import deliver

    deliver(orphan_case(number), to_send)


@app.command(
    "report",
    help="Keep what a marketplace, carrier, supplier or gateway said about a case that is not known here.\n\n"
    "One JSON object: who says it (`source`), the event's name (`event`), the event as it was said (`said`), and "
    "every number by which its case may be found (`numbers`); `seller_id` and `supplier_id`, where known. "
    "It is given to its case as soon as exactly one fits. Said twice it is kept once.\n\n\b\n"
    "Example:\n"
    "  backhaul orphan report '"
    '{"source": "reno", "event": "credit_memo", "numbers": ["RMA-77"], '
    '"said": {"event_id": "cm-1", "actor": "supplier:reno", "number": "CM-1", "date": "2026-03-01", '
    '"amount": "63.00", "currency": "USD"}}\'',
)
def report(
    given: Annotated[str, typer.Argument(metavar="FILE|-|{...}", help="What was said, as JSON or YAML.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Raises InvalidInput, NotFound (no such file), PartnerUnavailable."""
    from starter.cli.orphan_reports import report_said
    from starter.cli.output import run

    run(report_said(given, as_json))


@app.command("list", help="What waits for its case, or for a person's word; the most urgent first.")
def list_all(
    every: Annotated[bool, typer.Option("--all", help="Also what is matched, dismissed or expired.")] = False,
    seller: Annotated[str | None, typer.Option("--seller", help="The seller's id.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CURSOR", help="The next page: the last one's `cursor`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    from starter.cli.orphan_reports import list_orphans

    list_orphans(every=every, seller=seller, limit=limit, after=after, as_json=as_json)


add_events(app, ORPHAN, EVENTS, "The orphan's number.", _send)
