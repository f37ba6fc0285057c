"""Refunds of a settlement in the database, matched with ours (AMZ-8, RET-18)."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activities.database.amazon_queue import AmazonQueue
from activities.database.settlement_booking import book_some
from activities.database.settlement_report import reconciled
from activities.database.transactions import write
from models.amazon.queue import QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.failures import Conflict
from models.refunds import RefundState, Way
from models.returns import ReturnRequest
from tests.amazon_orders import FIRST, SECOND
from tests.connectors.amazon.settlement_reports import COLUMNS, head, settlement
from tests.database.settlement_books import ID, Books, back, handed_in, sold
from tests.database.story import Story


@pytest.fixture
def books(story: Story, engine: Engine) -> Books:
    return Books(story, engine)


def later(books: Books, number: str) -> list[str]:
    """What differs in one more settlement, of one refund of 10.00."""
    staged = books.file(settlement([back("10.00")], "-10.00", settlement_id=number))
    write(books.engine, lambda session: book_some(session, staged.import_id, 10))
    return [one.what for one in reconciled(books.engine, number).differences]


def test_AMZ_8_without_our_key_it_is_none_that_amazon_has_not_done(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    books.at.opened("B-RF-1001-D1")
    write(books.engine, lambda session: handed_in(session, "B-RF-1001-D1"))
    assert later(books, "18000000011") == ["unexpected"]
    assert books.at.entry("RF-1001-D1").state is QueueState.SENT
    assert books.at.stands("RF-1001-D1").state != "succeeded"


def test_AMZ_8_without_our_key_it_is_none_that_moved_after_the_settlement_ended(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    before = head("-10.00", settlement_id=ID, settlement_end_date="2026-03-01 12:00:00 UTC")
    content = settlement([], "-10.00").split(b"\r\n")[0]
    rows = [before, back("10.00") | {"settlement-id": ID}]
    lines = ["\t".join(row.get(name, "") for name in COLUMNS) for row in rows]
    staged = books.file(content + b"\r\n" + "\r\n".join(lines).encode() + b"\r\n")
    write(books.engine, lambda session: book_some(session, staged.import_id, 10))
    assert [one.what for one in books.reconciled().differences] == ["unexpected"]


def test_RET_18_a_refund_recorded_of_what_a_settlement_said_is_no_second_one(books: Books) -> None:
    books.booked([sold(), back("10.00")], "40.00")
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-1001-C1", RefundState.SUCCEEDED)
    assert later(books, "18000000002") == ["unexpected"]


@pytest.mark.parametrize("kind", ["Refund", "A-to-z Guarantee Refund"])
def test_RET_18_what_somebody_paid_elsewhere_stands_in_no_settlement(books: Books, kind: str) -> None:
    books.at.reserved("RF-1001-M1", "10.00", way=Way.MANUAL, requested_by="staff:sue", reference="CHQ-1")
    books.at.story.settled("RF-1001-M1", RefundState.SUCCEEDED)
    found = books.booked([sold(), back("10.00", transaction_type=kind)], "40.00")
    assert [one.what for one in found.differences] == ["unexpected"]


def test_AMZ_8_refunds_are_found_by_our_key_then_by_order_item_and_amount(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    books.sent("RF-1001-D2", "30.00", lines=[{"line_id": SECOND, "quantity": 1}])
    keyed = back("9.00", merchant_adjustment_item_id="RF-1001-D1.1")
    found = books.booked([sold(), keyed, back("20.00", SECOND), back("10.00", SECOND)], "11.00")
    assert found.confirmed == 1, "rows of one adjustment add up"
    (differs,) = found.differences
    assert (differs.what, differs.refund_id) == ("differs", "RF-1001-D1")
    assert (differs.expected, differs.came) == (Decimal("10.00"), Decimal("9.00"))
    assert books.balances["marketplace/amazon/clearing"] == Decimal("-1.00"), "the difference stays to be cleared"


def test_RET_18_a_refund_that_nobody_made_here_is_listed(books: Books) -> None:
    found = books.booked([sold(), back("10.00")], "40.00")
    (one,) = found.differences
    assert (one.what, one.order_id, one.expected, one.came) == ("unexpected", "1001", None, Decimal("10.00"))
    assert one.transaction_type == "Refund"
    assert books.by_amazon() == [(None, "no return of it is open")]


def test_RET_18_what_was_recorded_as_made_by_amazon_is_confirmed(books: Books) -> None:
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-1001-C1", RefundState.SUCCEEDED)
    assert books.booked([sold(), back("10.00")], "40.00").confirmed == 1


def test_AMZ_7_what_waits_in_the_queue_is_not_what_came(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    found = books.booked([sold(), back("10.00")], "40.00")
    assert [one.what for one in found.differences] == ["unexpected"]
    entry = books.at.entry("RF-1001-D1")
    assert (entry.state, entry.batch_id) == (QueueState.REFUSED, None), "Amazon may have given the same: held"
    assert entry.reason == f"Amazon refunded of its order by itself (settlement {ID}): is it still due?"
    assert (books.held(), books.counted()) == (["RF-1001-D1"], {"unexpected": 1})
    assert books.at.opened("B-1").nothing_queued, "it goes only when a person names it"
    assert books.at.opened("B-2", "RF-1001-D1").messages == 1


@pytest.mark.parametrize(("line_id", "state"), [(FIRST, "queued"), (SECOND, "refused"), (None, "refused")])
def test_AMZ_8_what_waits_is_held_where_amazon_refunded_its_item_or_may_have(
    books: Books, line_id: str | None, state: str
) -> None:
    lines = {} if line_id is None else {"lines": [{"line_id": line_id, "quantity": 1}]}
    books.at.queued("RF-1001-D1", "10.00", **lines)
    books.booked([sold(), back("5.00", SECOND)], "45.00")
    assert books.at.entry("RF-1001-D1").state == state


@pytest.mark.parametrize(
    "outcome", [None, MessageEnd.UNKNOWN, MessageEnd.REFUSED], ids=["sent", "in doubt", "refused"]
)
def test_AMZ_8_a_refund_of_which_amazon_said_nothing_is_done(books: Books, outcome: MessageEnd | None) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=outcome, lines=[{"line_id": FIRST, "quantity": 1}])
    books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE
    assert books.at.stands("RF-1001-D1").state == "succeeded"
    assert books.told() == [("RF-1001-D1", True)]


def test_AMZ_8_what_a_settlement_confirmed_no_processing_report_takes_back(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=[{"line_id": FIRST, "quantity": 1}])
    books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    books.at.settled({1: MessageOutcome(end=MessageEnd.UNKNOWN, note="?")}, "B-RF-1001-D1")
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE


def test_AMZ_8_a_refund_is_confirmed_by_one_settlement_alone(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    assert books.booked([sold(), back("10.00")], "40.00").confirmed == 1
    assert later(books, "18000000002") == ["unexpected"]


def test_AMZ_8_a_refund_that_stands_in_no_settlement_is_awaited(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    found = books.booked([sold()], "50.00")
    (one,) = found.differences
    assert (one.what, one.refund_id, one.expected, one.came) == (
        "awaited",
        "RF-1001-D1",
        Decimal("10.00"),
        Decimal(0),
    )


# ---- of several order items ----

BOTH = [{"line_id": FIRST, "quantity": 1}, {"line_id": SECOND, "quantity": 1}]
"""10.00 and 30.00."""
FIRST_PART = back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")
SECOND_PART = back("30.00", SECOND, merchant_adjustment_item_id="RF-1001-D1.2")


def test_AMZ_8_a_refund_of_two_items_moved_when_both_stand_in_settlements(books: Books) -> None:
    books.sent("RF-1001-D1", "40.00", outcome=None, lines=BOTH)
    books.booked([sold(), FIRST_PART], "40.00")
    assert (books.at.entry("RF-1001-D1").state, books.told()) == (QueueState.SENT, [])
    assert books.counted() == {"confirmed": 1}, "Amazon has still to say what became of the other item"
    books.another("18000000002", [SECOND_PART], "-30.00")
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE
    assert books.told("18000000002") == [("RF-1001-D1", True)]


@pytest.mark.parametrize("came", [FIRST_PART, back("9.00", merchant_adjustment_item_id="RF-1001-D1.1")])
def test_AMZ_8_what_amazon_refused_and_moved_in_part_is_for_a_person(books: Books, came: dict[str, str]) -> None:
    """It is not sent again, and its amount is not refundable again, until somebody has looked."""
    books.sent("RF-1001-D1", "40.00", outcome=MessageEnd.REFUSED, lines=BOTH)
    books.booked([sold(), came], str(50 + Decimal(came["amount"])))
    entry = books.at.entry("RF-1001-D1")
    assert entry.state is QueueState.IN_DOUBT
    assert f"stands in settlement {ID}, but not " in str(entry.reason)
    assert "RF-1001-D1.2 as expected" in str(entry.reason)
    assert books.told() == [("RF-1001-D1", False)]
    assert books.counted()["in_doubt"] == 1, "staff hear of it"
    with pytest.raises(Conflict, match="is in doubt"):
        AmazonQueue(books.engine).reject(["RF-1001-D1"], "seller:jane", "it did not go")


def test_AMZ_8_what_moved_in_part_is_not_sent_again_for_amazon_refuses_it_later(books: Books) -> None:
    books.sent("RF-1001-D1", "40.00", outcome=None, lines=BOTH)
    books.booked([sold(), FIRST_PART], "40.00")
    books.at.settled({1: MessageOutcome(end=MessageEnd.REFUSED, note="?")}, "B-RF-1001-D1")
    assert books.at.entry("RF-1001-D1").state is QueueState.IN_DOUBT


def test_AMZ_8_with_another_amount_it_did_not_move_as_it_was_asked_for(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=BOTH[:1])
    found = books.booked([sold(), back("9.00", merchant_adjustment_item_id="RF-1001-D1.1")], "41.00")
    assert [one.what for one in found.differences] == ["differs"]
    assert (books.at.entry("RF-1001-D1").state, books.told()) == (QueueState.SENT, [])


def test_AMZ_8_an_item_that_stands_in_no_settlement_is_awaited(books: Books) -> None:
    books.sent("RF-1001-D1", "40.00", lines=BOTH)
    (one,) = books.booked([sold(), FIRST_PART], "40.00").differences
    assert (one.what, one.refund_id, one.order_item_code) == ("awaited", "RF-1001-D1", SECOND)
    assert (one.expected, one.came) == (Decimal("30.00"), Decimal(0))
    books.another("18000000002", [SECOND_PART], "-30.00")
    assert books.reconciled().differences == ()


# ---- that failed here ----


@pytest.mark.parametrize("outcome", [MessageEnd.UNKNOWN, MessageEnd.REFUSED, MessageEnd.DONE])
def test_REF_11_a_refund_that_failed_here_and_moved_is_for_a_person(books: Books, outcome: MessageEnd) -> None:
    """A person recorded that it did not move, or it was taken out of the queue: nothing is changed by itself."""
    books.sent("RF-1001-D1", "10.00", outcome=outcome, lines=BOTH[:1])
    if outcome is MessageEnd.REFUSED:
        AmazonQueue(books.engine).reject(["RF-1001-D1"], "seller:jane", "it did not go")
    books.at.story.settled("RF-1001-D1", RefundState.FAILED)
    found = books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    (one,) = found.differences
    assert (one.what, one.refund_id, one.expected, one.came) == (
        "moved_though_failed",
        "RF-1001-D1",
        Decimal("10.00"),
        Decimal("10.00"),
    )
    assert "made a second time" in str(one.note)
    assert (found.confirmed, books.told(), books.by_amazon()) == (0, [], [])
    assert books.at.story.outcome("RF-1001-D1", "10.00").state is RefundState.FAILED


def test_REF_11_what_was_taken_out_of_the_queue_and_moved_is_for_a_person_before_its_refund_has_heard(
    books: Books,
) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=MessageEnd.REFUSED, lines=BOTH[:1])
    AmazonQueue(books.engine).reject(["RF-1001-D1"], "seller:jane", "it did not go")
    found = books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    assert [one.what for one in found.differences] == ["moved_though_failed"]
    assert (found.confirmed, books.counted()) == (0, {"moved_though_failed": 1})


def test_REF_11_without_our_key_what_failed_here_is_not_what_came(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=BOTH[:1])
    books.at.story.settled("RF-1001-D1", RefundState.FAILED)
    assert [one.what for one in books.booked([sold(), back("10.00")], "40.00").differences] == ["unexpected"]


# ---- split orders ----


def test_CAN_10_a_refund_of_what_was_split_off_stands_under_the_order_s_number(books: Books) -> None:
    books.at.split("SP.1001.1", SECOND)
    books.at.reserved("RF-SP.1001.1-C1", "30.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-SP.1001.1-C1", RefundState.SUCCEEDED)
    assert books.booked([sold(), back("30.00", SECOND)], "20.00").confirmed == 1


def test_CAN_10_a_refund_that_came_before_its_order_was_split_is_none_that_comes_later(books: Books) -> None:
    books.booked([sold(), back("30.00", SECOND)], "20.00")
    books.at.split("SP.1001.1", SECOND)
    books.at.reserved("RF-SP.1001.1-C1", "30.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-SP.1001.1-C1", RefundState.SUCCEEDED)
    found = books.another("18000000002", [back("30.00", SECOND)], "-30.00")
    assert [one.what for one in found.differences] == ["unexpected"]


# ---- returns ----


def returning(books: Books, return_id: str, line_id: str, order_id: str = "1001") -> None:
    """A return of one unit of this line is open."""
    story = books.at.story
    story.order_id = order_id
    story.bought_lines("north", {line_id: 1}, {line_id: "BRK-100"})
    story.shipped_lines({line_id: 1}, {line_id: "BRK-100"})
    line = {"line_id": line_id, "sku": "BRK-100", "quantity": 1, "reason": "does not fit"}
    told = {"return_id": return_id, "order_id": order_id, "lines": [line]}
    assert story.open_return(ReturnRequest.model_validate(told)).opened is not None


def test_RET_18_a_return_hears_only_of_its_own_order_item(books: Books) -> None:
    returning(books, "RR-1001-1", FIRST)
    books.booked([sold(), back("30.00", SECOND)], "20.00")
    assert books.by_amazon() == [(None, "no return of it is open")]
    books.another("18000000002", [back("10.00", FIRST)], "-10.00")
    assert books.by_amazon("18000000002") == [("RR-1001-1", None)]


@pytest.mark.parametrize("item", ["", "99999999999999"])
def test_RET_18_of_an_item_that_is_no_line_here_the_one_open_return_hears(books: Books, item: str) -> None:
    returning(books, "RR-1001-1", FIRST)
    books.booked([sold(), back("10.00", item)], "40.00")
    assert books.by_amazon() == [("RR-1001-1", None)]


def test_RET_18_a_return_of_what_was_split_off_hears_of_its_item(books: Books) -> None:
    books.at.split("SP.1001.1", SECOND)
    returning(books, "RR-SP.1001.1-1", SECOND, "SP.1001.1")
    books.booked([sold(), back("30.00", SECOND)], "20.00")
    assert books.by_amazon() == [("RR-SP.1001.1-1", None)]
