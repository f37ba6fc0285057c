"""`refund`: the direct refund (REF-2, REF-8, REF-9) and what the gateway says of one."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from temporalio.client import Client

from models.case import RefundStage
from models.contract import REFUND
from models.failures import Category, Conflict, InvalidInput, Problem
from models.ids import direct_refund_id, refund_workflow_id
from models.refunds import RefundRequest, Way
from starter.cli.case_lookup import books, order_case, refund_case
from starter.cli.event_delivery import deliver
from starter.cli.events import EventCommand, add_events, quantity_line
from starter.cli.output import remark, run, say
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_refund
from starter.client.status import ending_of, until_past

if TYPE_CHECKING:  # the books are slow to load, and `--help` needs none
    from activities.database import Reading
    from activities.database.views import OrderView

app = typer.Typer(no_args_is_help=True, help="Refunds of the buyer: make one, and tell what the gateway says.")

_SETTLES_WITHIN: Final = timedelta(seconds=15)

EVENTS: Final = (
    EventCommand(
        "gateway-update",
        "gateway_update",
        "The gateway says how a pending refund went, or that one failed days later (REF-7).",
        "RF-1001-D1 --status succeeded --gateway-refund-id re_1",
    ),
)

add_events(app, REFUND, EVENTS, "The refund's number.", lambda number, event: deliver(refund_case(number), event))


@app.command(
    "start",
    help="Refund the buyer without a return (REF-2).\n\n"
    "What is still refundable counts earlier and pending refunds. The refund's number is shown before the money "
    "moves; the same number never refunds twice, so after a doubt send it again with --refund-id.\n\n\b\n"
    "Examples:\n"
    '  backhaul refund start --order 1001 --amount 12.50 --reason "scratched"\n'
    '  backhaul refund start --order 1001 --full --reason "never arrived"\n'
    '  backhaul refund start --order 1001 --amount 12.50 --reason "card closed" --way manual --reference CHECK-7',
)
def start(
    order: Annotated[str, typer.Option("--order", help="The order's number.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    amount: Annotated[str | None, typer.Option("--amount", help="Such as 12.50.")] = None,
    full: Annotated[bool, typer.Option("--full", help="All that is still refundable (REF-8).")] = False,
    line: Annotated[
        list[str] | None,
        typer.Option("--line", metavar="SKU:QTY", help="For which units; may be given many times."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="ISO 4217; default: that of the buyer's payment.")
    ] = None,
    way: Annotated[
        Way, typer.Option("--way", help="gateway: send it. manual, marketplace: made there, record it (REF-9).")
    ] = Way.GATEWAY,
    reference: Annotated[
        str | None, typer.Option("--reference", help="The number of a refund made elsewhere.")
    ] = None,
    refund_id: Annotated[
        str | None, typer.Option("--refund-id", help="The refund's number; default: the order's next free one.")
    ] = None,
    requested_by: Annotated[
        str, typer.Option("--actor", envvar="BACKHAUL_ACTOR", metavar="ROLE:NAME", help="Who asks.")
    ] = "staff:cli",
) -> None:
    """Raises InvalidInput, NotFound (no such order), EventRefused (REF-3..5), PartnerUnavailable."""
    order_case(order)
    _require_one_amount(amount, full)
    if way is not Way.GATEWAY and reference is None:
        raise InvalidInput(
            "refund start", [Problem("--reference", f"a {way.value} refund needs its number there")]
        )
    lines = [quantity_line(text) for text in line or []]
    with books() as reading:
        view = reading.order_view(order)
        _require_lines_of(view, lines)
        ordinal = _next_ordinal(reading, order) if refund_id is None else None
        data: dict[str, Any] = {
            "refund_id": refund_id if ordinal is None else direct_refund_id(order, ordinal),
            "order_id": order,
            "way": way,
            "amount": amount,
            "currency": currency or view.request.payment.currency,
            "reason": reason,
            "requested_by": requested_by,
            "lines": lines,
            "reference": reference,
        }
    run(_start(RefundRequest.at_the_door(data), ordinal))


def _require_one_amount(amount: str | None, full: bool) -> None:
    if (amount is None) == (not full):
        raise InvalidInput("refund start", [Problem("--amount", "give either --amount or --full")])


def _require_lines_of(view: "OrderView", lines: list[dict[str, Any]]) -> None:
    ordered = {line.sku: line.quantity for line in view.lines}
    problems = [
        Problem(f"--line {line['sku']}", f"the order has {ordered.get(line['sku'], 0)} of it")
        for line in lines
        if line["quantity"] > ordered.get(line["sku"], 0)
    ]
    if problems:
        raise InvalidInput(f"order {view.listed.order_id}", problems)


def _next_ordinal(reading: "Reading", order: str) -> int:
    """Of a number that the books know no refund by."""
    ordinal = 1
    while reading.standing(refund_workflow_id(direct_refund_id(order, ordinal))) is not None:
        ordinal += 1
    return ordinal


async def _start(request: RefundRequest, ordinal: int | None) -> None:
    """`ordinal`: of the number that was chosen here; none: it was given."""
    client = await connect()
    remark(f"refund {request.refund_id}")
    opened = await open_refund(client, request)
    while opened.already and ordinal is not None:
        ended = await ending_of(client, None, opened.workflow_id)
        if ended is None or ended.outcome != RefundStage.REFUSED:
            raise Conflict(
                f"refund {request.refund_id} is being made right now; nothing was added to it. "
                f"See `backhaul status {request.refund_id}`, then decide"
            )
        # A refused one leaves nothing in the books: its number looked free.
        ordinal += 1
        request = request.model_copy(update={"refund_id": direct_refund_id(request.order_id, ordinal)})
        remark(f"refund {request.refund_id}")
        opened = await open_refund(client, request)
    if opened.already:
        say(f"refund {request.refund_id} already exists; not repeated. See `backhaul status {request.refund_id}`")
        return
    await _tell(client, request.refund_id, opened.workflow_id)


async def _tell(client: Client, refund_id: str, workflow_id: str) -> None:
    status = await until_past(client, workflow_id, {RefundStage.RESERVING, RefundStage.SENDING}, _SETTLES_WITHIN)
    if status is None:
        say(f"refund {refund_id} is recorded; it has no result yet: backhaul status {refund_id}")
        return
    if status.stage not in (RefundStage.REFUSED, RefundStage.FAILED):
        say(f"refund {refund_id}: {status.stage}")
        return
    ended = await ending_of(client, None, status.workflow_id)
    raise EventRefused(
        f"refund {refund_id} is {status.stage}: {ended.message if ended else 'see its status'}",
        Category.REFUSED_BY_RULE if status.stage == RefundStage.REFUSED else Category.REFUSED_BY_PARTNER,
    )
