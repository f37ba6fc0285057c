"""One return of Amazon's report: it is started here, or told what is new (AMZ-1, AMZ-2, AMZ-4, RET-18, RET-20)."""

import asyncio
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Engine
from temporalio.client import Client

from activities.database.known_returns import KnownReturn, known_return
from activities.report_imports.told_cases import ToldCases
from activities.return_requests import ReturnRequests
from models.amazon.account import AmazonOptions
from models.amazon.report_imports import ReportCounted
from models.amazon.return_imports import (
    amazon_return_id,
    is_closed,
    is_known,
    is_said_to_all,
    news_of,
    request_of,
)
from models.amazon.returned_items import RejectedRow, ReturnedItem, ReturnedUnits
from models.case import CaseStatus, ReturnStage
from models.failures import BackhaulError, PartnerUnavailable, RefusedByRule
from models.ids import return_workflow_id
from models.message import Event
from models.orphans import kept_request, kept_word
from models.returns import ReturnRequest

News = tuple[tuple[str, Event], ...]


class Taken(NamedTuple):
    """What became of one return, and why it was not taken, if it was not, or not as the report says."""

    counted: ReportCounted
    rejected: tuple[RejectedRow, ...] = ()


class ReturnTaking:
    """Of one account: whose it is, and its settings (AMZ-9)."""

    def __init__(self, client: Client, engine: Engine, cases: ToldCases, options: AmazonOptions) -> None:
        self._engine, self._seller_id, self._options = engine, cases.seller_id, options
        self._returns = ReturnRequests(client, engine)
        self._cases = cases

    async def take(self, units: tuple[ReturnedUnits, ...], since: datetime) -> Taken:
        """However often it is tried, the return starts once, and hears each word once. `since`: what was created
        since then counts as created by this import.

        Raises PartnerUnavailable.
        """
        try:
            return await self._take(units, since)
        except PartnerUnavailable:
            raise
        except BackhaulError as no:
            return _not_taken(units, str(no))

    async def _take(self, units: tuple[ReturnedUnits, ...], since: datetime) -> Taken:
        known = await asyncio.to_thread(known_return, self._engine, units[0].said, self._seller_id)
        approved = tuple(one for one in units if self._becomes_a_return(one.said))
        news = tuple(
            {event.event_id: (name, event) for one in units for name, event in news_of(one.said)}.values()
        )
        if known.opened_at is None and not approved and not (known.is_kept and any(map(_is_closed, units))):
            return _skipped(units)
        if known.opened_at is None and (known.order_id is None or not approved):
            return await self._keep(units, approved, news)
        if not approved and not any(map(_is_closed, units)):
            return _skipped(units)
        differs = ""
        if approved and known.order_id is not None:
            differs = await self._open(request_of(approved, known.order_id, known.line_ids), known)
        is_new = await self._tell_all(amazon_return_id(units[0].said), news)
        if known.opened_at is None or known.opened_at >= since:
            return Taken(ReportCounted(created=1))
        counted = ReportCounted(updated=1) if is_new else ReportCounted(known=1)
        return Taken(counted, (_problem(units, differs),) if differs else ())

    def _becomes_a_return(self, item: ReturnedItem) -> bool:
        """AMZ-2, AMZ-4."""
        return item.is_approved and not (item.is_returnless and self._options.returnless_without_return)

    # ---- the return ----

    async def _open(self, request: ReturnRequest, known: KnownReturn) -> str:
        """Start it, unless it is there. Gives in what the report differs from the return that is there, in words.
        Raises RefusedByRule, PartnerUnavailable."""
        opened = await self._returns.open(request)
        if opened.state == "taken":
            return ""
        if known.opened_at is None:
            raise RefusedByRule("RET-2", opened.message)
        return f"{opened.message}: it is left as it was"

    async def _tell_all(self, return_id: str, news: News) -> bool:
        """Tell the return, and those that were split off it, what they do not know; whether there was any."""
        status = await self._status(return_id)
        is_new = await self._tell(return_id, status, news)
        to_all = tuple((name, event) for name, event in news if is_said_to_all(event))
        for sibling in status.facts["siblings"] if status is not None and to_all else ():
            is_new |= await self._tell(sibling, await self._status(sibling), to_all)
        return is_new

    async def _tell(self, return_id: str, status: CaseStatus | None, news: News) -> bool:
        """A return that has ended hears nothing any more."""
        if status is None or status.outcome is not None:
            return False
        unknown = [(name, event) for name, event in news if not is_known(event, status.facts)]
        for name, event in unknown:
            told = await self._cases.tell(return_workflow_id(return_id), name, event)
            if told.state == "refused":
                raise RefusedByRule("AMZ-1", f"return {return_id} does not take its {name}: {told.message}")
        return bool(unknown)

    async def _status(self, return_id: str) -> CaseStatus | None:
        """Its own word, once it is open; none: it is over, and forgotten."""
        return await self._cases.status(
            return_workflow_id(return_id), lambda status: status.stage != ReturnStage.OPENING
        )

    # ---- the orphan ----

    async def _keep(
        self, units: tuple[ReturnedUnits, ...], approved: tuple[ReturnedUnits, ...], news: News
    ) -> Taken:
        """Its order is not known here: the return, and what is said of it, are kept until it is (RET-20)."""
        if approved:
            await self._cases.keep(kept_request(request_of(approved, None)))
        workflow_id = return_workflow_id(amazon_return_id(units[0].said))
        for name, event in news:
            await self._cases.keep(kept_word(workflow_id, name, event))
        return Taken(ReportCounted(orphans=1))


def _is_closed(one: ReturnedUnits) -> bool:
    return is_closed(one.said)


def _skipped(units: tuple[ReturnedUnits, ...]) -> Taken:
    counted = ReportCounted()
    for one in units:
        counted += ReportCounted(skipped={"returnless" if one.said.is_approved else one.said.status: 1})
    return Taken(counted)


def _not_taken(units: tuple[ReturnedUnits, ...], why: str) -> Taken:
    return Taken(ReportCounted(rejected=1), (_problem(units, why),))


def _problem(units: tuple[ReturnedUnits, ...], why: str) -> RejectedRow:
    first = units[0].said
    cells = {"Order ID": first.order_id, "Amazon RMA ID": first.amazon_rma_id, "Merchant SKU": first.sku}
    return RejectedRow(first.line, "", why, {name: cell for name, cell in cells.items() if cell})
