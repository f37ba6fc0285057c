"""Returns in the database: what may come back, split by supplier, worth its share to the cent."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.database.returnable_units import Worth, worth_of_next
from models.records import Opening, ReceptionRecord
from models.returns import Acceptance, Reception, ReturnRequest
from models.shares import LineShare
from tests.database.story import NOON, Story, seller, supplier


def test_RET_2_a_return_names_an_order(story: Story) -> None:
    refused = story.returning("RR-1", A=1)
    assert (refused.opening, refused.reason) == (Opening.UNKNOWN, "no order 1001")


def test_RET_2_units_of_another_order_are_refused(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    assert story.returning("RR-1", B=1).reason == "order 1001: there is no line B, only line A (1 x A)"


def test_RET_2_more_than_was_shipped_is_refused_and_nothing_is_changed(story: Story) -> None:
    story.ordered(("A", 5, "10.00"))
    story.bought("north", A=5)
    story.shipped(A=2)
    refused = story.returning("RR-1", A=3)
    assert refused.opening is Opening.REFUSED
    assert refused.reason == "3 of A can't come back: 2 of 5 shipped, 0 returned already (RET-2)"
    assert story.reading.find_returns() == []
    assert story.returning("RR-1", A=2).opening is Opening.OPENED


def test_RET_2_what_was_returned_already_counts(story: Story) -> None:
    story.delivered(("A", 3, "10.00"))
    story.returned("RR-1", A=2)
    assert story.returning("RR-2", A=2).opening is Opening.REFUSED
    assert story.returning("RR-3", A=1).opening is Opening.OPENED


@pytest.mark.parametrize(
    "stage", ["rejected", "withdrawn", "expired", "refused", "refused_by_supplier", "stopped"]
)
def test_RET_2_a_return_from_which_nothing_came_back_gives_its_units_free(story: Story, stage: str) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", stage, ended=True)
    assert story.returning("RR-2", A=1).opening is Opening.OPENED


def test_RET_2_RET_10_a_return_that_has_expired_but_may_reopen_holds_its_units(story: Story) -> None:
    story.delivered(("A", 2, "10.00"), ("B", 1, "10.00"))
    story.returned("RR-1", A=1)
    story.returned("RR-2", B=1)
    story.return_reaches("RR-1", "expired")
    story.return_reaches("RR-2", "expired")
    refused = story.returning("RR-3", A=2)
    assert (refused.opening, refused.reason) == (
        Opening.REFUSED,
        "2 of A can't come back: 2 of 2 shipped, 1 returned already (RET-2); RR-1 has expired and is still open: "
        "its tracking number reopens it (RET-10), withdrawing it gives its units free",
    )
    assert story.returning("RR-4", A=1).opening is Opening.OPENED, "the other unit is free"


@pytest.mark.parametrize("stage", ["awaiting_approval", "in_transit", "completed"])
def test_RET_2_a_return_that_is_open_or_has_the_goods_holds_its_units(story: Story, stage: str) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", stage)
    assert story.returning("RR-2", A=1).opening is Opening.REFUSED


def test_RET_2_a_return_stopped_after_the_goods_arrived_holds_its_units(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    arrived = ReceptionRecord(
        line_id="A", sku="A", quantity=1, reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED
    )
    story.return_reaches("RR-1", "stopped", receptions=(arrived,))
    assert story.returning("RR-2", A=1).opening is Opening.REFUSED


def test_RET_2_two_of_three_discounted_units_are_worth_what_was_paid_for_them(story: Story) -> None:
    story.delivered(("A", 3, "100.00"), discount="30.00")
    assert story.returned("RR-1", A=2).paid == Decimal("180.00")


def test_RET_2_partial_returns_add_up_to_the_line_also_when_one_was_rejected(story: Story) -> None:
    story.delivered(("A", 3, "33.00"), tax="1.00")
    first = story.returned("RR-1", A=1)
    second = story.returned("RR-2", A=1)
    assert (first.paid, second.paid) == (Decimal("33.34"), Decimal("33.33"))
    story.return_reaches("RR-1", "rejected", ended=True)
    third = story.returned("RR-3", A=2)
    assert second.paid + third.paid == Decimal("100.00")


@given(
    total=st.integers(0, 10_000),
    turns=st.lists(st.tuples(st.integers(1, 3), st.booleans()), min_size=1, max_size=12),
)
def test_RET_2_returns_that_hold_all_units_are_worth_the_line_whatever_was_rejected_between(
    total: int, turns: list[tuple[int, bool]]
) -> None:
    quantity = sum(units for units, _ in turns)
    worth = Decimal(total) / 100
    share = LineShare(
        line_id="A",
        sku="A",
        quantity=quantity,
        paid_goods=worth,
        paid_shipping=Decimal(0),
        cost_goods=worth,
        cost_shipping=Decimal(0),
    )
    held: list[Worth] = []
    for units, is_rejected_later in turns:
        added = worth_of_next(share, sum(held, Worth()), units, "USD", "USD")
        if not is_rejected_later:
            held.append(added)
    rest = quantity - sum(held, Worth()).quantity
    held.append(worth_of_next(share, sum(held, Worth()), rest, "USD", "USD"))
    assert sum(held, Worth()) == Worth(quantity, worth, worth)


def test_RET_2_lines_of_different_suppliers_become_one_return_per_supplier(story: Story) -> None:
    story.ordered(("A", 1, "100.00"), ("B", 2, "50.00"))
    first = story.bought("north", A=1)
    second = story.bought("south", B=2)
    story.shipped(A=1)
    story.shipped(B=2)
    opened = story.returned("RR-1", A=1, B=2)
    assert (opened.supplier.supplier_id, opened.supplier_order_number) == ("north", first)
    assert [(line.sku, line.quantity) for line in opened.lines] == [("A", 1)]
    (other,) = opened.siblings
    assert (other.return_id, other.source, other.requested_by) == ("RR-1.2", "manual", "script:manual")
    sibling = story.open_return(other, run="run-of-sibling").opened
    assert sibling is not None
    assert (sibling.supplier.supplier_id, sibling.supplier_order_number) == ("south", second)
    assert [(line.sku, line.quantity, line.paid) for line in sibling.lines] == [("B", 2, Decimal("100.00"))]
    assert sibling.siblings == ()


def test_RET_2_a_line_bought_at_two_suppliers_is_split_by_what_each_shipped(story: Story) -> None:
    story.ordered(("A", 3, "10.00"), tax="0.01")
    story.bought("north", A=2)
    south = story.bought("south", A=1)
    story.shipped_for(south, A=1)
    story.shipped(A=2)
    opened = story.returned("RR-1", A=3)
    assert (opened.supplier.supplier_id, opened.lines[0].quantity) == ("south", 1)
    (other,) = opened.siblings
    sibling = story.open_return(other).opened
    assert sibling is not None
    assert (sibling.supplier.supplier_id, sibling.lines[0].quantity) == ("north", 2)
    assert opened.paid + sibling.paid == Decimal("30.01")


def test_RET_2_units_kept_for_a_sibling_can_not_be_returned_by_another_return_before_it_opens(
    story: Story,
) -> None:
    story.ordered(("A", 1, "100.00"), ("B", 1, "50.00"))
    story.bought("north", A=1)
    story.bought("south", B=1)
    story.shipped(A=1, B=1)
    (other,) = story.returned("RR-1", A=1, B=1).siblings
    assert story.returning("RR-2", B=1).opening is Opening.REFUSED
    assert story.open_return(other).opening is Opening.OPENED


def test_RET_2_a_number_kept_for_a_sibling_is_not_given_to_something_else(story: Story) -> None:
    story.ordered(("A", 1, "100.00"), ("B", 1, "50.00"))
    story.bought("north", A=1)
    story.bought("south", B=1)
    story.shipped(A=1, B=1)
    (other,) = story.returned("RR-1", A=1, B=1).siblings
    stranger = story.return_request("RR-1.2", A=1)
    assert story.open_return(stranger, run="run-9").reason == (
        "RR-1.2 is kept for what was split off RR-1: use another number"
    )
    assert story.open_return(other).opening is Opening.OPENED


def test_RET_7_the_second_return_names_the_supplier_order_that_its_units_came_from(story: Story) -> None:
    story.ordered(("A", 2, "10.00"))
    first = story.bought("north", A=1)
    second = story.bought("north", A=1)
    story.shipped(A=2)
    assert story.returned("RR-1", A=1).supplier_order_number == first
    assert story.returned("RR-2", A=1).supplier_order_number == second


def test_RET_2_a_supplier_without_settings_is_named(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    story.bought("east", A=1)
    story.shipped(A=1)
    assert story.returning("RR-1", A=1).reason == "no supplier east, which shipped A: add its settings first"
    story.parties.put_supplier(supplier("east"))
    assert story.returning("RR-1", A=1).opening is Opening.OPENED


def test_RET_2_units_of_which_nobody_knows_the_supplier_are_refused_with_a_reason(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    story.shipped(A=1)
    assert story.returning("RR-1", A=1).reason == "order 1001: it is not known which supplier shipped 1 of A"


def test_a_return_opened_twice_by_one_run_gets_the_same_answer_though_settings_changed(story: Story) -> None:
    story.ordered(("A", 1, "100.00"), ("B", 1, "50.00"))
    story.bought("north", A=1)
    story.bought("south", B=1)
    story.shipped(A=1, B=1)
    first = story.returning("RR-1", A=1, B=1)
    story.parties.put_seller(seller(refund_sla_days=10))
    assert story.returning("RR-1", A=1, B=1) == first
    assert len(story.reading.find_returns()) == 2


def test_a_return_takes_the_settings_of_the_moment_in_which_it_opens(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    story.parties.put_seller(seller(refund_sla_days=10))
    assert story.returned("RR-1", A=1).seller.refund_sla_days == 10


def test_NTF_2_an_opened_return_knows_what_its_items_are_called(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    assert [line.title for line in story.returned("RR-1", A=1).lines] == ["Item A"]


def test_a_return_number_used_by_another_run_is_a_duplicate(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=1)
    again = story.open_return(story.return_request("RR-1", A=1), run="run-2")
    assert (again.opening, again.opened) == (Opening.DUPLICATE, None)
    assert again.reason == "return RR-1 exists already, by the same request"
    other = story.open_return(story.return_request("RR-1", A=2), run="run-2")
    assert (other.opening, other.opened) == (Opening.DUPLICATE, None)
    assert other.reason == "return RR-1 exists already; this request differs from it in lines.0.quantity"


def test_RET_11_what_is_not_said_any_more_is_gone(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=2)
    said = ReceptionRecord(
        line_id="A", sku="A", quantity=2, reception=Reception.SHORT, acceptance=Acceptance.MANUAL
    )
    story.return_reaches("RR-1", "awaiting_credit", receptions=(said,))
    story.return_reaches("RR-1", "awaiting_credit")
    (line,) = story.reading.return_view("RR-1").lines
    assert line.received is None


def test_RET_19_the_buyers_words_and_evidence_are_kept(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    photo = {
        "kind": "photo",
        "reference": "s3://claims/1.jpg",
        "sha256": "a" * 64,
        "media_type": "image/jpeg",
        "note": None,
    }
    line = {"sku": "A", "quantity": 1, "reason": "broken", "buyer_words": "It fell apart.", "evidence": [photo]}
    request = ReturnRequest.model_validate({"return_id": "RR-1", "order_id": "1001", "lines": [line]})
    story.open_return(request)
    (kept,) = story.reading.return_view("RR-1").lines
    assert (kept.reason, kept.buyer_words) == ("broken", "It fell apart.")
    assert [evidence.model_dump() for evidence in kept.evidence] == [photo]


def test_RET_11_reception_and_acceptance_are_two_facts_and_the_latest_word_counts(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=2)
    for reception, acceptance in ((Reception.SHORT, Acceptance.MANUAL), (Reception.RECEIVED, Acceptance.REJECTED)):
        said = ReceptionRecord(line_id="A", sku="A", quantity=2, reception=reception, acceptance=acceptance)
        story.return_reaches("RR-1", "awaiting_credit", receptions=(said,))
    (line,) = story.reading.return_view("RR-1").lines
    assert (line.received, line.reception, line.acceptance) == (2, Reception.RECEIVED, Acceptance.REJECTED)


def test_RET_12_a_credit_memo_is_counted_once_for_a_return_however_it_is_written(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    story.returned("RR-1", A=1)
    assert story.credited("CM-ab-77", "RR-1").state == "booked"
    assert story.credited("CM-ab-77", "RR-1").state == "booked", "the very same call again is a retry"
    assert story.credited("cm ab 77", "RR-1").state == "duplicate"
    assert story.credited("CM-ab-77", "RR-1", at=NOON + timedelta(minutes=5)).state == "duplicate"
    view = story.reading.return_view("RR-1")
    assert ([memo.number for memo in view.credit_memos], view.credited) == (["CM-ab-77"], Decimal("10.00"))


def test_RET_12_credit_memos_may_come_in_several(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    story.credited("CM-1", "RR-1", "3.10")
    story.credited("CM-2", "RR-1", "4.20")
    assert story.reading.return_view("RR-1").credited == Decimal("7.30")


def test_RET_12_a_credit_memo_for_an_unknown_return_is_an_error(story: Story) -> None:
    with pytest.raises(ApplicationError, match="no return RR-9"):
        story.credited("CM-1", "RR-9")


def test_RET_17_a_return_is_found_by_any_of_its_numbers(story: Story) -> None:
    story.delivered(("A", 2, "10.00"), channel="ebay", channel_order_id="E-77")
    request = story.return_request("RR-1", A=1).model_copy(
        update={"amazon_rma_id": "AMZ-5", "ebay_return_id": "EB-6"}
    )
    story.open_return(request)
    story.returned("RR-2", A=1)
    story.return_reaches(
        "RR-1",
        "in_transit",
        rma_number="RMA-4",
        return_address="Dock 4",
        broker_return_number="BR-RR-1",
        tracking_number="1Z9",
    )
    for number in ("RR-1", "RMA-4", "AMZ-5", "EB-6", "BR-RR-1", "1Z9"):
        assert [row.return_id for row in story.reading.find_return(number)] == ["RR-1"], number
    for number in ("1001", "E-77"):
        assert {row.return_id for row in story.reading.find_return(number)} == {"RR-1", "RR-2"}, number
    assert story.reading.find_return("nothing") == []


def test_the_next_number_of_a_return_is_the_first_free_one(story: Story) -> None:
    story.delivered(("A", 2, "10.00"))
    assert story.reading.next_return_id("1001") == "RR-1001-1"
    story.returned("RR-1001-1", A=1)
    assert story.reading.next_return_id("1001") == "RR-1001-2"


def test_ORD_16_a_return_of_all_asks_for_no_more_than_was_paid_where_rounding_lowered_it(story: Story) -> None:
    rounding = {"adjustments": [{"kind": "rounding", "amount": "-0.03"}]}
    paid = {"paid_by": "stripe", "reference": "pi_1", "amount": "9.95", "currency": "USD"}
    story.delivered(("A", 2, "3.99"), ("B", 1, "2.00"), payment=paid, **rounding)
    first = story.returned("RR-1", A=2)
    assert first.paid == Decimal("7.98"), "rounding belongs to no line"
    last = story.returned("RR-2", B=1)
    assert last.paid == Decimal("1.97")
    for number, back in enumerate((first, last), start=1):
        reserved = story.refunding(f"RF-{number}", f"{back.paid:f}", return_id=f"RR-{number}")
        assert (reserved.opening, reserved.reason) == (Opening.OPENED, None)
    assert story.left_for_buyer() == Decimal("0.00")


def test_ORD_16_what_shipping_covers_lowers_no_return(story: Story) -> None:
    rounding = {"adjustments": [{"kind": "rounding", "amount": "-0.03"}]}
    paid = {"paid_by": "stripe", "reference": "pi_1", "amount": "14.97", "currency": "USD"}
    story.delivered(("A", 1, "10.00"), shipping="5.00", payment=paid, **rounding)
    assert story.returned("RR-1", A=1).paid == Decimal("10.00")
