"""Refunds that are to be told Amazon again, in the database (AMZ-11)."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activities.database.amazon_queue import AmazonQueue
from activities.database.amazon_resends import Resends, note_findings, resends
from activities.database.transactions import read, write
from models.amazon.batches import LookAtTransactions
from models.amazon.queue import QueueKind, QueueState
from models.amazon.resends import Finding
from models.amazon.results import MessageEnd, MessageOutcome
from models.failures import Conflict
from models.refunds import RefundState, Way
from tests.amazon_orders import SECOND as SECOND_ITEM
from tests.database.amazon_story import AmazonStory
from tests.database.settlement_books import handed_in
from tests.database.story import NOON, Story

REFUSED = MessageOutcome(end=MessageEnd.REFUSED, code="18021", note="more than fulfilled")
DONE = MessageOutcome(end=MessageEnd.DONE)
UNKNOWN = MessageOutcome(end=MessageEnd.UNKNOWN, note="the counts do not agree")
LATER = NOON + timedelta(hours=48)
"""Amazon shows by then what it did."""
FIRST, SECOND, THIRD = "RF-1001-D1", "RF-1001-D2", "RF-1001-D3"


@pytest.fixture
def at(story: Story, engine: Engine) -> AmazonStory:
    """Of three refunds in batch B-1 Amazon refused the first."""
    at = AmazonStory(story, engine, queue="true")
    for refund_id, amount in ((FIRST, "10.00"), (SECOND, "5.00"), (THIRD, "3.00")):
        at.queued(refund_id, amount)
    at.opened("B-1")
    at.settled({1: REFUSED, 2: DONE, 3: UNKNOWN})
    return at


def looks(batch_id: str, *entries: str, after: int = 0) -> LookAtTransactions:
    return LookAtTransactions(
        batch_id=batch_id, connection_id="amazon-acme", kind=QueueKind.REFUND, entries=entries, after=after
    )


def asked(at: AmazonStory, ask: LookAtTransactions) -> Resends:
    return read(at.engine, lambda session: resends(session, ask, LATER))


def noted(at: AmazonStory, batch_id: str, *found: Finding) -> list[tuple[str, str]]:
    """Who is told."""
    entries = [one.entry_id for one in found]
    told = write(at.engine, lambda session: note_findings(session, batch_id, entries, found, NOON))
    return [(row.entry_id, row.state.value) for row in told]


def test_AMZ_11_what_amazon_refused_is_not_composed_before_its_transactions_were_looked_at(
    at: AmazonStory,
) -> None:
    assert at.opened("B-2", FIRST).unexamined == (FIRST,)
    assert at.entry(FIRST).state is QueueState.REFUSED, "nothing is taken out of the queue"
    at.examined("B-2", FIRST)
    opened = at.opened("B-2", FIRST)
    assert (opened.unexamined, opened.messages) == ((), 1)
    at.settled({1: REFUSED}, "B-2")
    assert at.opened("B-3", FIRST).unexamined == (FIRST,), "each time anew"


@pytest.mark.parametrize("queue", ["true", "false"])
def test_AMZ_11_what_amazon_was_told_before_stays_so_when_staff_stop_the_next_document(
    story: Story, engine: Engine, queue: str
) -> None:
    """It is sent again only when it is named, and its transactions were looked at."""
    at = AmazonStory(story, engine, queue=queue)
    at.queued(FIRST, "10.00")
    at.opened("B-1")
    at.settled({1: REFUSED})
    at.examined("B-2", FIRST)
    assert at.opened("B-2", FIRST).messages == 1
    settled = at.settled(None, "B-2")
    assert [row.entry_id for row in settled.entries] == [FIRST]
    assert at.entry(FIRST).state is QueueState.REFUSED
    assert at.stands(FIRST).reason == "Amazon did not take it: 18021: more than fulfilled"
    assert [row.entry_id for row in at.settled(None, "B-2").entries] == [FIRST], "told also by a later try"
    assert at.opened("B-3").nothing_queued, "not by itself"
    assert at.opened("B-4", FIRST).unexamined == (FIRST,)


def test_AMZ_11_it_is_known_what_else_moved_or_may_have_of_the_order(at: AmazonStory) -> None:
    (order,) = asked(at, looks("B-2", FIRST)).orders
    assert order.number == "111-1234567-1234567"
    (one,) = order.resent
    assert one.amount == sum(one.items.values()) == Decimal("10.00")
    assert set(one.items) <= {f"{FIRST}.1", f"{FIRST}.2"}
    assert [(other.refund_id, other.is_settled) for other in order.others] == [(SECOND, True), (THIRD, False)]


def test_AMZ_11_what_was_given_back_by_hand_is_none_that_amazon_shows(at: AmazonStory) -> None:
    at.reserved("RF-1001-D9", "10.00", way=Way.MANUAL)
    at.story.refund_reaches("RF-1001-D9", "succeeded", RefundState.SUCCEEDED, ended=True)
    at.reserved("RF-1001-D8", "4.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    at.story.refund_reaches("RF-1001-D8", "succeeded", RefundState.SUCCEEDED, ended=True)
    (order,) = asked(at, looks("B-2", FIRST)).orders
    assert [other.refund_id for other in order.others] == [SECOND, THIRD, "RF-1001-D8"]


def test_AMZ_11_what_amazon_was_told_once_may_have_moved_wherever_it_waits_now(at: AmazonStory) -> None:
    at.queued("RF-1001-D4", "2.00")
    at.queued("RF-1001-D5", "1.00")
    at.opened("B-2", "RF-1001-D4")
    at.settled({1: REFUSED}, "B-2")
    for refund_id in (FIRST, "RF-1001-D4"):
        (order,) = asked(at, looks("B-3", refund_id)).orders
        others = {FIRST, SECOND, THIRD, "RF-1001-D4"} - {refund_id}
        assert {other.refund_id for other in order.others} == others, "not what still waits to be told"
    AmazonQueue(at.engine).reject([FIRST], "seller:jane", "refunded in Seller Central")
    (order,) = asked(at, looks("B-3", "RF-1001-D4")).orders
    assert FIRST in {other.refund_id for other in order.others}, "also what a person took out then"


def test_AMZ_11_refunds_of_what_was_split_off_stand_under_the_one_number_at_amazon(at: AmazonStory) -> None:
    at.split("SP.1001.1", SECOND_ITEM)
    at.reserved("RF-SP.1001.1-C1", "30.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    at.story.settled("RF-SP.1001.1-C1", RefundState.SUCCEEDED)
    (order,) = asked(at, looks("B-2", FIRST)).orders
    assert [other.refund_id for other in order.others] == [SECOND, THIRD, "RF-SP.1001.1-C1"]


def test_AMZ_11_what_amazon_was_told_lately_it_may_show_late(at: AmazonStory) -> None:
    def recent(moment: datetime) -> tuple[bool, list[bool]]:
        (order,) = read(at.engine, lambda session: resends(session, looks("B-2", FIRST), moment)).orders
        return order.resent[0].is_recent, [other.is_recent for other in order.others]

    assert recent(LATER - timedelta(seconds=1)) == (True, [True, True])
    assert recent(LATER) == (False, [False, False])
    at.examined("B-2", FIRST)
    at.opened("B-2", FIRST)
    write(at.engine, lambda session: handed_in(session, "B-2"))
    at.settled({1: REFUSED}, "B-2")
    assert recent(LATER)[0], "counted from the last time that it was told"


def test_AMZ_11_what_may_be_shown_late_waits_as_before_and_is_looked_for_again(at: AmazonStory) -> None:
    early = Finding(entry_id=FIRST, end="early", why="Amazon was told it lately")
    assert noted(at, "B-2", early) == []
    assert at.opened("B-2", FIRST, held=(FIRST,)).reason == "nothing that waits in the queue can be sent"
    assert (at.entry(FIRST).state, at.stands(FIRST).reason) == (
        QueueState.REFUSED,
        "Amazon did not take it: 18021: more than fulfilled",
    )
    assert at.opened("B-2", FIRST).unexamined == (FIRST,), "also by a run that took over"


def test_AMZ_11_what_moved_is_done_and_its_refund_hears_it(at: AmazonStory) -> None:
    moved = Finding(entry_id=FIRST, end="moved", why="Amazon shows that it moved: T-1")
    assert noted(at, "B-2", moved) == [(FIRST, "done")]
    assert (at.stands(FIRST).state, at.entry(FIRST).batch_id) == ("succeeded", "B-1")
    assert noted(at, "B-2", moved) == [(FIRST, "done")], "a try that was cut off tells it again"
    assert asked(at, looks("B-2", FIRST)).orders == []
    assert at.opened("B-2", FIRST).reason == "nothing that waits in the queue can be sent"


def test_AMZ_11_what_may_have_moved_is_in_doubt_and_can_t_be_rejected(at: AmazonStory) -> None:
    """A person looks there, and records what became of the refund: only so is its amount refundable again."""
    held = Finding(entry_id=FIRST, end="held", why="Amazon shows it, and has deferred it")
    assert noted(at, "B-2", held) == [(FIRST, "in_doubt")]
    answer = at.stands(FIRST)
    assert (answer.state, answer.reason) == ("none", "Amazon shows it, and has deferred it")
    assert noted(at, "B-2", held) == [(FIRST, "in_doubt")], "a try that was cut off tells it again"
    assert at.opened("B-2", FIRST, held=(FIRST,)).reason == "nothing that waits in the queue can be sent"
    with pytest.raises(Conflict, match=f"{FIRST} is in doubt"):
        AmazonQueue(at.engine).reject([FIRST], "seller:jane", "it moved")


def test_AMZ_11_of_a_document_that_is_to_be_handed_in_again_each_order_is_looked_at(
    story: Story, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.database.amazon_resends.AT_ONCE", 2)
    at = AmazonStory(story, engine, queue="true")
    for refund_id in (FIRST, SECOND, THIRD):
        at.queued(refund_id, "5.00")
    at.opened("B-1")
    first = asked(at, looks("B-1"))
    assert (first.entries, first.after) == ([FIRST, SECOND], 2)
    second = asked(at, looks("B-1", after=2))
    assert (second.entries, second.after) == ([THIRD], None)
    moved = Finding(entry_id=FIRST, end="moved", why="Amazon shows that it moved: T-1")
    assert noted(at, "B-1", moved, Finding(entry_id=SECOND, end="held", why="it may be")) == [(FIRST, "done")]
    assert at.entry(SECOND).state is QueueState.BATCHED, "it is in the document all the same"
    settled = at.settled({1: REFUSED, 2: DONE, 3: UNKNOWN})
    assert [row.state.value for row in settled.entries] == ["done", "done", "in_doubt"], "what moved stays done"
