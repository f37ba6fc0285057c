"""The steps of a batch to Amazon: each may be tried again, and none does anything twice (AMZ-7, AMZ-10)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, Final

from sqlmodel import Session
from temporalio import activity
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.amazon_access import WITHIN, AmazonAccess, later
from activities.connectors.amazon.calls import AnswerLost
from activities.connectors.amazon.client import XML
from activities.connectors.amazon.processing_reports import read_processing_report
from activities.connectors.amazon.shown_refunds import shown_refunds
from activities.connectors.amazon.wire import Feed
from activities.database import amazon_batches as batches
from activities.database.amazon_queue import queue_cancellation, queue_refund
from activities.database.amazon_queue_waits import changed_by_opening
from activities.database.amazon_resends import note_findings, resends
from activities.database.batch_entries import batch_entries
from activities.database.transactions import read, write
from models.amazon.batches import (
    BatchSettled,
    BatchStep,
    ChannelBatchRequest,
    CreatedFeed,
    CreateFeed,
    FeedStatus,
    FindFeed,
    FoundFeed,
    LookAtFeed,
    LookAtTransactions,
    OpenBatch,
    OpenedBatch,
    ReturnEntries,
    TransactionsSeen,
    UploadedFeed,
)
from models.amazon.queue import QueueKind, QueueRefund, QueueState
from models.amazon.resends import Finding, findings
from models.amazon.results import FeedResult, MessageEnd, MessageOutcome
from models.calls import Queue
from models.contract import CHANNEL_BATCH, CHANNEL_BATCH_KIND
from models.failures import RefusedByPartner
from models.ids import cancellation_entry_id
from models.partners import RefundAnswer, StopShipping
from models.tables import AmazonBatchRow, AmazonQueueRow
from models.text import summary_of

_SKEW: Final = timedelta(minutes=2)
"""By how much Amazon's clock may be behind ours."""
_STATUS: Final = {
    "IN_QUEUE": "in_queue",
    "IN_PROGRESS": "in_progress",
    "DONE": "done",
    "CANCELLED": "cancelled",
    "FATAL": "fatal",
}


class AmazonBatches:
    """Activities towards Amazon's feeds; the database arbitrates between tries."""

    def __init__(self, access: AmazonAccess) -> None:
        self._access = access
        self._do = access.do

    @property
    def asked_of_amazon(self) -> tuple[Callable[..., Awaitable[Any]], ...]:
        """The activities that ask Amazon; the others ask the database alone."""
        before = (self.look_at_transactions, self.upload_feed, self.create_feed)
        return (*before, self.find_feed, self.look_at_feed, self.read_feed)

    # ---- the queue ----

    @activity.defn(name="queue_refund")
    async def queue_refund(self, ask: QueueRefund) -> RefundAnswer:
        """Put a refund into the queue, or look how it stands there. Without a queue for people it goes at once
        (AMZ-5)."""

        def put(session: Session) -> tuple[RefundAnswer, ChannelBatchRequest | None]:
            account = batches.locked_account(session, ask.connection_id)
            answer = queue_refund(session, ask)
            if ask.only_look or answer.state != "pending":
                return answer, None
            return answer, batches.to_send_at_once(session, account, QueueKind.REFUND, ask.refund_id)

        answer, request = await self._do(write, put)
        if request is not None:
            await self._start(request)
        return answer

    async def cancel(self, ask: StopShipping) -> bool:
        """Put the cancellation of an order into the queue of the seller's account, once; False: it has none that
        is known to be the order's. Without a queue for people it goes at once (AMZ-5)."""

        def put(session: Session) -> tuple[bool, ChannelBatchRequest | None]:
            account = batches.account_of_order(session, ask.order_id)
            if account is None:
                return False, None
            queue_cancellation(session, account.connection_id, ask)
            entry_id = cancellation_entry_id(ask.order_id)
            return True, batches.to_send_at_once(session, account, QueueKind.CANCELLATION, entry_id)

        is_queued, request = await self._do(write, put)
        if request is not None:
            await self._start(request)
        return is_queued

    # ---- a batch ----

    @activity.defn(name="open_batch")
    async def open_batch(self, ask: OpenBatch) -> OpenedBatch:
        """Take entries out of the queue for one document (AMZ-5, AMZ-10). Their refunds hear it, and those that
        are kept back."""

        def take(session: Session) -> tuple[OpenedBatch, Sequence[AmazonQueueRow]]:
            opened = batches.open_batch(session, ask)
            session.flush()
            return opened, changed_by_opening(session, ask.request, no_account=opened.no_account)

        opened, changed = await self._do(write, take)
        await self._access.tell(changed, f"opening {ask.request.batch_id}")
        return opened

    @activity.defn(name="look_at_transactions")
    async def look_at_transactions(self, ask: LookAtTransactions) -> TransactionsSeen:
        """Before refunds are told Amazon again: settle what it did already; what it may have done is in doubt. The
        refunds hear it (AMZ-11)."""
        now = datetime.now(UTC)
        asked = await self._do(read, lambda session: resends(session, ask, now))
        found: list[Finding] = []
        for order in asked.orders:
            amazon = await self._access.account(ask.connection_id)
            shown = shown_refunds(await amazon.transactions_of(order.number))
            found += findings(order.resent, order.others, shown)
        told = await self._do(
            write, lambda session: note_findings(session, ask.batch_id, asked.entries, found, now)
        )
        await self._access.tell(told, f"transactions {ask.batch_id}")
        in_doubt = {row.entry_id for row in told if row.state is QueueState.IN_DOUBT}
        return TransactionsSeen(
            moved=tuple(row.entry_id for row in told if row.state is QueueState.DONE),
            held=tuple(sorted({one.entry_id for one in found if one.end == "held"} | in_doubt)),
            early=tuple(one.entry_id for one in found if one.end == "early"),
            after=asked.after,
        )

    @activity.defn(name="upload_feed")
    async def upload_feed(self, ask: BatchStep) -> UploadedFeed:
        """Put the document where Amazon says; nothing is done with it yet."""
        amazon = await self._access.account(ask.connection_id)
        document = await self._do(read, lambda session: batches.batch_document(session, ask.batch_id))
        place = await amazon.create_feed_document()
        await amazon.documents.put(place.url, document.content, XML)
        await self._do(write, lambda session: batches.note_uploaded(session, ask.batch_id, place.feed_document_id))
        return UploadedFeed(document_id=place.feed_document_id)

    @activity.defn(name="create_feed")
    async def create_feed(self, ask: CreateFeed) -> CreatedFeed:
        """Have the document processed. Amazon knows no key for it: a try that may have reached Amazon is never
        made again (AMZ-7)."""
        amazon = await self._access.account(ask.connection_id)

        def begin(session: Session) -> batches.NotHandedIn | None:
            return batches.begin_handing_in(session, ask.batch_id, ask.ordinal, ask.document_id)

        told = await self._do(write, begin)
        if told is not None and told.outdated:
            return CreatedFeed(outdated=True, left=told.left)
        if told is not None:
            known = await self._known_feed(ask)
            return CreatedFeed(feed_id=known) if known is not None else CreatedFeed(doubt=told.doubt)
        try:
            feed_id = await amazon.create_feed(ask.kind.feed_type, ask.document_id)
        except AnswerLost as lost:
            return CreatedFeed(doubt=f"its answer was lost ({lost})"[:300])
        except ApplicationError:
            await self._do(write, lambda session: batches.note_not_handed_in(session, ask.batch_id))
            raise
        await self._do(write, lambda session: batches.note_feed(session, ask.batch_id, feed_id))
        return CreatedFeed(feed_id=feed_id)

    @activity.defn(name="find_feed")
    async def find_feed(self, ask: FindFeed) -> FoundFeed:
        """Look for the feed of a document whose answer was lost (AMZ-10). It is the one that names the document;
        where Amazon names none, those of that time that are no other batch's are left to a person."""
        if (known := await self._known_feed(ask)) is not None:
            return FoundFeed(feed_id=known)
        amazon = await self._access.account(ask.connection_id)
        batch = await self._do(read, lambda session: batches.batch_row(session, ask.batch_id))
        since = (batch.handed_in_at or batch.opened_at) - _SKEW
        others = await self._feeds_of_others(ask)
        feeds = [one for one in await amazon.feeds_since(ask.kind.feed_type, since) if one.feed_id not in others]
        found = found_in(feeds, ask.document_id)
        if found.feed_id is not None:
            feed_id = found.feed_id
            await self._do(write, lambda session: batches.note_feed(session, ask.batch_id, feed_id))
        return found

    @activity.defn(name="look_at_feed")
    async def look_at_feed(self, ask: LookAtFeed) -> FeedStatus:
        """How far Amazon is with it; a feed that a person named is noted, if Amazon has it, it may be that of this
        document, and it is no other batch's."""
        amazon = await self._access.account(ask.connection_id)
        feed = await amazon.feed(ask.feed_id)
        if feed is None:
            return FeedStatus(status="unknown")
        batch = await self._do(read, lambda session: batches.batch_row(session, ask.batch_id))
        if batch.feed_id != ask.feed_id:
            if not may_be(feed, batch) or ask.feed_id in await self._feeds_of_others(ask):
                return FeedStatus(status="unknown")
            await self._do(write, lambda session: batches.note_feed(session, ask.batch_id, ask.feed_id))
        return FeedStatus.model_validate(
            {"status": _STATUS[feed.status.value], "has_report": feed.result_document_id is not None}
        )

    @activity.defn(name="read_feed")
    async def read_feed(self, ask: LookAtFeed) -> BatchSettled:
        """Read what became of each message, write it down, and tell the refunds (AMZ-7)."""
        amazon = await self._access.account(ask.connection_id)
        feed = await amazon.feed(ask.feed_id)
        if feed is None or feed.result_document_id is None:
            why = f"Amazon has no processing report of feed {ask.feed_id}"
            return await self._settle(ask, lambda sent: _all(sent, MessageEnd.UNKNOWN, why), why)
        document = await amazon.feed_document(feed.result_document_id)
        with TemporaryFile() as file:
            await amazon.documents.read(document, file)
            file.seek(0)
            try:
                report = await asyncio.to_thread(read_processing_report, file)
            except RefusedByPartner as unreadable:
                why = str(unreadable)
                return await self._settle(ask, lambda sent: _all(sent, MessageEnd.UNKNOWN, why), why)
        return await self._settle(ask, report.outcomes, _in_words(report))

    @activity.defn(name="return_entries")
    async def return_entries(self, ask: ReturnEntries) -> BatchSettled:
        """Amazon said nothing of each message: they wait again, or for a person."""
        if ask.end == "queued":
            return await self._settle(ask, None, ask.why)
        end = MessageEnd.REFUSED if ask.end == "refused" else MessageEnd.UNKNOWN
        return await self._settle(ask, lambda sent: _all(sent, end, ask.why), ask.why)

    # ---- parts ----

    async def _settle(
        self, ask: BatchStep, outcomes: Callable[[Sequence[int]], dict[int, MessageOutcome]] | None, words: str
    ) -> BatchSettled:
        """In the database first, then each refund is told to look there; then what did not fit begins."""
        now = datetime.now(UTC)

        def settle(session: Session) -> batches.Settled:
            sent = [row.message_id or 0 for row in batch_entries(session, ask.batch_id)]
            of_each = None if outcomes is None else outcomes(sent)
            return batches.settle_batch(session, ask.batch_id, of_each, words, at=now)

        settled = await self._do(write, settle)
        await self._access.tell((*settled.entries, *settled.put_out), ask.batch_id)
        if settled.following is not None:
            await self._start(settled.following)
        return BatchSettled(
            done=settled.count_of(QueueState.DONE),
            refused=settled.count_of(QueueState.REFUSED),
            in_doubt=settled.count_of(QueueState.IN_DOUBT),
            returned=settled.returned,
            words=words[:500],
            next_batch=settled.following.batch_id if settled.following is not None else None,
        )

    async def _start(self, request: ChannelBatchRequest) -> None:
        with suppress(WorkflowAlreadyStartedError):
            try:
                await self._access.client.start_workflow(
                    CHANNEL_BATCH,
                    request,
                    id=CHANNEL_BATCH_KIND.workflow_id_of(request),
                    task_queue=activity.info().task_queue.removesuffix(f"-{Queue.CHANNELS.value}"),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    static_summary=summary_of(f"Batch {request.batch_id} · {request.kind.value}s to Amazon"),
                    rpc_timeout=WITHIN,
                )
            except RPCError as error:
                raise later(error) from None

    async def _known_feed(self, ask: BatchStep) -> str | None:
        """A try that came later, or a person, may know it."""
        return await self._do(read, lambda session: batches.batch_row(session, ask.batch_id).feed_id)

    async def _feeds_of_others(self, ask: BatchStep) -> set[str]:
        return await self._do(
            read, lambda session: batches.feeds_of_others(session, ask.connection_id, ask.batch_id)
        )


def found_in(feeds: Sequence[Feed], document_id: str) -> FoundFeed:
    """The feed that names the document; no other is believed to be it, be it the only one (AMZ-10)."""
    named = next((one for one in feeds if one.input_document_id == document_id), None)
    if named is not None:
        return FoundFeed(feed_id=named.feed_id)
    nameless = tuple(one.feed_id for one in feeds if one.input_document_id is None)
    return FoundFeed(candidates=nameless[:10])


def may_be(feed: Feed, batch: AmazonBatchRow) -> bool:
    """Whether it can be the feed of this batch: of its type and time, and of no other document."""
    since = (batch.handed_in_at or batch.opened_at) - _SKEW
    is_of_it = feed.input_document_id in (None, batch.document_id)
    return is_of_it and feed.feed_type == batch.kind.feed_type.value and feed.created >= since


def _all(sent: Sequence[int], end: MessageEnd, why: str) -> dict[int, MessageOutcome]:
    return {message_id: MessageOutcome(end=end, note=why) for message_id in sent}


def _in_words(report: FeedResult) -> str:
    return f"{report.successful} done, {report.with_error} refused, {report.with_warning} with a warning"
