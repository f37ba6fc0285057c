"""Orders in the books."""

from datetime import timedelta, timezone
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from models.orders import Fault, OrderRequest
from models.records import Cessation, Opening, SaveCase
from tests.database.story import NOON, Story, case_record, order_request, seller


def test_ORD_1_an_order_arrives_with_its_payment_and_its_total_is_shared_out(story: Story) -> None:
    answer = story.ordered(("A", 1, "100.00"), ("B", 1, "50.00"), discount="30.00", shipping="7.00", tax="9.99")
    assert answer.opening is Opening.OPENED
    assert sum(share.paid for share in answer.shares) == Decimal("136.99")
    view = story.reading.order_view("1001")
    assert (view.listed.paid, view.listed.currency) == (Decimal("136.99"), "USD")
    assert view.request == order_request(
        ("A", 1, "100.00"), ("B", 1, "50.00"), discount="30.00", shipping="7.00", tax="9.99"
    )


def test_ORD_1_an_order_of_an_unknown_seller_is_refused_and_can_be_sent_again(story: Story) -> None:
    refused = story.ordered(("A", 1, "10.00"), seller_id="nobody")
    assert refused.opening is Opening.REFUSED
    assert refused.reason == "no seller nobody: add it, then send again"
    story.parties.put_seller(seller(seller_id="nobody"))
    assert story.ordered(("A", 1, "10.00"), seller_id="nobody", run="run-2").opening is Opening.OPENED


def test_an_order_opened_twice_by_one_run_gets_the_same_answer_though_the_seller_changed(story: Story) -> None:
    first = story.ordered(("A", 3, "100.00"), tax="0.01")
    story.parties.put_seller(seller(cancel_window_minutes=5))
    assert story.ordered(("A", 3, "100.00"), tax="0.01") == first


def test_an_order_number_used_by_another_run_is_a_duplicate_and_changes_nothing(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    assert story.ordered(("A", 9, "99.00"), run="run-2").opening is Opening.DUPLICATE
    assert story.reading.order_view("1001").listed.paid == Decimal("10.00")


@pytest.mark.parametrize("amount", ["0.10", "999999999999.99", "12345678901.123456"])
def test_amounts_are_kept_digit_for_digit(story: Story, amount: str) -> None:
    story.ordered(("A", 1, "10.00"))
    story.charged(amount)
    assert [format(charge.captured, "f") for charge in story.reading.order_view("1001").charges] == [amount]


@pytest.mark.parametrize(("price", "currency"), [("1099", "JPY"), ("1.234", "KWD")])
def test_amounts_are_kept_in_the_digits_of_their_currency(story: Story, price: str, currency: str) -> None:
    story.ordered(("A", 1, price), currency=currency)
    assert story.reading.refunds_of("1001").buyer.left == Decimal(price)


def test_ORD_11_what_became_of_each_unit_is_kept(story: Story) -> None:
    story.ordered(("A", 5, "10.00"))
    number = story.bought("north", A=5)
    story.shipped(A=2)
    story.shipped(A=3)
    view = story.reading.order_view("1001")
    assert [(line.shipped, line.open) for line in view.lines] == [(5, 0)]
    assert [(parcel.tracking_number, parcel.items) for parcel in view.shipments] == [
        ("1Z1", {"A": 2}),
        ("1Z2", {"A": 3}),
    ]
    assert [(order.number, order.items) for order in view.supplier_orders] == [(number, {"A": 5})]


def test_CAN_12_why_and_by_whose_fault_an_order_ended_is_kept_with_its_evidence(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    voided = Cessation(
        kind="voided",
        at=NOON,
        reason="no source has it",
        fault=Fault.STOCK_FEED,
        by="backhaul",
        quantities={"A": 1},
        evidence={"in stock by the feed": "4", "in stock when asked": "0"},
    )
    story.ceased(voided)
    story.ceased(voided.model_copy(update={"reason": "something else"}))
    first, _ = story.reading.order_view("1001").cessations
    assert (first.reason, first.fault, first.evidence) == (voided.reason, voided.fault, voided.evidence)


def test_NTF_3_the_timeline_only_grows_and_steps_told_again_stay_as_they_were(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    story.reaches("cancel_window", "received", "charged")
    story.reaches("cancel_window", "something else", "charged", "sent to the supplier")
    assert [step.what for step in story.reading.order_view("1001").timeline] == [
        "received",
        "charged",
        "sent to the supplier",
    ]


def test_NTF_3_a_write_that_comes_late_does_not_turn_the_case_back(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    story.reaches("awaiting_shipment", "sent to the supplier", first=2)
    story.reaches("cancel_window", "received", "charged")
    standing = story.reading.order_view("1001").listed.standing
    assert standing is not None
    assert standing.stage == "awaiting_shipment"
    assert len(story.reading.timeline("order-1001")) == 3


def test_NTF_3_orders_are_found_by_stage_seller_and_due_date_the_most_urgent_first(story: Story) -> None:
    story.parties.put_seller(seller(seller_id="zeta"))
    for order_id, hours in (("1", 3), ("2", 1), ("3", 2)):
        story.ordered(("A", 1, "10.00"), order_id=order_id, seller_id="zeta" if order_id == "3" else "acme")
        story.reaches("placing", "received", due_by=NOON + timedelta(hours=hours))
    story.ordered(("A", 1, "10.00"), order_id="4")
    story.reaches("shipped", "done", due_by=NOON, ended=True)
    reading = story.reading
    assert [row.order_id for row in reading.find_orders()] == ["2", "3", "1", "4"]
    assert [row.order_id for row in reading.find_orders(stage="placing", seller="acme")] == ["2", "1"]
    assert [row.order_id for row in reading.find_orders(due_before=NOON + timedelta(hours=3))] == ["2", "3"]
    assert [row.order_id for row in reading.find_orders(limit=1)] == ["2"]


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    zone = timezone(timedelta(hours=-8))
    story.reaches("placing", due_by=NOON.astimezone(zone))
    standing = story.reading.standing("order-1001")
    assert standing is not None
    assert standing.due_by is not None
    assert (standing.due_by, standing.due_by.utcoffset()) == (NOON, timedelta(0))


def test_an_order_that_was_never_opened_can_not_be_saved(story: Story) -> None:
    story.ordered(("A", 1, "10.00"), seller_id="nobody")
    with pytest.raises(ApplicationError, match="no order 1001") as refused:
        story.charged("10.00")
    assert (refused.value.type, refused.value.non_retryable) == ("NotFound", True)


def test_a_refused_case_keeps_its_timeline_beside_that_of_the_next_try(story: Story) -> None:
    story.books.save_case(SaveCase(record=case_record("order-1001", "refused", "no seller acme", run_id="run-0")))
    story.ordered(("A", 1, "10.00"))
    story.reaches("cancel_window", "received")
    assert [step.what for step in story.reading.timeline("order-1001")] == ["no seller acme", "received"]
    standing = story.reading.standing("order-1001")
    assert standing is not None
    assert standing.stage == "cancel_window"


def test_the_request_in_the_books_reads_back_as_it_was_sent(story: Story) -> None:
    request: OrderRequest = order_request(("A", 2, "19.99"), channel_order_id="E-77", channel="ebay")
    story.ordered(("A", 2, "19.99"), channel_order_id="E-77", channel="ebay")
    assert story.reading.order_view("1001").request == request
