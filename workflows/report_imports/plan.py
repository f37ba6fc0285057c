"""What follows from the facts of an import: have Amazon make the report, download it, take it return by return."""

from datetime import datetime
from typing import Final

from models.amazon.report_imports import ReportKind
from models.amazon.settled_refunds import HELD, IN_DOUBT, Verdict
from models.case import ReportImportStage as Stage
from models.case import Who
from models.text import counted
from workflows.engine.pieces import alert, at, in_flight, just, troubles, wait
from workflows.engine.plan import End, Plan
from workflows.report_imports.effects import (
    AskForReport,
    DownloadReport,
    ImportOrders,
    ImportReturns,
    ImportSettlement,
    LookForReport,
)
from workflows.report_imports.facts import ReportImportFacts

_TAKEN_BY: Final = {
    ReportKind.RETURNS: ImportReturns,
    ReportKind.ORDERS: ImportOrders,
    ReportKind.SETTLEMENT: ImportSettlement,
}
_ASKED_AGAIN: Final = "the next one is asked for as ever"
_INSTEAD: Final = {
    ReportKind.RETURNS: _ASKED_AGAIN,
    ReportKind.ORDERS: _ASKED_AGAIN,
    ReportKind.SETTLEMENT: "download the settlement in Seller Central, and import its file",
}
"""Of a report that Amazon could not make."""


def plan(facts: ReportImportFacts, now: datetime) -> Plan:
    """AMZ-1: what is in flight when staff stop it is finished, and no more."""
    f = facts.as_of(now)
    if f.outcome is not None:
        return troubles(f) + Plan(end=End(f.outcome, f.closing_message))
    if f.stopped_at is not None:
        return troubles(f) + Plan(end=End(Stage.STOPPED, f"stopped by staff: {f.in_words}"))
    return troubles(f) + (_fetched(f) if f.staged is None else _taken(f))


def _fetched(f: ReportImportFacts) -> Plan:
    if f.reported_as is None:
        ask = AskForReport(of=f.kind)
        return just(ask) + in_flight(f, Stage.ASKING, ask)
    if f.stands is None or f.stands.state == "in_the_making":
        return _in_the_making(f)
    if f.stands.state == "none":
        return Plan(end=End(Stage.NO_DATA, f"Amazon knows of no {f.kind.value}"))
    if f.stands.state == "failed":
        return _refused(f, f"Amazon could not make report {f.reported_as}: {_INSTEAD[f.kind]}")
    download = DownloadReport(of=f.kind)
    return just(download) + in_flight(f, Stage.DOWNLOADING, download)


def _in_the_making(f: ReportImportFacts) -> Plan:
    look = LookForReport(key=f"look:{f.looks + 1}", of=f.kind)
    hangs = alert(f, "hangs", f"Amazon has not made report {f.reported_as} for a day", Who.SHOP)
    late = at(f, f.hangs_at, "Amazon takes too long", hangs)
    made = wait(Stage.IN_THE_MAKING, Who.SHOP, "make the report", f.asked_for_at or f.created_at)
    if f.now >= f.next_look or look.key in f.done:
        return late + just(look) + made
    return late + made + Plan(wake_at=f.next_look, timer="Look whether the report is there")


def _taken(f: ReportImportFacts) -> Plan:
    staged = f.staged
    assert staged is not None, "the database has the report"
    if staged.refused is not None:
        return _refused(f, staged.refused)
    if f.position < staged.cases:
        take = _TAKEN_BY[f.kind](key=f"{f.kind.value}:{f.position}", start=f.position)
        return just(take) + in_flight(f, Stage.IMPORTING, take)
    return (
        _told(f)
        + _told_of_failed(f)
        + _told_of_doubt(f)
        + _told_of_held(f)
        + Plan(end=End(Stage.IMPORTED, f.in_words))
    )


def _told(f: ReportImportFacts) -> Plan:
    """Who imports a file sees what was not taken; of what came by itself staff are told, and of returns that could
    not hear what a settlement says."""
    by_itself = f.request.staged is None
    rejected = f.counted.rejected if by_itself else f.taken.rejected
    if not rejected or not (by_itself or f.kind is ReportKind.SETTLEMENT):
        return Plan()
    what = f"{rejected} rows of {f.kind.a_report} were not taken"
    return just(alert(f, "rejected", f"{what}: backhaul amazon rejected {f.rows_in}", Who.STAFF))


def _told_of_failed(f: ReportImportFacts) -> Plan:
    """Refunds that failed here, and that the buyers have: nothing is changed by itself (REF-11)."""
    count = f.taken.settled.get(Verdict.MOVED_THOUGH_FAILED.value, 0)
    if not count:
        return Plan()
    refunds = counted(count, "refund")
    what = (
        f"{refunds} of the settlement in {f.request.source} moved though they had failed here: look whether they "
        "were made a second time (backhaul amazon reconcile)"
    )
    return just(alert(f, "moved-though-failed", what, Who.STAFF))


def _told_of_doubt(f: ReportImportFacts) -> Plan:
    """Refunds that moved in part, or may have: they are not sent again, and not refundable again, until somebody
    has looked (REF-11)."""
    count = f.taken.settled.get(IN_DOUBT, 0)
    if not count:
        return Plan()
    refunds = "1 refund stands" if count == 1 else f"{count} refunds stand"
    what = (
        f"{refunds} in the settlement in {f.request.source} only in part, or otherwise than asked for, and what "
        "became of the rest is not known: look there (backhaul amazon queue list), and record it of each "
        "(backhaul refund resolve)"
    )
    return just(alert(f, "in-doubt", what, Who.STAFF))


def _told_of_held(f: ReportImportFacts) -> Plan:
    """Refunds that waited in the queue while Amazon refunded the same by itself: they would be made twice."""
    count = f.taken.settled.get(HELD, 0)
    if not count:
        return Plan()
    refunds = "1 refund that waits" if count == 1 else f"{count} refunds that wait"
    what = (
        f"Amazon refunded by itself, as the settlement in {f.request.source} says, an order item of {refunds} in "
        "the queue: send what is due still, or reject it (backhaul amazon queue list)"
    )
    return just(alert(f, "held", what, Who.STAFF))


def _refused(f: ReportImportFacts, why: str) -> Plan:
    return just(alert(f, "refused", why, Who.STAFF)) + Plan(end=End(Stage.REFUSED, why))
