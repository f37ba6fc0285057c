"""Refunds of a settlement that somebody has to hear of: ours that it confirms, returns that Amazon refunded by
itself (AMZ-8, RET-18)."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from activities.database.order_families import families
from activities.database.upserts import table_of, written
from models.amazon.queue import QueueState
from models.amazon.settled_refunds import IN_DOUBT, Verdict
from models.refunds import COUNTS_AGAINST_CAP, UNSETTLED, Way
from models.tables import (
    AmazonQueueRow,
    CaseRow,
    OrderLineRow,
    RefundRow,
    ReturnLineRow,
    ReturnRow,
    SettledRefundRow,
    SettlementAmountRow,
    SettlementRow,
)


class RefundToTell(NamedTuple):
    """A refund of ours that stands in a settlement, and is not known to have moved. `moved`: it stands there
    whole; otherwise in part, and a person looks. `reason`: in words."""

    refund_id: str
    moved: bool
    reason: str


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


def refunds_to_tell(session: Session, settlement: SettlementRow, start: int, end: int) -> list[RefundToTell]:
    """Of one that went by the queue its entry says whether all its order items came; of which Amazon has still to
    say what became of the others it hears nothing."""
    rows = (
        select(RefundRow.refund_id, AmazonQueueRow)
        .join(SettledRefundRow, col(SettledRefundRow.refund_id) == col(RefundRow.refund_id))
        .join(AmazonQueueRow, col(AmazonQueueRow.refund_id) == col(RefundRow.refund_id), isouter=True)
        .where(*between(settlement, start, end), col(RefundRow.state).in_(UNSETTLED))
    )
    entries = dict(session.exec(rows).all())
    stands = f"stands in settlement {settlement.settlement_id}"
    told: list[RefundToTell] = []
    for refund_id, entry in sorted(entries.items()):
        if entry is None or entry.state is QueueState.DONE:
            told.append(RefundToTell(refund_id, moved=True, reason=stands))
        elif entry.state is QueueState.IN_DOUBT:
            told.append(RefundToTell(refund_id, moved=False, reason=entry.reason or stands))
    return told


def refunds_by_amazon(session: Session, settlement: SettlementRow, start: int, end: int) -> list[RefundByAmazon]:
    """With the return of each."""
    rows = select(SettledRefundRow).where(
        *between(settlement, start, end),
        SettledRefundRow.verdict == Verdict.UNEXPECTED,
        col(SettledRefundRow.return_id).is_(None),
        col(SettledRefundRow.note).is_(None),
        SettledRefundRow.came > 0,
    )
    return [_of_return(session, settlement, row) for row in session.exec(rows)]


def note_told(
    session: Session,
    settlement: SettlementRow,
    refund: RefundByAmazon,
    *,
    told: str | None,
    note: str | None,
    set_aside: bool,
) -> None:
    """Which return was told, or why none was; `set_aside`: for its workflow fails."""
    table = table_of(SettledRefundRow)
    of_refund = (
        table.c.connection_id == settlement.connection_id,
        table.c.settlement_id == settlement.settlement_id,
        table.c.position == refund.position,
    )
    written(session, update(table).where(*of_refund).values(return_id=told, note=note, set_aside=set_aside))


def counted_between(
    session: Session, settlement: SettlementRow, start: int, end: int
) -> tuple[dict[str, int], int]:
    """Refunds by verdict, beside them those in doubt, for they stand there in part only; and those that were set
    aside: their returns could not be told."""
    rows = (
        select(SettledRefundRow.verdict, func.count())
        .where(*between(settlement, start, end))
        .group_by(col(SettledRefundRow.verdict))
    )
    counted = {str(verdict): count for verdict, count in session.exec(rows)}
    if in_doubt := len(set(session.exec(_in_doubt(settlement, start, end)))):
        counted[IN_DOUBT] = in_doubt
    aside = select(func.count()).where(*between(settlement, start, end), col(SettledRefundRow.set_aside))
    return counted, session.exec(aside).one()


def _in_doubt(settlement: SettlementRow, start: int, end: int) -> SelectOfScalar[str]:
    """Refunds of which a settlement has something, and of which nobody knows whether the rest moved."""
    return (
        select(RefundRow.refund_id)
        .join(SettledRefundRow, col(SettledRefundRow.refund_id) == col(RefundRow.refund_id))
        .join(AmazonQueueRow, col(AmazonQueueRow.refund_id) == col(RefundRow.refund_id))
        .where(*between(settlement, start, end), col(RefundRow.state).in_(UNSETTLED))
        .where(AmazonQueueRow.state == QueueState.IN_DOUBT)
    )


def made_by_marketplace() -> tuple[ColumnElement[bool], ...]:
    """Refunds that it made by itself, as they were recorded here (RET-18)."""
    return (
        col(RefundRow.way) == Way.MARKETPLACE,
        col(RefundRow.connection_id).is_(None),
        col(RefundRow.state).in_(COUNTS_AGAINST_CAP),
    )


def between(settlement: SettlementRow, start: int, end: int) -> tuple[ColumnElement[bool], ...]:
    """Refunds of a settlement from one position to before another."""
    return (
        col(SettledRefundRow.connection_id) == settlement.connection_id,
        col(SettledRefundRow.settlement_id) == settlement.settlement_id,
        col(SettledRefundRow.position) >= start,
        col(SettledRefundRow.position) < end,
    )


def _of_return(session: Session, settlement: SettlementRow, row: SettledRefundRow) -> RefundByAmazon:
    """The one open return of its order item. Only where that is no line of the order here it may be the one open
    return of any: what Amazon gave for another item is not its."""
    orders = families(session, [row.order_id])
    first = session.get_one(SettlementAmountRow, (settlement.import_id, row.position))
    named = (row.position, first.line, row.number, row.order_item_code, row.came)
    opened = (
        select(ReturnRow.return_id, ReturnLineRow.line_id)
        .join(CaseRow, col(CaseRow.workflow_id) == col(ReturnRow.workflow_id))
        .join(ReturnLineRow, col(ReturnLineRow.return_id) == col(ReturnRow.return_id))
        .where(col(ReturnRow.order_id).in_(orders), col(CaseRow.ended).is_(False))
    )
    lines = lines_of_item(session, orders, row.order_item_code)
    found = session.exec(opened).all()
    fitting = sorted({return_id for return_id, line_id in found if not lines or line_id in lines})
    if len(fitting) == 1:
        return RefundByAmazon(*named, fitting[0], _recorded(session, fitting[0]))
    note = f"several returns are open: {', '.join(fitting)}" if fitting else "no return of it is open"
    return RefundByAmazon(*named, None, note[:500])


def lines_of_item(session: Session, orders: Collection[str], item: str) -> set[str]:
    """The lines of these orders that Amazon's order item is: itself, or the components of a kit (ORD-14)."""
    of_item = or_(col(OrderLineRow.line_id) == item, col(OrderLineRow.kit_line_id) == item)
    rows = select(OrderLineRow.line_id).where(col(OrderLineRow.order_id).in_(orders), of_item)
    return set(session.exec(rows))


def _recorded(session: Session, return_id: str) -> str | None:
    """What a return has of Amazon's refunds already, in words; of one without an amount it took all that was
    paid."""
    of_amazon = select(RefundRow).where(RefundRow.return_id == return_id, *made_by_marketplace())
    found = session.exec(of_amazon.order_by(RefundRow.refund_id)).all()
    words = ", ".join(f"{one.refund_id} of {one.amount} {one.currency}" for one in found)
    return f"the return had recorded {words}"[:500] if found else None
