"""One order of Amazon's order report: it hears that its buyer wants to cancel, or that it is cancelled (CAN-7)."""

import asyncio

from sqlalchemy import Engine
from sqlmodel import Session

from activities.database.case_numbers import find_cases
from activities.database.report_imports import ReportedOrder
from activities.database.transactions import read
from activities.report_imports.taking import Taken
from activities.report_imports.told_cases import ToldCases
from models.amazon.account import AmazonOptions
from models.amazon.order_imports import is_request, news_of
from models.amazon.report_imports import ReportCounted
from models.amazon.returned_items import RejectedRow
from models.case import CaseStatus, OrderStage
from models.failures import BackhaulError, PartnerUnavailable
from models.message import Event
from models.orphans import FindCases, OrphanRequest

NOT_KNOWN, ENDED, TOO_LATE = "not known here", "that have ended here", "too late to hold"
_SOURCE = "amazon"


class OrderTaking:
    """Of one account, with its settings."""

    def __init__(self, cases: ToldCases, engine: Engine, options: AmazonOptions) -> None:
        self._cases, self._engine, self._options = cases, engine, options

    async def take(self, items: ReportedOrder) -> Taken:
        """However often it is tried, the order hears it once. Raises PartnerUnavailable."""
        try:
            return await self._take(items)
        except PartnerUnavailable:
            raise
        except BackhaulError as no:
            return _not_taken(items, str(no))

    async def _take(self, items: ReportedOrder) -> Taken:
        name, event = news_of(items, self._options.answer_days)
        number = items[0].order_id
        workflow_id = await asyncio.to_thread(read, self._engine, lambda session: self._found(session, number))
        if workflow_id is None:
            if not is_request(items):
                return _skipped(NOT_KNOWN)
            said = event.model_dump(mode="json", exclude_none=True)
            await self._cases.keep(OrphanRequest.of(_SOURCE, name, said, numbers=(number,)))
            return Taken(ReportCounted(orphans=1))
        status = await self._cases.status(workflow_id)
        if status is None or status.outcome is not None:
            return _skipped(ENDED)
        if _is_known(event, status):
            return Taken(ReportCounted(known=1))
        told = await self._cases.tell(workflow_id, name, event)
        if told.state == "taken":
            return Taken(ReportCounted(updated=1))
        after = await self._cases.status(workflow_id)
        if after is None or after.outcome is not None or told.state == "ended":
            return _skipped(ENDED)
        return _skipped(TOO_LATE) if _is_known(event, after) else _not_taken(items, told.message)

    def _found(self, session: Session, number: str) -> str | None:
        """The one order here that Amazon means; none: there is none, or it may be several."""
        ask = FindCases(about="order", numbers=(number,), seller_id=self._cases.seller_id)
        fitting = find_cases(session, ask).fitting
        return fitting[0] if len(fitting) == 1 else None


def _is_known(event: Event, status: CaseStatus) -> bool:
    """It was told before, or is being cancelled anyway."""
    return event.event_id in status.facts["cancels_heard"] or status.stage == OrderStage.CANCELLING


def _skipped(why: str) -> Taken:
    return Taken(ReportCounted(skipped={why: 1}))


def _not_taken(items: ReportedOrder, why: str) -> Taken:
    first = items[0]
    cells = {"order-id": first.order_id, "order-item-id": first.order_item_id, "sku": first.sku}
    row = RejectedRow(first.line, "", why, {name: cell for name, cell in cells.items() if cell})
    return Taken(ReportCounted(rejected=1), (row,))
