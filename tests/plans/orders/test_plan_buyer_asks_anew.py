"""A buyer asks again while what the seller answered is being carried out: it is held and answered anew (CAN-8)."""

from datetime import timedelta

from models.failures import Category
from tests.plans.orders.asking_buyers import DAY, amazon, asks, looks, on_hold, told
from tests.plans.orders.order_rig import NOON, Order
from tests.plans.rig import Troubled
from workflows.orders.effects import LookAtMarketplace, SearchStock, SplitOff

SECOND = "the other item too"


def declined_and_looked_at(order: Order | None = None) -> Order:
    """The seller declined, and Amazon is asked whether it has cancelled."""
    order = order or on_hold()
    order.held.add(LookAtMarketplace)
    assert order.happens("resume", actor="seller:jane", reason="it is packed")
    assert any(isinstance(one, LookAtMarketplace) for one in order.facts.in_flight.values())
    return order


def waits_for_its_answer(order: Order, asked_after: timedelta) -> bool:
    """The seller is asked by the second request, with two days of its own."""
    (waits,) = order.rig.plan.waits
    return (order.stage, waits.who, waits.due) == (
        "on_hold",
        "seller",
        NOON + asked_after + 2 * DAY,
    ) and SECOND in waits.what


def test_CAN_8_a_request_that_comes_while_the_first_is_declined_is_held_and_declined_anew() -> None:
    order = declined_and_looked_at()
    assert asks(order, SECOND)
    order.held.clear()
    order.rest()
    assert waits_for_its_answer(order, timedelta(minutes=31))
    assert told(order)[-1] == "buyer_wants_to_cancel to seller"
    order.passes(days=1)
    assert not order.was_sent
    assert order.happens("resume", actor="seller:jane", reason="it is packed, as I said")
    assert (order.was_sent, looks(order)[-1]) == (True, "declined")


def test_CAN_8_a_request_that_comes_while_the_first_is_declined_can_be_granted() -> None:
    order = declined_and_looked_at()
    asks(order, SECOND)
    order.held.clear()
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    assert (order.outcome, order.was_sent) == ("cancelled", False)


def test_CAN_8_a_request_after_a_decline_that_amazon_does_not_confirm_is_declined_anew() -> None:
    order = on_hold()
    order.troubled[LookAtMarketplace] = Troubled("400", Category.REFUSED_BY_PARTNER, alert=True)
    order.happens("resume", reason="it is packed")
    assert asks(order, SECOND)
    assert waits_for_its_answer(order, timedelta(minutes=31))
    assert order.happens("resume", reason="it is packed, as I said")
    assert order.was_sent


def test_CAN_7_a_hold_of_the_sellers_own_stays_however_often_the_buyer_is_declined() -> None:
    order = amazon().in_its_window()
    order.happens("hold", reason="fraud check")
    asks(order)
    order.passes(minutes=31)
    declined_and_looked_at(order)
    asks(order, SECOND)
    order.held.clear()
    order.rest()
    assert waits_for_its_answer(order, timedelta(minutes=31))
    order.happens("resume", reason="it is packed")
    assert (order.stage, order.was_sent, "fraud check" in order.rig.plan.waits[0].what) == ("on_hold", False, True)
    assert order.happens("resume", reason="it is no fraud")
    assert order.was_sent


def test_CAN_8_a_hold_of_the_sellers_own_while_the_first_is_declined_stays_when_the_second_is() -> None:
    order = declined_and_looked_at()
    order.happens("hold", reason="fraud check")
    asks(order, SECOND)
    order.held.clear()
    order.happens("resume", reason="it is packed")
    assert (order.stage, order.was_sent, "fraud check" in order.rig.plan.waits[0].what) == ("on_hold", False, True)


def test_CAN_8_a_request_that_comes_while_a_released_order_is_searched_for_is_held() -> None:
    order = on_hold()
    order.held.add(SearchStock)
    order.happens("resume", reason="it is packed")
    asks(order, SECOND)
    order.held.clear()
    order.rest()
    assert waits_for_its_answer(order, timedelta(minutes=31))
    assert order.happens("resume", reason="it is packed, as I said")
    assert order.was_sent


def test_CAN_8_a_request_that_comes_while_a_part_is_granted_is_answered_for_the_rest() -> None:
    order = on_hold()
    order.held.add(SplitOff)
    order.happens("cancel_request", actor="seller:jane", reason="granted", lines=[{"sku": "A", "quantity": 1}])
    asks(order, SECOND)
    order.held.clear()
    order.rest()
    assert (order.stage, order.facts.lines.open) == ("on_hold", {"A": 1})
    assert SECOND in order.rig.plan.waits[0].what
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    assert (order.outcome, order.was_sent) == ("cancelled", False)
