"""The import of a report of Amazon: what starts it, what its steps ask and answer (AMZ-1, CAN-7)."""

import re
from collections import Counter
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import Field

from models.amazon.settled_refunds import HELD, IN_DOUBT
from models.case import CaseRecord
from models.ids import CaseId, DerivedId
from models.message import Message, Request, Text

Count = Annotated[int, Field(ge=0)]
_SHORT: Final = re.compile(r"[A-Za-z0-9._-]{1,30}")


class ReportKind(StrEnum):
    """What a report is about."""

    RETURNS = "returns"
    ORDERS = "orders"
    SETTLEMENT = "settlement"

    @property
    def a_report(self) -> str:
        return {
            ReportKind.RETURNS: "a returns report",
            ReportKind.ORDERS: "an order report",
            ReportKind.SETTLEMENT: "a settlement report",
        }[self]

    @property
    def report(self) -> str:
        return self.a_report.partition(" ")[2]


class StagedReport(Message):
    """The database has the rows of a report: so many returns, or orders that hear something, or amounts of a
    settlement, and so many rows that could not be read. `refused`: why it is none; then nothing is there."""

    returns: Count = 0
    orders: Count = 0
    amounts: Count = 0
    rejected: Count = 0
    skipped: dict[str, Count] = Field(default_factory=dict)
    """Rows of which nothing follows, by why."""
    refused: str | None = None
    kept_in: DerivedId | None = None
    """Of a settlement: the import that has its amounts, where an earlier one broke off before all was booked."""

    @property
    def cases(self) -> int:
        """How many are to be taken."""
        return self.returns + self.orders + self.amounts


class ReportImportRequest(Request):
    """Starts a `ReportImport`: of rows that the database has, or of a report that Amazon has to make first."""

    import_id: DerivedId
    kind: ReportKind = ReportKind.RETURNS
    connection_id: CaseId
    """The account at Amazon."""
    seller_id: CaseId
    source: Text
    """Where the report comes from: the name of its file, or `Amazon`."""
    staged: StagedReport | None = None
    """None: Amazon is asked for it."""
    report_id: Text | None = None
    """Amazon's, of one that it made by itself: it is not asked to make one."""
    continued: dict[str, Any] | None = None
    """The facts of the run that this one continues; from nobody else are they believed."""


class ReportCounted(Message):
    """What became of the returns or orders of a report, or of some of them."""

    created: Count = 0
    updated: Count = 0
    """They were there, and are told what is new."""
    known: Count = 0
    """They were there, and the report says nothing new."""
    orphans: Count = 0
    """Their orders are not known here: kept until they are (RET-20)."""
    rejected: Count = 0
    """Rows, returns and orders that were not taken: kept with line, column and reason, to be corrected."""
    skipped: dict[str, Count] = Field(default_factory=dict)
    """Of which nothing follows, by why: Amazon's status, or `returnless` (AMZ-2, AMZ-4); of orders in words."""
    settled: dict[str, Count] = Field(default_factory=dict)
    """Of a settlement: `amounts` that are in the ledger, and refunds by verdict, as `confirmed`; beside them
    those that are `in_doubt` or `held` (AMZ-8)."""

    def __add__(self, other: Self) -> "ReportCounted":
        numbers = ("created", "updated", "known", "orphans", "rejected")
        return ReportCounted(
            skipped=dict(sorted((Counter(self.skipped) + Counter(other.skipped)).items())),
            settled=dict(sorted((Counter(self.settled) + Counter(other.settled)).items())),
            **{name: getattr(self, name) + getattr(other, name) for name in numbers},
        )

    def in_words(self, kind: ReportKind) -> str:
        skipped = ", ".join(f"{count} {why}" for why, count in self.skipped.items())
        if kind is ReportKind.SETTLEMENT:
            beside = ("amounts", IN_DOUBT, HELD)
            verdicts = {one: count for one, count in self.settled.items() if one not in beside}
            refunds = ", ".join(f"{count} {one.replace('_', ' ')}" for one, count in verdicts.items())
            booked = f"{self.settled.get('amounts', 0)} amounts booked{f', {skipped}' if skipped else ''}"
            in_doubt = f"; {self.settled[IN_DOUBT]} in doubt" if IN_DOUBT in self.settled else ""
            held = f"; {self.settled[HELD]} held in the queue" if HELD in self.settled else ""
            return f"{booked}; refunds: {refunds or 'none'}{in_doubt}{held}"
        said = f"{self.created} created, {self.updated} updated"
        if kind is ReportKind.ORDERS:
            said = f"{self.updated} put on hold or cancelled"
        return (
            f"{said}, {self.known} known before, "
            f"{self.orphans} kept as orphans, {self.rejected} not taken; skipped: {skipped or 'none'}"
        )


class ReportDue(Message):
    """It is time to ask Amazon for a report of an account."""

    connection_id: CaseId
    seller_id: CaseId


def settlement_import_id(connection_id: str, report_id: str) -> str:
    """The import of a report that Amazon made by itself: one for each, whoever finds it and how often (AMZ-8)."""
    short = report_id if _SHORT.fullmatch(report_id) else sha256(report_id.encode()).hexdigest()[:20]
    return f"{connection_id}.settlement.{short}"


# ---- what the import asks ----


class RequestReport(Message):
    """Have Amazon make the report of an account's returns, or orders. Doing it again makes another one, and harms
    nothing."""

    connection_id: CaseId


class ReportRequested(Message):
    report_id: str
    """Amazon's."""


class LookAtReport(Message):
    connection_id: CaseId
    report_id: str


class ReportStands(Message):
    """`none`: there is nothing to report. `failed`: Amazon could not make it, or does not know it any more."""

    state: Literal["in_the_making", "made", "none", "failed"]
    document_id: str | None = None


class FindSettlements(Message):
    """Which settlement reports Amazon has made of an account that were not imported yet."""

    connection_id: CaseId


class SettlementsFound(Message):
    """Amazon's ids of them, the oldest first."""

    report_ids: tuple[Text, ...] = ()


class ReadReport(Message):
    """Download the document and keep its rows."""

    connection_id: CaseId
    import_id: DerivedId
    source: Text
    document_id: str


class TakeReturns(Message):
    """Start the returns from this position on, or tell them what is new: as many as can be done at a time.
    `since`: when the import began; what was created since then, its earlier try created."""

    import_id: DerivedId
    connection_id: CaseId
    start: Count
    returns: Count
    """How many there are in all."""
    since: datetime


class TakeOrders(Message):
    """Tell the orders from this position on what the report says of them: as many as can be done at a time."""

    import_id: DerivedId
    connection_id: CaseId
    start: Count
    orders: Count
    """How many there are in all."""


class BookSettlement(Message):
    """Book the amounts of a settlement from this position on: as many as can be done at a time (AMZ-8)."""

    import_id: DerivedId
    start: Count
    amounts: Count
    """How many there are in all."""


class CasesTaken(Message):
    """Of returns, orders, or amounts of a settlement. `next`: the position of the first one that is left."""

    next: Count
    counted: ReportCounted


class SaveReportImport(Message):
    """What the database keeps of an import."""

    sections: ClassVar[tuple[str, ...]] = ()

    record: CaseRecord
    import_id: DerivedId
    kind: ReportKind
    connection_id: CaseId
    source: Text
    counted: ReportCounted
