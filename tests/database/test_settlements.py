"""A settlement in the database: taken once, in the ledger to the cent (AMZ-8)."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activities.database.ledger import Ledger
from activities.database.report_imports import ReportRegister
from activities.database.settlement_booking import book_some
from activities.database.settlements import Settlements
from activities.database.transactions import write
from activities.report_imports import settlement_staging
from models.amazon.settlements import SettlementState
from models.failures import Conflict, InvalidInput
from tests.amazon_account import amazon
from tests.amazon_orders import FIRST
from tests.connectors.amazon.settlement_reports import (
    ADMINISTRATION_FEE,
    BRAKE_PADS,
    COMMISSION,
    COMMISSION_RETURNED,
    settlement,
)
from tests.database.settlement_books import ID, Books, back, sold
from tests.database.story import Story


@pytest.fixture
def books(story: Story, engine: Engine) -> Books:
    return Books(story, engine)


# ---- the ledger ----


def test_AMZ_8_a_settlement_clears_what_buyers_paid_and_books_each_component(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", lines=[{"line_id": FIRST, "quantity": 1}])
    fees = [COMMISSION | {"amount": "-7.50"}, COMMISSION_RETURNED | {"amount": "1.50"}]
    fees.append(ADMINISTRATION_FEE | {"amount": "-0.30"})
    found = books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1"), *fees], "33.70")
    assert books.balances == {
        "marketplace/amazon/deposited": Decimal("33.70"),
        "seller/acme/available": Decimal("33.70"),
    }, "nothing is left to be cleared, and the seller has what Amazon paid out"
    assert {one.component.value: str(one.amount) for one in found.components} == {
        "sold": "50.00",
        "refunded": "-10.00",
        "commission": "-7.50",
        "commission_returned": "1.50",
        "administration_fee": "-0.30",
    }
    assert (found.state, found.confirmed, found.out_of_balance) == (SettlementState.BOOKED, 1, Decimal(0))
    assert (found.differences, found.unknown) == ((), ())


def test_AMZ_8_new_words_and_unknown_orders_are_on_an_account_of_their_own_and_listed(books: Books) -> None:
    moon = {"amount-type": "MoonFees", "amount-description": "Dust", "amount": "-2.00"}
    of_none = {"order-id": "", "transaction-type": "other-transaction", "amount-type": "other-transaction"}
    reserve = BRAKE_PADS | of_none | {"amount-description": "Current Reserve Amount", "amount": "-5.00"}
    elsewhere = sold("9.00") | {"order-id": "999-1234567-1234567"}
    found = books.booked([sold(), BRAKE_PADS | moon, elsewhere, reserve], "52.00")
    assert books.balances == {
        "marketplace/amazon/deposited": Decimal("52.00"),
        "marketplace/amazon/suspense": Decimal("-7.00"),
        "marketplace/amazon/reserve": Decimal("5.00"),
        "seller/acme/available": Decimal("50.00"),
    }
    (words,) = found.unknown
    assert (words.amount_type, words.amount_description, words.amounts, words.amount) == (
        "MoonFees",
        "Dust",
        1,
        Decimal("-2.00"),
    )
    assert (found.unknown_orders, found.unknown_orders_amount) == (1, Decimal("9.00"))


def test_AMZ_8_each_amount_is_booked_once_however_often_it_is_tried(books: Books) -> None:
    rows = [sold("1.00") | {"order-id": f"111-1234567-{number:07d}"} for number in range(7)]
    staged = books.staged(rows, "7.00")
    seen = []
    for _ in range(6):
        row = write(books.engine, lambda session: book_some(session, staged.import_id, 2))
        assert Ledger(books.engine).faults()[1] == [], "what is booked so far is whole"
        seen.append(row.booked_to)
    assert seen == [2, 4, 6, 7, 7, 7]
    assert books.balances["marketplace/amazon/deposited"] == Decimal("7.00")


def test_AMZ_8_amounts_of_one_order_are_one_entry_wherever_they_stand(books: Books) -> None:
    fee = COMMISSION | {"amount": "-1.00"}
    books.booked([sold("20.00"), sold("3.00") | {"order-id": ""}, fee, sold("30.00"), fee], "51.00", most=1)
    entries = [one for one in Ledger(books.engine).entries(order_id="1001") if one.movement.startswith("settle")]
    assert [(one.kind, one.amount) for one in entries] == [
        ("sold", Decimal("50.00")),
        ("commission", Decimal("2.00")),
    ]
    assert {one.movement for one in entries} == {f"settlement/amazon-acme/{ID}/111-1234567-1234567"}


# ---- taken once ----


def test_AMZ_8_the_same_settlement_again_changes_nothing_whatever_its_file_looks_like(books: Books) -> None:
    rows = [sold(), COMMISSION]
    books.booked(rows, "35.00")
    before = books.balances
    again = [books.staged(rows, "35.00"), books.file(settlement(rows[::-1], "35.00", blank=" "))]
    assert [(one.is_known, one.state, one.import_id) for one in again] == [
        (True, SettlementState.BOOKED, "amazon-acme.1")
    ] * 2
    assert [one.import_id for one in ReportRegister(books.engine).latest(10)] == ["amazon-acme.1"]
    assert books.balances == before


def test_AMZ_8_a_second_one_with_its_number_and_other_contents_is_refused(books: Books) -> None:
    books.booked([sold()], "50.00")
    with pytest.raises(Conflict, match=r"was imported .* with other contents: 1 amounts then, 2 now"):
        books.staged([sold(), sold()], "100.00")
    assert [one.import_id for one in ReportRegister(books.engine).latest(10)] == ["amazon-acme.1"]
    assert books.reconciled().amounts == 1


@pytest.mark.parametrize("rows", [[sold()], [sold(), sold() | {"amount": "?"}]], ids=["off", "bad row"])
def test_AMZ_8_what_does_not_add_up_is_held_and_replaced_by_the_corrected_file(
    books: Books, rows: list[dict[str, str]]
) -> None:
    before = books.balances
    held = books.staged(rows, "51.00")
    assert (held.state, held.off, held.rejected) == (SettlementState.HELD, 100, len(rows) - 1)
    assert books.balances == before, "nothing of it is in the ledger"
    assert books.reconciled().out_of_balance == Decimal("1.00")
    kept = ReportRegister(books.engine).rejected(held.import_id, 10)
    assert [(one.line, one.column) for one in kept] == [(4, "amount")] * (len(rows) - 1)
    found = books.booked([sold(), sold("1.00")], "51.00")
    assert (found.amounts, found.out_of_balance, found.state) == (2, Decimal(0), SettlementState.BOOKED)


def test_AMZ_8_a_person_may_take_it_with_its_difference_which_is_spread_over_nothing(books: Books) -> None:
    found = books.booked([sold()], "51.00", with_difference=True)
    assert found.out_of_balance == Decimal("1.00")
    assert books.balances["marketplace/amazon/deposited"] == Decimal("51.00")
    assert books.balances["marketplace/amazon/suspense"] == Decimal("-1.00")


def test_AMZ_8_a_settlement_of_nothing_is_booked_at_once(books: Books) -> None:
    assert books.staged([], "0.00").state is SettlementState.BOOKED
    assert books.reconciled().components == ()


def test_AMZ_8_a_damaged_file_leaves_nothing_behind(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_staging, "_AT_A_TIME", 1)
    with pytest.raises(InvalidInput, match="second settlement"):
        books.staged([sold(), sold() | {"settlement-id": "2"}], "50.00")
    assert ReportRegister(books.engine).latest(10) == []


def test_AMZ_8_of_two_that_stage_it_at_once_one_counts(books: Books) -> None:
    first = books.staged([sold()], "51.00")
    books.staged([sold()], "51.00")
    with pytest.raises(Conflict, match="another import"):
        Settlements(books.engine).release(first.import_id, SettlementState.BOOKING)


def another_account(books: Books, **more: Any) -> None:
    books.at.story.connections.put([amazon(connection_id="amazon-acme-eu", **more)])


@pytest.mark.parametrize("account", ["A2ACMEPARTS01", "A2ACMEPARTS02"], ids=["same", "other"])
def test_AMZ_8_a_settlement_is_in_the_ledger_once_whatever_connection_it_is_imported_through(
    books: Books, account: str
) -> None:
    another_account(books, account=account)
    books.booked([sold(), COMMISSION], "35.00")
    before = books.balances
    with pytest.raises(Conflict, match=r"in the ledger through connection amazon-acme, .*reconcile --settlement"):
        books.staged([sold(), COMMISSION], "35.00", through="amazon-acme-eu")
    assert books.balances == before
    assert [one.import_id for one in ReportRegister(books.engine).latest(10)] == ["amazon-acme.1"]


def test_AMZ_8_what_is_held_through_a_connection_that_was_mistyped_is_replaced(books: Books) -> None:
    another_account(books)
    held = books.staged([sold()], "51.00", through="amazon-acme-eu")
    books.booked([sold(), sold("1.00")], "51.00")
    with pytest.raises(Conflict, match="another import"):
        Settlements(books.engine).release(held.import_id, SettlementState.BOOKING)
    assert books.reconciled().connection_id == "amazon-acme"
