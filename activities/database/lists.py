"""Lists of cases, page by page, and returns by any of their numbers (RET-17).

The same few rows are read however many there are: `case_file` has an index for each way to filter.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, literal, literal_column, or_, select, text, tuple_, union, union_all
from sqlalchemy.sql import ColumnElement
from sqlmodel import Session, col

from activities.database import view_rows
from activities.database.cases import urgency_of
from activities.database.views import OrderListed, RefundListed, ReturnListed, WorkListed
from models.case import ReturnStage
from models.failures import InvalidInput, Problem
from models.ids import KindName
from models.message import folded
from models.tables import CaseRow, OrderRow, RefundRow, ReturnLineRow, ReturnRow, stands_in
from models.tables.cases import SIDE_BY_SIDE, stands_also_at
from models.tables.orphans import CaseNumberRow
from models.worklists import Work

LIMIT: Final = 50

_URGENCY_LENGTH: Final = 19
_CURSOR_LENGTH: Final = _URGENCY_LENGTH + 18
Rows = Select[*tuple[Any, ...]]

_PLACE: Final = (col(CaseRow.urgency), col(CaseRow.newness), col(CaseRow.workflow_id))
"""What is still open comes first, of that what is due first, then the newest."""


class Page(NamedTuple):
    """Which cases, and how many: those behind the one whose `Standing.cursor` is `after`.

    `due_before`: only open ones that are due before this.
    """

    stage: str | None = None
    seller: str | None = None
    due_before: datetime | None = None
    limit: int = LIMIT
    after: str | None = None


def orders(session: Session, page: Page) -> list[OrderListed]:
    rows = select(
        col(OrderRow.order_id),
        col(OrderRow.seller_id),
        col(OrderRow.channel),
        col(OrderRow.received_at),
        col(OrderRow.payment_amount),
        col(OrderRow.payment_moved),
        col(OrderRow.payment_currency),
        CaseRow,
    ).join_from(CaseRow, OrderRow, col(OrderRow.workflow_id) == col(CaseRow.workflow_id))
    return [view_rows.order(row, row.CaseRow) for row in session.execute(of_page(rows, "order", page))]


def returns(session: Session, page: Page) -> list[ReturnListed]:
    return _with_worth(session, of_page(_returns(), "return", page))


def refunds(session: Session, page: Page) -> list[RefundListed]:
    rows = select(RefundRow, CaseRow).join_from(
        CaseRow, RefundRow, col(RefundRow.workflow_id) == col(CaseRow.workflow_id)
    )
    found = session.execute(of_page(rows, "refund", page))
    return [view_rows.refund(row.RefundRow, row.CaseRow) for row in found]


def worklist(session: Session, work: Work, page: Page, also: Collection[str] = ()) -> list[WorkListed]:
    """The cases of every kind that stand in this worklist (NTF-6), from its own small index; `also`: workflow ids
    of others that belong to it."""
    listed: ColumnElement[bool] = literal_column(stands_in(work))
    filters = [or_(listed, col(CaseRow.workflow_id).in_(also)) if also else listed]
    if page.seller is not None:
        filters.append(col(CaseRow.seller_id) == page.seller)
    if page.after is not None:
        filters.append(tuple_(*_PLACE) > tuple_(*_place_of(page.after)))
    rows = select(CaseRow).where(*filters).order_by(*_PLACE).limit(page.limit)
    return [view_rows.worked(row) for row in session.execute(rows).scalars()]


def worklist_counts(session: Session) -> dict[Work, int]:
    """How many cases stand in each worklist (NTF-6)."""
    counts = union_all(
        *(
            select(literal(work.value), func.count()).select_from(CaseRow).where(text(stands_in(work)))
            for work in Work
        )
    )
    return {Work(work): count for work, count in session.execute(counts)}


def returns_numbered(session: Session, number: str) -> list[ReturnListed]:
    """Those with this number, of whatever kind (RET-17); an order's, here or at the channel, gives all of its."""
    of_return = (
        col(ReturnRow.return_id),
        col(ReturnRow.order_id),
        col(ReturnRow.rma_number),
        col(ReturnRow.tracking_number),
        col(ReturnRow.broker_return_number),
        col(ReturnRow.amazon_rma_id),
        col(ReturnRow.ebay_return_id),
    )
    at_the_channel = select(col(ReturnRow.return_id)).join(
        OrderRow, col(OrderRow.order_id) == col(ReturnRow.order_id)
    )
    found = union(
        *(select(col(ReturnRow.return_id)).where(one == number) for one in of_return),
        at_the_channel.where(col(OrderRow.channel_order_id) == number),
        *_written_otherwise(number),
    )
    rows = _returns().where(col(ReturnRow.return_id).in_(found)).order_by(*_PLACE).limit(LIMIT)
    return _with_worth(session, rows)


def _written_otherwise(number: str) -> list[Select[str]]:
    """Returns, and those of orders, whose number differs in case, blanks or punctuation alone (ORD-21)."""
    same = select(col(CaseNumberRow.workflow_id)).where(col(CaseNumberRow.folded) == folded(number))
    orders = select(col(OrderRow.order_id)).where(col(OrderRow.workflow_id).in_(same))
    returns = select(col(ReturnRow.return_id))
    return [
        returns.where(col(ReturnRow.workflow_id).in_(same)),
        returns.where(col(ReturnRow.order_id).in_(orders)),
    ]


def _returns() -> Rows:
    return (
        select(
            col(ReturnRow.return_id),
            col(ReturnRow.order_id),
            col(ReturnRow.seller_id),
            col(ReturnRow.supplier_id),
            col(ReturnRow.source),
            col(ReturnRow.created_at),
            col(ReturnRow.rma_number),
            col(ReturnRow.tracking_number),
            col(ReturnRow.refund_due),
            col(OrderRow.payment_currency),
            CaseRow,
        )
        .join_from(CaseRow, ReturnRow, col(ReturnRow.workflow_id) == col(CaseRow.workflow_id))
        .join(OrderRow, col(OrderRow.order_id) == col(ReturnRow.order_id))
    )


def _with_worth(session: Session, rows: Rows) -> list[ReturnListed]:
    found = session.execute(rows).all()
    paid = dict.fromkeys((row.return_id for row in found), Decimal(0))
    if found:
        lines = select(col(ReturnLineRow.return_id), col(ReturnLineRow.paid)).where(
            col(ReturnLineRow.return_id).in_(paid)
        )
        for return_id, worth in session.execute(lines):
            paid[return_id] += worth
    return [view_rows.claimed(row, row.payment_currency, paid[row.return_id], row.CaseRow) for row in found]


def of_page(rows: Rows, kind: KindName, page: Page) -> Rows:
    """Of rows that are joined with their case: one page of this kind.

    A stage is that of the first or of another thing that a return waits for: a page of each, of its own index, and
    of both together the first so many.
    """
    if page.stage not in SIDE_BY_SIDE:
        return rows.where(*_filters(kind, page)).order_by(*_PLACE).limit(page.limit)
    also: ColumnElement[bool] = literal_column(stands_also_at(ReturnStage(page.stage)))
    beside = [also, *_filters(kind, page._replace(stage=None))[1:]]  # their words are those of returns alone
    pages = [
        select(col(CaseRow.workflow_id)).where(*filters).order_by(*_PLACE).limit(page.limit).subquery()
        for filters in (_filters(kind, page), beside)
    ]
    found = union(*(select(one.c.workflow_id) for one in pages))
    return rows.where(col(CaseRow.workflow_id).in_(found)).order_by(*_PLACE).limit(page.limit)


def _filters(kind: KindName, page: Page) -> Sequence[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = [col(CaseRow.kind) == kind]
    if page.stage is not None:
        filters.append(col(CaseRow.stage) == page.stage)
    if page.seller is not None:
        filters.append(col(CaseRow.seller_id) == page.seller)
    if page.due_before is not None:
        filters.append(col(CaseRow.urgency) < urgency_of(page.due_before, ended=False))
    if page.after is not None:
        filters.append(tuple_(*_PLACE) > tuple_(*_place_of(page.after)))
    return filters


def _place_of(cursor: str) -> tuple[str, str, str]:
    digits, workflow_id = cursor[:_CURSOR_LENGTH], cursor[_CURSOR_LENGTH:]
    if len(digits) < _CURSOR_LENGTH or not (digits.isascii() and digits.isdecimal() and workflow_id):
        raise InvalidInput("list", [Problem("after", "must be the cursor of a case that was listed")])
    return digits[:_URGENCY_LENGTH], digits[_URGENCY_LENGTH:], workflow_id
