"""`return`: the manual return, finding one by any of its numbers, and its events."""

import re
from typing import Annotated, Any, Final

import typer

from models.contract import RETURN
from models.failures import InvalidInput, Problem
from models.returns import ReturnRequest, Source
from starter.cli.commands import command_group
from starter.cli.events import ONE_LINE, EventCommand, EventToSend, add_events, named_line

app = command_group("Returns: open them, find them, and tell them what happened.")

_LINE: Final = re.compile(r"^(?P<sku>.+?):(?P<quantity>\d+):(?P<reason>.+)$", re.DOTALL)
_EVIDENCE: Final = re.compile(
    r"^(?P<sku>.+?):(?P<kind>[a-z]+):(?P<sha256>[0-9A-Za-z]{64}):(?P<reference>.+)$", re.DOTALL
)

EVENTS: Final = (
    EventCommand(
        "approve",
        "seller_approval",
        "The seller approves the return, and says what it costs and how it travels (RET-4, RET-5).",
        "RR-1001-1 --restocking-percent 15 --label-paid-by buyer",
        {"decision": "approved"},
    ),
    EventCommand(
        "reject",
        "seller_approval",
        "The seller rejects the return; the buyer is told why (RET-4).",
        'RR-1001-1 --reason "special order"',
        {"decision": "rejected"},
        frozenset(
            {
                "resolution",
                "return_fee",
                "restocking_fee",
                "restocking_percent",
                "returnless",
                "label_url",
                "carrier",
                "label_paid_by",
            }
        ),
    ),
    EventCommand(
        "rma",
        "supplier_rma",
        "The supplier issued its RMA number (RET-8).",
        "RR-1001-1 --rma-number RMA-77",
        {"outcome": "issued"},
        frozenset({"reason"}),
    ),
    EventCommand(
        "rma-refuse",
        "supplier_rma",
        "The supplier refuses to take the goods back (RET-8).",
        'RR-1001-1 --reason "over 90 days"',
        {"outcome": "refused"},
        frozenset({"rma_number", "return_address"}),
    ),
    EventCommand(
        "tracking",
        "return_tracking",
        "A parcel back is on its way (RET-10); several add up (RET-29).",
        "RMA-77 --carrier UPS --tracking-number 1Z999",
    ),
    EventCommand(
        "received",
        "goods_received",
        "What arrived this time, and what the supplier makes of it (RET-11); receipts add up (RET-26).",
        "RMA-77 --line BRK-100:1:received:accepted",
    ),
    EventCommand(
        "credit-memo",
        "credit_memo",
        "The supplier's paper that gives money back, or its part for this return (RET-12, RET-28).",
        "RMA-77 --number CM-5 --date 2026-03-01 --amount 31.50 --currency USD --final",
    ),
    EventCommand(
        "refund-buyer",
        "buyer_refund",
        "The click: refund the buyer; without amount and lines all that comes back (RET-14, REF-1).",
        'RMA-77 --reason "goods are back"',
    ),
    EventCommand(
        "decline",
        "refund_declined",
        "The seller ends the return without refunding the buyer, who is told why (RET-27).",
        'RMA-77 --kind declined --reason "it was used"',
    ),
    EventCommand(
        "withdraw",
        "withdrawal",
        "Buyer or seller withdraw a return that has not been received (RET-15).",
        'RR-1001-1 --reason "keeps it"',
    ),
    EventCommand(
        "channel-update",
        "channel_update",
        "The marketplace did something by itself (RET-18).",
        "RR-1001-1 --status refunded_by_channel --amount 45.00",
    ),
    EventCommand(
        "override",
        "staff_override",
        "Staff waive a step, or move a deadline (RET-10, RET-13).",
        'RR-1001-1 --waive credit-memo --reason "supplier out of business"',
    ),
)


def _send(number: str, to_send: EventToSend) -> None:
    from starter.cli.case_lookup import return_case
    from starter.cli.event_delivery import deliver

    deliver(return_case(number), to_send)


add_events(
    app,
    RETURN,
    EVENTS,
    "Any number of the return: RR id, RMA, order, tracking, the broker's, Amazon's or eBay's (RET-17).",
    _send,
)


@app.command(
    "find",
    help="Find returns by any of their numbers (RET-17).\n\n\b\nExample:\n  backhaul return find RMA-77",
)
def find(
    number: Annotated[
        str,
        typer.Argument(metavar="NUMBER", help="RR id, RMA, order, tracking, broker's, Amazon's or eBay's."),
    ],
) -> None:
    """Raises NotFound."""
    from starter.cli.found_returns import show_returns

    show_returns(number)


@app.command(
    "start",
    help="Open a return by hand (RET-1, RET-2).\n\n"
    "Lines of several suppliers become one return per supplier.\n\n\b\n"
    'Example:\n  backhaul return start --order 1001 --line "BRK-100:1:does not fit"',
)
def start(
    order: Annotated[str, typer.Option("--order", help="The order's number.")],
    line: Annotated[
        list[str],
        typer.Option("--line", metavar="SKU:QTY:REASON", help=ONE_LINE),
    ],
    return_id: Annotated[
        str | None, typer.Option("--return-id", help="The RR number; default: the order's next free one.")
    ] = None,
    source: Annotated[Source, typer.Option("--source", help="Where the request came from.")] = Source.MANUAL,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who asks.")
    ] = "staff:cli",
    evidence: Annotated[
        list[str] | None,
        typer.Option(
            "--evidence",
            metavar="SKU:KIND:SHA256:REFERENCE",
            help="A photo, video or document of a line, by its hash and where it is; may be given many times.",
        ),
    ] = None,
    note: Annotated[str | None, typer.Option("--note", help="For people.")] = None,
    amazon_rma_id: Annotated[str | None, typer.Option("--amazon-rma-id")] = None,
    ebay_return_id: Annotated[str | None, typer.Option("--ebay-return-id")] = None,
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (RET-2), PartnerUnavailable."""
    from starter.cli.new_return import next_return_id, start_return
    from starter.cli.output import run

    data = {
        "return_id": return_id or next_return_id(order, source),
        "order_id": order,
        "source": source,
        "requested_by": requested_by,
        "lines": _lines(line, evidence or []),
        "note": note,
        "amazon_rma_id": amazon_rma_id,
        "ebay_return_id": ebay_return_id,
    }
    run(start_return(ReturnRequest.at_the_door(data), may_renumber=return_id is None))


def _lines(lines: list[str], evidence: list[str]) -> list[dict[str, Any]]:
    read = [_line(text) for text in lines]
    for text in evidence:
        match = _EVIDENCE.match(text)
        if match is None:
            raise InvalidInput("--evidence", [Problem(text[:100], "must be SKU:KIND:SHA256:REFERENCE")])
        named = named_line(match["sku"])
        of = [one for one in read if all(one.get(name) == value for name, value in named.items())]
        if len(of) != 1:
            raise InvalidInput("--evidence", [Problem(match["sku"][:100], "must be of one of the lines given")])
        of[0].setdefault("evidence", []).append({name: match[name] for name in ("kind", "sha256", "reference")})
    return read


def _line(text: str) -> dict[str, Any]:
    match = _LINE.match(text)
    if match is None:
        raise InvalidInput("--line", [Problem(text[:100], "must be SKU:QTY:REASON")])
    return {**named_line(match["sku"]), "quantity": int(match["quantity"]), "reason": match["reason"]}
