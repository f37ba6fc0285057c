"""What Amazon refunded by itself is refunded a second time by what waits in the queue only if a person says so,
whenever the one and the other become known (AMZ-8, RET-18)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.amazon_batches import NotHandedIn
from activities.database.amazon_queue import reject_entries
from activities.database.transactions import write
from models.amazon.queue import QueueState
from models.amazon.results import MessageEnd
from models.refunds import RefundState, Way
from tests.amazon_orders import FIRST, SECOND
from tests.database.settlement_books import ID, Books, back, sold
from tests.database.story import NOON, Story

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


# ---- what it may be, and what not ----


def of_amazon(books: Books, state: RefundState = RefundState.SUCCEEDED, **more: Any) -> None:
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon", **more)
    books.at.story.settled("RF-1001-C1", state)


def kept_back(books: Books, *entries: str, batch: str = "B-1") -> bool:
    return books.at.opened(batch, *entries).kept_back == 1


def test_AMZ_8_by_amount_alone_it_may_be_for_any_item(books: Books) -> None:
    books.booked([sold(), back("10.00", SECOND)], "40.00")
    books.at.queued("RF-1001-D1", "10.00")
    assert kept_back(books)


def test_AMZ_8_an_item_that_is_no_line_here_may_be_any(books: Books) -> None:
    books.booked([sold(), back("10.00", "99999")], "40.00")
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert kept_back(books)


def test_AMZ_8_what_amazon_took_back_from_the_buyer_holds_nothing(books: Books) -> None:
    books.booked([sold(), back("10.00") | {"amount": "10.00"}], "60.00")
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    assert not kept_back(books)


def test_CAN_10_what_was_recorded_of_what_was_split_off_holds_what_may_be_the_same(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00")
    books.at.split("SP.1001.1", SECOND)
    books.at.reserved("RF-SP.1001.1-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    assert kept_back(books)


def test_RET_18_what_was_recorded_before_it_was_asked_for_was_known(books: Books) -> None:
    of_amazon(books)
    books.at.queued("RF-1001-D1", "10.00", lines=ONE, at=NOON + timedelta(hours=2))
    assert not kept_back(books)


def test_RET_18_what_was_recorded_of_another_item_holds_nothing(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    of_amazon(books, lines=[{"line_id": SECOND, "quantity": 1}])
    assert not kept_back(books)


def test_RET_18_what_amazon_did_not_make_after_all_holds_nothing(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=ONE)
    of_amazon(books, RefundState.FAILED)
    assert not kept_back(books)


def test_AMZ_11_what_amazon_refused_before_is_asked_about_too(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=MessageEnd.REFUSED, lines=ONE)
    books.booked([sold(), back("20.00")], "30.00")
    books.at.examined("B-1", "RF-1001-D1")
    assert kept_back(books, "RF-1001-D1")
    books.at.examined("B-2", "RF-1001-D1")
    assert not kept_back(books, "RF-1001-D1", batch="B-2"), "now it is known, and named"
