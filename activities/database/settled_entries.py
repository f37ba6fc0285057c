"""Entries of the queue to Amazon that stand in settlements: they moved, whatever else was said of them (AMZ-8)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from activities.database.batch_entries import locked_entries
from activities.database.settled_holds import put_out_what_is_held, why_held
from models.amazon.messages import OrderAdjustment
from models.amazon.queue import WAITING, QueueKind, QueueState
from models.money import to_minor_units
from models.tables import AmazonBatchRow, AmazonQueueRow, SettledRefundRow

_OVER: Final = (QueueState.DONE, QueueState.REJECTED)
_TO_BE_SENT: Final = (*WAITING, QueueState.BATCHED)


class Standing(NamedTuple):
    """Of one entry. `is_whole`: each of its order items came, with its amount. `words` say so, or what differs."""

    is_whole: bool
    words: str


def standings(session: Session, entries: Sequence[AmazonQueueRow]) -> dict[str, Standing]:
    """Of those entries of which something stands in a settlement."""
    of_refunds = [row.entry_id for row in entries if row.kind is QueueKind.REFUND and row.content is not None]
    came: dict[str, list[SettledRefundRow]] = {}
    if of_refunds:
        stands = select(SettledRefundRow).where(col(SettledRefundRow.refund_id).in_(of_refunds))
        for one in session.exec(stands):
            came.setdefault(one.refund_id or "", []).append(one)
    return {row.entry_id: _standing(row, came[row.entry_id]) for row in entries if row.entry_id in came}


def settle_what_stands(session: Session, entries: Sequence[AmazonQueueRow], at: datetime) -> None:
    """What came whole is done. What came in part is not sent again by itself: a person looks what became of it."""
    found = standings(session, entries)
    for row in entries:
        stands = found.get(row.entry_id)
        if stands is None or row.state in _OVER or row.batch_id is None:
            continue
        if stands.is_whole:
            row.state = QueueState.DONE
        elif row.state in _TO_BE_SENT:
            row.state = QueueState.IN_DOUBT
        else:
            continue
        row.reason, row.chosen, row.changed_at = stands.words, False, at
        session.add(row)
    session.flush()


def put_out_of_document(session: Session, batch: AmazonBatchRow, at: datetime) -> int | None:
    """Before a document is handed in: what moved meanwhile, or may have, or is held, is put out of it, which is to
    be composed anew. Gives how many messages are left; none: nothing is put out."""
    entries = locked_entries(session, batch)
    settle_what_stands(session, entries, at)
    put_out_what_is_held(session, entries, at)
    left = [row for row in entries if row.state is QueueState.BATCHED]
    out = [row for row in entries if row.state is not QueueState.BATCHED]
    if not out:
        return None
    # Numbers are unique in a batch, with those that were put out before: first all get one that none has.
    of_batch = select(func.max(AmazonQueueRow.message_id)).where(AmazonQueueRow.batch_id == batch.batch_id)
    for first in ((session.exec(of_batch).one() or 0) + 1, 1):
        for message_id, row in enumerate((*left, *out), start=first):
            row.message_id = message_id
            session.add(row)
        session.flush()
    batch.messages, batch.document_id = len(left) or batch.messages, None
    session.add(batch)
    return len(left)


def stands_of_batch(session: Session, batch: AmazonBatchRow, at: datetime) -> str | None:
    """Of a document that may have been handed in: what of it stands in a settlement, in words; none: nothing."""
    entries = locked_entries(session, batch)
    settle_what_stands(session, entries, at)
    doubtful = (row for row in entries if row.state is not QueueState.BATCHED or why_held(session, row))
    moved = sorted(row.entry_id for row in doubtful)
    return f"it may have arrived: {', '.join(moved)} moved, or may have"[:300] if moved else None


def _standing(row: AmazonQueueRow, came: Sequence[SettledRefundRow]) -> Standing:
    items = OrderAdjustment.model_validate(row.content).items
    expected = {one.adjustment_key: to_minor_units(one.amount, one.currency) for one in items}
    found = {one.adjustment_key: one.came for one in came}
    where = ", ".join(sorted({one.settlement_id for one in came}))
    if found == expected:
        return Standing(True, f"stands in settlement {where}")
    differs = sorted(key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key))
    return Standing(False, f"stands in settlement {where}, but not {', '.join(differs)} as expected"[:500])
