"""Batches to Amazon in the database: what a document takes out of the queue, how far it is, what became of it
(AMZ-5, AMZ-7, AMZ-10)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from activities.connectors.amazon.feed_xml import Content, FeedDocument
from activities.database.amazon_documents import composed_entries, document_of
from activities.database.amazon_resends import unexamined
from activities.database.batch_entries import batch_entries, locked_entries, put_out_of
from activities.database.cases import open_case
from activities.database.connections import accounts_at_amazon
from activities.database.settled_entries import Standing, put_out_of_document, standings, stands_of_batch
from models.amazon.account import read_options
from models.amazon.batches import (
    MOST_CHOSEN,
    MOST_MESSAGES,
    BatchState,
    ChannelBatchRequest,
    OpenBatch,
    OpenedBatch,
    batch_id_of,
    next_batch_id,
)
from models.amazon.messages import OrderAcknowledgement, OrderAdjustment
from models.amazon.queue import WAITING, QueueKind, QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.case import ChannelBatchStage
from models.connections import Provider, account_for
from models.failures import Conflict, NotFound
from models.orders import Channel
from models.tables import AmazonBatchRow, AmazonQueueRow, ConnectionRow, OrderRow

AT_ONCE: Final = "system:at-once"
"""Who asks for a batch that nobody asked for, since nothing waits for people."""
_SAID_BEFORE: Final = (QueueState.IN_DOUBT, QueueState.REFUSED, QueueState.REJECTED)
_ENDS: Final = {
    MessageEnd.DONE: QueueState.DONE,
    MessageEnd.REFUSED: QueueState.REFUSED,
    MessageEnd.UNKNOWN: QueueState.IN_DOUBT,
}


class Settled(NamedTuple):
    """The entries of a batch as they stand after it, those that were put out of it before, how many wait in the
    queue as before it, and the batch that begins now since more waits."""

    entries: tuple[AmazonQueueRow, ...]
    put_out: tuple[AmazonQueueRow, ...]
    returned: int
    following: ChannelBatchRequest | None

    def count_of(self, state: QueueState) -> int:
        """Of those that it had."""
        return sum(row.state is state for row in (*self.entries, *self.put_out))


def open_batch(session: Session, ask: OpenBatch) -> OpenedBatch:
    """Take entries out of the queue for one document. One of an account and kind at a time: `reason` says which is
    under way, or that nothing can be sent. What can't be composed waits for a person, with the reason."""
    request = ask.request
    account = locked_account(session, request.connection_id)
    if account is None or account.provider is not Provider.AMAZON or not account.active:
        why = f"{request.connection_id} is no active connection to Amazon"
        return OpenedBatch(reason=why, no_account=True)
    known = session.get(AmazonBatchRow, request.batch_id)
    if known is not None:
        return _as_it_stands(known, account, ask)
    other = under_way(session, request.connection_id, request.kind)
    if other is not None:
        return OpenedBatch(reason=f"{in_words(other)} is under way: one document of a kind at a time (AMZ-10)")
    rows, more = _waiting(session, request, ask.held)
    if not rows and not request.entries:
        return OpenedBatch(reason="nothing is queued", nothing_queued=True)
    if sent_before := unexamined(rows, request.batch_id):
        return OpenedBatch(unexamined=tuple(row.entry_id for row in sent_before))
    composed, kept_back = composed_entries(session, rows, read_options(account.options), request.batch_id)
    if not composed:
        return OpenedBatch(reason="nothing that waits in the queue can be sent", kept_back=kept_back)
    document = document_of(account, request.kind, [(row.entry_id, content) for row, content in composed])
    fits = composed[: len(document.keys)]
    left = composed[len(fits) :]
    batch = AmazonBatchRow(
        batch_id=request.batch_id,
        workflow_id=ask.workflow_id,
        connection_id=request.connection_id,
        kind=request.kind,
        number=_next_number(session, request),
        state=BatchState.COMPOSED,
        messages=len(fits),
        requested_by=request.requested_by,
        opened_at=ask.at,
    )
    session.add(batch)
    session.flush()
    for message_id, (row, content) in enumerate(fits, start=1):
        row.state, row.reason, row.chosen = QueueState.BATCHED, _said_before(row), False
        row.batch_id, row.message_id = batch.batch_id, message_id
        row.content, row.changed_at = content.model_dump(mode="json"), ask.at
        session.add(row)
    for row, _ in left:
        row.state, row.reason, row.chosen = QueueState.QUEUED, _said_before(row), True
        session.add(row)
    seller_id = account.owner.partition(":")[2]
    open_case(session, ask.workflow_id, ask.run_id, ChannelBatchStage.SENDING, seller_id, "", ask.at)
    return OpenedBatch(
        seller_id=seller_id,
        number=batch.number,
        messages=batch.messages,
        kept_back=kept_back,
        left=len(left) + more,
    )


def batch_document(session: Session, batch_id: str) -> FeedDocument:
    """The document of a batch, each time the same."""
    batch = batch_row(session, batch_id)
    account = session.get(ConnectionRow, batch.connection_id)
    assert account is not None, "it is a foreign key"
    model = OrderAdjustment if batch.kind is QueueKind.REFUND else OrderAcknowledgement
    messages: list[tuple[str, Content]] = [
        (row.entry_id, model.model_validate(row.content)) for row in batch_entries(session, batch_id)
    ]
    return document_of(account, batch.kind, messages)


# ---- how far it is ----


def note_uploaded(session: Session, batch_id: str, document_id: str) -> None:
    """Before it is handed in: by this id it is looked for (AMZ-10). A later try may have uploaded it again."""
    batch = batch_row(session, batch_id)
    if batch.state is BatchState.COMPOSED:
        batch.document_id = document_id
        session.add(batch)


class NotHandedIn(NamedTuple):
    """Why Amazon must not be told a document: `doubt`, for it may have it (AMZ-10); or it is `outdated`, for
    entries of it moved meanwhile and are put out of it: so many messages are `left` (AMZ-8)."""

    doubt: str = ""
    outdated: bool = False
    left: int = 0


def begin_handing_in(session: Session, batch_id: str, ordinal: int, document_id: str) -> NotHandedIn | None:
    """Note that Amazon is told now. Gives why it must not be told; an earlier try may have found the document
    outdated, and nobody heard it."""
    batch, now = batch_row(session, batch_id, locked=True), datetime.now(UTC)
    if batch.state in (BatchState.SENT, BatchState.ENDED):
        return NotHandedIn(f"it was handed in as feed {batch.feed_id}")
    if batch.state is BatchState.HANDING_IN and ordinal <= batch.tries:
        return NotHandedIn("it was cut off while it was handed in")
    if batch.state is BatchState.HANDING_IN:
        if (moved := stands_of_batch(session, batch, now)) is not None:
            return NotHandedIn(moved)
    elif (left := put_out_of_document(session, batch, now)) is not None:
        return NotHandedIn(outdated=True, left=left)
    elif batch.document_id != document_id:
        return NotHandedIn(outdated=True, left=batch.messages)
    batch.state, batch.tries = BatchState.HANDING_IN, max(ordinal, 1)
    batch.handed_in_at = batch.handed_in_at or now
    session.add(batch)
    for row in batch_entries(session, batch_id):
        row.told_at = now
        session.add(row)
    return None


def note_not_handed_in(session: Session, batch_id: str) -> None:
    """Amazon said no before anything was done."""
    batch = batch_row(session, batch_id, locked=True)
    if batch.state is BatchState.HANDING_IN:
        batch.state = BatchState.COMPOSED
        session.add(batch)


def note_feed(session: Session, batch_id: str, feed_id: str) -> None:
    """Amazon has it. Raises Conflict for a feed that is another batch's."""
    batch = batch_row(session, batch_id, locked=True)
    if batch.state in (BatchState.SENT, BatchState.ENDED):
        return
    other = select(AmazonBatchRow.batch_id).where(
        AmazonBatchRow.connection_id == batch.connection_id,
        AmazonBatchRow.feed_id == feed_id,
        AmazonBatchRow.batch_id != batch_id,
    )
    if (whose := session.exec(other).first()) is not None:
        raise Conflict(f"feed {feed_id} is that of batch {whose}")
    batch.state, batch.feed_id = BatchState.SENT, feed_id
    session.add(batch)
    for row in locked_entries(session, batch):
        if row.state is QueueState.BATCHED:
            row.state, row.changed_at = QueueState.SENT, datetime.now(UTC)
            session.add(row)


def feeds_of_others(session: Session, connection_id: str, batch_id: str) -> set[str]:
    """The feeds that are known to be another batch's."""
    rows = select(AmazonBatchRow.feed_id).where(
        AmazonBatchRow.connection_id == connection_id, AmazonBatchRow.batch_id != batch_id
    )
    return {feed_id for feed_id in session.exec(rows) if feed_id is not None}


# ---- what became of it ----


def settle_batch(
    session: Session, batch_id: str, outcomes: Mapping[int, MessageOutcome] | None, words: str, *, at: datetime
) -> Settled:
    """Write what became of each message, and end the batch, once (AMZ-7). `outcomes` none: nothing was done, its
    entries wait in the queue as before; or, where nothing waits there by itself, for a person."""
    batch = batch_row(session, batch_id)
    account = locked_account(session, batch.connection_id)
    assert account is not None, "it is a foreign key"
    session.refresh(batch, with_for_update=True)
    entries = locked_entries(session, batch)
    at_once = not read_options(account.options).queue
    if batch.state is not BatchState.ENDED:
        in_part = standings(session, entries)
        for row in entries:
            if row.state is QueueState.DONE or (outcomes is None and row.state in _SAID_BEFORE):
                continue  # a settlement (AMZ-8), or Amazon's transactions (AMZ-11), said so before
            if outcomes is None:
                _put_back(row, f"nothing was sent: {words}"[:500], at_once=at_once)
            else:
                _settle(row, outcomes[row.message_id or 0], in_part.get(row.entry_id))
            row.changed_at = at
            session.add(row)
        batch.state, batch.ended_at, batch.words = BatchState.ENDED, at, words[:1000]
        session.add(batch)
        session.flush()
    following = _following(session, batch, account) if outcomes is not None or at_once else None
    waiting = batch.messages - sum(row.state is not QueueState.QUEUED for row in entries)
    beside = put_out_of(session, batch)
    return Settled(tuple(entries), beside, waiting if outcomes is None else 0, following)


def _put_back(row: AmazonQueueRow, why: str, *, at_once: bool) -> None:
    """As it was before the document. What waits for a person keeps it, so that a later try tells its refund."""
    if row.told_before:
        row.state, row.reason = QueueState.REFUSED, row.reason or why
    elif at_once:
        row.state, row.reason = QueueState.REFUSED, why
    else:
        row.state, row.batch_id, row.message_id, row.content = QueueState.QUEUED, None, None, None


def _settle(row: AmazonQueueRow, outcome: MessageOutcome, in_part: Standing | None) -> None:
    """What Amazon says it refused, and stands in a settlement in part, is not sent again by itself (AMZ-8)."""
    row.state, row.told_before = _ENDS[outcome.end], True
    said = ": ".join(part for part in (outcome.code, outcome.note) if part)
    row.reason = said[:500] or (None if row.state is QueueState.DONE else "Amazon gave no reason")
    if in_part is not None and row.state is QueueState.REFUSED:
        row.state, row.reason = QueueState.IN_DOUBT, in_part.words


def _said_before(row: AmazonQueueRow) -> str | None:
    """Why Amazon did not take it: kept until it is known what became of the next try."""
    return row.reason if row.told_before else None


def _following(session: Session, batch: AmazonBatchRow, account: ConnectionRow) -> ChannelBatchRequest | None:
    """What did not fit, or came meanwhile and is to go at once (AMZ-5)."""
    waits = select(AmazonQueueRow.entry_id).where(
        AmazonQueueRow.connection_id == batch.connection_id,
        AmazonQueueRow.kind == batch.kind,
        AmazonQueueRow.state == QueueState.QUEUED,
    )
    queued = read_options(account.options).queue
    if queued:
        waits = waits.where(col(AmazonQueueRow.chosen))
    entries = session.exec(waits.order_by(col(AmazonQueueRow.queued_at)).limit(MOST_CHOSEN)).all()
    if not entries or under_way(session, batch.connection_id, batch.kind) is not None:
        return None
    return ChannelBatchRequest(
        batch_id=next_batch_id(batch.batch_id),
        connection_id=batch.connection_id,
        kind=batch.kind,
        entries=tuple(entries) if queued else (),
        requested_by=batch.requested_by,
    )


# ---- rows ----


def locked_account(session: Session, connection_id: str) -> ConnectionRow | None:
    """The account is the lock: of two who open or end a batch, the second one sees what the first one did."""
    return session.get(ConnectionRow, connection_id, with_for_update={"key_share": True})


def account_of_order(session: Session, order_id: str) -> ConnectionRow | None:
    """The seller's account that an order of Amazon is of, locked; none: it has none, or it may be several."""
    order = session.get(OrderRow, order_id)
    if order is None or order.channel is not Channel.AMAZON:
        return None
    found = account_for(accounts_at_amazon(session, order.seller_id), order.payment_currency)
    return None if found is None else locked_account(session, found.connection_id)


def to_send_at_once(
    session: Session, account: ConnectionRow | None, kind: QueueKind, entry_id: str
) -> ChannelBatchRequest | None:
    """The batch that begins with this entry, where nothing waits for people; none while another is under way,
    which looks for more when it ends."""
    if account is None or read_options(account.options).queue:
        return None
    if under_way(session, account.connection_id, kind) is not None:
        return None
    return ChannelBatchRequest(
        batch_id=batch_id_of(entry_id), connection_id=account.connection_id, kind=kind, requested_by=AT_ONCE
    )


def under_way(session: Session, connection_id: str, kind: QueueKind) -> AmazonBatchRow | None:
    """The batch of this account and kind that has not ended."""
    rows = select(AmazonBatchRow).where(
        AmazonBatchRow.connection_id == connection_id,
        AmazonBatchRow.kind == kind,
        AmazonBatchRow.state != BatchState.ENDED,
    )
    return session.exec(rows).first()


def in_words(batch: AmazonBatchRow) -> str:
    """As people read it."""
    return f"document {batch.number} (batch {batch.batch_id})"


def batch_row(session: Session, batch_id: str, *, locked: bool = False) -> AmazonBatchRow:
    """Raises NotFound."""
    row = session.get(AmazonBatchRow, batch_id, with_for_update=True if locked else None)
    if row is None:
        raise NotFound(f"no batch {batch_id} in the database")
    return row


def _as_it_stands(batch: AmazonBatchRow, account: ConnectionRow, ask: OpenBatch) -> OpenedBatch:
    if batch.state is BatchState.ENDED:
        return OpenedBatch(reason=f"{in_words(batch)} has ended: {batch.words or 'nothing is known of it'}")
    if (batch.connection_id, batch.kind) != (ask.request.connection_id, ask.request.kind):
        return OpenedBatch(reason=f"batch {batch.batch_id} is that of {batch.connection_id}")
    return OpenedBatch(
        seller_id=account.owner.partition(":")[2],
        state=batch.state,
        number=batch.number,
        messages=batch.messages,
        tries=batch.tries,
        document_id=batch.document_id,
        feed_id=batch.feed_id,
    )


def _next_number(session: Session, request: ChannelBatchRequest) -> int:
    last = select(func.max(AmazonBatchRow.number)).where(
        AmazonBatchRow.connection_id == request.connection_id, AmazonBatchRow.kind == request.kind
    )
    return (session.exec(last).one() or 0) + 1


def _waiting(
    session: Session, request: ChannelBatchRequest, held: Sequence[str]
) -> tuple[list[AmazonQueueRow], int]:
    """What is to be sent, and how many more there are than a document takes: those go in the next. What was
    refused goes again only when it is named."""
    of_these = [
        col(AmazonQueueRow.connection_id) == request.connection_id,
        col(AmazonQueueRow.kind) == request.kind,
        col(AmazonQueueRow.state).in_(WAITING if request.entries else (QueueState.QUEUED,)),
    ]
    if request.entries:
        of_these.append(col(AmazonQueueRow.entry_id).in_(request.entries))
    if held:
        of_these.append(col(AmazonQueueRow.entry_id).not_in(held))
    order = (col(AmazonQueueRow.queued_at), col(AmazonQueueRow.entry_id))
    rows = select(AmazonQueueRow).where(*of_these).order_by(*order).limit(MOST_MESSAGES).with_for_update()
    found = list(session.exec(rows))
    if len(found) < MOST_MESSAGES:
        return found, 0
    every = session.exec(select(func.count()).select_from(AmazonQueueRow).where(*of_these)).one()
    if more := every - len(found):
        chosen = update(AmazonQueueRow).where(*of_these).values(chosen=True, state=QueueState.QUEUED)
        session.execute(chosen, execution_options={"synchronize_session": False})
    return found, more
