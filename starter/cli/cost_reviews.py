"""`cost-review`: who bears the product and return cost, after the buyer was refunded (BAL-2)."""

from typing import Annotated, Final

import typer

from models.contract import COST_REVIEW
from models.failures import InvalidInput, Problem
from starter.cli.commands import command_group
from starter.cli.events import EventCommand, EventToSend, add_events

app = command_group("Who bears the cost, after the buyer was refunded (BAL-2).")

EVENTS: Final = (
    EventCommand(
        "decide",
        "cost_decision",
        "Approve all or part of it, which credits the seller's balance, or reject it with a reason.",
        "CR-1001-1 --decision approved --amount 40.00 --actor staff:kim",
    ),
    EventCommand(
        "withdraw",
        "review_withdrawn",
        "The seller asks no more, while it is open.",
        'CR-1001-1 --reason "settled with the supplier" --actor seller:jane',
    ),
    EventCommand(
        "evidence",
        "evidence_added",
        "One more photo, video or document, by reference and hash.",
        "CR-1001-1 --reference s3://acme/label.pdf --sha256 " + "0" * 64,
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import cost_review_case
    from starter.cli.event_delivery import deliver

    deliver(cost_review_case(number), to_send)


@app.command(
    "request",
    help="Ask for a review of an order, or of one return of it, whose buyer was refunded.\n\n"
    "Not more than the buyer got back, in the same currency; other reviews of it count.\n\n\b\n"
    "Example:\n"
    '  backhaul cost-review request --order 1001 --return RR-1001-1 --amount 40.00 --notes "wrong part" \\\n'
    "    --evidence photo:" + "0" * 64 + ":s3://acme/label.jpg",
)
def request(
    order: Annotated[str, typer.Option("--order", help="The order's number.")],
    amount: Annotated[str, typer.Option("--amount", help="Such as 40.00.")],
    notes: Annotated[str, typer.Option("--notes", help="Why the broker or the supplier should bear it.")],
    return_id: Annotated[str | None, typer.Option("--return", help="The return that it is about.")] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="ISO 4217; default: that of the buyer's payment.")
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            metavar="KIND:SHA256:REFERENCE",
            help="A photo, video or document, by its hash and where it is; may be given many times.",
        ),
    ] = None,
    review_id: Annotated[
        str | None, typer.Option("--review-id", help="The review's number; default: the order's next free one.")
    ] = None,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who asks.")
    ] = "seller:cli",
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (BAL-2), PartnerUnavailable."""
    from starter.cli.cost_review_requests import request_review
    from starter.cli.output import run

    said = {
        "review_id": review_id,
        "return_id": return_id,
        "amount": amount,
        "currency": currency,
        "notes": notes,
        "requested_by": requested_by,
    }
    run(request_review(order, [_evidence(text) for text in evidence or []], said))


def _evidence(text: str) -> dict[str, str]:
    kind, _, rest = text.partition(":")
    sha256, _, reference = rest.partition(":")
    if not reference:
        raise InvalidInput("--evidence", [Problem(text[:100], "must be KIND:SHA256:REFERENCE")])
    return {"kind": kind, "sha256": sha256, "reference": reference}


@app.command("show", help="What was asked for, what the buyer was refunded, what was decided, and the timeline.")
def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The review's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    from starter.cli.case_lookup import cost_review_case
    from starter.cli.case_status import show_status, status_of
    from starter.cli.output import run, show_json

    found = run(status_of(cost_review_case(number)))
    if as_json:
        show_json(found)
    else:
        show_status(found)


@app.command("list", help="What waits for a decision; the most urgent first.")
def list_all(
    every: Annotated[bool, typer.Option("--all", help="Also what is decided or withdrawn.")] = False,
    seller: Annotated[str | None, typer.Option("--seller", help="The seller's id.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CURSOR", help="The next page: the last one's `cursor`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    from starter.cli.case_filter import Filter
    from starter.cli.cost_review_requests import list_reviews

    list_reviews(Filter(None, seller, None, limit, after), as_json, every=every)


add_events(app, COST_REVIEW, EVENTS, "The review's number.", _send)
