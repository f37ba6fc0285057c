"""One running case, told by a test: what is sent to it, and what it shows."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database.views import OrderView
from models.case import Answer, CaseStatus
from models.orders import OrderRequest
from starter.sandbox.facts import Effects, MailFact
from tests.eventually import PATIENCE, eventually
from tests.senders import sender_of
from tests.stack import Stack


class Refused(Exception):
    """An update was refused; `type` is the failure's category."""

    def __init__(self, error: ApplicationError) -> None:
        self.type = error.type
        self.details = error.details
        super().__init__(error.message)


class CaseStory:
    """One running case, told by a test."""

    def __init__(self, stack: Stack, handle: WorkflowHandle[Any, Any], ident: str) -> None:
        self.stack = stack
        self.handle = handle
        self.id = ident

    async def status(self) -> CaseStatus:
        status: CaseStatus = await self.handle.query(
            "status", result_type=CaseStatus, rpc_timeout=timedelta(seconds=PATIENCE)
        )
        return status

    async def reaches(self, stage: str) -> CaseStatus:
        """Wait until the case stands at this stage."""
        return await self._seen_until(lambda seen: seen.stage == stage, f"{self.id} does not reach {stage}")

    async def shows(self, what: str, until: Callable[[CaseStatus], bool]) -> CaseStatus:
        return await self._seen_until(until, f"{self.id} does not show: {what}")

    async def _seen_until(self, until: Callable[[CaseStatus], bool], what: str) -> CaseStatus:
        """Waits too for a case that is not there yet, or has just been started, since another one starts it."""
        asked_at: tuple[str | None, int] = (None, 0)
        said: CaseStatus | None = None

        async def look() -> CaseStatus | None:
            """Asks the case again only when its history has grown."""
            nonlocal asked_at, said
            try:
                known = await self.handle.describe()
                grown = (known.run_id, known.history_length)
                if grown != asked_at:
                    asked_at, said = grown, await self.status()
            except RPCError as error:
                if error.status not in (RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION):
                    raise
            return said

        status: CaseStatus = await eventually(look, lambda seen: seen is not None and until(seen), what)
        with suppress(AssertionError):  # the books may be away: then the test is about that
            await eventually(self._books_written, bool, f"{self.id} is not written down", seconds=2)
        return status

    async def _books_written(self) -> bool:
        """The books say it a moment after the case does."""
        known = (await self.handle.describe()).raw_description
        writes = ("save_", "settle_", "take_back_")
        under_way = any(one.activity_type.name.startswith(writes) for one in known.pending_activities)
        return not under_way and not known.HasField("pending_workflow_task")

    async def ends(self, outcome: str) -> CaseStatus:
        """Wait until the workflow has ended; it must be with this outcome. Another case may start it only now."""
        await eventually(self._has_begun, bool, f"{self.id} does not begin")
        result = await asyncio.wait_for(self.handle.result(), PATIENCE)
        status = await self.status()
        assert status.stage == outcome, (status.stage, result)
        assert status.outcome == outcome
        return status

    async def _has_begun(self) -> bool:
        try:
            await self.handle.describe()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    def event(self, **fields: Any) -> dict[str, Any]:
        """An event with its common fields."""
        return {"event_id": f"e{next(self.stack.numbers)}", "actor": "seller:jane"} | fields

    async def signal(self, name: str, **fields: Any) -> dict[str, Any]:
        event = self.event(**{"actor": sender_of(name)} | fields)
        await self.handle.signal(name, event)
        return event

    async def update(self, name: str, **fields: Any) -> Answer:
        """Send the event as an update; raises Refused."""
        event = self.event(**{"actor": sender_of(name)} | fields)
        try:
            return await asyncio.wait_for(
                self.handle.execute_update(name, event, id=event["event_id"], result_type=Answer), PATIENCE
            )
        except WorkflowUpdateFailedError as error:
            if not isinstance(error.cause, ApplicationError):
                raise
            raise Refused(error.cause) from None

    async def send(self, way: str, name: str, **fields: Any) -> None:
        """Send the event as a `signal` or as an `update`."""
        if way == "signal":
            await self.signal(name, **fields)
        else:
            await self.update(name, **fields)

    async def forward(self, **duration: float) -> None:
        """Move this case's clock."""
        await self.stack.env.fast_forward(self.handle, timedelta(**duration))

    async def now(self) -> datetime:
        return await self.stack.env.get_current_time(self.handle)

    async def forward_to(self, moment: datetime) -> None:
        """Move this case's clock to a moment of its own time."""
        await self.stack.env.fast_forward(self.handle, moment - await self.now())

    async def attribute(self, key: SearchAttributeKey[Any]) -> Any:
        """What staff find the case by, as the server keeps it."""
        return (await self.handle.describe()).typed_search_attributes.get(key)

    async def mails(self, template_subject: str = "", to: str = "") -> list[MailFact]:
        """The mails about this case's order so far."""
        return await self.stack.sandbox.mails(to=to, subject=template_subject)


class OrderStory(CaseStory):
    request: OrderRequest

    async def effects(self) -> Effects:
        """What really happened at the partners for this order alone; the buyer's own payment apart."""
        every = await self.stack.effects()
        intents = tuple(one for one in every.payment_intents if one.metadata.get("order_id") == self.id)
        return every.model_copy(
            update={
                "payment_intents": intents,
                "captures": tuple(
                    one for one in every.captures if one.payment_intent in {intent.id for intent in intents}
                ),
                "refunds": tuple(one for one in every.refunds if one.metadata.get("order_id") == self.id),
                "supplier_orders": tuple(
                    one for one in every.supplier_orders if one.number.startswith(f"{self.id}-")
                ),
                "shipments": tuple(one for one in every.shipments if one.order_id == self.id),
                "stops": tuple(one for one in every.stops if one.order_id == self.id),
                "mails": tuple(one for one in every.mails if re.search(rf"{self.id}(?!\d)", one.subject)),
            }
        )

    async def books(self) -> OrderView:
        """What the books know of it now."""
        return await asyncio.to_thread(self.stack.reading.order_view, self.id)

    async def placed(self) -> None:
        """Let the cancel window pass; the order is with its supplier."""
        await self.reaches("cancel_window")
        await self.forward(minutes=31)
        await self.reaches("awaiting_shipment")

    async def shipped(self) -> None:
        """Place and ship all of it."""
        await self.placed()
        await self.ship_all()

    async def ship_all(self) -> None:
        await self.update(
            "shipment",
            actor="supplier:dock",
            shipment_id=f"s-{self.id}",
            carrier="UPS",
            tracking_number=f"1Z{self.id}",
            lines=[{"line_id": item.line_id, "quantity": item.quantity} for item in self.request.items],
        )
        await self.ends("shipped")
