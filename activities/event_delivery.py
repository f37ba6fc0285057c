"""Gives a case an event that was said of it before it was known here (RET-20)."""

import asyncio
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database.return_windows import note_delivery
from activities.database.transactions import write
from activities.return_requests import ReturnRequests
from models.case import Answer
from models.contract import CORRECTION
from models.failures import BackhaulError, Category, NotFound, RefusedByRule
from models.ids import case_of, correction_workflow_id
from models.marketplace_returns import ReturnAsked
from models.order_events import Delivered, ShipmentCorrected
from models.orphans import RETURN_REQUEST, DeliverEvent, EventDelivered, kept_as
from models.records import NoteCorrection, NoteDelivery

_WITHIN: Final = timedelta(seconds=15)


class EventDelivery:
    """Sends updates with the worker's own client, so that the case itself says whether it takes the event."""

    def __init__(self, client: Client, engine: Engine) -> None:
        self._client = client
        self._engine = engine
        self._returns = ReturnRequests(client, engine)

    @activity.defn(name="deliver_event")
    async def deliver_event(self, ask: DeliverEvent) -> EventDelivered:
        """As that event, with its own id, so however often it is tried it counts once.

        Raises `PartnerUnavailable` while nobody answers for the case.
        """
        if ask.name == RETURN_REQUEST:
            return await self._start_return(ask)
        handle = self._client.get_workflow_handle(ask.workflow_id)
        # As everybody sends it: what was said to the case directly meanwhile is the same update.
        update_id = f"{ask.name}:{ask.said['event_id']}"
        try:
            answer: Answer = await handle.execute_update(
                ask.name, ask.said, id=update_id, result_type=Answer, rpc_timeout=_WITHIN
            )
        except WorkflowUpdateFailedError as error:
            return _refusal(error)
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            raise _later(f"{ask.workflow_id} does not answer") from None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                if ask.name == "delivered":
                    return await asyncio.to_thread(self._note_delivery, ask)
                if ask.name == "shipment_corrected":
                    return await self._correct(ask)
                return await self._ended(ask.workflow_id)
            raise _later(f"the Temporal server says {error.status.name}") from None
        return EventDelivered(
            state="taken" if answer.accepted else "refused", message=answer.message[:500] or "taken"
        )

    async def _ended(self, workflow_id: str) -> EventDelivered:
        """A return whose order is not known here has ended only until it is (RET-20)."""
        kind, number = case_of(workflow_id)
        for orphan in kept_as(number) if kind == "return" else ():
            if await self._is_running(orphan):
                return EventDelivered(state="early", message=f"its order is not known here yet: kept as {orphan}")
        return EventDelivered(state="ended", message="it has ended, and takes no more events")

    async def _is_running(self, workflow_id: str) -> bool:
        try:
            told = await self._client.get_workflow_handle(workflow_id).describe(rpc_timeout=_WITHIN)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise _later(f"the Temporal server says {error.status.name}") from None
        return told.status is WorkflowExecutionStatus.RUNNING

    async def _start_return(self, ask: DeliverEvent) -> EventDelivered:
        """Its order is known now: the return that was asked for starts."""
        asked = ReturnAsked.at_the_door(ask.said)
        orphan = activity.info().workflow_id
        assert orphan is not None, "a workflow asks for it"
        try:
            return await self._returns.start(ask.workflow_id, orphan, asked)
        except BackhaulError as error:
            raise _later(str(error)) from None

    def _note_delivery(self, ask: DeliverEvent) -> EventDelivered:
        """That a parcel arrived is true of an order that has ended too (RET-22)."""
        said = Delivered.at_the_door(ask.said)
        note = NoteDelivery(order_id=case_of(ask.workflow_id)[1], number=said.number, at=said.at)
        try:
            write(self._engine, lambda session: note_delivery(session, note))
        except (NotFound, RefusedByRule) as error:
            return EventDelivered(state="refused", message=str(error)[:500])
        except BackhaulError as error:
            raise _later(str(error)) from None
        return EventDelivered(state="taken", message=f"shipment {said.number} is delivered")

    async def _correct(self, ask: DeliverEvent) -> EventDelivered:
        """That its label was replaced is told shop and seller also after the order's end (ORD-20)."""
        said, (_, order_id) = ShipmentCorrected.at_the_door(ask.said), case_of(ask.workflow_id)
        try:
            correction = await self._client.start_workflow(
                CORRECTION,
                NoteCorrection(order_id=order_id, event=said),
                id=correction_workflow_id(order_id, said.event_id),
                task_queue=activity.info().task_queue,
                result_type=Answer,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                rpc_timeout=_WITHIN,
            )
            answer: Answer = await correction.result(rpc_timeout=_WITHIN)
        except (RPCError, WorkflowFailureError, TimeoutError) as error:
            raise _later(f"the correction is not answered: {type(error).__name__}") from None
        return EventDelivered(state="taken" if answer.accepted else "refused", message=answer.message[:500])


def _refusal(error: WorkflowUpdateFailedError) -> EventDelivered:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type == "AcceptedUpdateCompletedWorkflow":
        return EventDelivered(state="taken", message="taken; the case ended by it")
    said = cause.message if isinstance(cause, ApplicationError) else str(cause or error)
    return EventDelivered(state="refused", message=said[:500])


def _later(why: str) -> ApplicationError:
    return ApplicationError(why, type=Category.PARTNER_UNAVAILABLE.value)
