"""What the rows of an order in Amazon's order report become here (CAN-7, CAN-8)."""

from models.amazon.order_imports import is_news, is_request, news_of
from models.cancellations import CancelRequest, Fault
from models.contract import ORDER_KIND
from models.orders import Hold
from tests.connectors.amazon.order_reports import COLUMNS, WANTED, ordered

CANCELLED = {"order-status": "Cancelled"}
WITH_STATUS = (*COLUMNS, "order-status")


def hold_of(*rows: dict[str, str]) -> Hold:
    name, event = news_of(ordered(rows), 2)
    assert (name, type(event)) == ("hold", Hold)
    assert isinstance(event, Hold)
    ORDER_KIND.require_sender(name, event)
    return event


def test_CAN_7_a_buyers_wish_becomes_a_hold_with_its_reason_and_days() -> None:
    event = hold_of(WANTED)
    assert (event.reason, event.answer_days, event.actor) == ("Ordered by mistake", 2, "channel:amazon")
    assert hold_of(WANTED | {"buyer-requested-cancel-reason": ""}).reason == "no reason given"


def test_CAN_7_that_nobody_knows_and_that_nobody_asks_are_no_news() -> None:
    assert not is_news(ordered([{}, {"order-item-id": "2"}]))
    assert not is_news(ordered([WANTED], COLUMNS[:-2]))
    assert is_news(ordered([{}, {"order-item-id": "2"} | WANTED]))


def test_CAN_7_the_same_wish_is_one_event_in_every_report_and_another_items_is_another() -> None:
    both = ({"order-item-id": "2"} | WANTED, WANTED)
    assert hold_of(WANTED).event_id == hold_of(WANTED, {"order-item-id": "2"}).event_id
    assert hold_of(*both).event_id == hold_of(*both[::-1]).event_id != hold_of(WANTED).event_id
    assert hold_of(WANTED | {"order-id": "111-1234567-1234568"}).event_id != hold_of(WANTED).event_id


def test_CAN_7_the_reason_says_which_items_it_is_about_where_it_is_not_all() -> None:
    assert hold_of(WANTED, {"order-item-id": "2"}).reason == "Ordered by mistake (2 x BRK-100 only)"
    many = [WANTED | {"order-item-id": f"{number}", "sku": ""} for number in range(20, 28)]
    assert hold_of({}, *many).reason == "Ordered by mistake (20, 21, 22, 23, 24 and 3 more only)"
    long = hold_of(WANTED | {"buyer-requested-cancel-reason": "so " * 400})
    assert len(long.reason) <= 300


def test_CAN_8_what_amazon_has_cancelled_is_cancelled_and_amazon_is_not_told() -> None:
    name, event = news_of(ordered([WANTED | CANCELLED, {"order-item-id": "2"}], WITH_STATUS), 2)
    assert isinstance(event, CancelRequest)
    ORDER_KIND.require_sender(name, event)
    assert (name, event.cancelled_there, event.fault) == ("cancel_request", True, Fault.BUYER)
    assert event.reason == "cancelled at Amazon: Ordered by mistake"
    _, other = news_of(ordered([CANCELLED], WITH_STATUS), 2)
    assert isinstance(other, CancelRequest)
    assert other.fault is Fault.MARKETPLACE


def test_RET_20_a_wish_is_kept_for_an_order_that_is_not_known_and_a_cancellation_is_not() -> None:
    assert is_request(ordered([WANTED]))
    assert not is_request(ordered([WANTED | CANCELLED], WITH_STATUS))
    assert not is_request(ordered([{}]))


def test_CAN_7_the_items_that_the_buyer_wants_to_cancel_are_told_as_amazon_names_them() -> None:
    other = {"order-item-id": "2", "sku": "PAD-7", "quantity-purchased": "3"}
    (one,) = hold_of(WANTED, other).lines or ()
    assert (one.line_id, one.sku, one.quantity) == (ordered([WANTED])[0].order_item_id, "BRK-100", 2)
    twice = hold_of(WANTED, WANTED, WANTED | other).lines or ()
    assert [(line.sku, line.quantity) for line in twice] == [("BRK-100", 2), ("PAD-7", 3)]


def test_CAN_7_what_a_report_does_not_say_of_an_item_leaves_it_the_whole_order() -> None:
    assert hold_of(WANTED | {"quantity-purchased": ""}).lines is None
    assert hold_of(WANTED | {"order-item-id": "item / 2"}).lines is None


def test_CAN_7_one_item_of_several_that_a_report_does_not_name_well_is_part_of_the_order() -> None:
    other = {"order-item-id": "2", "sku": "PAD-7"}
    unsaid = hold_of(WANTED | {"quantity-purchased": ""}, other)
    assert (unsaid.lines, unsaid.is_part, "only" in unsaid.reason) == (None, True, True)
    assert not hold_of(WANTED, other).is_part
    assert not hold_of(WANTED | {"quantity-purchased": ""}).is_part, "all its items are wanted"
