"""What waits in the queue of an active account though nobody need choose it any more, and no batch is to come.

So it is when the account was not active, or a batch came to nothing, when it was to be sent (AMZ-5, AMZ-6).
"""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from activities.database.amazon_batches import under_way
from models.amazon.account import read_options
from models.amazon.batches import BY_SCHEDULE, MOST_CHOSEN, ChannelBatchRequest, batch_id_at
from models.amazon.queue import QueueKind, QueueState
from models.connections import Provider
from models.tables import AmazonQueueRow, ConnectionRow

A_WHILE: Final = timedelta(minutes=5)
"""What was queued just now is being sent."""


def left_waiting(session: Session, moment: datetime) -> list[ChannelBatchRequest]:
    """A batch for each account and kind: of all that is to go at once, or of what a person chose. An account has
    one try in each of its pauses. What is sent by a schedule is left to it."""
    waits = (
        select(AmazonQueueRow.connection_id, AmazonQueueRow.kind)
        .where(AmazonQueueRow.state == QueueState.QUEUED, col(AmazonQueueRow.changed_at) < moment - A_WHILE)
        .distinct()
    )
    found = (
        _batch(session, connection_id, QueueKind(kind), moment)
        for connection_id, kind in sorted(session.exec(waits).all())
    )
    return [one for one in found if one is not None]


def _batch(session: Session, connection_id: str, kind: QueueKind, moment: datetime) -> ChannelBatchRequest | None:
    account = session.get(ConnectionRow, connection_id)
    if account is None or account.provider is not Provider.AMAZON or not account.active:
        return None
    options = read_options(account.options)
    chosen = _chosen(session, connection_id, kind, moment) if options.queue else ()
    if (
        options.auto_submit
        or (options.queue and not chosen)
        or under_way(session, connection_id, kind) is not None
    ):
        return None
    pause = options.batch_pause.total_seconds()
    turn = datetime.fromtimestamp(moment.timestamp() // pause * pause, moment.tzinfo)
    return ChannelBatchRequest(
        batch_id=batch_id_at(connection_id, kind, turn),
        connection_id=connection_id,
        kind=kind,
        entries=chosen,
        requested_by=BY_SCHEDULE,
    )


def _chosen(session: Session, connection_id: str, kind: QueueKind, moment: datetime) -> tuple[str, ...]:
    rows = select(AmazonQueueRow.entry_id).where(
        AmazonQueueRow.connection_id == connection_id,
        AmazonQueueRow.kind == kind,
        AmazonQueueRow.state == QueueState.QUEUED,
        col(AmazonQueueRow.changed_at) < moment - A_WHILE,
        col(AmazonQueueRow.chosen),
    )
    return tuple(session.exec(rows.order_by(col(AmazonQueueRow.queued_at)).limit(MOST_CHOSEN)))
