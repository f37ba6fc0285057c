"""Refunds that wait in the queue to Amazon while it refunded the same by itself: held for a person (AMZ-8)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from activities.database.order_families import families
from activities.database.settlement_refunds import between, lines_of_item, made_by_marketplace
from models.amazon.queue import QueueKind, QueueState
from models.amazon.settled_refunds import Verdict
from models.refunds import UNSETTLED
from models.tables import AmazonQueueRow, RefundRow, RefundUnitsRow, SettledRefundRow, SettlementRow

_HELD_OF: Final = (QueueState.QUEUED, QueueState.BATCHED)
"""States in which Amazon does not have it yet, and nobody else looks."""


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
            col(AmazonQueueRow.state).in_(_HELD_OF),
            col(AmazonQueueRow.told_before).is_(False),
            col(RefundRow.state).in_(UNSETTLED),
        )
    )
    for row in session.exec(waits):
        named = _lines_named(session, row.entry_id)
        of_order = [lines for (first, _), lines in fitting.items() if first == orders[row.order_id]]
        if not named or any(not lines or lines & named for lines in of_order):
            yield row.entry_id


def hold(session: Session, settlement: SettlementRow, entries: Iterable[AmazonQueueRow]) -> None:
    """They are sent only when a person names them; what is in a document already is put out of it before that is
    handed in. `entries` are locked."""
    for row in entries:
        if row.told_before or row.state not in _HELD_OF:
            continue
        row.reason, row.changed_at = _words(f"settlement {settlement.settlement_id}"), settlement.at
        if row.state is QueueState.QUEUED:
            row.state, row.chosen = QueueState.REFUSED, False
        session.add(row)
    session.flush()


def put_out_what_is_held(session: Session, entries: Iterable[AmazonQueueRow], at: datetime) -> None:
    """Of a document that is not handed in yet: what a settlement said, or was recorded, since it was composed."""
    for row in entries:
        if (words := why_held(session, row)) is not None:
            row.state, row.reason, row.changed_at = QueueState.REFUSED, words, at
            session.add(row)
    session.flush()


def why_held(session: Session, row: AmazonQueueRow) -> str | None:
    """Of an entry in a document that Amazon was not told before: it has no other reason. None: it is not held."""
    if row.state is not QueueState.BATCHED or row.told_before or row.kind is not QueueKind.REFUND:
        return None
    if row.reason is not None:
        return row.reason
    named = _lines_named(session, row.entry_id)
    recorded = _recorded_since(session, families(session, [row.order_id]), named, row.entry_id, row.changed_at)
    return "; ".join(recorded)[:500] or None


def made_by_amazon(session: Session, row: AmazonQueueRow, refund: RefundRow) -> str | None:
    """Why a person looks before Amazon is told this, be it again: it refunded of the order by itself, as
    settlements say or was recorded since. None: it did not, or a person that knew it named the entry."""
    orders = families(session, [row.order_id])
    named = _lines_named(session, refund.refund_id)
    why = [
        *_of_settlements(session, orders, named),
        *_recorded_since(session, orders, named, refund.refund_id, refund.reserved_at),
    ]
    words = "; ".join(dict.fromkeys(why))[:500]
    is_known = row.state is QueueState.REFUSED and row.reason == words
    return None if not why or is_known else words


def _of_settlements(session: Session, orders: Mapping[str, str], named: AbstractSet[str]) -> Iterator[str]:
    came = select(SettledRefundRow.settlement_id, SettledRefundRow.order_item_code).where(
        col(SettledRefundRow.order_id).in_(orders),
        SettledRefundRow.verdict == Verdict.UNEXPECTED,
        SettledRefundRow.came > 0,
    )
    for settlement_id, item in session.exec(came.order_by(col(SettledRefundRow.settlement_id))):
        lines = lines_of_item(session, orders, item)
        if not named or not lines or lines & named:
            yield _words(f"settlement {settlement_id}")


def _recorded_since(
    session: Session, orders: Mapping[str, str], named: AbstractSet[str], refund_id: str, since: datetime
) -> Iterator[str]:
    """What whoever asked for this refund, or let it be composed, did not know of then."""
    recorded = select(RefundRow).where(
        col(RefundRow.order_id).in_(orders),
        *made_by_marketplace(),
        RefundRow.refund_id != refund_id,
        RefundRow.reserved_at >= since,
    )
    for one in session.exec(recorded.order_by(col(RefundRow.refund_id))):
        theirs = _lines_named(session, one.refund_id)
        if not named or not theirs or theirs & named:
            yield _words(one.refund_id)


def _lines_named(session: Session, refund_id: str) -> set[str]:
    return set(session.exec(select(RefundUnitsRow.line_id).where(RefundUnitsRow.refund_id == refund_id)))


def held_between(session: Session, settlement: SettlementRow, start: int, end: int) -> Sequence[AmazonQueueRow]:
    """Those that wait for a person since."""
    came = select(SettledRefundRow.order_id).where(
        *between(settlement, start, end), SettledRefundRow.verdict == Verdict.UNEXPECTED
    )
    orders = families(session, set(session.exec(came)))
    held = select(AmazonQueueRow).where(
        col(AmazonQueueRow.order_id).in_(orders),
        col(AmazonQueueRow.state).in_((QueueState.REFUSED, QueueState.BATCHED)),
        AmazonQueueRow.reason == _words(f"settlement {settlement.settlement_id}"),
    )
    return session.exec(held.order_by(col(AmazonQueueRow.entry_id))).all()


def _words(what: str) -> str:
    """Entries that are held are known by these words: of what was held in others a person is asked once more."""
    return f"Amazon refunded of its order by itself ({what}): is it still due?"


def _has(fitting: Mapping[tuple[str, str], object], order_id: str) -> bool:
    return any(first == order_id for first, _ in fitting)
