"""Refunds of a settlement that somebody has to hear of: ours that it confirms, returns that Amazon refunded by
itself (AMZ-8, RET-18)."""

from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from activities.database.upserts import table_of, written
from models.amazon.settled_refunds import Verdict
from models.refunds import COUNTS_AGAINST_CAP, UNSETTLED, Way
from models.tables import (
    CaseRow,
    RefundRow,
    ReturnLineRow,
    ReturnRow,
    SettledRefundRow,
    SettlementAmountRow,
    SettlementRow,
)

SET_ASIDE: Final = "set aside: "
"""A note begins so where a return could not be told, for it fails."""


class RefundByAmazon(NamedTuple):
    """A refund of an order here that nobody made here. `return_id`: the one open return that it is of, none if
    none fits, or several: `note` says which, or what the return had recorded of Amazon before."""

    position: int
    line: int
    """Of the file."""
    number: str
    """Amazon's of the order."""
    order_item_code: str
    units: int
    return_id: str | None
    note: str | None


def refunds_to_confirm(session: Session, settlement: SettlementRow, start: int, end: int) -> list[str]:
    """Refunds of ours that are not known to have moved, and stand in the settlement."""
    rows = (
        select(RefundRow.refund_id)
        .join(SettledRefundRow, col(SettledRefundRow.refund_id) == col(RefundRow.refund_id))
        .where(*_between(settlement, start, end), col(RefundRow.state).in_(UNSETTLED))
        .distinct()
    )
    return sorted(session.exec(rows))


def refunds_by_amazon(session: Session, settlement: SettlementRow, start: int, end: int) -> list[RefundByAmazon]:
    """With the return of each."""
    rows = select(SettledRefundRow).where(
        *_between(settlement, start, end),
        SettledRefundRow.verdict == Verdict.UNEXPECTED,
        col(SettledRefundRow.return_id).is_(None),
        col(SettledRefundRow.note).is_(None),
        SettledRefundRow.came > 0,
    )
    return [_of_return(session, settlement, row) for row in session.exec(rows)]


def note_told(
    session: Session, settlement: SettlementRow, refund: RefundByAmazon, told: str | None, note: str | None
) -> None:
    """Which return was told, or why none was."""
    table = table_of(SettledRefundRow)
    of_refund = (
        table.c.connection_id == settlement.connection_id,
        table.c.settlement_id == settlement.settlement_id,
        table.c.position == refund.position,
    )
    written(session, update(table).where(*of_refund).values(return_id=told, note=note))


def counted_between(
    session: Session, settlement: SettlementRow, start: int, end: int
) -> tuple[dict[str, int], int]:
    """Refunds by verdict, and those that were set aside: their returns could not be told."""
    rows = (
        select(SettledRefundRow.verdict, func.count())
        .where(*_between(settlement, start, end))
        .group_by(col(SettledRefundRow.verdict))
    )
    counted = {str(verdict): count for verdict, count in session.exec(rows)}
    aside = select(func.count()).where(
        *_between(settlement, start, end), col(SettledRefundRow.note).startswith(SET_ASIDE)
    )
    return counted, session.exec(aside).one()


def _between(settlement: SettlementRow, start: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(SettledRefundRow.connection_id) == settlement.connection_id,
        col(SettledRefundRow.settlement_id) == settlement.settlement_id,
        col(SettledRefundRow.position) >= start,
        col(SettledRefundRow.position) < end,
    )


def _of_return(session: Session, settlement: SettlementRow, row: SettledRefundRow) -> RefundByAmazon:
    """By the order item where returns of it are open, else any open return of the order."""
    first = session.get_one(SettlementAmountRow, (settlement.import_id, row.position))
    named = (row.position, first.line, row.number, row.order_item_code, row.came)
    opened = (
        select(ReturnRow.return_id, ReturnLineRow.line_id)
        .join(CaseRow, col(CaseRow.workflow_id) == col(ReturnRow.workflow_id))
        .join(ReturnLineRow, col(ReturnLineRow.return_id) == col(ReturnRow.return_id))
        .where(ReturnRow.order_id == row.order_id, col(CaseRow.ended).is_(False))
    )
    found = list(session.exec(opened))
    of_item = {return_id for return_id, line_id in found if line_id == row.order_item_code}
    fitting = sorted(of_item or {return_id for return_id, _ in found})
    if len(fitting) == 1:
        return RefundByAmazon(*named, fitting[0], _recorded(session, fitting[0]))
    note = f"several returns are open: {', '.join(fitting)}" if fitting else "no return of it is open"
    return RefundByAmazon(*named, None, note[:500])


def _recorded(session: Session, return_id: str) -> str | None:
    """What a return has of Amazon's refunds already, in words; of one without an amount it took all that was
    paid."""
    of_amazon = select(RefundRow).where(
        RefundRow.return_id == return_id,
        RefundRow.way == Way.MARKETPLACE,
        col(RefundRow.connection_id).is_(None),
        col(RefundRow.state).in_(COUNTS_AGAINST_CAP),
    )
    found = session.exec(of_amazon.order_by(RefundRow.refund_id)).all()
    words = ", ".join(f"{one.refund_id} of {one.amount} {one.currency}" for one in found)
    return f"the return had recorded {words}"[:500] if found else None
