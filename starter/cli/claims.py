"""`claim`: what the seller paid a local dealer for units that nobody had (CLM-1, CLM-2)."""

from typing import Annotated, Final

import typer

from models.contract import CLAIM
from starter.cli.commands import command_group
from starter.cli.events import ONE_LINE, EventCommand, EventToSend, add_events

app = command_group("What the seller paid elsewhere for voided units (CLM-1).")

EVENTS: Final = (
    EventCommand(
        "decide",
        "claim_decision",
        "Approve all or part of it, which credits the seller's balance, or reject it with a reason.",
        "CL-1001-1 --decision approved --amount 120.00 --actor staff:kim",
    ),
    EventCommand(
        "withdraw",
        "claim_withdrawn",
        "The seller claims no more, while it is open.",
        'CL-1001-1 --reason "the dealer took it back" --actor seller:jane',
    ),
    EventCommand(
        "evidence",
        "receipt_added",
        "A receipt of the dealer, by reference and hash; with it, it may need no person.",
        "CL-1001-1 --reference s3://acme/receipt.pdf --sha256 " + "0" * 64,
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import claim_case
    from starter.cli.event_delivery import deliver

    deliver(claim_case(number), to_send)


@app.command(
    "request",
    help="Claim what a local dealer was paid for units that were voided (ORD-7).\n\n"
    "Each unit is claimed once, in the currency in which the seller is charged.\n\n\b\n"
    "Example:\n"
    '  backhaul claim request --order 1001 --line BRK-100:1 --amount 80.00 --dealer "Reno Auto Parts" \\\n'
    "    --receipt s3://acme/receipt.pdf --sha256 " + "0" * 64,
)
def request(
    order: Annotated[str, typer.Option("--order", help="The order's number.")],
    line: Annotated[list[str], typer.Option("--line", metavar="SKU:QTY", help=f"Voided units. {ONE_LINE}")],
    amount: Annotated[str, typer.Option("--amount", help="What was paid, such as 80.00.")],
    dealer: Annotated[str, typer.Option("--dealer", help="To whom.")],
    receipt: Annotated[str | None, typer.Option("--receipt", help="Where the dealer's receipt is kept.")] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", help="Of the receipt, 64 digits from 0 to f.")] = None,
    notes: Annotated[str | None, typer.Option("--notes", help="What else is to be known.")] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="ISO 4217; default: that of the seller's charge.")
    ] = None,
    seller: Annotated[str | None, typer.Option("--seller", help="The seller's id; default: the order's.")] = None,
    claim_id: Annotated[
        str | None, typer.Option("--claim-id", help="The claim's number; default: the order's next free one.")
    ] = None,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who claims.")
    ] = "seller:cli",
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (CLM-1), PartnerUnavailable."""
    from starter.cli.claim_requests import request_claim
    from starter.cli.output import run

    given = receipt is not None or sha256 is not None
    evidence = {"kind": "document", "reference": receipt or "", "sha256": sha256 or ""} if given else None
    said = {
        "claim_id": claim_id,
        "seller_id": seller,
        "amount": amount,
        "currency": currency,
        "dealer": dealer,
        "notes": notes,
        "requested_by": requested_by,
    }
    run(request_claim(order, line, evidence, said))


@app.command("show", help="What was claimed, for which units, what was decided, and the timeline.")
def show(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The claim's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    from starter.cli.case_lookup import claim_case
    from starter.cli.case_status import show_status, status_of
    from starter.cli.output import run, show_json

    found = run(status_of(claim_case(number)))
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
    from starter.cli.claim_requests import list_claims

    list_claims(Filter(None, seller, None, limit, after), as_json, every=every)


add_events(app, CLAIM, EVENTS, "The claim's number.", _send)
