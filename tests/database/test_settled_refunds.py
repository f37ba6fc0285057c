"""Refunds of a settlement in the database, matched with ours (AMZ-8, RET-18)."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activities.database.settlement_booking import book_some
from activities.database.settlement_refunds import refunds_by_amazon, refunds_to_confirm
from activities.database.settlement_report import reconciled
from activities.database.settlements import Settlements
from activities.database.transactions import read, write
from models.amazon.queue import QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.refunds import RefundState, Way
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
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=[{"line_id": FIRST, "quantity": 1}])
    for sent in (False, True):
        if sent:
            write(books.engine, lambda session: handed_in(session, "B-RF-1001-D1"))
        number = f"1800000001{sent:d}"
        assert later(books, number) == ["unexpected"]
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
    row = Settlements(books.engine).of_import(found.import_id)
    assert row is not None
    (told,) = read(books.engine, lambda session: refunds_by_amazon(session, row, 0, row.booked_to))
    assert (told.return_id, told.note) == (None, "no return of it is open")


def test_RET_18_what_was_recorded_as_made_by_amazon_is_confirmed(books: Books) -> None:
    books.at.reserved("RF-1001-C1", "10.00", way=Way.MARKETPLACE, requested_by="channel:amazon")
    books.at.story.settled("RF-1001-C1", RefundState.SUCCEEDED)
    assert books.booked([sold(), back("10.00")], "40.00").confirmed == 1


def test_AMZ_7_what_waits_in_the_queue_is_not_what_came(books: Books) -> None:
    books.at.queued("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    found = books.booked([sold(), back("10.00")], "40.00")
    assert [one.what for one in found.differences] == ["unexpected"]
    assert books.at.entry("RF-1001-D1").state is QueueState.QUEUED


@pytest.mark.parametrize(
    "outcome", [None, MessageEnd.UNKNOWN, MessageEnd.REFUSED], ids=["sent", "in doubt", "refused"]
)
def test_AMZ_8_a_refund_of_which_amazon_said_nothing_is_done(books: Books, outcome: MessageEnd | None) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=outcome, lines=[{"line_id": FIRST, "quantity": 1}])
    if outcome is None:
        write(books.engine, lambda session: handed_in(session, "B-RF-1001-D1"))
    found = books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE
    assert books.at.stands("RF-1001-D1").state == "succeeded"
    row = Settlements(books.engine).of_import(found.import_id)
    assert row is not None
    told = read(books.engine, lambda session: refunds_to_confirm(session, row, 0, row.booked_to))
    assert told == ["RF-1001-D1"]


def test_AMZ_8_what_a_settlement_confirmed_no_processing_report_takes_back(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=[{"line_id": FIRST, "quantity": 1}])
    write(books.engine, lambda session: handed_in(session, "B-RF-1001-D1"))
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
