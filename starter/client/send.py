"""Sending the contract's events to cases: an answer if a worker is there, durable in any case."""

import asyncio
from datetime import timedelta
from typing import Final, TypeGuard

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.case import Answer
from models.contract import GATEWAY_UPDATE, ORDER_KIND, REFUND, TASK_QUEUE
from models.failures import HANDLING, BackhaulError, Category, Conflict, NotFound
from models.ids import case_of, refund_workflow_id
from models.message import Event, Message
from models.order_events import Delivered, ShipmentCorrected
from models.refunds import GatewayUpdate, RefundRequest
from starter.client.corrections import correct_after_end
from starter.client.deliveries import note_delivery
from starter.client.kept_returns import keep_for_return
from starter.client.start import failure_of, was_cut_off

ANSWER_WITHIN: Final = timedelta(seconds=10)

SIGNALLED_FIRST: Final = frozenset({"cancel_request"})
"""The time at which the server recorded it decides (CAN-3), so it must be recorded before a worker is asked."""

_SIGNAL_SECONDS: Final = 10.0


class Delivery(Message):
    """What became of an event: answered, or (without an answer) recorded, to be handled by the next worker."""

    workflow_id: str
    event_id: str
    answer: Answer | None
    ended: bool = False
    """It was recorded, and the case ended before it could answer: its outcome is the answer."""


class EventRefused(BackhaulError):
    """The case answered no; nothing was changed."""

    def __init__(self, message: str, answered: Category) -> None:
        self.answered = answered
        super().__init__(message)

    @property
    def exit_code(self) -> int:
        return HANDLING[self.answered].exit_code


class CaseEnded(Conflict):
    """The case is over, so it takes no more events."""

    def __init__(self, workflow_id: str) -> None:
        self.workflow_id = workflow_id
        kind, number = case_of(workflow_id)
        super().__init__(f"{kind} {number} has ended")


async def record_event(client: Client, workflow_id: str, name: str, event: Event) -> Delivery:
    """Send it as a signal: durable although no worker may run, but without an answer.

    Raises NotFound, CaseEnded, PartnerUnavailable.
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        await handle.signal(name, event, rpc_timeout=timedelta(seconds=_SIGNAL_SECONDS))
    except RPCError as error:
        failure = _meaning(error, workflow_id, name)
        if isinstance(failure, CaseEnded) and may_reopen(event):
            return await _reopen_ended(client, workflow_id, event)
        if isinstance(failure, CaseEnded) and isinstance(event, Delivered | ShipmentCorrected):
            return await say_after_end(client, workflow_id, name, event)
        return await _kept(client, workflow_id, name, event, failure)
    return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=None)


async def send_event(
    client: Client, workflow_id: str, name: str, event: Event, within: timedelta = ANSWER_WITHIN
) -> Delivery:
    """Send it as an update and give its answer; without one `within` this time, record it as a signal.

    Both carry the same `event_id`, so it counts once. A refund that has ended as succeeded is opened again by the
    gateway's word that it failed after all, one that was terminated by any word of the gateway. Raises
    EventRefused with the case's reason, NotFound, CaseEnded, PartnerUnavailable.
    """
    first = name in SIGNALLED_FIRST
    if first:
        await record_event(client, workflow_id, name, event)
    try:
        answer = await _ask(client.get_workflow_handle(workflow_id), name, event, within)
    except (RPCError, WorkflowUpdateFailedError) as error:
        failure = (
            _meaning(error, workflow_id, name) if isinstance(error, RPCError) else _refusal(error, workflow_id)
        )
        if first and isinstance(failure, CaseEnded):
            return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=None, ended=True)
        if isinstance(failure, CaseEnded) and may_reopen(event):
            return await _reopen_ended(client, workflow_id, event)
        if isinstance(failure, CaseEnded) and isinstance(event, Delivered | ShipmentCorrected):
            return await say_after_end(client, workflow_id, name, event)
        return await _kept(client, workflow_id, name, event, failure)
    if answer is None and not first:
        return await record_event(client, workflow_id, name, event)
    return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=answer)


async def _ask(
    handle: WorkflowHandle[object, object], name: str, event: Event, within: timedelta
) -> Answer | None:
    # By the event's id alone, the server itself would answer another event of that id, with the first's answer.
    update_id = f"{name}:{event.event_id}"
    try:
        async with asyncio.timeout(within.total_seconds()):
            answer: Answer = await handle.execute_update(
                name, event, id=update_id, result_type=Answer, rpc_timeout=within
            )
            return answer
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        return None


def may_reopen(event: Event) -> TypeGuard[GatewayUpdate]:
    """Whether it may open a refund again that was taken back, or was terminated before its end (REF-7)."""
    return isinstance(event, GatewayUpdate)


async def reopen_refund(
    client: Client, request: RefundRequest, event: GatewayUpdate, *, task_queue: str = TASK_QUEUE
) -> Delivery:
    """REF-7: a refund that has ended is started again together with the gateway's word that it failed after all;
    one that was terminated, with any word of the gateway.

    It needs nothing of its first run: the database knows it, also when the server has forgotten it. Whatever is
    said, the gateway itself is asked; of a refund that nobody knows nothing moves. Raises PartnerUnavailable.
    """
    workflow_id = refund_workflow_id(request.refund_id)
    try:
        await client.start_workflow(
            REFUND,
            # Facts of an earlier run are no part of what was asked for; and a word asks for nothing.
            request.model_copy(update={"continued": None, "asked_for": False}),
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Refund {request.refund_id} · order {request.order_id} · late word of the gateway",
            start_signal=GATEWAY_UPDATE,
            start_signal_args=[event],
            rpc_timeout=timedelta(seconds=_SIGNAL_SECONDS),
        )
    except RPCError as error:
        raise _meaning(error, workflow_id, GATEWAY_UPDATE) from None
    return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=None)


async def _reopen_ended(client: Client, workflow_id: str, event: GatewayUpdate) -> Delivery:
    """Raises CaseEnded if it stays ended, or the server no longer keeps how it was started; PartnerUnavailable."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        if event.status != "failed" and not was_cut_off(
            await handle.describe(rpc_timeout=timedelta(seconds=_SIGNAL_SECONDS))
        ):
            raise CaseEnded(workflow_id)
        started = await anext(handle.fetch_history_events(page_size=1), None)
    except RPCError as error:
        raise _meaning(error, workflow_id, GATEWAY_UPDATE) from None
    if started is None:
        raise CaseEnded(workflow_id)
    attributes = started.workflow_execution_started_event_attributes
    (request,) = await client.data_converter.decode(attributes.input.payloads, [RefundRequest])
    return await reopen_refund(client, request, event, task_queue=attributes.task_queue.name)


async def _kept(client: Client, workflow_id: str, name: str, event: Event, failure: BackhaulError) -> Delivery:
    """RET-16: a return that waits for its order gets it when it starts. Raises `failure` for every other case."""
    if not isinstance(failure, CaseEnded | NotFound):
        raise failure from None
    answer = await keep_for_return(client, workflow_id, name, event)
    if answer is None:
        raise failure from None
    return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=answer)


async def say_after_end(
    client: Client, workflow_id: str, name: str, event: Delivered | ShipmentCorrected
) -> Delivery:
    """A parcel of an order that has ended arrived (RET-22), or goes under another number (ORD-20).

    Raises NotTheirs when its sender may not say it, NotFound, Conflict, RefusedByRule, PartnerUnavailable.
    """
    ORDER_KIND.require_sender(name, event)
    answer = None
    if isinstance(event, ShipmentCorrected):
        answer = await correct_after_end(client, workflow_id, event, ANSWER_WITHIN)
    elif await note_delivery(client, workflow_id, event, ANSWER_WITHIN):
        answer = Answer(stage="shipped", message=f"shipment {event.number} is delivered")
    return Delivery(workflow_id=workflow_id, event_id=event.event_id, answer=answer)


def _meaning(error: RPCError, workflow_id: str, name: str) -> BackhaulError:
    kind, number = case_of(workflow_id)
    if error.status is RPCStatusCode.NOT_FOUND:
        if "already completed" in error.message:
            return CaseEnded(workflow_id)
        return NotFound(f"there is no {kind} {number}")
    return failure_of(error, f"{name} could not be sent to {workflow_id}")


def _refusal(error: WorkflowUpdateFailedError, workflow_id: str) -> BackhaulError:
    cause = error.cause
    kind, number = case_of(workflow_id)
    if not isinstance(cause, ApplicationError):
        return EventRefused(f"{kind} {number}: {cause or error}", Category.INTERNAL)
    if cause.type == "AcceptedUpdateCompletedWorkflow":
        return CaseEnded(workflow_id)
    try:
        category = Category(cause.type or "")
    except ValueError:
        category = Category.INTERNAL
    return EventRefused(f"{kind} {number}: {cause.message}", category)
