"""Workers that dawdle where an import books a settlement (AMZ-8)."""

from typing import Final

from temporalio import activity

from activities.report_imports.activities import ReportedCases
from models import calls
from models.amazon.report_imports import BookSettlement, CasesTaken
from tests.chaos.slow_worker import dawdle


class DawdlesBeforeBooking(ReportedCases):
    """It is asked to book the settlement, and has not."""

    @activity.defn(name=calls.BOOK_SETTLEMENT.name)
    async def book_settlement(self, ask: BookSettlement) -> CasesTaken:
        await dawdle()
        return await super().book_settlement(ask)


class DawdlesAfterBooking(ReportedCases):
    """It is in the ledger, and nobody was told."""

    @activity.defn(name=calls.BOOK_SETTLEMENT.name)
    async def book_settlement(self, ask: BookSettlement) -> CasesTaken:
        done = await super().book_settlement(ask)
        await dawdle()
        return done


SETTLEMENT_DAWDLERS: Final[tuple[type, ...]] = (DawdlesBeforeBooking, DawdlesAfterBooking)
