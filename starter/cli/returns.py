"""`return`: the manual return, finding one by any of its numbers, and its events."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from temporalio.client import Client

from models.case import CaseStatus, ReturnStage
from models.contract import RETURN
from models.failures import Category, InvalidInput, NotFound, Problem
from models.ids import return_id as numbered_return
from models.returns import ReturnRequest, Source
from starter.cli.case_lookup import books, return_case
from starter.cli.event_delivery import deliver
from starter.cli.events import EventCommand, add_events
from starter.cli.output import remark, run, say, show_table
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_return
from starter.client.status import ending_of, until_past

app = typer.Typer(no_args_is_help=True, help="Returns: open them, find them, and tell them what happened.")

_LINE: Final = re.compile(r"^(?P<sku>.+?):(?P<quantity>\d+):(?P<reason>.+)$", re.DOTALL)
_OPENS_WITHIN: Final = timedelta(seconds=10)
_MOST_RETURNS: Final = 200

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
        "The parcel back is on its way (RET-10).",
        "RMA-77 --carrier UPS --tracking-number 1Z999",
    ),
    EventCommand(
        "received",
        "goods_received",
        "The supplier received and inspected (RET-11).",
        "RMA-77 --line BRK-100:1:received:accepted",
    ),
    EventCommand(
        "credit-memo",
        "credit_memo",
        "The supplier's paper that gives money back (RET-12).",
        "RMA-77 --number CM-5 --date 2026-03-01 --amount 31.50 --currency USD",
    ),
    EventCommand(
        "refund-buyer",
        "buyer_refund",
        "The click: refund the buyer; without amount and lines all that comes back (RET-14, REF-1).",
        'RMA-77 --reason "goods are back"',
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
        'RR-1001-1 --waive tracking --reason "carrier lost it"',
    ),
)

add_events(
    app,
    RETURN,
    EVENTS,
    "Any number of the return: RR id, RMA number, order number, Amazon RMA id, eBay return id (RET-17).",
    lambda number, event: deliver(return_case(number), event),
)


@app.command(
    "find",
    help="Find returns by any of their numbers (RET-17).\n\n\b\nExample:\n  backhaul return find RMA-77",
)
def find(
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="RR id, RMA, order, Amazon RMA id or eBay return id.")
    ],
) -> None:
    """Raises NotFound."""
    with books() as reading:
        found = reading.find_return(number)
    if not found:
        raise NotFound(f"no return has the number {number}")
    show_table(
        ("return", "order", "stage", "supplier", "RMA", "waiting for"),
        (
            (
                row.return_id,
                row.order_id,
                row.standing.stage if row.standing else "opening",
                row.supplier_id,
                row.rma_number,
                row.standing.waiting_for if row.standing else None,
            )
            for row in found
        ),
    )


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
        typer.Option("--line", metavar="SKU:QTY:REASON", help="What comes back; may be given many times."),
    ],
    return_id: Annotated[
        str | None, typer.Option("--return-id", help="The RR number; default: the order's next free one.")
    ] = None,
    source: Annotated[Source, typer.Option("--source", help="Where the request came from.")] = Source.MANUAL,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who asks.")
    ] = "staff:cli",
    note: Annotated[str | None, typer.Option("--note", help="For people.")] = None,
    amazon_rma_id: Annotated[str | None, typer.Option("--amazon-rma-id")] = None,
    ebay_return_id: Annotated[str | None, typer.Option("--ebay-return-id")] = None,
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (RET-2), PartnerUnavailable."""
    data = {
        "return_id": return_id or _next_id(order),
        "order_id": order,
        "source": source,
        "requested_by": requested_by,
        "lines": [_line(text) for text in line],
        "note": note,
        "amazon_rma_id": amazon_rma_id,
        "ebay_return_id": ebay_return_id,
    }
    run(_start(ReturnRequest.at_the_door(data), may_renumber=return_id is None))


def _line(text: str) -> dict[str, Any]:
    match = _LINE.match(text)
    if match is None:
        raise InvalidInput("--line", [Problem(text[:100], "must be SKU:QTY:REASON")])
    return {"sku": match["sku"], "quantity": int(match["quantity"]), "reason": match["reason"]}


def _next_id(order: str) -> str:
    """The order's next free RR number. Raises NotFound when the books know no such order."""
    with books() as reading:
        reading.order_view(order)
        return reading.next_return_id(order)


async def _start(request: ReturnRequest, *, may_renumber: bool) -> None:
    client = await connect()
    opened = await open_return(client, request)
    ordinal = 1
    while opened.already and may_renumber and ordinal < _MOST_RETURNS:
        # Somebody else took that number since the books were asked.
        request = request.model_copy(update={"return_id": numbered_return(request.order_id, ordinal)})
        opened = await open_return(client, request)
        ordinal += 1
    if opened.already:
        say(f"return {request.return_id} already exists; not repeated")
        return
    status = await until_past(client, opened.workflow_id, {ReturnStage.OPENING}, _OPENS_WITHIN)
    if status is None:
        remark(f"no worker answered within {_OPENS_WITHIN.total_seconds():g} seconds")
        say(f"return {request.return_id} is recorded and opens when a worker runs")
        return
    await _tell(client, request.return_id, status)


async def _tell(client: Client, return_id: str, status: CaseStatus) -> None:
    if status.stage == ReturnStage.REFUSED:
        ended = await ending_of(client, None, status.workflow_id)
        raise EventRefused(
            f"return {return_id} is refused: {ended.message if ended else 'see `backhaul status`'}",
            Category.REFUSED_BY_RULE,
        )
    facts = status.facts
    items = ", ".join(f"{line['quantity']} x {line['sku']}" for line in facts.get("lines", []))
    say(f"return {return_id}: {items}, to {facts.get('supplier_id')}")
    for sibling in facts.get("siblings", []):
        say(f"return {sibling}: what comes from another supplier (RET-2)")
    if status.waiting_for is not None:
        say(f"waiting for {status.waiting_for.who}: {status.waiting_for.what}")
