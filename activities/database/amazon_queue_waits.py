"""What an entry of the queue to Amazon waits for: people who must do something, each with the command (AMZ-5)."""

from collections.abc import Sequence

from sqlmodel import Session, col, or_, select

from models.amazon.account import read_options
from models.amazon.batches import MOST_MESSAGES, ChannelBatchRequest
from models.amazon.queue import QueueState
from models.case import Who
from models.refunds import HeldUp
from models.tables import AmazonQueueRow, ConnectionRow


def held_up(session: Session, row: AmazonQueueRow) -> HeldUp | None:
    """None: it goes by itself, Amazon has it, or it is over."""
    account = session.get(ConnectionRow, row.connection_id)
    assert account is not None, "it is a foreign key"
    by_hand = (
        f"backhaul amazon queue process --select {row.entry_id}, "
        f"or: backhaul amazon queue reject --select {row.entry_id} --reason ..."
    )
    if row.state is QueueState.REFUSED:
        why = "Amazon did not take it" if row.told_before else "it was kept back"
        again = "send it again" if row.told_before else "send it"
        return _seller(f"{again} or reject it: {why} ({row.reason}): {by_hand}")
    if row.state is not QueueState.QUEUED:
        return None
    options = read_options(account.options)
    is_chosen = row.chosen or not options.queue or options.auto_submit
    if not account.active:
        then = "it goes by itself then" if is_chosen else f"then {by_hand}"
        what = (
            f"{row.connection_id} is not active: backhaul connection set {row.connection_id} active=true; {then}"
        )
        return HeldUp(by="queue", who=Who.STAFF, what=what[:1000])
    return None if is_chosen else _seller(f"process or reject it: {by_hand}")


def _seller(what: str) -> HeldUp:
    return HeldUp(by="queue", who=Who.SELLER, what=what[:1000])


def changed_by_opening(
    session: Session, request: ChannelBatchRequest, *, no_account: bool
) -> Sequence[AmazonQueueRow]:
    """Those whose refunds hear how they stand now: they are in the document of this batch, or were kept back by
    it; or all that waits, of an account that is not active."""
    row = AmazonQueueRow
    if no_account:
        waits = select(row).where(row.connection_id == request.connection_id, row.kind == request.kind)
        waits = waits.where(col(row.state) == QueueState.QUEUED)
        return session.exec(waits.order_by(col(row.queued_at)).limit(MOST_MESSAGES)).all()
    composed = (col(row.batch_id) == request.batch_id) & (col(row.state) == QueueState.BATCHED)
    kept_back = (col(row.examined_by) == request.batch_id) & (col(row.state) == QueueState.REFUSED)
    return session.exec(select(row).where(or_(composed, kept_back)).order_by(col(row.entry_id))).all()
