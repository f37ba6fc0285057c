"""A refund that a settlement has is not handed in again with a document that was composed before (AMZ-8)."""

import pytest
from sqlalchemy import Engine, update
from sqlmodel import Session, col

from activities.database import amazon_batches as batches
from activities.database.amazon_batches import NotHandedIn
from activities.database.amazon_resends import note_findings, resends
from activities.database.transactions import read, write
from models.amazon.batches import LookAtTransactions
from models.amazon.queue import QueueKind, QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.tables import AmazonQueueRow
from tests.amazon_orders import FIRST, SECOND
from tests.database.settlement_books import Books, back, sold
from tests.database.story import NOON, Story

DONE = MessageOutcome(end=MessageEnd.DONE)
BOTH = [{"line_id": FIRST, "quantity": 1}, {"line_id": SECOND, "quantity": 1}]


@pytest.fixture
def books(story: Story, engine: Engine) -> Books:
    """A refund of 10.00 that Amazon refused is in a document again, before one of 5.00."""
    books = Books(story, engine)
    books.sent("RF-1001-D1", "10.00", outcome=MessageEnd.REFUSED, lines=BOTH[:1])
    books.at.queued("RF-1001-D2", "5.00")
    return books


def composed(books: Books, *entries: str) -> None:
    books.at.examined("B-2", "RF-1001-D1")
    assert books.at.opened("B-2", *entries).messages == len(entries)
    uploaded(books)


def uploaded(books: Books, document_id: str = "D-2") -> None:
    write(books.engine, lambda session: batches.note_uploaded(session, "B-2", document_id))


def handing_in(books: Books, ordinal: int = 1, document_id: str = "D-2") -> NotHandedIn | None:
    return write(books.engine, lambda session: batches.begin_handing_in(session, "B-2", ordinal, document_id))


def settled(books: Books) -> None:
    """The refund stands in a settlement, by its key."""
    books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")


def test_AMZ_7_what_stands_in_a_settlement_is_put_out_of_the_document_before_it_is_handed_in(books: Books) -> None:
    composed(books, "RF-1001-D1", "RF-1001-D2")
    settled(books)
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE
    assert handing_in(books) == NotHandedIn(outdated=True, left=1)

    def document(session: Session) -> tuple[tuple[str, ...], bytes]:
        return batches.batch_document(session, "B-2")[::-1]

    keys, content = read(books.engine, document)
    assert (keys, b"RF-1001-D1" in content) == (("RF-1001-D2",), False)
    batch = read(books.engine, lambda session: batches.batch_row(session, "B-2"))
    assert (batch.document_id, batch.messages) == (None, 1)
    uploaded(books)
    assert handing_in(books) is None
    write(books.engine, lambda session: batches.note_feed(session, "B-2", "F-2"))
    assert books.at.settled({1: DONE}, "B-2").returned == 0
    assert [books.at.entry(f"RF-1001-D{n}").state.value for n in (1, 2)] == ["done", "done"]


def test_AMZ_7_the_document_with_what_moved_is_not_handed_in_by_a_later_try(books: Books) -> None:
    """Nobody heard that the first try found it outdated; or a try that was given up goes on late."""
    composed(books, "RF-1001-D1", "RF-1001-D2")
    settled(books)
    for _ in range(2):
        assert handing_in(books) == NotHandedIn(outdated=True, left=1)
    uploaded(books, "D-3")
    assert handing_in(books) == NotHandedIn(outdated=True, left=1)
    assert handing_in(books, document_id="D-3") is None


def test_AMZ_7_a_document_of_which_nothing_is_left_is_not_handed_in(books: Books) -> None:
    composed(books, "RF-1001-D1")
    settled(books)
    assert handing_in(books) == NotHandedIn(outdated=True, left=0)
    assert [row.state.value for row in books.at.settled(None, "B-2").entries] == ["done"]


def test_AMZ_7_a_document_is_composed_anew_as_often_as_something_of_it_moved(books: Books) -> None:
    books.sent("RF-1001-D0", "30.00", outcome=MessageEnd.REFUSED, lines=BOTH[1:])
    books.at.examined("B-2", "RF-1001-D0")
    composed(books, "RF-1001-D0", "RF-1001-D1", "RF-1001-D2")
    settled(books)
    assert handing_in(books) == NotHandedIn(outdated=True, left=2)
    uploaded(books)
    second = back("30.00", SECOND, merchant_adjustment_item_id="RF-1001-D0.1")
    books.another("18000000002", [second], "-30.00")
    assert handing_in(books) == NotHandedIn(outdated=True, left=1)
    document = read(books.engine, lambda session: batches.batch_document(session, "B-2"))
    assert document.keys == ("RF-1001-D2",)


def test_AMZ_7_what_moved_in_part_is_put_out_of_the_document_for_a_person(story: Story, engine: Engine) -> None:
    books = Books(story, engine)
    books.sent("RF-1001-D1", "40.00", outcome=MessageEnd.REFUSED, lines=BOTH)
    composed(books, "RF-1001-D1")
    settled(books)
    assert handing_in(books) == NotHandedIn(outdated=True, left=0)
    assert [row.state.value for row in books.at.settled(None, "B-2").entries] == ["in_doubt"]


def test_AMZ_8_what_a_settlement_says_meanwhile_is_not_lost_when_the_batch_ends(books: Books) -> None:
    """It commits between the first look at the entries and what Amazon's answer writes of them."""
    books.sent("RF-1001-D3", "5.00", outcome=None)

    def settle(session: Session) -> list[QueueState]:
        seen = session.get_one(AmazonQueueRow, "RF-1001-D3")
        settled_meanwhile = update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == seen.entry_id)
        unseen = {"synchronize_session": False}
        session.execute(settled_meanwhile.values(state=QueueState.DONE), execution_options=unseen)
        assert seen.state is QueueState.SENT
        refused = {1: MessageOutcome(end=MessageEnd.REFUSED, note="?")}
        ended = batches.settle_batch(session, "B-RF-1001-D3", refused, "1 refused", at=NOON)
        return [row.state for row in ended.entries]

    assert write(books.engine, settle) == [QueueState.DONE]


def test_AMZ_8_what_a_settlement_says_meanwhile_is_not_lost_when_amazon_has_the_document(books: Books) -> None:
    composed(books, "RF-1001-D1")
    assert handing_in(books) is None

    def handed_in(session: Session) -> None:
        seen = session.get_one(AmazonQueueRow, "RF-1001-D1")
        settled_meanwhile = update(AmazonQueueRow).where(col(AmazonQueueRow.entry_id) == seen.entry_id)
        unseen = {"synchronize_session": False}
        session.execute(settled_meanwhile.values(state=QueueState.DONE), execution_options=unseen)
        batches.note_feed(session, "B-2", "F-2")

    write(books.engine, handed_in)
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE


def test_AMZ_7_staff_hear_of_what_was_put_out_in_doubt_when_the_rest_of_the_document_is_done(
    story: Story, engine: Engine
) -> None:
    books = Books(story, engine)
    books.sent("RF-1001-D1", "40.00", outcome=MessageEnd.REFUSED, lines=BOTH)
    books.at.queued("RF-1001-D2", "5.00")
    composed(books, "RF-1001-D1", "RF-1001-D2")
    settled(books)
    assert handing_in(books) == NotHandedIn(outdated=True, left=1)
    uploaded(books)
    assert handing_in(books) is None
    write(books.engine, lambda session: batches.note_feed(session, "B-2", "F-2"))
    ended = books.at.settled({1: DONE}, "B-2")
    assert [[row.entry_id for row in rows] for rows in ended[:2]] == [["RF-1001-D2"], ["RF-1001-D1"]]
    assert (ended.count_of(QueueState.DONE), ended.count_of(QueueState.IN_DOUBT)) == (1, 1)


def test_AMZ_11_a_document_that_may_have_arrived_is_not_handed_in_again_when_a_settlement_has_of_it(
    books: Books,
) -> None:
    composed(books, "RF-1001-D1", "RF-1001-D2")
    assert handing_in(books) is None, "and its answer was lost"
    settled(books)
    told = handing_in(books, ordinal=2)
    assert told == NotHandedIn("it may have arrived: RF-1001-D1 moved, or may have")
    look = LookAtTransactions(batch_id="B-2", connection_id="amazon-acme", kind=QueueKind.REFUND)
    asked = read(books.engine, lambda session: resends(session, look, NOON))
    seen = write(books.engine, lambda session: note_findings(session, "B-2", asked.entries, [], NOON))
    assert [row.entry_id for row in seen] == ["RF-1001-D1"], "as what Amazon's transactions show"
