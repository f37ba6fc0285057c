"""Refunds that wait in the queue to Amazon while it refunded the same by itself: held for a person (AMZ-8)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlmodel import Session, col, select

from activities.database.order_families import families
from activities.database.settlement_refunds import between, lines_of_item
from models.amazon.queue import QueueKind, QueueState
from models.amazon.settled_refunds import Verdict
from models.refunds import UNSETTLED
from models.tables import AmazonQueueRow, RefundRow, RefundUnitsRow, SettledRefundRow, SettlementRow


def waiting_for_the_same(
    session: Session, orders: Mapping[str, str], items: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Entries that Amazon was never told, of an order item that it refunded by itself. `items`: order and order
    item. One by amount alone may be for any; so may be what is no line here."""
    fitting = {(orders[order_id], item): lines_of_item(session, orders, item) for order_id, item in items}
    waits = (
        select(AmazonQueueRow)
        .join(RefundRow, col(RefundRow.refund_id) == col(AmazonQueueRow.refund_id))
        .where(
            col(AmazonQueueRow.order_id).in_([one for one, first in orders.items() if _has(fitting, first)]),
            AmazonQueueRow.kind == QueueKind.REFUND,
            AmazonQueueRow.state == QueueState.QUEUED,
            col(AmazonQueueRow.told_before).is_(False),
            col(RefundRow.state).in_(UNSETTLED),
        )
    )
    for row in session.exec(waits):
        units = select(RefundUnitsRow.line_id).where(RefundUnitsRow.refund_id == row.refund_id)
        named = set(session.exec(units))
        of_order = [lines for (first, _), lines in fitting.items() if first == orders[row.order_id]]
        if not named or any(not lines or lines & named for lines in of_order):
            yield row.entry_id


def hold(session: Session, settlement: SettlementRow, entries: Iterable[AmazonQueueRow]) -> None:
    """They are sent only when a person names them. `entries` are locked."""
    for row in entries:
        if row.state is QueueState.QUEUED and not row.told_before:
            row.state, row.reason, row.chosen = QueueState.REFUSED, _words(settlement), False
            row.changed_at = settlement.at
            session.add(row)
    session.flush()


def held_between(session: Session, settlement: SettlementRow, start: int, end: int) -> Sequence[AmazonQueueRow]:
    """Those that wait for a person since."""
    came = select(SettledRefundRow.order_id).where(
        *between(settlement, start, end), SettledRefundRow.verdict == Verdict.UNEXPECTED
    )
    orders = families(session, set(session.exec(came)))
    held = select(AmazonQueueRow).where(
        col(AmazonQueueRow.order_id).in_(orders),
        AmazonQueueRow.state == QueueState.REFUSED,
        AmazonQueueRow.reason == _words(settlement),
    )
    return session.exec(held.order_by(col(AmazonQueueRow.entry_id))).all()


def _words(settlement: SettlementRow) -> str:
    return f"Amazon refunded of its order by itself (settlement {settlement.settlement_id}): is it still due?"


def _has(fitting: Mapping[tuple[str, str], object], order_id: str) -> bool:
    return any(first == order_id for first, _ in fitting)
