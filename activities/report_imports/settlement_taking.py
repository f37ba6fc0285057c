"""A settlement is booked, and who has to know is told: refunds that it confirms, and returns that Amazon refunded
by itself (AMZ-8, RET-18)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.database.report_imports import ReportRegister
from activities.database.settled_holds import held_between
from activities.database.settlement_booking import book_some
from activities.database.settlement_refunds import (
    RefundByAmazon,
    RefundToTell,
    counted_between,
    note_told,
    refunds_by_amazon,
    refunds_to_tell,
)
from activities.database.settlements import Settlements
from activities.database.transactions import read, write
from activities.event_delivery import EventDelivery
from activities.report_imports.told_cases import CaseFails, require_sound
from models.amazon.report_imports import ReportCounted
from models.amazon.return_imports import AMAZON
from models.amazon.returned_items import RejectedRow
from models.amazon.settled_refunds import HELD
from models.contract import GATEWAY_UPDATE
from models.failures import NotFound, PartnerUnavailable
from models.ids import refund_workflow_id, return_workflow_id
from models.money import from_minor_units
from models.orphans import DeliverEvent
from models.refunds import GatewayUpdate
from models.returns import ChannelUpdate
from models.tables import SettlementRow

AT_A_TIME: Final = 2000
"""Amounts that are booked in one transaction."""
_WITHIN: Final = timedelta(seconds=15)


class SettlementTaking:
    """Of one settlement, which the database has. `tries`: how often it has been tried."""

    def __init__(self, client: Client, engine: Engine, import_id: str, tries: int = 1) -> None:
        self._client, self._engine, self._import_id, self._tries = client, engine, import_id, tries
        self._delivery = EventDelivery(client, engine)

    async def take(self, start: int) -> tuple[int, ReportCounted]:
        """Book the amounts from here on, some orders at a time, and tell whom it concerns. However often it is
        tried, each is in the ledger once, and each word is heard once. Gives where it goes on, and what was found.

        Raises PartnerUnavailable.
        """
        settlement = await asyncio.to_thread(Settlements(self._engine).of_import, self._import_id)
        if settlement is None:
            raise NotFound(f"the database has no settlement of import {self._import_id}")
        if settlement.booked_to <= start:
            settlement = await asyncio.to_thread(self._book)
        end = settlement.booked_to
        await self._confirm(settlement, start, end)
        await self._tell_returns(settlement, start, end)
        counted, aside = await asyncio.to_thread(
            read, self._engine, lambda session: counted_between(session, settlement, start, end)
        )
        held = await asyncio.to_thread(self._held, settlement, start, end)
        settled = Counter(counted) + Counter({"amounts": end - start, HELD: len(held)})
        return end, ReportCounted(settled=settled, rejected=aside)

    def _book(self) -> SettlementRow:
        return write(self._engine, lambda session: book_some(session, self._import_id, AT_A_TIME))

    def _held(self, settlement: SettlementRow, start: int, end: int) -> list[RefundToTell]:
        """What waits for a person now, for Amazon refunded the same by itself."""
        rows = read(self._engine, lambda session: held_between(session, settlement, start, end))
        return [RefundToTell(row.entry_id, moved=False, reason=row.reason or "") for row in rows]

    # ---- who is told ----

    async def _confirm(self, settlement: SettlementRow, start: int, end: int) -> None:
        """A refund that is not known to have moved hears what stands there as the gateway's word, and looks in the
        queue; one that is over needs none."""
        refunds = await asyncio.to_thread(
            read, self._engine, lambda session: refunds_to_tell(session, settlement, start, end)
        )
        held = await asyncio.to_thread(self._held, settlement, start, end)
        for refund_id, moved, reason in (*refunds, *held):
            word = GatewayUpdate.model_validate(
                {
                    "event_id": f"settlement-{_short(settlement.settlement_id, refund_id)}",
                    "actor": "gateway:amazon",
                    "status": "succeeded" if moved else "pending",
                    "gateway_refund_id": refund_id,
                    "reason": reason,
                }
            )
            handle = self._client.get_workflow_handle(refund_workflow_id(refund_id))
            try:
                await handle.signal(GATEWAY_UPDATE, word, rpc_timeout=_WITHIN)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise PartnerUnavailable(f"the Temporal server says {error.status.name}") from None

    async def _tell_returns(self, settlement: SettlementRow, start: int, end: int) -> None:
        """Each return that Amazon refunded by itself is told what it gave, also one that knows that it did: it may
        not know how much (RET-18)."""
        refunds = await asyncio.to_thread(
            read, self._engine, lambda session: refunds_by_amazon(session, settlement, start, end)
        )
        for refund in refunds:
            refused, set_aside = None, False
            if refund.return_id is not None:
                try:
                    refused = await self._tell(settlement, refund, refund.return_id)
                except CaseFails as no:
                    refused, set_aside = str(no)[:500], True
                    await asyncio.to_thread(self._set_aside, refund, refused)
            told = refund.return_id if refused is None else None
            noted = _noted(settlement, refund, told, refused or refund.note, set_aside=set_aside)
            await asyncio.to_thread(write, self._engine, noted)

    def _set_aside(self, refund: RefundByAmazon, why: str) -> None:
        """`backhaul amazon rejected` lists it."""
        cells = {"order-id": refund.number, "order-item-code": refund.order_item_code}
        row = RejectedRow(refund.line, "", why, cells)
        ReportRegister(self._engine).reject(self._import_id, [row])

    async def _tell(self, settlement: SettlementRow, refund: RefundByAmazon, return_id: str) -> str | None:
        """Gives why it does not take it; none: it does."""
        word = ChannelUpdate(
            event_id=f"amazon-settlement-{settlement.settlement_id}-{refund.position}",
            actor=AMAZON,
            status="refunded_by_channel",
            amount=from_minor_units(refund.units, settlement.currency),
            note=f"in settlement {settlement.settlement_id}",
        )
        said = word.model_dump(mode="json", exclude_none=True)
        workflow_id = return_workflow_id(return_id)
        try:
            told = await self._delivery.deliver_event(
                DeliverEvent(workflow_id=workflow_id, name="channel_update", said=said)
            )
        except ApplicationError:
            await require_sound(self._client, workflow_id, self._tries)
            raise
        return None if told.state == "taken" else f"return {return_id} does not take it: {told.message}"[:500]


def _noted(
    settlement: SettlementRow, refund: RefundByAmazon, told: str | None, note: str | None, *, set_aside: bool
) -> Callable[[Session], None]:
    return lambda session: note_told(session, settlement, refund, told=told, note=note, set_aside=set_aside)


def _short(*words: str) -> str:
    return sha256(" ".join(words).encode()).hexdigest()[:16]
