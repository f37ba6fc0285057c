"""The queue to Amazon in the database: what waits, what a person takes out, what became of a refund (AMZ-5)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.database.amazon_batches import batch_row, under_way
from activities.database.amazon_queue_waits import held_up
from activities.database.lists import LIMIT
from activities.database.transactions import read, write
from models.amazon.queue import WAITING, BatchListed, QueueKind, QueueListed, QueueRefund, QueueState
from models.failures import Conflict, NotFound
from models.ids import cancellation_entry_id
from models.partners import RefundAnswer, StopShipping
from models.refunds import HeldUp
from models.tables import AmazonBatchRow, AmazonQueueRow, OrderRow, RefundRow

LOOK_AGAIN: Final = timedelta(days=7)
"""Nothing is asked of the queue sooner: it tells by itself what became of a refund."""


_ON_ITS_WAY: Final = (QueueState.QUEUED, QueueState.BATCHED, QueueState.SENT)
"""What Amazon said of an earlier document is not said of these."""


class QueueFilter(NamedTuple):
    """Which entries: of a company, a kind, these states, or those of `entries`. Without `every` those that a
    person can still do something about, and those that are on their way."""

    seller: str | None = None
    kind: QueueKind | None = None
    states: tuple[QueueState, ...] = ()
    entries: tuple[str, ...] = ()
    every: bool = False
    limit: int = LIMIT


class AmazonQueue:
    """Read the queue, and take out of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, wanted: QueueFilter) -> list[QueueListed]:
        """The oldest first."""
        return read(self._engine, lambda session: queue_listed(session, wanted))

    def under_way(self, connection_id: str, kind: QueueKind) -> BatchListed | None:
        """The document of this account and kind that has not ended (AMZ-10)."""
        return read(self._engine, lambda session: batch_under_way(session, connection_id, kind))

    def reject(self, entries: Sequence[str], by: str, reason: str) -> list[QueueListed]:
        """Take these out, all or none; gives them as they were. Rejected again they stay rejected.

        Raises NotFound for one that is not there, Conflict for one that is on its way or done.
        """
        return write(self._engine, lambda session: reject_entries(session, entries, by, reason))


def queue_refund(session: Session, ask: QueueRefund) -> RefundAnswer:
    """Put it into the queue once, unless it is only looked for; gives how it stands. Raises NotFound for a refund
    that is not reserved."""
    row = session.get(AmazonQueueRow, ask.refund_id)
    if row is None and ask.only_look:
        return RefundAnswer(state="none")
    if row is None:
        refund = session.get(RefundRow, ask.refund_id)
        if refund is None:
            raise NotFound(f"no refund {ask.refund_id} in the database")
        row = AmazonQueueRow(
            entry_id=refund.refund_id,
            kind=QueueKind.REFUND,
            connection_id=ask.connection_id,
            seller_id=refund.seller_id,
            order_id=refund.order_id,
            refund_id=refund.refund_id,
            state=QueueState.QUEUED,
            queued_at=ask.at,
            changed_at=ask.at,
        )
        session.add(row)
        session.flush()
    return answer_of(row, held_up(session, row))


def queue_cancellation(session: Session, connection_id: str, ask: StopShipping) -> None:
    """Put the cancellation of a whole order into the queue, once (CAN-11). Raises NotFound."""
    order = session.get(OrderRow, ask.order_id)
    if order is None:
        raise NotFound(f"no order {ask.order_id} in the database")
    if session.get(AmazonQueueRow, cancellation_entry_id(order.order_id)) is not None:
        return
    now = datetime.now(UTC)
    session.add(
        AmazonQueueRow(
            entry_id=cancellation_entry_id(order.order_id),
            kind=QueueKind.CANCELLATION,
            connection_id=connection_id,
            seller_id=order.seller_id,
            order_id=order.order_id,
            cancelled_for=ask.reason,
            state=QueueState.QUEUED,
            queued_at=now,
            changed_at=now,
        )
    )
    session.flush()


def answer_of(row: AmazonQueueRow, waits_for: HeldUp | None) -> RefundAnswer:
    """What the queue says of a refund, as a gateway would (REF-7, REF-11)."""
    match row.state:
        case QueueState.DONE:
            return RefundAnswer(state="succeeded", gateway_refund_id=row.entry_id, reason=row.reason)
        case QueueState.REJECTED:
            return RefundAnswer(state="refused", gateway_refund_id=row.entry_id, reason=row.reason)
        case QueueState.IN_DOUBT:
            return RefundAnswer(state="none", reason=row.reason)
    again = datetime.now(UTC) + LOOK_AGAIN
    return RefundAnswer(
        state="pending",
        gateway_refund_id=row.entry_id,
        reason=_standing(row),
        again_at=again,
        held_up=waits_for,
    )


def _standing(row: AmazonQueueRow) -> str:
    """Where an entry stands. One of which Amazon was never told was kept back, or stopped by staff, before."""
    match row.state:
        case QueueState.BATCHED:
            return "in a document for Amazon"
        case QueueState.SENT:
            return "Amazon has it"
        case QueueState.REFUSED if not row.told_before:
            return f"it waits for a person: {row.reason}"[:500]
        case QueueState.REFUSED:
            return f"Amazon did not take it: {row.reason}"[:500]
    return "in the queue for Amazon"


def queue_listed(session: Session, wanted: QueueFilter) -> list[QueueListed]:
    rows = (
        select(AmazonQueueRow, AmazonBatchRow.number, OrderRow.channel_order_id, RefundRow)
        .join(OrderRow, col(OrderRow.order_id) == col(AmazonQueueRow.order_id))
        .join(RefundRow, col(RefundRow.refund_id) == col(AmazonQueueRow.refund_id), isouter=True)
        .join(AmazonBatchRow, col(AmazonBatchRow.batch_id) == col(AmazonQueueRow.batch_id), isouter=True)
    )
    if wanted.seller is not None:
        rows = rows.where(AmazonQueueRow.seller_id == wanted.seller)
    if wanted.kind is not None:
        rows = rows.where(AmazonQueueRow.kind == wanted.kind)
    if wanted.states:
        rows = rows.where(col(AmazonQueueRow.state).in_(wanted.states))
    elif not (wanted.every or wanted.entries):
        rows = rows.where(col(AmazonQueueRow.state).not_in((QueueState.DONE, QueueState.REJECTED)))
    if wanted.entries:
        rows = rows.where(col(AmazonQueueRow.entry_id).in_(wanted.entries))
    found = session.exec(
        rows.order_by(col(AmazonQueueRow.queued_at), col(AmazonQueueRow.entry_id)).limit(wanted.limit)
    )
    return [
        QueueListed(
            entry_id=row.entry_id,
            kind=row.kind,
            state=row.state,
            seller_id=row.seller_id,
            connection_id=row.connection_id,
            order_id=row.order_id,
            channel_order_id=channel_order_id,
            amount=refund.amount if refund is not None else None,
            currency=refund.currency if refund is not None else None,
            reason=row.reason if row.state not in _ON_ITS_WAY else None,
            document=number,
            batch_id=row.batch_id,
            queued_at=row.queued_at,
        )
        for row, number, channel_order_id, refund in found
    ]


def reject_entries(session: Session, entries: Sequence[str], by: str, reason: str) -> list[QueueListed]:
    listed = queue_listed(session, QueueFilter(entries=tuple(entries), every=True, limit=len(entries)))
    if missing := set(entries) - {one.entry_id for one in listed}:
        raise NotFound(f"{min(missing)} is not in the queue to Amazon")
    of_these = select(AmazonQueueRow).where(col(AmazonQueueRow.entry_id).in_(entries))
    for row in session.exec(of_these.order_by(col(AmazonQueueRow.entry_id)).with_for_update()):
        if row.state is QueueState.REJECTED:
            continue
        if row.state not in WAITING:
            where = f" (batch {row.batch_id})" if row.batch_id is not None else ""
            raise Conflict(
                f"{row.entry_id} is {row.state.value.replace('_', ' ')}{where}: it can't be rejected any more"
            )
        row.state, row.reason = QueueState.REJECTED, f"rejected by {by}: {reason}"
        row.chosen, row.changed_at = False, datetime.now(UTC)
        session.add(row)
    return listed


def batch_listed(session: Session, batch_id: str) -> BatchListed:
    """A document to Amazon. Raises NotFound."""
    return _batch(batch_row(session, batch_id))


def batch_under_way(session: Session, connection_id: str, kind: QueueKind) -> BatchListed | None:
    """Of an account and kind the one that has not ended."""
    row = under_way(session, connection_id, kind)
    return None if row is None else _batch(row)


def _batch(row: AmazonBatchRow) -> BatchListed:
    return BatchListed(
        batch_id=row.batch_id,
        connection_id=row.connection_id,
        kind=row.kind,
        document=row.number,
        state=row.state.value,
        messages=row.messages,
        document_id=row.document_id,
        feed_id=row.feed_id,
        words=row.words,
    )
