"""A settlement is entered in the ledger, some orders at a time, and its refunds are matched with ours (AMZ-8)."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from activities.database.ledger import post
from activities.database.settlement_sums import AMOUNT, end_of_order, settled_between
from activities.database.upserts import add_new, table_of, written
from models.amazon.messages import OrderAdjustment
from models.amazon.queue import QueueKind, QueueState
from models.amazon.settled_refunds import RefundCame, RefundExpected, SettledRefund, matched, not_heard_of
from models.amazon.settlement import Component
from models.amazon.settlements import SettlementState
from models.ledger import amounts_settled
from models.money import to_minor_units
from models.refunds import COUNTS_AGAINST_CAP, Direction, Way
from models.tables import (
    AmazonQueueRow,
    RefundRow,
    SettledRefundRow,
    SettlementRow,
)

_SENT: Final = (QueueState.BATCHED, QueueState.SENT, QueueState.IN_DOUBT, QueueState.DONE, QueueState.REFUSED)
"""States in which Amazon may have a refund, whatever it said of it."""


def book_some(session: Session, import_id: str, most: int) -> SettlementRow:
    """Enter what comes next: about so many amounts, to the end of an order; each once, however often it is tried.
    Gives the settlement as it stands then."""
    found = select_rows(SettlementRow).where(SettlementRow.import_id == import_id).with_for_update()
    settlement = session.exec(found).one()
    if settlement.state is not SettlementState.BOOKING:
        return settlement
    start, end = settlement.booked_to, end_of_order(session, settlement, settlement.booked_to + most - 1)
    settled = settled_between(session, settlement, start, end)
    post(session, (entry for one in settled for entry in amounts_settled(one)))
    _match(session, settlement, start, end)
    settlement.booked_to = end
    if end == settlement.amounts:
        settlement.state = SettlementState.BOOKED
    session.add(settlement)
    return settlement


# ---- refunds ----


def _match(session: Session, settlement: SettlementRow, start: int, end: int) -> None:
    """Those of the orders of this piece; what Amazon had, and did not say, is done."""
    came: dict[tuple[str, str], list[RefundCame]] = {}
    for order_id, refund in _came(session, settlement, start, end):
        came.setdefault((refund.order_id, order_id), []).append(refund)
    expected = _expected(session, settlement, [order_id for _, order_id in came])
    rows: list[dict[str, Any]] = []
    for (number, order_id), refunds in came.items():
        for one in matched(refunds, expected.get(order_id, ())):
            rows.append(_row(settlement, number, order_id, one))
    add_new(session, SettledRefundRow, rows)
    done = sorted({one["refund_id"] for one in rows if one["refund_id"] is not None})
    queue = table_of(AmazonQueueRow)
    unsaid = queue.c.state.in_((QueueState.SENT, QueueState.IN_DOUBT, QueueState.REFUSED))
    if done:
        words = f"stands in settlement {settlement.settlement_id}"
        settle = update(queue).where(queue.c.refund_id.in_(done), unsaid)
        written(session, settle.values(state=QueueState.DONE, reason=words, changed_at=settlement.at))


def _came(session: Session, settlement: SettlementRow, start: int, end: int) -> Iterable[tuple[str, RefundCame]]:
    """By order item and key of ours; without one, by Amazon's adjustment."""
    first = func.min(AMOUNT.c.position).label("first")
    by_amazon = func.coalesce(func.nullif(AMOUNT.c.adjustment_key, ""), AMOUNT.c.adjustment_id)
    named = (AMOUNT.c.number, AMOUNT.c.order_id, AMOUNT.c.order_item_code, AMOUNT.c.adjustment_key)
    sums = (
        select(first, func.min(AMOUNT.c.transaction_type), func.sum(AMOUNT.c.units), *named)
        .where(
            AMOUNT.c.import_id == settlement.import_id,
            AMOUNT.c.position >= start,
            AMOUNT.c.position < end,
            AMOUNT.c.component == Component.REFUNDED,
            AMOUNT.c.order_id.is_not(None),
        )
        .group_by(*named, by_amazon)
        .order_by(first)
    )
    for position, transaction_type, units, number, order_id, item, key in session.execute(sums):
        if units:
            yield order_id, RefundCame(position, transaction_type, number, item, key, -int(units))


def _row(settlement: SettlementRow, number: str, order_id: str, one: SettledRefund) -> dict[str, Any]:
    return {
        "connection_id": settlement.connection_id,
        "settlement_id": settlement.settlement_id,
        "position": one.came.position,
        "verdict": one.verdict,
        "transaction_type": one.came.transaction_type,
        "number": number,
        "order_id": order_id,
        "order_item_code": one.came.order_item_code,
        "adjustment_key": one.our_key or one.came.adjustment_key,
        "came": one.came.units,
        "expected": one.expected,
        "refund_id": one.refund_id,
        "return_id": None,
        "note": None,
    }


def _expected(
    session: Session, settlement: SettlementRow, orders: Sequence[str]
) -> dict[str, list[RefundExpected]]:
    """What the books have of these orders' buyers' refunds, by order, that no settlement has said."""
    if not orders:
        return {}
    before = select_rows(SettledRefundRow).where(
        col(SettledRefundRow.order_id).in_(orders),
        col(SettledRefundRow.settlement_id) != settlement.settlement_id,
    )
    said = list(session.exec(before))
    known = {(one.refund_id, one.adjustment_key) for one in said}
    found: dict[str, list[RefundExpected]] = {}
    sent = (
        select_rows(AmazonQueueRow, RefundRow.settled_at)
        .join(RefundRow, col(RefundRow.refund_id) == col(AmazonQueueRow.refund_id))
        .where(
            col(AmazonQueueRow.order_id).in_(orders),
            AmazonQueueRow.kind == QueueKind.REFUND,
            col(AmazonQueueRow.state).in_(_SENT),
            col(AmazonQueueRow.content).is_not(None),
        )
    )
    composed: set[str] = set()
    for row, moved_at in session.exec(sent):
        composed.add(row.entry_id)
        only_by_key = not (row.state is QueueState.DONE and _moved_before(moved_at, settlement.ended_at))
        for item in OrderAdjustment.model_validate(row.content).items:
            if (row.entry_id, item.adjustment_key) not in known:
                units = to_minor_units(item.amount, item.currency)
                named = (row.entry_id, item.adjustment_key, item.order_item_code)
                part = RefundExpected(*named, units, only_by_key=only_by_key)
                found.setdefault(row.order_id, []).append(part)
    for order_id, recorded in _recorded(session, settlement, orders, composed | {one.refund_id for one in said}):
        unexpected = [one.came for one in said if one.order_id == order_id and one.refund_id is None]
        found.setdefault(order_id, []).extend(not_heard_of(recorded, unexpected))
    return found


def _moved_before(moved_at: datetime | None, ended_at: datetime | None) -> bool:
    return moved_at is not None and ended_at is not None and moved_at < ended_at


def _recorded(
    session: Session, settlement: SettlementRow, orders: Sequence[str], others: AbstractSet[str | None]
) -> Iterable[tuple[str, list[RefundExpected]]]:
    """What Amazon made by itself, by order: it was recorded after it moved, maybe after the settlement ended. What
    somebody paid elsewhere stands in no settlement."""
    rows = select_rows(RefundRow).where(
        col(RefundRow.order_id).in_(orders),
        RefundRow.direction == Direction.SELLER_TO_BUYER,
        RefundRow.currency == settlement.currency,
        col(RefundRow.state).in_(COUNTS_AGAINST_CAP),
        RefundRow.way == Way.MARKETPLACE,
        col(RefundRow.connection_id).is_(None),
    )
    found: dict[str, list[RefundExpected]] = {}
    for refund in session.exec(rows):
        if refund.refund_id not in others:
            units = to_minor_units(refund.amount, refund.currency)
            found.setdefault(refund.order_id, []).append(RefundExpected(refund.refund_id, "", "", units))
    return found.items()
