"""What `refund start` does: check it against the order, give it a number, and make it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client

from activities.database import Reading
from activities.database.views import OrderView
from models.case import RefundStage
from models.failures import Category, Conflict, InvalidInput, Problem
from models.ids import direct_refund_id, refund_workflow_id
from models.message import Quantity
from models.naming import units_named
from models.refunds import RefundRequest, Way
from starter.cli.case_lookup import books, order_case
from starter.cli.opened_cases import require_same
from starter.cli.output import remark, say
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_refund
from starter.client.status import ending_of, until_past

_SETTLES_WITHIN: Final = timedelta(seconds=15)


@dataclass(frozen=True)
class WantedRefund:
    """What was typed. `amount` none: what was paid for these lines, without any all that is still refundable
    (REF-8); `currency` none: the payment's."""

    order: str
    amount: str | None
    currency: str | None
    reason: str
    lines: list[dict[str, Any]]
    way: Way
    reference: str | None
    refund_id: str | None
    requested_by: str


async def start_refund(wanted: WantedRefund) -> None:
    """Make it, and say what became of it.

    Raises InvalidInput, NotFound (no such order), EventRefused (REF-3..5), PartnerUnavailable.
    """
    order_case(wanted.order)
    with books() as reading:
        view = reading.order_view(wanted.order)
        _require_lines_of(view, wanted.lines)
        ordinal = _next_ordinal(reading, wanted.order) if wanted.refund_id is None else None
        data: dict[str, Any] = {
            "refund_id": wanted.refund_id if ordinal is None else direct_refund_id(wanted.order, ordinal),
            "order_id": wanted.order,
            "way": wanted.way,
            "amount": wanted.amount,
            "currency": wanted.currency or view.request.paid_currency,
            "reason": wanted.reason,
            "requested_by": wanted.requested_by,
            "lines": wanted.lines,
            "reference": wanted.reference,
        }
    await _start(RefundRequest.at_the_door(data), ordinal)


def _require_lines_of(view: OrderView, lines: list[dict[str, Any]]) -> None:
    items = view.request.items
    ordered = {item.line_id: item.quantity for item in items}
    try:
        named = units_named([Quantity.at_the_door(line) for line in lines], items)
    except ValueError as error:
        raise InvalidInput(f"order {view.listed.order_id}", [Problem("--line", str(error))]) from None
    problems = [
        Problem(f"--line {one.sku}", f"the order has {ordered[one.line_id]} of it")
        for one in named
        if one.quantity > ordered[one.line_id]
    ]
    if problems:
        raise InvalidInput(f"order {view.listed.order_id}", problems)


def _next_ordinal(reading: Reading, order: str) -> int:
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
        ended = await ending_of(client, opened.workflow_id)
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
    require_same(opened, f"refund {request.refund_id}")
    if opened.already:
        say(f"refund {request.refund_id} already exists; not repeated. See `backhaul status {request.refund_id}`")
        return
    await _report(client, request.refund_id, opened.workflow_id)


async def _report(client: Client, refund_id: str, workflow_id: str) -> None:
    status = await until_past(client, workflow_id, {RefundStage.RESERVING, RefundStage.SENDING}, _SETTLES_WITHIN)
    if status is None:
        say(f"refund {refund_id} is recorded; it has no result yet: backhaul status {refund_id}")
        return
    if status.stage == RefundStage.REFUSED and status.facts.get("parts"):
        await _report_parts(client, refund_id, status.facts["parts"])
        return
    if status.stage not in (RefundStage.REFUSED, RefundStage.FAILED):
        say(f"refund {refund_id}: {status.stage}")
        return
    ended = await ending_of(client, status.workflow_id)
    raise EventRefused(
        f"refund {refund_id} is {status.stage}: {ended.message if ended else 'see its status'}",
        Category.REFUSED_BY_RULE if status.stage == RefundStage.REFUSED else Category.REFUSED_BY_PARTNER,
    )


async def _report_parts(client: Client, refund_id: str, parts: list[str]) -> None:
    """Each by itself (REF-3). Raises EventRefused for the last one that did not succeed, when all are told."""
    say(f"no single payment can carry refund {refund_id}: it is made in {len(parts)} parts")
    failed: EventRefused | None = None
    for part in parts:
        try:
            await _report(client, part, refund_workflow_id(part))
        except EventRefused as error:
            say(str(error))
            failed = error
    if failed is not None:
        raise failed
