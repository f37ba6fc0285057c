"""Orders in the database."""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from models.cancellations import Fault
from models.failures import InvalidInput
from models.orders import OrderRequest
from models.records import Cessation, LineQuantities, Opening, SaveCase, SaveOrder
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
    again = story.ordered(("A", 9, "99.00"), run="run-2", tax="1.00")
    assert (again.opening, again.seller, again.shares) == (Opening.DUPLICATE, None, ())
    assert again.reason == (
        "order 1001 exists already; this request differs from it in lines.0.quantity, lines.0.unit_price, "
        "lines.0.unit_cost, payment.amount, tax"
    ), "fields, and nothing of what stands in them"
    assert story.reading.order_view("1001").listed.paid == Decimal("10.00")


def test_an_order_that_is_sent_again_by_another_run_is_a_duplicate_of_the_same_request(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    assert story.ordered(("A", 1, "10.00"), run="run-2").reason == (
        "order 1001 exists already, by the same request"
    )


def test_ORD_16_what_a_discount_of_the_order_is_more_than_its_goods_lowers_shipping(story: Story) -> None:
    (share,) = story.ordered(("A", 1, "10.00"), shipping="10.00", discount="15.00").shares
    assert (share.paid_goods, share.paid_shipping) == (Decimal("0.00"), Decimal("5.00"))


def test_a_section_that_is_not_given_stays_as_it_is(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    before = story.reading.order_view("1001")
    record = case_record("order-1001", "shipped", ended=True)
    story.database.save_order(
        SaveOrder(
            order_id="1001",
            record=record,
            cancel_until=before.cancel_until,
            handoff_due=before.handoff_due,
            handed_off_at=NOON,
        )
    )
    after = story.reading.order_view("1001")
    assert after.handed_off_at == NOON
    for section in ("lines", "charges", "supplier_orders", "shipments", "cessations"):
        assert getattr(after, section) == getattr(before, section), section


def test_ORD_19_what_a_section_says_anew_replaces_what_it_said(story: Story) -> None:
    story.ordered(("A", 2, "50.00"))
    story.charged("60.00")
    story.bought("north", A=2)
    told = story.told["1001"]
    assert told.supplier_orders is not None
    refused = told.supplier_orders[0].model_copy(update={"state": "refused", "reason": "sold out"})
    story.database.save_order(told.model_copy(update={"supplier_orders": (refused,), "charges": None}))
    view = story.reading.order_view("1001")
    assert [(one.state, one.reason, one.items) for one in view.supplier_orders] == [
        ("refused", "sold out", {"A": 2})
    ]
    assert [charge.captured for charge in view.charges] == [Decimal("60.00")]


def test_a_parcel_whose_tracking_number_is_corrected_keeps_its_units(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    told = story.told["1001"]
    assert told.shipments is not None
    corrected = told.shipments[0].model_copy(update={"tracking_number": "1Z999"})
    story.database.save_order(told.model_copy(update={"shipments": (corrected,)}))
    (parcel,) = story.reading.order_view("1001").shipments
    assert (parcel.tracking_number, parcel.items) == ("1Z999", {"A": 2})


def test_a_number_that_belongs_to_another_order_is_not_taken_over(story: Story) -> None:
    story.delivered(("A", 1, "50.00"))
    charges = story.told["1001"].charges
    story.ordered(("A", 1, "50.00"), order_id="1002")
    with pytest.raises(ApplicationError, match="belongs to another order_id") as refused:
        story.database.save_order(story.told["1002"].model_copy(update={"charges": charges}))
    assert (refused.value.type, refused.value.non_retryable) == ("Conflict", True)
    assert [one.charge_id for one in story.reading.order_view("1001").charges] == ["CH-1001-1"]


def test_a_line_that_the_order_does_not_have_can_not_be_saved(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    lines = (LineQuantities(line_id="B", sku="B", quantity=1, shipped=1),)
    with pytest.raises(ApplicationError, match="order 1001 has no line B") as refused:
        story.database.save_order(story.told["1001"].model_copy(update={"lines": lines}))
    assert (refused.value.type, refused.value.non_retryable) == ("NotFound", True)


def test_ORD_11_more_units_than_were_ordered_are_a_fault_of_ours_which_the_database_stops(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    with pytest.raises(ApplicationError, match="the database refuses this") as refused:
        story.shipped(A=2)
    assert (refused.value.type, refused.value.non_retryable) == ("Internal", False)


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.10", "USD"), ("999999999999.99", "USD"), ("12345678901.123", "KWD")]
)
def test_amounts_are_kept_digit_for_digit(story: Story, amount: str, currency: str) -> None:
    story.ordered(("A", 1, "10.00"))
    story.charged(amount, currency=currency)
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
    for order_id, hours, of in (("1", 3, "acme"), ("2", 1, "acme"), ("3", 2, "zeta")):
        story.ordered(("A", 1, "10.00"), order_id=order_id, seller_id=of)
        story.reaches("placing", "received", due_by=NOON + timedelta(hours=hours), seller_id=of)
    story.ordered(("A", 1, "10.00"), order_id="4")
    story.reaches("shipped", "done", due_by=NOON, ended=True)
    reading = story.reading
    assert [row.order_id for row in reading.find_orders()] == ["2", "3", "1", "4"]
    assert [row.order_id for row in reading.find_orders(stage="placing", seller="acme")] == ["2", "1"]
    assert [row.order_id for row in reading.find_orders(due_before=NOON + timedelta(hours=3))] == ["2", "3"]
    assert [row.order_id for row in reading.find_orders(limit=1)] == ["2"]


@pytest.mark.parametrize(
    "filters", [{}, {"stage": "placing"}, {"seller": "acme"}, {"due_before": NOON + timedelta(hours=2)}]
)
def test_NTF_3_a_list_goes_on_page_by_page(story: Story, filters: dict[str, Any]) -> None:
    for number in range(7):
        story.ordered(("A", 1, "10.00"), order_id=str(number), received_at=NOON + timedelta(minutes=number))
        due = None if number in (2, 5) else NOON + timedelta(hours=number // 3)
        story.reaches("placing", "received", due_by=due, ended=number == 4)
    whole = [row.order_id for row in story.reading.find_orders(**filters)]
    pages: list[str] = []
    after = None
    while page := story.reading.find_orders(**filters, limit=2, after=after):
        pages += [row.order_id for row in page]
        assert page[-1].standing is not None
        after = page[-1].standing.cursor
    assert pages == whole
    if not filters:
        assert whole == ["1", "0", "3", "6", "5", "2", "4"]


def test_NTF_3_an_order_is_listed_from_its_opening_on(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    (listed,) = story.reading.find_orders(stage="received", seller="acme")
    assert listed.order_id == "1001"


def test_NTF_3_a_page_behind_nothing_that_was_listed_is_refused(story: Story) -> None:
    for after in ("1001", "", "9" * 37, "x" * 60):
        with pytest.raises(InvalidInput, match="must be the cursor of a case"):
            story.reading.find_orders(after=after)


def test_times_come_back_in_utc_whatever_zone_they_were_given_in(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    zone = timezone(timedelta(hours=-8))
    story.reaches("placing", due_by=NOON.astimezone(zone))
    standing = story.reading.standing("order-1001")
    assert standing is not None
    assert standing.due_by is not None
    assert (standing.due_by, standing.due_by.utcoffset()) == (NOON, timedelta(0))


def test_a_time_at_the_end_of_all_times_is_kept_as_the_last_one(story: Story) -> None:
    story.ordered(("A", 1, "10.00"))
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-5)))
    story.reaches("placing", due_by=last)
    standing = story.reading.standing("order-1001")
    assert standing is not None
    assert standing.due_by is not None
    assert standing.due_by.year == 9999


def test_a_record_of_no_case_is_refused_for_good(story: Story) -> None:
    with pytest.raises(ApplicationError, match="not the workflow id of an order") as refused:
        story.database.save_case(SaveCase(record=case_record("elsewhere", "received")))
    assert (refused.value.type, refused.value.non_retryable) == ("InvalidInput", True)


def test_an_order_that_was_never_opened_can_not_be_saved(story: Story) -> None:
    story.ordered(("A", 1, "10.00"), seller_id="nobody")
    with pytest.raises(ApplicationError, match="no order 1001") as refused:
        story.charged("10.00")
    assert (refused.value.type, refused.value.non_retryable) == ("NotFound", True)


def test_a_refused_case_keeps_its_timeline_beside_that_of_the_next_try(story: Story) -> None:
    story.database.save_case(
        SaveCase(record=case_record("order-1001", "refused", "no seller acme", run_id="run-0"))
    )
    story.ordered(("A", 1, "10.00"))
    story.reaches("cancel_window", "received")
    assert [step.what for step in story.reading.timeline("order-1001")] == ["no seller acme", "received"]
    standing = story.reading.standing("order-1001")
    assert standing is not None
    assert standing.stage == "cancel_window"


def test_the_stored_request_reads_back_as_it_was_sent(story: Story) -> None:
    request: OrderRequest = order_request(("A", 2, "19.99"), channel_order_id="E-77", channel="ebay")
    story.ordered(("A", 2, "19.99"), channel_order_id="E-77", channel="ebay")
    assert story.reading.order_view("1001").request == request
