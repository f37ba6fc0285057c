"""A settlement in the database: taken once, in the ledger to the cent, its refunds matched with ours (AMZ-8)."""

import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.ledger import Ledger
from activities.database.report_imports import ReportRegister
from activities.database.settlement_booking import book_some
from activities.database.settlement_refunds import refunds_by_amazon, refunds_to_confirm
from activities.database.settlement_report import reconciled
from activities.database.settlements import Settlements
from activities.database.transactions import read, write
from activities.report_imports import settlement_staging
from activities.report_imports.settlement_staging import StagedSettlement, stage_settlement
from models.amazon.queue import QueueState
from models.amazon.results import MessageEnd, MessageOutcome
from models.amazon.settlements import SettlementReconciled, SettlementState
from models.failures import Conflict, InvalidInput
from models.refunds import RefundState, Way
from tests.amazon_account import amazon
from tests.amazon_orders import FIRST, SECOND
from tests.connectors.amazon.settlement_reports import (
    ADMINISTRATION_FEE,
    BRAKE_PADS,
    COLUMNS,
    COMMISSION,
    COMMISSION_RETURNED,
    REFUNDED,
    head,
    settlement,
)
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story

ID = "18000000001"


def sold(amount: str = "50.00") -> dict[str, str]:
    return BRAKE_PADS | {"amount": amount, "order-item-code": FIRST}


def back(amount: str, item: str = FIRST, **more: str) -> dict[str, str]:
    """Money that went back to the buyer."""
    named = {name.replace("_", "-"): cell for name, cell in more.items()}
    return REFUNDED | {"amount": f"-{amount}", "order-item-code": item} | named


class Books:
    """The seller acme with an account at Amazon, an order of 50.00, and what settlements say."""

    def __init__(self, story: Story, engine: Engine) -> None:
        self.engine, self.number = engine, 0
        self.at = AmazonStory(story, engine, queue="true")

    def staged(self, rows: Iterable[dict[str, str]], total: str, **more: Any) -> StagedSettlement:
        return self.file(settlement(rows, total), **more)

    def file(self, content: bytes, *, through: str = "amazon-acme", **more: Any) -> StagedSettlement:
        self.number += 1
        named = (f"{through}.{self.number}", through, "acme", "settlement.txt")
        return stage_settlement(self.engine, *named, io.BytesIO(content), **more)

    def booked(
        self, rows: Iterable[dict[str, str]], total: str, most: int = 2, **more: Any
    ) -> SettlementReconciled:
        """In the ledger, some amounts at a time."""
        staged = self.staged(rows, total, **more)
        assert staged.state is SettlementState.BOOKING
        for _ in range(staged.amounts + 1):
            write(self.engine, lambda session: book_some(session, staged.import_id, most))
        return self.reconciled()

    def reconciled(self) -> SettlementReconciled:
        assert Ledger(self.engine).faults()[1] == []
        return reconciled(self.engine, ID)

    def sent(
        self, refund_id: str, amount: str, *, outcome: MessageEnd | None = MessageEnd.DONE, **more: Any
    ) -> None:
        """A refund that Amazon has; it said what became of it, or did not."""
        self.at.queued(refund_id, amount, **more)
        self.at.opened(f"B-{refund_id}", refund_id)
        if outcome is not None:
            self.at.settled({1: MessageOutcome(end=outcome, note="?")}, f"B-{refund_id}")
        if outcome is MessageEnd.DONE:
            self.at.story.settled(refund_id, RefundState.SUCCEEDED)

    @property
    def balances(self) -> dict[str, Decimal]:
        return {one.account: one.balance for one in Ledger(self.engine).balances() if one.balance}


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


# ---- refunds ----


def later(books: Books, number: str) -> list[str]:
    """What differs in one more settlement, of one refund of 10.00."""
    staged = books.file(settlement([back("10.00")], "-10.00", settlement_id=number))
    write(books.engine, lambda session: book_some(session, staged.import_id, 10))
    return [one.what for one in reconciled(books.engine, number).differences]


def test_AMZ_8_without_our_key_it_is_none_that_amazon_has_not_done(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=[{"line_id": FIRST, "quantity": 1}])
    for sent in (False, True):
        if sent:
            write(books.engine, lambda session: _sent(session, "B-RF-1001-D1"))
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
        write(books.engine, lambda session: _sent(session, "B-RF-1001-D1"))
    found = books.booked([sold(), back("10.00", merchant_adjustment_item_id="RF-1001-D1.1")], "40.00")
    assert books.at.entry("RF-1001-D1").state is QueueState.DONE
    assert books.at.stands("RF-1001-D1").state == "succeeded"
    row = Settlements(books.engine).of_import(found.import_id)
    assert row is not None
    told = read(books.engine, lambda session: refunds_to_confirm(session, row, 0, row.booked_to))
    assert told == ["RF-1001-D1"]


def test_AMZ_8_what_a_settlement_confirmed_no_processing_report_takes_back(books: Books) -> None:
    books.sent("RF-1001-D1", "10.00", outcome=None, lines=[{"line_id": FIRST, "quantity": 1}])
    write(books.engine, lambda session: _sent(session, "B-RF-1001-D1"))
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


def _sent(session: Session, batch_id: str) -> None:
    batches.note_uploaded(session, batch_id, "D-1")
    batches.begin_handing_in(session, batch_id, 1)
    batches.note_feed(session, batch_id, "F-1")
