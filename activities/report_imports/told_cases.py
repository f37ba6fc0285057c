"""Cases that a report speaks of: they are asked what they know, told what is new, or it is kept (RET-20)."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Reading
from activities.event_delivery import EventDelivery
from models.case import CaseStatus
from models.contract import ORPHAN
from models.failures import BackhaulError, PartnerUnavailable
from models.ids import orphan_workflow_id
from models.message import Event
from models.orphans import DeliverEvent, EventDelivered, OrphanRequest
from models.text import summary_of

_WITHIN: Final = 5.0
_LOOK_SECONDS: Final = 12.0
"""Within the time that an activity has."""
_PAUSE_SECONDS: Final = 0.25
TRIES: Final = 3
"""A case whose workflow task fails is set aside when it was asked so often: the rest of a report goes on."""


class CaseFails(BackhaulError):
    """A case takes and answers nothing, for its workflow task fails again and again."""


class ToldCases:
    """Of one seller. `tries`: how often it has been tried. Each call raises PartnerUnavailable while nobody
    answers, CaseFails for a case that is to be set aside."""

    def __init__(self, client: Client, engine: Engine, task_queue: str, seller_id: str, tries: int = 1) -> None:
        self._client, self._engine, self._queue = client, engine, task_queue
        self.seller_id, self._tries = seller_id, tries
        self._delivery = EventDelivery(client, engine)

    async def status(
        self, workflow_id: str, is_open: Callable[[CaseStatus], bool] = lambda status: True
    ) -> CaseStatus | None:
        """Its own word, once it is open; none: it is over, and forgotten."""
        handle = self._client.get_workflow_handle(workflow_id)
        until = time.monotonic() + _LOOK_SECONDS
        while time.monotonic() < until:
            with suppress(TimeoutError, WorkflowQueryFailedError):
                try:
                    async with asyncio.timeout(_WITHIN):
                        status: CaseStatus = await handle.query("status", result_type=CaseStatus)
                except RPCError as error:
                    if error.status is RPCStatusCode.FAILED_PRECONDITION:
                        break  # its workflow task has just failed
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise PartnerUnavailable(f"the Temporal server says {error.status.name}") from None
                    if await asyncio.to_thread(self._is_over, workflow_id):
                        return None
                else:
                    if is_open(status):
                        return status
            await asyncio.sleep(_PAUSE_SECONDS)
        await require_sound(self._client, workflow_id, self._tries)
        raise PartnerUnavailable(f"{workflow_id} does not answer yet")

    async def tell(self, workflow_id: str, name: str, event: Event) -> EventDelivered:
        """Whether it takes the event, in its own words."""
        said = event.model_dump(mode="json", exclude_none=True)
        return await self._delivery.deliver_event(DeliverEvent(workflow_id=workflow_id, name=name, said=said))

    async def keep(self, request: OrphanRequest) -> None:
        """Its case is not known here: it is kept until it is. Said twice it is one orphan."""
        try:
            with suppress(WorkflowAlreadyStartedError):
                await self._client.start_workflow(
                    ORPHAN,
                    request.model_copy(update={"seller_id": self.seller_id}),
                    id=orphan_workflow_id(request.orphan_id),
                    task_queue=self._queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=summary_of(request.summary),
                )
        except RPCError as error:
            raise PartnerUnavailable(f"the Temporal server says {error.status.name}") from None

    def _is_over(self, workflow_id: str) -> bool:
        standing = Reading(self._engine).standing(workflow_id)
        return standing is not None and standing.ended


async def require_sound(client: Client, workflow_id: str, tries: int) -> None:
    """Of a case that does not answer: raises CaseFails if its workflow task fails, and it was tried often enough;
    PartnerUnavailable if the server says nothing either."""
    if tries < TRIES:
        return
    try:
        told = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=timedelta(seconds=_WITHIN))
    except RPCError as error:
        raise PartnerUnavailable(f"the Temporal server says {error.status.name}") from None
    if (failed := told.raw_description.pending_workflow_task.attempt - 1) > 0:
        raise CaseFails(
            f"set aside: {workflow_id} does not answer, for its workflow task fails ({failed} times in a row): "
            "have it mended"
        )
