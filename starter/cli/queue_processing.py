"""What `amazon queue process` does: one document of all that is chosen, per account and kind (AMZ-5)."""

import asyncio
from datetime import UTC, datetime
from typing import Final

from temporalio.client import Client

from activities.database.amazon_queue import AmazonQueue
from models.amazon.batches import ChannelBatchRequest, batch_id_at
from models.amazon.queue import BatchListed, QueueKind, QueueListed, QueueState
from models.case import CaseStatus
from models.contract import TASK_QUEUE
from models.failures import Conflict, NotFound
from models.ids import batch_workflow_id
from models.message import Message
from starter.cli.case_lookup import opened_books
from starter.cli.output import say, show_json
from starter.cli.queue_to_amazon import Choice, asker
from starter.client.connection import connect
from starter.client.start import open_batch
from starter.client.status import ask_status

_LOOKS: Final = 40
_PAUSE_SECONDS: Final = 0.25


class Processed(Message):
    """A batch that began. `document` none: it is not composed yet; `why`: what holds it up, or ended it."""

    batch_id: str
    connection_id: str
    kind: QueueKind
    document: int | None = None
    messages: int = 0
    kept_back: int = 0
    why: str | None = None

    @property
    def in_words(self) -> str:
        if self.document is None:
            return f"batch {self.batch_id}: {self.why or 'it is being composed'}"
        words = f"batch {self.batch_id}: document {self.document} with {self.messages} {self.kind.value}s"
        return words + (f"; {self.kept_back} wait for a person" if self.kept_back else "")


async def process_entries(
    choice: Choice, actor: str, as_json: bool, *, task_queue: str = TASK_QUEUE
) -> list[Processed]:
    """Raises InvalidInput, NotFound, Conflict (a document of this kind is under way), PartnerUnavailable."""
    by = asker(actor)
    client = await connect()
    with opened_books() as engine:
        queue = AmazonQueue(engine)
        found = choice.found(queue, (QueueState.QUEUED,))
        begun = [
            await _begin(client, queue, entries, by, whole=choice.every, task_queue=task_queue)
            for entries in _of_one_document(found)
        ]
    if as_json:
        show_json(begun)
    else:
        for one in begun:
            say(one.in_words)
        if not begun:
            say("nothing waits")
    return begun


def _of_one_document(found: list[QueueListed]) -> list[list[QueueListed]]:
    """Those of one account and kind go together."""
    groups: dict[tuple[str, QueueKind], list[QueueListed]] = {}
    for one in found:
        groups.setdefault((one.connection_id, one.kind), []).append(one)
    return list(groups.values())


async def _begin(
    client: Client, queue: AmazonQueue, entries: list[QueueListed], by: str, *, whole: bool, task_queue: str
) -> Processed:
    first = entries[0]
    before = await asyncio.to_thread(queue.under_way, first.connection_id, first.kind)
    request = ChannelBatchRequest(
        batch_id=batch_id_at(first.connection_id, first.kind, datetime.now(UTC)),
        connection_id=first.connection_id,
        kind=first.kind,
        entries=() if whole else tuple(one.entry_id for one in entries),
        requested_by=by,
    )
    if before is not None:
        request = request.model_copy(update={"batch_id": before.batch_id, "entries": ()})
    opened = await open_batch(client, request, first.seller_id, task_queue=task_queue)
    if before is not None and opened.already:
        raise Conflict(_under_way(before))
    return await _composed(client, request)


def _under_way(batch: BatchListed) -> str:
    return (
        f"document {batch.document} (batch {batch.batch_id}) is under way: one of a kind at a time (AMZ-10); "
        "process the rest when it has ended"
    )


async def _composed(client: Client, request: ChannelBatchRequest) -> Processed:
    """Waits some seconds for its number."""
    told: CaseStatus | None = None
    for _ in range(_LOOKS):
        try:
            told = await ask_status(client, batch_workflow_id(request.batch_id))
        except NotFound:
            told = None
        if told is not None and (told.facts["document"] is not None or told.outcome is not None):
            break
        await asyncio.sleep(_PAUSE_SECONDS)
    facts = told.facts if told is not None else {}
    why = told.waiting_for.what if told is not None and told.waiting_for is not None else None
    if told is not None and told.outcome is not None and told.timeline:
        why = told.timeline[-1].what
    return Processed(
        batch_id=request.batch_id,
        connection_id=request.connection_id,
        kind=request.kind,
        document=facts.get("document"),
        messages=facts.get("messages", 0),
        kept_back=facts.get("kept_back", 0),
        why=why,
    )
