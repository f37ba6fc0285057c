"""Workers that dawdle where an import takes the returns or orders of a report (AMZ-1, CAN-7)."""

from typing import Final

from temporalio import activity

from activities.report_imports.activities import ReportedCases
from models import calls
from models.amazon.report_imports import CasesTaken, TakeOrders, TakeReturns
from tests.chaos.slow_worker import dawdle


class DawdlesBeforeTakingReturns(ReportedCases):
    """It is asked to start the returns, and has not."""

    @activity.defn(name=calls.TAKE_RETURNS.name)
    async def take_returns(self, ask: TakeReturns) -> CasesTaken:
        await dawdle()
        return await super().take_returns(ask)


class DawdlesAfterTakingReturns(ReportedCases):
    """The returns have begun, and nobody was told."""

    @activity.defn(name=calls.TAKE_RETURNS.name)
    async def take_returns(self, ask: TakeReturns) -> CasesTaken:
        done = await super().take_returns(ask)
        await dawdle()
        return done


class DawdlesBeforeTellingOrders(ReportedCases):
    """It is asked to tell the orders, and has not."""

    @activity.defn(name=calls.TAKE_ORDERS.name)
    async def take_orders(self, ask: TakeOrders) -> CasesTaken:
        await dawdle()
        return await super().take_orders(ask)


class DawdlesAfterTellingOrders(ReportedCases):
    """The orders were told, and nobody was told that."""

    @activity.defn(name=calls.TAKE_ORDERS.name)
    async def take_orders(self, ask: TakeOrders) -> CasesTaken:
        done = await super().take_orders(ask)
        await dawdle()
        return done


IMPORT_DAWDLERS: Final[tuple[type, ...]] = (
    DawdlesBeforeTakingReturns,
    DawdlesAfterTakingReturns,
    DawdlesBeforeTellingOrders,
    DawdlesAfterTellingOrders,
)
