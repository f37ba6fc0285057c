"""Batches to Amazon in the database: one of a kind at a time, nothing in two, what failed is back (AMZ-5..10)."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activities.database import amazon_batches as batches
from activities.database import amazon_documents as documents
from activities.database.transactions import read, write
from models.amazon.queue import QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.failures import Conflict
from models.records import Opening
from models.refunds import RefundState, Way
from tests.amazon_account import amazon
from tests.amazon_orders import FIRST
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story

DONE = MessageOutcome(end=MessageEnd.DONE)
REFUSED = MessageOutcome(end=MessageEnd.REFUSED, code="18021", note="more than fulfilled")


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    """Refunds and cancellations wait for a person."""
    return AmazonStory(story, engine, queue="true")


def handing_in(at: AmazonStory, ordinal: int = 1, batch_id: str = "B-1") -> str | None:
    """Why nobody knows whether Amazon has it."""
    write(at.engine, lambda session: batches.note_uploaded(session, batch_id, "D-1"))
    told = write(at.engine, lambda session: batches.begin_handing_in(session, batch_id, ordinal, "D-1"))
    return None if told is None else told.doubt


# ---- the way of a refund ----


def test_AMZ_5_what_amazon_took_goes_back_through_the_account_there(at: AmazonStory) -> None:
    reserved = at.reserved("RF-1001-D1", "10.00")
    assert (reserved.way, reserved.connection_id) == (Way.MARKETPLACE, "amazon-acme")
    assert reserved.payment_reference == "111-1234567-1234567"
    again = at.reserved("RF-1001-D1", "10.00")
    assert again.opening is Opening.OPENED, "the same refund is the same, whatever way it goes"
    assert again.amount == Decimal("10.00")


def test_REF_3_what_waits_in_the_queue_counts_against_the_cap(at: AmazonStory) -> None:
    at.queued("RF-1001-D1", "45.00")
    refused = at.reserved("RF-1001-D2", "5.01")
    assert refused.opening is Opening.REFUSED
    assert "5.01 USD is more than the 5.00 USD still refundable" in (refused.reason or "")
    assert at.reserved("RF-1001-D3", None).amount == Decimal("5.00")


def test_REF_9_without_an_account_at_amazon_it_stays_as_it_was(story: Story, engine: Engine) -> None:
    at = AmazonStory(story, engine)
    story.connections.put([amazon(active=False)])
    refused = at.reserved("RF-1001-D1", "10.00")
    assert "the buyer paid by marketplace, which no gateway gives back" in (refused.reason or "")
    recorded = at.reserved("RF-1001-D2", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    assert (recorded.opening, recorded.connection_id) == (Opening.OPENED, None)


def test_REF_9_what_amazon_did_not_take_does_not_go_back_there(at: AmazonStory) -> None:
    at.ordered("1002", "111-1234567-7654321", by={"paid_by": "bank_transfer"})
    refused = at.reserved("RF-1002-D1", "10.00")
    assert "the buyer paid by bank_transfer" in (refused.reason or "")


def test_RET_18_what_amazon_did_by_itself_is_recorded_and_not_queued(at: AmazonStory) -> None:
    recorded = at.reserved("RF-1001-D2", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    assert (recorded.way, recorded.connection_id) == (Way.MARKETPLACE, None)


@pytest.mark.parametrize(("marketplaces", "which"), [("US", None), ("CA", "amazon-acme")])
def test_AMZ_5_of_two_accounts_it_is_the_one_that_sells_in_the_order_s_currency(
    story: Story, engine: Engine, marketplaces: str, which: str | None
) -> None:
    at = AmazonStory(story, engine, marketplaces="US")
    story.connections.put([amazon(connection_id="amazon-2", options={"marketplaces": marketplaces})])
    assert at.reserved("RF-1001-D1", "10.00").connection_id == which, "several that fit are no guess"


# ---- a document ----


def test_AMZ_5_all_that_is_chosen_goes_in_one_document(at: AmazonStory) -> None:
    for number in (1, 2, 3):
        at.queued(f"RF-1001-D{number}", "5.00")
    opened = at.opened("B-1", "RF-1001-D1", "RF-1001-D3")
    assert (opened.number, opened.messages, opened.left, opened.seller_id) == (1, 2, 0, "acme")
    document = read(at.engine, lambda session: batches.batch_document(session, "B-1"))
    assert document.keys == ("RF-1001-D1", "RF-1001-D3")
    assert b"<MerchantAdjustmentItemID>RF-1001-D3.1<" in document.content
    assert at.entry("RF-1001-D2").state is QueueState.QUEUED
    assert at.opened("B-1") == opened.model_copy(update={"kept_back": 0, "left": 0}), "twice is once"


def test_AMZ_10_one_document_of_a_kind_is_under_way(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    at.queued("RF-1001-D2")
    at.opened("B-1", "RF-1001-D1")
    refused = at.opened("B-2")
    assert refused.reason == "document 1 (batch B-1) is under way: one document of a kind at a time (AMZ-10)"
    at.settled({1: DONE})
    assert (at.opened("B-2").number, at.opened("B-1").reason) == (2, "document 1 (batch B-1) has ended: 1 done")


def test_AMZ_7_units_are_told_by_order_item_with_what_went_back_before(at: AmazonStory) -> None:
    at.queued("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    at.queued("RF-1001-D2", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    at.opened()
    content = at.entry("RF-1001-D2").content or {}
    (item,) = content["items"]
    assert (item["order_item_code"], item["components"]) == (FIRST, [{"type": "Principal", "amount": "10.00"}])


def test_AMZ_7_what_can_t_be_composed_waits_for_a_person_with_the_reason(at: AmazonStory) -> None:
    at.queued("RF-1001-D1", "9.99", lines=[{"line_id": FIRST, "quantity": 1}])
    opened = at.opened()
    assert (opened.reason, opened.kept_back) == ("nothing that waits in the queue can be sent", 1)
    entry = at.entry("RF-1001-D1")
    assert (entry.state, "9.99 USD are to go back" in (entry.reason or "")) == (QueueState.REFUSED, True)
    assert at.opened("B-2").kept_back == 0, "it is not tried again by itself"
    assert at.opened("B-3", "RF-1001-D1").kept_back == 1


def test_AMZ_7_what_is_settled_otherwise_meanwhile_is_not_sent(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    at.story.refund_reaches("RF-1001-D1", "failed", RefundState.FAILED, ended=True, reason="recorded by staff:kim")
    assert at.opened().reason == "nothing that waits in the queue can be sent"
    assert at.entry("RF-1001-D1").state is QueueState.REJECTED


# ---- handing in, and what became of it ----


def test_AMZ_7_no_try_is_made_a_second_time(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    at.opened()
    assert handing_in(at) is None
    assert handing_in(at) == "it was cut off while it was handed in"
    write(at.engine, lambda session: batches.note_not_handed_in(session, "B-1"))
    assert handing_in(at) is None, "Amazon said no before anything was done"
    assert handing_in(at, 2) is None, "by a person's word"
    assert handing_in(at, 2) is not None
    write(at.engine, lambda session: batches.note_feed(session, "B-1", "77"))
    assert handing_in(at, 3) == "it was handed in as feed 77"
    assert at.entry("RF-1001-D1").state is QueueState.SENT


def test_AMZ_10_when_it_was_handed_in_first_is_kept(at: AmazonStory) -> None:
    """The feed of the first try is found and may be named also after the second one."""
    at.queued("RF-1001-D1")
    at.opened()
    handing_in(at)
    first = read(at.engine, lambda session: batches.batch_row(session, "B-1").handed_in_at)
    handing_in(at, 2)
    assert read(at.engine, lambda session: batches.batch_row(session, "B-1").handed_in_at) == first


def test_AMZ_10_a_feed_is_of_one_batch(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    at.opened()
    handing_in(at)
    write(at.engine, lambda session: batches.note_feed(session, "B-1", "77"))
    at.settled({1: REFUSED})
    at.examined("B-2", "RF-1001-D1")
    at.opened("B-2", "RF-1001-D1")
    handing_in(at, batch_id="B-2")
    with pytest.raises(Conflict, match="feed 77 is that of batch B-1"):
        write(at.engine, lambda session: batches.note_feed(session, "B-2", "77"))
    assert read(at.engine, lambda session: batches.feeds_of_others(session, "amazon-acme", "B-2")) == {"77"}


def test_AMZ_7_each_message_has_its_end_and_what_failed_is_back_with_the_reason(at: AmazonStory) -> None:
    for number in (1, 2, 3):
        at.queued(f"RF-1001-D{number}", "5.00")
    at.opened()
    unknown = MessageOutcome(end=MessageEnd.UNKNOWN, note="the counts do not agree")
    settled = at.settled({1: DONE, 2: REFUSED, 3: unknown})
    assert [row.state.value for row in settled.entries] == ["done", "refused", "in_doubt"]
    told = [at.stands(f"RF-1001-D{number}") for number in (1, 2, 3)]
    assert [one.state for one in told] == ["succeeded", "pending", "none"]
    assert told[1].reason == "Amazon did not take it: 18021: more than fulfilled"
    assert at.settled({1: REFUSED, 2: DONE, 3: DONE}).entries == settled.entries, "it is settled once"
    at.examined("B-3", "RF-1001-D2")
    assert (at.opened("B-2").messages, at.opened("B-3", "RF-1001-D2").messages) == (0, 1)


def test_AMZ_5_where_nothing_was_done_they_wait_as_before(at: AmazonStory) -> None:
    at.queued("RF-1001-D1")
    at.opened()
    settled = at.settled(None)
    assert (settled.following, settled.returned, at.settled(None).returned) == (None, 1, 1)
    entry = at.entry("RF-1001-D1")
    assert (entry.state, entry.batch_id) == (QueueState.QUEUED, None)


# ---- what goes in the next document ----


def test_AMZ_5_what_does_not_fit_goes_in_the_next_one(at: AmazonStory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_MESSAGES", 2)
    for number in (1, 2, 3, 4):
        at.queued(f"RF-1001-D{number}", "5.00")
    opened = at.opened("B-1", "RF-1001-D1", "RF-1001-D2", "RF-1001-D3")
    assert (opened.messages, opened.left) == (2, 1)
    following = at.settled({1: DONE, 2: DONE}).following
    assert following is not None
    assert (following.batch_id, following.entries) == ("B-1.2", ("RF-1001-D3",)), "the fourth was not chosen"


def test_AMZ_5_a_document_that_would_be_too_large_is_split(
    at: AmazonStory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 2_600)
    for number in (1, 2, 3, 4):
        at.queued(f"RF-1001-D{number}", "5.00")
    opened = at.opened()
    assert 0 < opened.messages < 4
    assert opened.messages + opened.left == 4
    assert len(read(at.engine, lambda session: batches.batch_document(session, "B-1")).content) < 2_600


def test_AMZ_5_at_once_means_that_what_came_meanwhile_goes_next(story: Story, engine: Engine) -> None:
    at = AmazonStory(story, engine)
    at.queued("RF-1001-D1")
    at.opened()
    at.queued("RF-1001-D2")
    following = at.settled({1: DONE}).following
    assert following is not None
    assert (following.batch_id, following.entries) == ("B-1.2", ())


def test_AMZ_5_where_it_goes_at_once_what_staff_stopped_waits_for_a_person_and_the_rest_goes_on(
    story: Story, engine: Engine
) -> None:
    """Nothing waits there without anybody to send it."""
    at = AmazonStory(story, engine)
    at.queued("RF-1001-D1", "5.00")
    at.opened()
    at.queued("RF-1001-D2", "5.00")
    settled = at.settled(None)
    assert [row.state.value for row in settled.entries] == ["refused"], "its refund is told so"
    assert at.stands("RF-1001-D1").reason == "it waits for a person: nothing was sent: 1 done"
    again = at.settled(None)
    assert (again.entries, again.returned) == (settled.entries, 0), "also by a try that comes after one cut off"
    assert at.stands("RF-1001-D1").state == "pending"
    assert settled.following is not None
    assert settled.following.batch_id == "B-1.2"
    assert at.opened("B-1.2").messages == 1, "the other one alone"
