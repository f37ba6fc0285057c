"""Refunds that are to be told Amazon again, in the database: what is known of their orders, and what Amazon shows
(AMZ-11)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from activities.database.order_families import families
from models.amazon.batches import LookAtTransactions
from models.amazon.messages import OrderAdjustment
from models.amazon.queue import WAITING, QueueKind, QueueState
from models.amazon.resends import SHOWN_WITHIN, Finding, OtherRefund, ResentRefund
from models.refunds import Direction, RefundState, Way
from models.tables import AmazonBatchRow, AmazonQueueRow, OrderRow, RefundRow

AT_ONCE: Final = 10
"""Orders that one step looks at: Amazon lets as many be asked for one after the other."""
_OPEN: Final = (*WAITING, QueueState.BATCHED)
_HANDED_IN: Final = (QueueState.SENT, QueueState.IN_DOUBT)


class OrderOfResends(NamedTuple):
    """Of one order: what is to be sent again, and its other refunds that moved or may have."""

    number: str
    resent: list[ResentRefund]
    others: list[OtherRefund]


class Resends(NamedTuple):
    """`after`: the last message of the batch that this step looks at; none: there are no more."""

    orders: list[OrderOfResends]
    entries: list[str]
    after: int | None


def unexamined(rows: Sequence[AmazonQueueRow], batch_id: str) -> list[AmazonQueueRow]:
    """Those that Amazon was told before, and that this batch has not looked for there: some at a time."""
    before = [row for row in rows if row.kind is QueueKind.REFUND and row.told_before]
    return [row for row in before if row.examined_by != batch_id][:AT_ONCE]


def resends(session: Session, ask: LookAtTransactions, at: datetime) -> Resends:
    """What is to be looked at now; what was settled meanwhile needs it no more."""
    rows = _of_these(session, ask.entries) if ask.entries else _of_the_batch(session, ask)
    last = rows[-1].message_id if not ask.entries and len(rows) == AT_ONCE else None
    still = [row for row in rows if row.state in _OPEN]
    by_number: dict[str, list[AmazonQueueRow]] = {}
    for row in still:
        by_number.setdefault(_number(session, row), []).append(row)
    orders = [
        OrderOfResends(number, [_resent(session, row, at) for row in of_it], _others(session, of_it, at))
        for number, of_it in by_number.items()
    ]
    return Resends(orders, [row.entry_id for row in rows], last)


def note_findings(
    session: Session, batch_id: str, entries: Sequence[str], found: Sequence[Finding], at: datetime
) -> list[AmazonQueueRow]:
    """Settle what moved; what may have is in doubt. Gives those of `entries` that are to be told so, also by an
    earlier try of this step."""
    by_entry = {one.entry_id: one for one in found}
    rows = select(AmazonQueueRow).where(col(AmazonQueueRow.entry_id).in_(entries))
    told: list[AmazonQueueRow] = []
    for row in session.exec(rows.order_by(col(AmazonQueueRow.entry_id)).with_for_update()):
        finding = by_entry.get(row.entry_id)
        if row.state in _OPEN and finding is not None:
            _note(row, finding, batch_id, at)
            session.add(row)
        # Of a document that may have arrived, a settlement may have said so meanwhile (AMZ-8).
        is_of_it = batch_id in (row.examined_by, row.batch_id)
        if row.state in (QueueState.DONE, QueueState.IN_DOUBT) and is_of_it:
            told.append(row)
    return told


def _note(row: AmazonQueueRow, finding: Finding, batch_id: str, at: datetime) -> None:
    """What it is too early for waits as it did, and is looked for again."""
    if finding.end == "early":
        return
    row.examined_by = batch_id
    if finding.end == "moved":
        row.state, row.reason, row.chosen, row.changed_at = QueueState.DONE, finding.why, False, at
    elif finding.end == "held" and row.state is not QueueState.BATCHED:
        row.state, row.reason, row.chosen, row.changed_at = QueueState.IN_DOUBT, finding.why, False, at


def _of_these(session: Session, entries: Sequence[str]) -> list[AmazonQueueRow]:
    rows = select(AmazonQueueRow).where(col(AmazonQueueRow.entry_id).in_(entries))
    return list(session.exec(rows.order_by(col(AmazonQueueRow.queued_at), col(AmazonQueueRow.entry_id))))


def _of_the_batch(session: Session, ask: LookAtTransactions) -> list[AmazonQueueRow]:
    rows = (
        select(AmazonQueueRow)
        .join(AmazonBatchRow, col(AmazonBatchRow.batch_id) == col(AmazonQueueRow.batch_id))
        .where(
            AmazonQueueRow.batch_id == ask.batch_id,
            col(AmazonQueueRow.message_id) > ask.after,
            col(AmazonQueueRow.message_id) <= col(AmazonBatchRow.messages),
        )
    )
    return list(session.exec(rows.order_by(col(AmazonQueueRow.message_id)).limit(AT_ONCE)))


def _number(session: Session, row: AmazonQueueRow) -> str:
    order = session.get(OrderRow, row.order_id)
    assert order is not None, "it is a foreign key"
    assert order.channel_order_id is not None, "Amazon was told it before"
    return order.channel_order_id


def shown_by(row: AmazonQueueRow) -> datetime:
    """Until then Amazon may show late what it did of an entry that it was told."""
    return (row.told_at or row.changed_at) + SHOWN_WITHIN


def _resent(session: Session, row: AmazonQueueRow, at: datetime) -> ResentRefund:
    refund = session.get(RefundRow, row.refund_id)
    assert refund is not None, "it is a foreign key"
    sent = OrderAdjustment.model_validate(row.content)
    return ResentRefund(
        entry_id=row.entry_id,
        amount=refund.amount,
        currency=refund.currency,
        items={item.adjustment_key: item.amount for item in sent.items},
        is_recent=at < shown_by(row),
    )


def _others(session: Session, resent: Sequence[AmazonQueueRow], at: datetime) -> list[OtherRefund]:
    """Of the same order at Amazon, which may be several here (CAN-10), and made there: what was given back by hand
    or by a gateway Amazon does not show. A refund whose entry is done moved, be its case told so or not; one that
    Amazon was told once may have, wherever its entry stands now."""
    rows = (
        select(RefundRow, AmazonQueueRow)
        .join(AmazonQueueRow, col(AmazonQueueRow.refund_id) == col(RefundRow.refund_id), isouter=True)
        .where(
            col(RefundRow.order_id).in_(families(session, [resent[0].order_id])),
            RefundRow.direction == Direction.SELLER_TO_BUYER,
            RefundRow.way == Way.MARKETPLACE,
            col(RefundRow.refund_id).not_in([row.entry_id for row in resent]),
        )
    )
    found = [_other(refund, entry, at) for refund, entry in session.exec(rows.order_by(col(RefundRow.refund_id)))]
    return [one for one in found if one is not None]


def _other(refund: RefundRow, entry: AmazonQueueRow | None, at: datetime) -> OtherRefund | None:
    """None: Amazon has nothing of it."""
    is_settled = refund.state is RefundState.SUCCEEDED or (entry is not None and entry.state is QueueState.DONE)
    was_told = entry is not None and (entry.told_before or entry.told_at is not None or entry.state in _HANDED_IN)
    if not is_settled and not was_told:
        return None
    shown = shown_by(entry) if entry is not None else (refund.settled_at or refund.reserved_at) + SHOWN_WITHIN
    return OtherRefund(
        refund_id=refund.refund_id,
        amount=refund.amount,
        currency=refund.currency,
        is_settled=is_settled,
        is_recent=at < shown,
    )
