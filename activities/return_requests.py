"""A return that a marketplace opened of an order that is known here only now: it starts (RET-20)."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, select
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.database.transactions import read
from models.case import Ended
from models.contract import ORDER_ID, RETURN, RETURN_ID
from models.differences import differences
from models.failures import PartnerUnavailable
from models.ids import case_of, order_workflow_id, return_workflow_id
from models.marketplace_returns import ReturnAsked
from models.orphans import EventDelivered
from models.returns import ReturnRequest
from models.tables import CaseRow, OrderRow, ReturnRow, ShipmentRow
from models.text import summary_of

_LOOKS: Final = 30
_PAUSE_SECONDS: Final = 0.5
_OF_ITS_OWN: Final = ("requested_by", "note", "reopened_by", "continued")
"""Fields that say how it was asked for, and not what."""


class ReturnRequests:
    """Starts returns with the worker's own client; the database says what became of them."""

    def __init__(self, client: Client, engine: Engine) -> None:
        self._client = client
        self._engine = engine

    async def start(self, order: str, orphan: str, asked: ReturnAsked) -> EventDelivered:
        """Start it as the return of this order (a workflow id), and wait until it is open or refused. However
        often it is tried, it opens once: the database knows its number.

        Raises PartnerUnavailable while nobody answers.
        """
        request = asked.of_order(case_of(order)[1], f"RR-{case_of(orphan)[1]}")
        no = await self._do(lambda session: _not_now(session, request))
        return await self.open(request) if no is None else no

    async def open(self, request: ReturnRequest) -> EventDelivered:
        """Start it, unless it is there, and wait until it is open or refused.

        Raises PartnerUnavailable while nobody answers.
        """
        if (known := await self._do(lambda session: _opened(session, request))) is not None:
            return known
        try:
            await self._start(request)
            for _ in range(_LOOKS):
                if (answer := await self._answer(request)) is not None:
                    return answer
                await asyncio.sleep(_PAUSE_SECONDS)
        except RPCError as error:
            raise PartnerUnavailable(f"the Temporal server says {error.status.name}") from None
        raise PartnerUnavailable(f"return {request.return_id} has not opened yet")

    async def _start(self, request: ReturnRequest) -> None:
        # Else it was started by a try before this one, or by the marketplace's own.
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                RETURN,
                request,
                id=return_workflow_id(request.return_id),
                task_queue=activity.info().task_queue,
                # A run before may have ended with "no such order".
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=summary_of(f"Return {request.return_id} · order {request.order_id}"),
                search_attributes=TypedSearchAttributes(
                    [
                        SearchAttributePair(ORDER_ID, request.order_id),
                        SearchAttributePair(RETURN_ID, request.return_id),
                    ]
                ),
            )

    async def _answer(self, request: ReturnRequest) -> EventDelivered | None:
        """What became of it; none: it is being opened."""
        if (known := await self._do(lambda session: _opened(session, request))) is not None:
            return known
        handle = self._client.get_workflow_handle(return_workflow_id(request.return_id), result_type=Ended)
        status = (await handle.describe()).status
        if status is WorkflowExecutionStatus.RUNNING:
            return None
        try:
            why = (await handle.result()).message
        except WorkflowFailureError as error:
            why = str(error.cause)
        # It may have opened, and ended, since the look before.
        known = await self._do(lambda session: _opened(session, request))
        return known or EventDelivered(state="refused", message=why[:500] or "the return was refused")

    async def _do(self, work: Callable[[Session], EventDelivered | None]) -> EventDelivered | None:
        return await asyncio.to_thread(read, self._engine, work)


def _not_now(session: Session, request: ReturnRequest) -> EventDelivered | None:
    """Why the return can't start: there is nothing that could come back."""
    if (known := _opened(session, request)) is not None:
        return known
    if session.get(OrderRow, request.order_id) is None:
        return EventDelivered(state="refused", message=f"no order {request.order_id} is known here")
    shipped = select(ShipmentRow.shipment_id).where(col(ShipmentRow.order_id) == request.order_id)
    case = session.get(CaseRow, order_workflow_id(request.order_id))
    if session.exec(shipped).first() is None and case is not None and not case.ended:
        return EventDelivered(state="early", message="nothing has shipped yet")
    return None


def _opened(session: Session, request: ReturnRequest) -> EventDelivered | None:
    """The return that has its number: it is this one, or another."""
    row = session.get(ReturnRow, request.return_id)
    if row is None or row.run_id is None:
        return None
    differs = differences(request, row.request, leaving_out=_OF_ITS_OWN)
    if differs:
        why = f"return {request.return_id} exists already and differs in {differs}"
        return EventDelivered(state="refused", message=why[:500])
    return EventDelivered(state="taken", message=f"return {request.return_id} is open")
