"""All that the import of a report knows (AMZ-1). What follows from it is a property."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from models.amazon.report_imports import ReportCounted, ReportImportRequest, ReportKind, ReportStands, StagedReport
from models.contract import REPORT_IMPORT_KIND
from workflows.engine.case import CaseFacts
from workflows.report_imports.effects import ImportEffect

OFTEN: Final = 20
"""So many times it is looked for the report soon; then less often."""
SOON, LATER = timedelta(seconds=30), timedelta(minutes=10)
HANGS_AFTER: Final = timedelta(days=1)
"""Amazon makes a report within minutes."""


class ReportImportFacts(CaseFacts):
    """Which report it is, how far it came, and what became of its returns or orders so far."""

    in_flight: dict[str, ImportEffect] = Field(default_factory=dict)
    request: ReportImportRequest
    report_id: str | None = None
    """Amazon's, when it was asked for one."""
    asked_for_at: datetime | None = None
    looks: int = 0
    looked_at: datetime | None = None
    stands: ReportStands | None = None
    """By the last look."""
    downloaded: StagedReport | None = None
    position: int = 0
    """How many returns or orders are done."""
    taken: ReportCounted = ReportCounted()

    # ---- what it is about ----

    @property
    def case_id(self) -> str:
        return REPORT_IMPORT_KIND.workflow_id(self.request.import_id)

    @property
    def order_id(self) -> str:
        """It is about many; mails to staff name the import."""
        return self.request.import_id

    @property
    def seller_id(self) -> str:
        return self.request.seller_id

    @property
    def kind(self) -> ReportKind:
        return self.request.kind

    # ---- what follows ----

    @property
    def reported_as(self) -> str | None:
        """Amazon's id of the report, once there is one."""
        return self.report_id or self.request.report_id

    @property
    def rows_in(self) -> str:
        """The import that has the rows."""
        kept_in = self.staged.kept_in if self.staged is not None else None
        return kept_in or self.request.import_id

    @property
    def staged(self) -> StagedReport | None:
        """The report, once the database has its rows."""
        return self.request.staged or self.downloaded

    @property
    def counted(self) -> ReportCounted:
        """With the rows that could not be read."""
        staged = self.staged
        if staged is None:
            return self.taken
        return self.taken + ReportCounted(rejected=staged.rejected, skipped=staged.skipped)

    @property
    def in_words(self) -> str:
        return self.counted.in_words(self.kind)

    @property
    def next_look(self) -> datetime:
        """When Amazon is asked next whether it has made the report; of one that it made by itself at once."""
        if self.looks == 0 and self.request.report_id is not None:
            return self.created_at
        since = self.looked_at or self.asked_for_at or self.created_at
        return since + (SOON if self.looks < OFTEN else LATER)

    @property
    def hangs_at(self) -> datetime:
        return (self.asked_for_at or self.created_at) + HANGS_AFTER
