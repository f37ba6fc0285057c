"""Cancellations of Amazon orders in the database: queued once, whole orders alone are composed (AMZ-5, CAN-9)."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.amazon_queue import AmazonQueue, QueueFilter, queue_cancellation
from activities.database.transactions import read, write
from models.amazon.batches import ChannelBatchRequest, OpenBatch, OpenedBatch
from models.amazon.queue import QueueKind, QueueListed
from models.partners import StopShipping
from tests.amazon_account import amazon
from tests.amazon_orders import FIRST, SECOND
from tests.database.amazon_story import AmazonStory
from tests.database.story import NOON, Story

ENTRY = "CX-1001"


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    return AmazonStory(story, engine, queue="true", cancel_reasons="no_stock=NoInventory")


def cancelled(at: AmazonStory, reason: str = "no stock") -> None:
    ask = StopShipping(order_id="1001", seller_id="acme", channel="amazon", reason=reason)
    write(at.engine, lambda session: queue_cancellation(session, "amazon-acme", ask))


def opened(at: AmazonStory, batch_id: str = "B-1") -> OpenedBatch:
    told = {"batch_id": batch_id, "connection_id": "amazon-acme", "kind": "cancellation"}
    request = ChannelBatchRequest.at_the_door({**told, "requested_by": "seller:jane"})
    ask = OpenBatch(request=request, workflow_id=f"batch-{batch_id}", run_id="run-1", at=NOON)
    return write(at.engine, lambda session: batches.open_batch(session, ask))


def listed(at: AmazonStory) -> QueueListed:
    (entry,) = AmazonQueue(at.engine).find(QueueFilter(kind=QueueKind.CANCELLATION))
    return entry


def test_AMZ_5_a_cancelled_order_stands_in_the_queue_once(at: AmazonStory) -> None:
    cancelled(at)
    cancelled(at, "another word")
    entry = listed(at)
    assert (entry.entry_id, entry.order_id, entry.amount) == (ENTRY, "1001", None)


def test_CAN_9_the_whole_order_is_cancelled_with_the_seller_s_reason(at: AmazonStory) -> None:
    cancelled(at)
    assert opened(at).messages == 1
    document = read(at.engine, lambda session: batches.batch_document(session, "B-1"))
    told = document.content.decode()
    assert "<MessageType>OrderAcknowledgement</MessageType>" in told
    assert "<StatusCode>Failure</StatusCode>" in told
    assert [f"<AmazonOrderItemCode>{code}<" in told for code in (FIRST, SECOND)] == [True, True]
    assert told.count("<CancelReason>NoInventory</CancelReason>") == 2


def test_AMZ_10_refunds_and_cancellations_have_documents_of_their_own(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    cancelled(at)
    assert (at.opened("B-1").number, opened(at, "B-2").number) == (1, 1), "each kind beside the other"


def test_CAN_9_of_what_has_shipped_in_part_a_person_cancels_the_rest(at: AmazonStory) -> None:
    at.story.shipped_lines({FIRST: 1}, {FIRST: "BRK-100"})
    cancelled(at)
    assert opened(at).kept_back == 1
    assert "part of the order has shipped" in (listed(at).reason or "")


@pytest.mark.parametrize(("queue", "begins"), [("true", None), ("false", "B-CX-1001")])
def test_AMZ_5_it_goes_at_once_where_nothing_waits_for_people(
    at: AmazonStory, queue: str, begins: str | None
) -> None:
    at.story.connections.put([amazon(options={"queue": queue})])

    def look(session: Session) -> str | None:
        account = batches.account_of_order(session, "1001")
        request = batches.to_send_at_once(session, account, QueueKind.CANCELLATION, ENTRY)
        return None if request is None else request.batch_id

    assert write(at.engine, look) == begins


def test_AMZ_5_an_order_of_another_channel_has_no_account_there(at: AmazonStory) -> None:
    at.story.ordered(("A", 1, "10.00"), order_id="1002")
    assert write(at.engine, lambda session: batches.account_of_order(session, "1002")) is None
