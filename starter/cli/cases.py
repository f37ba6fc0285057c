"""`status`, `list`, `refunds`, `event`: look at cases of any kind, and send any event by its name."""

import asyncio
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from temporalio.client import Client

from models.case import CaseStatus, OrderStage, RefundStage, ReturnStage, Wait
from models.contract import EVENTS, ORDER, REFUND, RETURN
from models.failures import Conflict, InvalidInput, NotFound, PartnerUnavailable, Problem
from models.ids import case_of, order_workflow_id, refund_workflow_id, return_workflow_id
from models.message import Message
from starter.cli.case_lookup import books, books_if_there, returns_numbered
from starter.cli.event_delivery import deliver
from starter.cli.events import generic_sending
from starter.cli.output import money, remark, run, say, show_json, show_table, shown
from starter.client.connection import connect
from starter.client.status import ask_status, status_in_books

if TYPE_CHECKING:  # the books are slow to load, and `--help` needs none
    from activities.database import Reading
    from activities.database.views import OrderRefunds, RefundTotals, Standing

event = typer.Typer(no_args_is_help=True, help="Any event of the contract, by its name.")

_WORKFLOWS: Final = {"order": ORDER, "return": RETURN, "refund": REFUND}
_FROM_NOW: Final = re.compile(r"^(?P<count>\d{1,4})(?P<unit>[hd])$")


class Kind(StrEnum):
    """What can be listed."""

    ORDERS = "orders"
    RETURNS = "returns"
    REFUNDS = "refunds"


_STAGES: Final[dict[Kind, type[StrEnum]]] = {
    Kind.ORDERS: OrderStage,
    Kind.RETURNS: ReturnStage,
    Kind.REFUNDS: RefundStage,
}


@event.command(
    "send",
    help="Send any event of the contract to a case, by names.\n\n\b\n"
    "Example:\n"
    "  backhaul event send order-1001 hold --json "
    '\'{"event_id": "h1", "actor": "staff:kim", "reason": "address unclear"}\'',
)
def send(
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help="Such as order-1001 or return-RR-1001-1.")],
    name: Annotated[str, typer.Argument(metavar="EVENT", help="Such as cancel_request.")],
    given: Annotated[str, typer.Option("--json", metavar="FILE|-|{...}", help="The event.")],
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Record it and don't wait for the answer.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the answer.")] = 10.0,
) -> None:
    """Raises InvalidInput, NotFound, Conflict, EventRefused, PartnerUnavailable."""
    try:
        kind, _ = case_of(workflow)
    except ValueError as error:
        raise InvalidInput("WORKFLOW", [Problem(workflow[:100], str(error))]) from None
    events = EVENTS[_WORKFLOWS[kind]]
    if name not in events:
        raise InvalidInput("EVENT", [Problem(name[:100], f"{kind}s hear: {', '.join(events)}")])
    deliver(workflow, generic_sending(name, events[name], given, None if no_wait else timedelta(seconds=timeout)))


def status(
    number: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A workflow id, or any number of an order, a return (RET-17) or a refund."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Where a case stands: stage, what it waits for, deadlines, timeline, rejected events, facts.

    The case itself answers; when no worker runs, or the case is long over, the books do.
    """
    found = run(_status(number))
    if as_json:
        show_json(found)
    else:
        _show(found)


async def _status(number: str) -> CaseStatus:
    with books_if_there() as reading:
        try:
            client: Client | None = await connect()
        except PartnerUnavailable as error:
            if reading is None:
                raise
            remark(f"from the books: {error}")
            client = None
        for workflow_id in _candidates(number):
            found = await _status_of(client, reading, workflow_id)
            if found is not None:
                return found
    if several := returns_numbered(number):
        raise Conflict(f"{number} is the number of {len(several)} returns: {', '.join(several)}; say which")
    raise NotFound(f"no order, return or refund has the number {number}")


def _candidates(number: str) -> list[str]:
    """The cases that the number may mean, the likeliest first."""
    as_ids = [order_workflow_id(number)]
    returns = returns_numbered(number)
    if len(returns) == 1:
        as_ids.append(return_workflow_id(returns[0]))
    as_ids += [return_workflow_id(number), refund_workflow_id(number)]
    try:
        case_of(number)
    except ValueError:
        return as_ids
    return [number, *as_ids]


async def _status_of(client: Client | None, reading: "Reading | None", workflow_id: str) -> CaseStatus | None:
    known_to_temporal = client is not None
    if client is not None:
        try:
            answered = await ask_status(client, workflow_id)
        except NotFound:
            known_to_temporal = False
        else:
            if answered is not None:
                return answered
            remark("no worker answers; this is what the books say")
    in_books = await asyncio.to_thread(status_in_books, reading, workflow_id) if reading is not None else None
    if in_books is None and known_to_temporal:
        raise PartnerUnavailable(
            f"{workflow_id} runs, but no worker answers for it, and the books do not know it yet; "
            "start one with `backhaul worker`"
        )
    return in_books


def _show(status: CaseStatus) -> None:
    kind, number = case_of(status.workflow_id)
    sla = status.sla_state.value.replace("_", " ")
    say(f"{kind} {number}: {status.stage.replace('_', ' ')} · {'ended' if status.outcome else sla}", style="bold")
    for label, wait in [
        ("waiting for", status.waiting_for),
        *(("also", wait) for wait in status.also_waiting_for),
    ]:
        if wait is not None:
            say(f"  {label} {_wait(wait)}")
    for name, at in status.deadlines.items():
        say(f"  {name.replace('_', ' ')}: {shown(at)} UTC")
    if status.timeline:
        say("")
        show_table(("when (UTC)", "who", "what"), ((step.at, step.who, step.what) for step in status.timeline))
    if status.rejected_count:
        say("")
        say(f"{status.rejected_count} events could not be used; the last:", style="bold")
        show_table(
            ("when (UTC)", "event", "why"),
            ((event.at, event.name, event.reason) for event in status.rejected_events),
        )
    if facts := {name: value for name, value in status.facts.items() if value not in (None, "", [], {}, False)}:
        say("")
        show_table(("fact", ""), ((name.replace("_", " "), _fact(value)) for name, value in facts.items()))


def _wait(wait: Wait) -> str:
    due = f", due {shown(wait.due)}" if wait.due else ""
    return f"{wait.who.value}: {wait.what} (since {shown(wait.since)}{due} UTC)"


def _fact(value: Any) -> str:
    if isinstance(value, list) and value:
        return "\n".join(_fact(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_fact(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    return value if isinstance(value, str) else json.dumps(value)


def list_cases(
    kind: Annotated[Kind, typer.Argument(metavar="[orders|returns|refunds]")] = Kind.ORDERS,
    stage: Annotated[str | None, typer.Option("--stage", help="Such as awaiting_tracking.")] = None,
    seller: Annotated[str | None, typer.Option("--seller", help="The seller's id.")] = None,
    due_before: Annotated[
        str | None, typer.Option("--due-before", metavar="TIME|7d|12h", help="What is due until then.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Cases from the books: what is open and due first comes first."""
    if stage is not None and stage not in [known.value for known in _STAGES[kind]]:
        known = ", ".join(stage.value for stage in _STAGES[kind])
        raise InvalidInput("--stage", [Problem(stage[:100], f"{kind.value} have the stages {known}")])
    filters: dict[str, Any] = {"stage": stage, "seller": seller, "limit": limit}
    filters["due_before"] = _time(due_before) if due_before is not None else None
    with books() as reading:
        match kind:
            case Kind.ORDERS:
                orders = reading.find_orders(**filters)
                _list(
                    as_json,
                    orders,
                    ("order", "seller", "channel", "paid"),
                    [
                        ((row.order_id, row.seller_id, row.channel, money(row.paid, row.currency)), row.standing)
                        for row in orders
                    ],
                )
            case Kind.RETURNS:
                returns = reading.find_returns(**filters)
                _list(
                    as_json,
                    returns,
                    ("return", "order", "seller", "supplier", "RMA"),
                    [
                        (
                            (row.return_id, row.order_id, row.seller_id, row.supplier_id, row.rma_number),
                            row.standing,
                        )
                        for row in returns
                    ],
                )
            case Kind.REFUNDS:
                refunds = reading.find_refunds(**filters)
                _list(
                    as_json,
                    refunds,
                    ("refund", "order", "seller", "amount", "to", "state"),
                    [
                        (
                            (
                                row.refund_id,
                                row.order_id,
                                row.seller_id,
                                money(row.amount, row.currency),
                                row.direction.value.rpartition("_")[2],
                                row.state,
                            ),
                            row.standing,
                        )
                        for row in refunds
                    ],
                )


def _list(
    as_json: bool,
    listed: Sequence[Message],
    columns: tuple[str, ...],
    rows: "Sequence[tuple[tuple[object, ...], Standing | None]]",
) -> None:
    if as_json:
        show_json(listed)
        return
    if not rows:
        say("nothing found")
        return
    show_table(
        (*columns, "stage", "waiting on", "for", "due (UTC)", "SLA"),
        ((*cells, *_standing(standing)) for cells, standing in rows),
    )


def _standing(standing: "Standing | None") -> tuple[object, ...]:
    if standing is None:
        return ("opening", None, None, None, None)
    sla = None if standing.ended else standing.sla_state.value.replace("_", " ")
    return (standing.stage, standing.waiting_on, standing.waiting_for, standing.due_by, sla)


def _time(text: str) -> datetime:
    if match := _FROM_NOW.match(text):
        count = int(match["count"])
        return datetime.now(UTC) + (timedelta(days=count) if match["unit"] == "d" else timedelta(hours=count))
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            "--due-before", [Problem(text[:100], "must be a date, a time, or such as 7d or 12h from now")]
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def refunds(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's number.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """An order's refunds with amounts, reasons, who and when; they add up (REF-10)."""
    with books() as reading:
        found = reading.refunds_of(order)
    if as_json:
        show_json(found)
        return
    _show_refunds(found)


def _show_refunds(found: "OrderRefunds") -> None:
    if found.refunds:
        show_table(
            ("refund", "amount", "from, to", "way", "state", "reason", "who", "when (UTC)"),
            (
                (
                    refund.refund_id,
                    money(refund.amount, refund.currency),
                    refund.direction.value.replace("_", " "),
                    refund.way,
                    f"{refund.state} (over-refund)" if refund.over_refund else refund.state,
                    refund.reason,
                    refund.requested_by,
                    refund.reserved_at,
                )
                for refund in found.refunds
            ),
            right=("amount",),
        )
        say("")
    else:
        say(f"order {found.order_id} has no refunds")
    say(_totals("buyer", found.buyer))
    say(_totals("seller", found.seller))


def _totals(who: str, totals: "RefundTotals") -> str:
    return (
        f"{who}: paid {money(totals.paid, totals.currency)}, refunded {money(totals.refunded, totals.currency)}, "
        f"pending {money(totals.pending, totals.currency)}, "
        f"still refundable {money(totals.left, totals.currency)}"
    )
