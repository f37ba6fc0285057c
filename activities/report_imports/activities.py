"""The activities of a `ReportImport` (AMZ-1)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, TypeVar

from sqlalchemy import Engine
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.amazon.client import Amazon
from activities.connectors.amazon.wire import Processing
from activities.connectors.connections import Connections
from activities.database import CallRates, ConnectionRegister
from activities.database.report_imports import ReportedOrder, ReportedReturn, ReportRegister
from activities.report_imports.order_taking import OrderTaking
from activities.report_imports.settlement_staging import stage_settlement
from activities.report_imports.settlement_taking import SettlementTaking
from activities.report_imports.staging import Stage, staged_by
from activities.report_imports.taking import ReturnTaking, Taken
from activities.report_imports.told_cases import ToldCases
from models.amazon.account import AmazonOptions
from models.amazon.report_imports import (
    BookSettlement,
    CasesTaken,
    FindSettlements,
    LookAtReport,
    ReadReport,
    ReportCounted,
    ReportKind,
    ReportRequested,
    ReportStands,
    RequestReport,
    SettlementsFound,
    StagedReport,
    TakeOrders,
    TakeReturns,
    settlement_import_id,
)
from models.connections import amazon_options
from models.failures import BackhaulError, Conflict, InvalidInput

RETURNS: Final = "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE"
ORDERS: Final = "GET_FLAT_FILE_ACTIONABLE_ORDER_DATA_SHIPPING"
"""Those that are to be shipped still."""
ORDERS_BACK: Final = timedelta(days=30)
SETTLEMENTS: Final = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
"""They can't be asked for: Amazon makes them by itself."""
SETTLEMENTS_BACK: Final = timedelta(days=90) - timedelta(hours=1)
"""So long Amazon keeps a report. What was begun is known here, so each look goes all the way back."""
_MADE_OR_NEVER: Final = (Processing.DONE, Processing.FATAL)
"""One that is in the making is there at the next look; of one that could not be made staff are told."""
_AT_A_LOOK: Final = 100
_SIDE_BY_SIDE: Final = 10
"""Returns or orders that are worked on at a time."""
_FOR_SECONDS: Final = 8.0
"""After so long no further ones are begun: the rest is the next activity's."""


Items = TypeVar("Items")
Take = Callable[[Items], Awaitable[Taken]]


class AmazonReports:
    """Has Amazon make a report, and downloads it; errors as in `activities.connectors.http`."""

    def __init__(self, connections: Connections, engine: Engine) -> None:
        self._connections = connections
        self._engine = engine

    @property
    def every(self) -> tuple[Callable[..., Awaitable[Any]], ...]:
        """Its activities, for each kind of report."""
        of_returns = (self.request_returns_report, self.read_returns_report)
        of_orders = (self.request_order_report, self.read_order_report)
        of_settlements = (self.find_settlement_reports, self.read_settlement_report)
        return (*of_returns, *of_orders, *of_settlements, self.look_at_report)

    @activity.defn(name="request_returns_report")
    async def request_returns_report(self, ask: RequestReport) -> ReportRequested:
        """Of the days that the account's settings say, until now."""
        amazon = await self._amazon(ask.connection_id)
        now = datetime.now(UTC)
        start = now - timedelta(days=amazon.options.return_days_back)
        return ReportRequested(report_id=await amazon.create_report(RETURNS, start, now))

    @activity.defn(name="request_order_report")
    async def request_order_report(self, ask: RequestReport) -> ReportRequested:
        """Of the orders that have not shipped (CAN-7)."""
        amazon = await self._amazon(ask.connection_id)
        now = datetime.now(UTC)
        return ReportRequested(report_id=await amazon.create_report(ORDERS, now - ORDERS_BACK, now))

    @activity.defn(name="look_at_report")
    async def look_at_report(self, ask: LookAtReport) -> ReportStands:
        """Where it stands at Amazon."""
        report = await (await self._amazon(ask.connection_id)).report(ask.report_id)
        if report is None or report.status is Processing.FATAL:
            return ReportStands(state="failed")
        if report.status is Processing.CANCELLED:
            return ReportStands(state="none")
        if report.status is Processing.DONE and report.document_id is not None:
            return ReportStands(state="made", document_id=report.document_id)
        return ReportStands(state="in_the_making")

    @activity.defn(name="read_returns_report")
    async def read_returns_report(self, ask: ReadReport) -> StagedReport:
        """Download it, and keep its returns."""
        return await self._read(ask, staged_by(ReportKind.RETURNS, self._engine))

    @activity.defn(name="read_order_report")
    async def read_order_report(self, ask: ReadReport) -> StagedReport:
        """Download it, and keep the orders that hear something."""
        return await self._read(ask, staged_by(ReportKind.ORDERS, self._engine))

    @activity.defn(name="find_settlement_reports")
    async def find_settlement_reports(self, ask: FindSettlements) -> SettlementsFound:
        """Those that Amazon made by itself, and that no import has begun with, the oldest first (AMZ-8)."""
        amazon = await self._amazon(ask.connection_id)
        since = datetime.now(UTC) - SETTLEMENTS_BACK
        if (begins := amazon.options.settlements_from) is not None:
            since = max(since, datetime.combine(begins, datetime.min.time(), UTC))
        every = await amazon.reports_since([SETTLEMENTS], since)
        made = [one for one in every if one.status in _MADE_OR_NEVER and one.created >= since]
        made.sort(key=lambda one: (one.created, one.report_id))
        ids = {one.report_id: settlement_import_id(ask.connection_id, one.report_id) for one in made}
        try:
            begun = await asyncio.to_thread(ReportRegister(self._engine).begun, list(ids.values()))
        except BackhaulError as error:
            raise ApplicationError(str(error), type=error.category.value) from None
        new = [report_id for report_id, import_id in ids.items() if import_id not in begun]
        return SettlementsFound(report_ids=tuple(new[:_AT_A_LOOK]))

    @activity.defn(name="read_settlement_report")
    async def read_settlement_report(self, ask: ReadReport) -> StagedReport:
        """Download it, and keep its amounts. One that does not add up is held, which is said (AMZ-8)."""
        connection = await self._connections.named(ask.connection_id)
        seller_id = connection.owner.removeprefix("seller:")

        def stage(import_id: str, connection_id: str, source: str, file: BinaryIO) -> StagedReport:
            staged = stage_settlement(self._engine, import_id, connection_id, seller_id, source, file)
            return staged.report_of(import_id)

        return await self._read(ask, stage)

    async def _read(self, ask: ReadReport, stage: Stage) -> StagedReport:
        """At an address of now, which is good for five minutes. One that is none is refused, in words."""
        amazon = await self._amazon(ask.connection_id)
        with TemporaryFile(prefix="report-") as file:
            await amazon.documents.read(await amazon.report_document(ask.document_id), file)
            file.seek(0)
            try:
                return await asyncio.to_thread(stage, ask.import_id, ask.connection_id, ask.source, file)
            except (InvalidInput, Conflict) as no:
                return StagedReport(refused=str(no)[:500])
            except BackhaulError as error:
                raise ApplicationError(str(error), type=error.category.value) from None

    async def _amazon(self, connection_id: str) -> Amazon:
        connection = await self._connections.named(connection_id)

        def build(access: Access) -> Amazon:
            return Amazon(access, CallRates(self._engine))

        return await self._connections.client(connection, build)


class ReportedCases:
    """Takes the returns, tells the orders, or books the settlement, of a report that the database has."""

    def __init__(self, client: Client, engine: Engine) -> None:
        self._client = client
        self._engine = engine

    @property
    def every(self) -> tuple[Callable[..., Awaitable[Any]], ...]:
        """Its activities, for each kind of report."""
        return (self.take_returns, self.take_orders, self.book_settlement)

    @activity.defn(name="take_returns")
    async def take_returns(self, ask: TakeReturns) -> CasesTaken:
        """Some of them, side by side; what was done before it was tried again is found done.

        Raises PartnerUnavailable.
        """

        async def takes() -> Take[ReportedReturn]:
            cases, options = await self._cases(ask.connection_id)
            taking = ReturnTaking(self._client, self._engine, cases, options)
            return lambda units: taking.take(units, ask.since)

        register = ReportRegister(self._engine)
        return await self._taken(ask.import_id, (ask.start, ask.returns), register.returns, takes)

    @activity.defn(name="take_orders")
    async def take_orders(self, ask: TakeOrders) -> CasesTaken:
        """Likewise: each hears that its buyer wants to cancel it, or that it is cancelled (CAN-7, CAN-8).

        Raises PartnerUnavailable.
        """

        async def takes() -> Take[ReportedOrder]:
            cases, options = await self._cases(ask.connection_id)
            return OrderTaking(cases, self._engine, options).take

        register = ReportRegister(self._engine)
        return await self._taken(ask.import_id, (ask.start, ask.orders), register.orders, takes)

    @activity.defn(name="book_settlement")
    async def book_settlement(self, ask: BookSettlement) -> CasesTaken:
        """Some of its amounts; each is in the ledger once, however often it is tried (AMZ-8).

        Raises PartnerUnavailable.
        """
        until = time.monotonic() + _FOR_SECONDS
        taking = SettlementTaking(self._client, self._engine, ask.import_id, activity.info().attempt)
        counted, position = ReportCounted(), ask.start
        try:
            while position < ask.amounts and time.monotonic() < until:
                position, of_these = await taking.take(position)
                counted += of_these
        except BackhaulError as error:
            raise ApplicationError(str(error), type=error.category.value) from None
        return CasesTaken(next=position, counted=counted)

    async def _taken(
        self,
        import_id: str,
        places: tuple[int, int],
        read_some: Callable[[str, int, int], list[Items]],
        takes: Callable[[], Awaitable[Take[Items]]],
    ) -> CasesTaken:
        """`places`: the first one, and how many there are in all."""
        until = time.monotonic() + _FOR_SECONDS
        register, counted, (position, end) = ReportRegister(self._engine), ReportCounted(), places
        try:
            take = await takes()
            while position < end and time.monotonic() < until:
                some = await asyncio.to_thread(read_some, import_id, position, _SIDE_BY_SIDE)
                if not some:
                    raise BackhaulError(f"the database does not have case {position} of import {import_id}")
                taken = await asyncio.gather(*map(take, some))
                if rejected := [row for one in taken for row in one.rejected]:
                    await asyncio.to_thread(register.reject, import_id, rejected)
                counted = sum((one.counted for one in taken), counted)
                position += len(some)
        except BackhaulError as error:
            raise ApplicationError(str(error), type=error.category.value) from None
        return CasesTaken(next=position, counted=counted)

    async def _cases(self, connection_id: str) -> tuple[ToldCases, AmazonOptions]:
        seller_id, options = await asyncio.to_thread(self._of_account, connection_id)
        info = activity.info()
        return ToldCases(self._client, self._engine, info.task_queue, seller_id, info.attempt), options

    def _of_account(self, connection_id: str) -> tuple[str, AmazonOptions]:
        """Whose account it is, and its settings (AMZ-9)."""
        connection = ConnectionRegister(self._engine).get(connection_id)
        return connection.owner.removeprefix("seller:"), amazon_options(connection)
