"""What Amazon refunded by itself is refunded a second time by what waits in the queue only if a person says so,
whenever the one and the other become known (AMZ-8, RET-18)."""

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.amazon_batches import NotHandedIn
from activities.database.amazon_queue import reject_entries
from activities.database.transactions import write
from models.amazon.queue import QueueState
from models.refunds import RefundState, Way
from tests.amazon_orders import FIRST, SECOND
from tests.database.settlement_books import ID, Books, back, sold
from tests.database.story import Story

ONE = [{"line_id": FIRST, "quantity": 1}]
STILL_DUE = f"Amazon refunded of its order by itself (settlement {ID}): is it still due?"


@pytest.fixture
def books(story: Story, engine: Engine) -> Books:
    return Books(story, engine)


def test_AMZ_8_what_comes_into_the_queue_after_the_settlement_is_held(books: Books) -> None:
    """It waited for a second person (REF-12), or was clicked later."""
    books.booked([sold(), back("10.00")], "40.00")
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert books.at.opened("B-1").kept_back == 1
    entry = books.at.entry("RF-1001-D1")
    assert (entry.state, entry.reason) == (QueueState.REFUSED, STILL_DUE)
    assert books.at.opened("B-2", "RF-1001-D1").messages == 1, "a person that knows it names it"


def test_AMZ_8_of_another_item_it_goes(books: Books) -> None:
    books.booked([sold(), back("10.00", SECOND)], "40.00")
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert books.at.opened("B-1").messages == 1


def test_AMZ_8_what_a_second_settlement_says_is_looked_at_again(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    books.booked([sold(), back("10.00")], "40.00")
    books.another("18000000002", [back("5.00")], "-5.00")
    assert books.at.opened("B-1", "RF-1001-D1").kept_back == 1
    assert "18000000002" in str(books.at.entry("RF-1001-D1").reason)
    assert books.at.opened("B-2", "RF-1001-D1").messages == 1


def test_RET_18_what_was_recorded_of_amazon_after_it_was_asked_for_holds_it(books: Books) -> None:
    """The settlement has what was recorded, and says no more."""
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-1001-C1", RefundState.SUCCEEDED)
    assert books.booked([sold(), back("10.00")], "40.00").confirmed == 1
    assert books.at.opened("B-1").kept_back == 1
    assert "(RF-1001-C1): is it still due?" in str(books.at.entry("RF-1001-D1").reason)
    assert books.at.opened("B-2", "RF-1001-D1").messages == 1


def test_AMZ_8_what_a_person_named_before_is_asked_about_once(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    books.booked([sold(), back("10.00")], "40.00")
    assert books.at.opened("B-1", "RF-1001-D1").messages == 1
    books.at.settled(None, "B-1")
    assert books.at.entry("RF-1001-D1").state is QueueState.QUEUED
    assert books.at.opened("B-2").kept_back == 1, "nothing was sent, and it is asked again"


def composed(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    books.at.queued("RF-1001-D2", "30.00", lines=[{"line_id": SECOND, "quantity": 1}])
    assert books.at.opened("B-1").messages == 2
    uploaded(books, "D-1")
    books.booked([sold(), back("10.00")], "40.00")


def uploaded(books: Books, document_id: str) -> None:
    write(books.engine, lambda session: batches.note_uploaded(session, "B-1", document_id))


def handing_in(books: Books, document_id: str, ordinal: int = 1) -> NotHandedIn | None:
    def begin(session: Session) -> NotHandedIn | None:
        return batches.begin_handing_in(session, "B-1", ordinal, document_id)

    return write(books.engine, begin)


def test_AMZ_8_it_is_put_out_of_a_document_that_is_not_handed_in_yet(books: Books) -> None:
    composed(books)
    assert books.held() == ["RF-1001-D1"]
    assert handing_in(books, "D-1") == NotHandedIn(outdated=True, left=1)
    entry = books.at.entry("RF-1001-D1")
    assert (entry.state, entry.reason) == (QueueState.REFUSED, STILL_DUE)
    uploaded(books, "D-2")
    assert handing_in(books, "D-2") is None


def test_AMZ_8_put_back_from_a_document_it_is_held_all_the_same(books: Books) -> None:
    composed(books)
    books.at.settled(None, "B-1")
    assert books.at.opened("B-2").kept_back == 1
    assert books.at.entry("RF-1001-D1").state is QueueState.REFUSED


def test_AMZ_8_a_document_of_which_nothing_else_is_left_leaves_it_held(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert books.at.opened("B-1").messages == 1
    uploaded(books, "D-1")
    books.booked([sold(), back("10.00")], "40.00")
    assert handing_in(books, "D-1") == NotHandedIn(outdated=True, left=0)
    books.at.settled(None, "B-1")
    entry = books.at.entry("RF-1001-D1")
    assert (entry.state, entry.reason) == (QueueState.REFUSED, STILL_DUE)


def alone_in_a_document(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert books.at.opened("B-1").messages == 1
    uploaded(books, "D-1")


def test_RET_18_what_was_recorded_of_amazon_after_it_was_composed_puts_it_out(books: Books) -> None:
    alone_in_a_document(books)
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-1001-C1", RefundState.SUCCEEDED)
    assert books.booked([sold(), back("10.00")], "40.00").confirmed == 1
    assert handing_in(books, "D-1") == NotHandedIn(outdated=True, left=0)
    assert "(RF-1001-C1): is it still due?" in str(books.at.entry("RF-1001-D1").reason)


def test_AMZ_11_a_document_in_doubt_with_what_is_held_is_not_handed_in_again(books: Books) -> None:
    alone_in_a_document(books)
    assert handing_in(books, "D-1") is None, "the answer is lost"
    books.booked([sold(), back("10.00")], "40.00")
    again = handing_in(books, "D-1", 2)
    assert again is not None
    assert "RF-1001-D1" in again.doubt


def test_AMZ_5_what_a_person_took_out_of_the_queue_meanwhile_stays_out(books: Books) -> None:
    alone_in_a_document(books)
    books.booked([sold(), back("10.00")], "40.00")
    assert handing_in(books, "D-1") == NotHandedIn(outdated=True, left=0)
    write(books.engine, lambda session: reject_entries(session, ["RF-1001-D1"], "seller:jane", "no"))
    books.at.settled(None, "B-1")
    assert books.at.entry("RF-1001-D1").state is QueueState.REJECTED
