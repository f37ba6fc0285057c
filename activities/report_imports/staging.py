"""A report goes into the database before its first return starts, or its first order hears of it: a worker that
dies loses nothing, and a report that is damaged further down does nothing (AMZ-1, CAN-7)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO, Final

from sqlalchemy import Engine

from activities.connectors.amazon.order_report import by_order, read_order_report
from activities.connectors.amazon.returns_report import added_up, gathered, read_returns_report
from activities.database.report_imports import ReportedOrder, ReportRegister
from activities.report_imports.rejected import RejectedRows
from models.amazon.order_imports import is_news
from models.amazon.report_imports import ReportKind, StagedReport
from models.amazon.returned_items import RejectedRow, ReturnedUnits

NOBODY_ASKS, NOT_SAID = "without a request", "of which it is not said"
_AT_A_TIME: Final = 500


def stage_returns(
    register: ReportRegister, import_id: str, connection_id: str, source: str, report: BinaryIO
) -> StagedReport:
    """Keep its returns, and the rows that can't be read, in bounded memory. Doing it again begins anew.

    Raises InvalidInput (no returns report, or damaged), PartnerUnavailable (the database stays away).
    """
    register.begin(import_id, ReportKind.RETURNS, connection_id, source)
    rejected = RejectedRows(register, import_id)
    returns = added_up(gathered(rejected.apart(read_returns_report(report))))
    count = 0
    while some := list(islice(returns, _AT_A_TIME)):
        register.add_returns(import_id, count, some)
        rejected.add(note for units in some for note in _notes(units))
        count += len(some)
    rejected.flush()
    return StagedReport(returns=count, rejected=rejected.count)


def stage_orders(
    register: ReportRegister, import_id: str, connection_id: str, source: str, report: BinaryIO
) -> StagedReport:
    """Keep the orders that hear something of it, likewise; most of a report says nothing new (CAN-7).

    Raises InvalidInput (no order report, or damaged), PartnerUnavailable (the database stays away).
    """
    register.begin(import_id, ReportKind.ORDERS, connection_id, source)
    rejected = RejectedRows(register, import_id)
    skipped: Counter[str] = Counter()
    orders = _with_news(by_order(rejected.apart(read_order_report(report))), skipped)
    count = 0
    while some := list(islice(orders, _AT_A_TIME)):
        register.add_orders(import_id, count, some)
        count += len(some)
    rejected.flush()
    return StagedReport(orders=count, rejected=rejected.count, skipped=dict(skipped))


Stage = Callable[[str, str, str, BinaryIO], StagedReport]
"""Keeps the rows of a report: the import's id, the account's, where it comes from, and its content."""
STAGED_BY: Final = {ReportKind.RETURNS: stage_returns, ReportKind.ORDERS: stage_orders}
"""What keeps the rows of each kind of report."""


def staged_by(kind: ReportKind, engine: Engine) -> Stage:
    """What keeps the rows of a report of this kind in this database."""
    return partial(STAGED_BY[kind], ReportRegister(engine))


def _with_news(orders: Iterable[ReportedOrder], skipped: Counter[str]) -> Iterator[ReportedOrder]:
    """Those that hear something; of the others is counted whether it is said that nobody asks to cancel."""
    for items in orders:
        if is_news(items):
            yield items
        else:
            skipped[NOT_SAID if all(one.wants_cancel is None for one in items) else NOBODY_ASKS] += 1


def _notes(units: tuple[ReturnedUnits, ...]) -> Iterator[RejectedRow]:
    """What is taken otherwise than the report says."""
    for one in units:
        if one.note is not None:
            yield RejectedRow(one.said.line, "Return quantity", one.note, {})
