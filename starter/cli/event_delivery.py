"""What a room does with an event: send it, and tell people what became of it."""

import asyncio
from typing import Final

from temporalio.client import Client

from models.case import Ended, OrderStage
from models.failures import Category, Conflict, NotFound
from models.ids import case_of
from models.order_events import Delivered, ShipmentCorrected
from models.refunds import COUNTS_AGAINST_CAP, RefundRequest
from starter.cli.case_lookup import books, books_if_there
from starter.cli.events import EventToSend
from starter.cli.output import remark, run, say
from starter.client.connection import connect
from starter.client.send import (
    SIGNALLED_FIRST,
    CaseEnded,
    Delivery,
    EventRefused,
    may_reopen,
    record_event,
    reopen_refund,
    say_after_end,
    send_event,
)
from starter.client.status import ending_of
from starter.client.status_in_database import ending_in_database

_NEXT: Final = {
    ("order", "shipped"): "already fulfilled; open a return: backhaul return start --order NUMBER ...",
    ("return", "expired"): "open a new return if the goods come back after all",
}
"""What can be done about a case that ended so."""


def deliver(workflow_id: str, to_send: EventToSend) -> None:
    """Send the event and say what was answered.

    Raises NotFound, Conflict (the case is over), EventRefused (with the case's reason), PartnerUnavailable.
    """
    run(_deliver(workflow_id, to_send))


async def _deliver(workflow_id: str, to_send: EventToSend) -> None:
    client = await connect()
    try:
        delivery = await _send(client, workflow_id, to_send)
    except (CaseEnded, NotFound) as error:
        ended = await _ending(client, workflow_id)
        if ended is None:
            raise error from None
        raise Conflict(_ended(ended)) from None
    await _report(client, delivery, to_send)


async def _send(client: Client, workflow_id: str, to_send: EventToSend) -> Delivery:
    try:
        if to_send.within is None:
            return await record_event(client, workflow_id, to_send.name, to_send.event)
        return await send_event(client, workflow_id, to_send.name, to_send.event, to_send.within)
    except (CaseEnded, NotFound):
        if isinstance(to_send.event, Delivered | ShipmentCorrected):
            return await _say_after_end(client, workflow_id, to_send.name, to_send.event)
        if not may_reopen(to_send.event):
            raise
        # The server has forgotten the refund, as it does after its retention; the books have not (REF-7).
        request = await asyncio.to_thread(_refund_in_books, workflow_id)
        return await reopen_refund(client, request, to_send.event)


async def _say_after_end(
    client: Client, workflow_id: str, name: str, event: Delivered | ShipmentCorrected
) -> Delivery:
    """The server has forgotten the order, or says that it has no such parcel. Raises EventRefused, NotFound."""
    if not await asyncio.to_thread(_ended_in_books, workflow_id):
        raise NotFound(f"there is no order {case_of(workflow_id)[1]}")
    try:
        return await say_after_end(client, workflow_id, name, event)
    except NotFound as error:
        raise EventRefused(str(error), error.category) from None


def _ended_in_books(workflow_id: str) -> bool:
    with books_if_there() as reading:
        return reading is not None and ending_in_database(reading, workflow_id) is not None


def _refund_in_books(workflow_id: str) -> RefundRequest:
    """How to start a refund again. Raises NotFound, Conflict if it did not succeed, and as `open_books`."""
    _, number = case_of(workflow_id)
    with books() as reading:
        known = reading.refund(number)
        if known.state not in COUNTS_AGAINST_CAP:
            raise Conflict(f"refund {number} is {known.state.value} in the books: nothing is changed")
        return reading.refund_request(number)


async def _report(client: Client, delivery: Delivery, to_send: EventToSend) -> None:
    kind, number = case_of(delivery.workflow_id)
    if delivery.ended:
        ended = await _ending(client, delivery.workflow_id)
        if ended is None:
            raise Conflict(f"{kind} {number} has ended, and how is not known any more")
        if ended.outcome != OrderStage.CANCELLED:
            raise Conflict(_ended(ended))
        say(f"{kind} {number}: {ended.outcome}: {ended.message}")
        return
    answer = delivery.answer
    if answer is None:
        if to_send.within is None:
            say(f"{kind} {number}: {to_send.name} is recorded (event {delivery.event_id})")
            return
        remark(f"no worker answered within {to_send.within.total_seconds():g} seconds")
        say(
            f"{kind} {number}: {to_send.name} is recorded and will be handled when a worker runs "
            f"(event {delivery.event_id})"
        )
        return
    if not answer.accepted:
        raise EventRefused(f"{kind} {number}: {answer.message}", Category.REFUSED_BY_RULE)
    repeated = answer.duplicate and to_send.name not in SIGNALLED_FIRST
    known = " (known already, counted once)" if repeated else ""
    say(f"{kind} {number}: {answer.message}{known}")


async def _ending(client: Client, workflow_id: str) -> Ended | None:
    """How it ended: by its result, else by the database; none if neither knows it as ended."""
    ended = await ending_of(client, workflow_id)
    if ended is not None:
        return ended
    with books_if_there() as reading:
        if reading is None:
            return None
        return await asyncio.to_thread(ending_in_database, reading, workflow_id)


def _ended(ended: Ended) -> str:
    kind, number = case_of(ended.workflow_id)
    hint = _NEXT.get((kind, ended.outcome), ended.message).replace("NUMBER", number)
    return f"{kind} {number} has ended ({ended.outcome})" + (f": {hint}" if hint else "")
