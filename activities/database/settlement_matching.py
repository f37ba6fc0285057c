"""Refunds of a settlement are matched with ours, some orders at a time (AMZ-8, RET-18)."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select
from sqlmodel import Session, col
from sqlmodel import select as select_rows

from activities.database.order_families import families
from activities.database.settled_entries import settle_what_stands
from activities.database.settled_holds import hold, waiting_for_the_same
from activities.database.settlement_refunds import made_by_marketplace
from activities.database.settlement_sums import AMOUNT
from activities.database.upserts import add_new
from models.amazon.messages import OrderAdjustment
from models.amazon.queue import QueueKind, QueueState
from models.amazon.settled_refunds import (
    RefundCame,
    RefundExpected,
    SettledRefund,
    Verdict,
    matched,
    not_heard_of,
)
from models.amazon.settlement import Component
from models.money import to_minor_units
from models.refunds import COUNTS_AGAINST_CAP, Direction
from models.tables import AmazonQueueRow, RefundRow, SettledRefundRow, SettlementRow

_SENT: Final = (QueueState.BATCHED, QueueState.SENT, QueueState.IN_DOUBT, QueueState.DONE, QueueState.REFUSED)
"""States in which Amazon may have a refund, whatever it said of it."""


def match_refunds(session: Session, settlement: SettlementRow, start: int, end: int) -> None:
    """Those of the orders of this piece; what Amazon had, and did not say, is done."""
    came: dict[str, list[RefundCame]] = {}
    for order_id, refund in _came(session, settlement, start, end):
        came.setdefault(order_id, []).append(refund)
    if not came:
        return
    orders = families(session, came)
    expected = _expected(session, settlement, orders)
    rows = [
        _row(settlement, order_id, one)
        for order_id, refunds in came.items()
        for one in matched(refunds, expected.get(order_id, ()))
    ]
    add_new(session, SettledRefundRow, rows)
    ours = {row["refund_id"] for row in rows} - {None}
    by_amazon = [row for row in rows if row["verdict"] is Verdict.UNEXPECTED and row["came"] > 0]
    items = {(row["order_id"], row["order_item_code"]) for row in by_amazon}
    waiting = set(waiting_for_the_same(session, orders, items))
    entries = select_rows(AmazonQueueRow).where(col(AmazonQueueRow.refund_id).in_(ours | waiting))
    locked = entries.order_by(col(AmazonQueueRow.entry_id)).with_for_update()
    read_anew = {"populate_existing": True}
    found = list(session.exec(locked, execution_options=read_anew))
    settle_what_stands(session, found, settlement.at)
    hold(session, settlement, [row for row in found if row.entry_id in waiting])


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


def _row(settlement: SettlementRow, order_id: str, one: SettledRefund) -> dict[str, Any]:
    return {
        "connection_id": settlement.connection_id,
        "settlement_id": settlement.settlement_id,
        "position": one.came.position,
        "verdict": one.verdict,
        "transaction_type": one.came.transaction_type,
        "number": one.came.order_id,
        "order_id": order_id,
        "order_item_code": one.came.order_item_code,
        "adjustment_key": one.our_key or one.came.adjustment_key,
        "came": one.came.units,
        "expected": one.expected,
        "refund_id": one.refund_id,
        "return_id": None,
        "note": None,
        "set_aside": False,
    }


def _expected(
    session: Session, settlement: SettlementRow, orders: Mapping[str, str]
) -> dict[str, list[RefundExpected]]:
    """What the books have of the buyers' refunds of these families of orders, by the order that Amazon knows, that
    no settlement has said. `orders`: by each member that one (CAN-10)."""
    before = select_rows(SettledRefundRow).where(
        col(SettledRefundRow.order_id).in_(orders),
        col(SettledRefundRow.settlement_id) != settlement.settlement_id,
    )
    said = list(session.exec(before))
    known = {(one.refund_id, one.adjustment_key) for one in said}
    found: dict[str, list[RefundExpected]] = {}
    sent = (
        select_rows(AmazonQueueRow, RefundRow)
        .join(RefundRow, col(RefundRow.refund_id) == col(AmazonQueueRow.refund_id))
        .where(
            col(AmazonQueueRow.order_id).in_(orders),
            AmazonQueueRow.kind == QueueKind.REFUND,
            or_(col(AmazonQueueRow.state).in_(_SENT), col(AmazonQueueRow.told_before)),
            col(AmazonQueueRow.content).is_not(None),
        )
    )
    composed: set[str] = set()
    for row, refund in session.exec(sent):
        composed.add(row.entry_id)
        for part in _parts(row, refund, settlement.ended_at):
            if (part.refund_id, part.adjustment_key) not in known:
                found.setdefault(orders[row.order_id], []).append(part)
    others = composed | {one.refund_id for one in said}
    for order_id, recorded in _recorded(session, settlement, orders, others).items():
        unexpected = [one.came for one in said if orders[one.order_id] == order_id and one.refund_id is None]
        found.setdefault(order_id, []).extend(not_heard_of(recorded, unexpected))
    return found


def _parts(row: AmazonQueueRow, refund: RefundRow, ended_at: datetime | None) -> Iterable[RefundExpected]:
    """Each order item of a refund that Amazon was told. One that was taken out of the queue fails as soon as it
    hears so."""
    has_failed = refund.state not in COUNTS_AGAINST_CAP or row.state is QueueState.REJECTED
    is_done = row.state is QueueState.DONE and not has_failed and _moved_before(refund.settled_at, ended_at)
    for item in OrderAdjustment.model_validate(row.content).items:
        yield RefundExpected(
            row.entry_id,
            item.adjustment_key,
            item.order_item_code,
            to_minor_units(item.amount, item.currency),
            only_by_key=not is_done,
            has_failed=has_failed,
        )


def _moved_before(moved_at: datetime | None, ended_at: datetime | None) -> bool:
    return moved_at is not None and ended_at is not None and moved_at < ended_at


def _recorded(
    session: Session, settlement: SettlementRow, orders: Mapping[str, str], others: AbstractSet[str | None]
) -> dict[str, list[RefundExpected]]:
    """What Amazon made by itself, by order: it was recorded after it moved, maybe after the settlement ended. What
    somebody paid elsewhere stands in no settlement."""
    rows = select_rows(RefundRow).where(
        col(RefundRow.order_id).in_(orders),
        RefundRow.direction == Direction.SELLER_TO_BUYER,
        RefundRow.currency == settlement.currency,
        *made_by_marketplace(),
    )
    found: dict[str, list[RefundExpected]] = {}
    for refund in session.exec(rows):
        if refund.refund_id not in others:
            units = to_minor_units(refund.amount, refund.currency)
            found.setdefault(orders[refund.order_id], []).append(RefundExpected(refund.refund_id, "", "", units))
    return found
