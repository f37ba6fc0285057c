"""What is cancelled of an item is taken off what its buyer asks to cancel (CAN-7, CAN-8, CAN-10)."""

from typing import Any

import pytest

from tests.plans.orders.asking_buyers import asks, told
from tests.plans.orders.order_rig import A_LINE, Order, Stock, request
from tests.plans.rig import NOT_YET, Given
from workflows.engine.case import Effect
from workflows.orders.cancellation import return_of
from workflows.orders.effects import LookAtMarketplace, SearchStock
from workflows.orders.facts import OrderFacts

ONE_OF_A = {"line_id": "A", "quantity": 1}
B = {"line_id": "B", "quantity": 1}
ITEM_X = {"line_id": "11111111111111", "sku": "A", "quantity": 1}
ITEM_Y = {"line_id": "22222222222222", "sku": "A", "quantity": 1}
"""Two items of one SKU there, which are one line here."""


def amazon(*stock: Stock) -> Order:
    """Two of A on one line, and one B."""
    lines = [A_LINE | {"line_id": "A", "quantity": 2}, A_LINE | {"line_id": "B", "sku": "B", "quantity": 1}]
    order = request(*lines, channel="amazon", channel_order_id="111-1234567-1234567")
    return Order(order, stock=stock or (Stock("A"), Stock("B")), choice_days=7)


def on_hold(*lines: dict[str, Any]) -> Order:
    order = amazon().in_its_window()
    asks(order, lines=list(lines))
    order.passes(minutes=31)
    assert order.stage == "on_hold"
    return order


def cancels(order: Order, *lines: dict[str, Any]) -> Order:
    assert order.happens("cancel_request", actor="seller:jane", reason="granted", lines=list(lines))
    return order


def asked_for(order: Order) -> str:
    """What the seller is asked to cancel; empty: nothing is waited for."""
    (waits,) = order.rig.plan.waits
    return waits.what.partition(" as the buyer asks")[0] if order.stage == "on_hold" else ""


def test_CAN_8_one_unit_of_a_line_that_is_cancelled_answers_the_wish_for_one() -> None:
    order = cancels(on_hold(ONE_OF_A), ONE_OF_A)
    assert (order.stage, order.facts.lines.open) == ("awaiting_shipment", {"A": 1, "B": 1})
    order.passes(days=3)
    assert [one for one in told(order) if one.startswith(("buyer_wants", "staff_alert"))] == [
        "buyer_wants_to_cancel to seller"
    ], "it is answered: nobody is reminded"


def test_CAN_8_what_is_left_of_the_wish_is_asked_for_and_reminded_of() -> None:
    order = cancels(on_hold(ONE_OF_A, B), ONE_OF_A)
    assert asked_for(order) == "cancel 1 x B"
    order.passes(days=1)
    (reminder,) = [one for one in order.rig.mails() if one.facts.get("reminder")]
    assert reminder.facts["line_options"] == '--line "line B:1"'
    assert cancels(order, B).was_sent


def test_CAN_8_a_cancel_of_what_the_buyer_does_not_name_answers_nothing() -> None:
    order = cancels(on_hold(B), ONE_OF_A)
    assert asked_for(order) == "cancel 1 x B"
    cancels(order, ONE_OF_A)
    assert (asked_for(order), order.facts.lines.open) == ("cancel 1 x B", {"B": 1})


def test_CAN_8_a_decline_after_a_part_was_granted_lets_the_rest_go_on() -> None:
    order = cancels(on_hold({"line_id": "A", "quantity": 2}), ONE_OF_A)
    assert asked_for(order) == "cancel 1 x A"
    order.happens("resume", actor="seller:jane", reason="the other one is packed")
    assert (order.was_sent, order.facts.lines.open) == (True, {"A": 1, "B": 1})


def test_CAN_7_a_wish_that_grows_after_a_part_was_granted_is_about_what_is_new_in_it() -> None:
    order = cancels(on_hold(ITEM_X, B), ONE_OF_A)
    asks(order, lines=[ITEM_X, ITEM_Y, B])
    assert asked_for(order) == "cancel", "A:1 and B:1 are all that is open"
    standing = cancels(on_hold(ITEM_X, B), ONE_OF_A)
    asks(standing, lines=[B, ITEM_X])
    assert asked_for(standing) == "cancel 1 x B"


def test_CAN_7_another_item_of_the_line_is_asked_for_though_one_was_granted() -> None:
    order = amazon().in_its_window()
    asks(order, lines=[ITEM_X])
    cancels(order, ONE_OF_A)
    asks(order, lines=[ITEM_Y])
    order.passes(minutes=31)
    assert asked_for(order) == "cancel 1 x A"


def test_CAN_2_a_late_wish_takes_back_what_is_new_in_it() -> None:
    order = cancels(on_hold(ITEM_X), ONE_OF_A)
    asks(order, lines=[ITEM_X, B])
    order.ships("S1", A=1, B=1)
    assert [(line.sku, line.quantity) for line in return_of(order.facts).lines] == [("B", 1)]


class SearchedLate(Order):
    """The whole network has not answered yet."""

    is_waited_for = True

    def answer(self, effect: Effect, facts: OrderFacts) -> Given:
        if isinstance(effect, SearchStock) and effect.second_source and self.is_waited_for:
            return NOT_YET
        return super().answer(effect, facts)


@pytest.mark.parametrize(
    ("available", "wish"), [(Stock("A"), B), (Stock("A", 1), ONE_OF_A)], ids=["the item", "one of two"]
)
def test_CAN_8_what_nobody_has_is_taken_off_the_wish(available: Stock, wish: dict[str, Any]) -> None:
    order = SearchedLate(amazon().request, stock=(available, Stock("B", 0 if wish is B else 1)), choice_days=7)
    order.in_its_window().passes(minutes=31)
    asks(order, lines=[wish])
    order.is_waited_for = False
    order.rest()
    assert (order.stage, order.was_sent) == ("awaiting_shipment", True)
    order.passes(days=3)
    assert "staff_alert to staff" not in told(order), "it is answered"


def voided_though_wished_for(order: SearchedLate, *wish: dict[str, Any]) -> SearchedLate:
    """The buyer's wish comes while the whole network is asked, which has nothing more."""
    order.in_its_window().passes(minutes=31)
    asks(order, lines=list(wish))
    order.is_waited_for = False
    order.rest()
    return order


def test_CAN_7_ORD_8_what_was_voided_and_is_open_again_can_be_wished_for_again() -> None:
    order = SearchedLate(amazon().request, stock=(Stock("A"),), choice_days=7)
    order.held.add(LookAtMarketplace)
    order = voided_though_wished_for(order, B)
    assert (order.stage, order.facts.lines.open) == ("on_hold", {"A": 2})
    assert order.happens("choice_after_void", choice="special_order")
    order.passes(minutes=1)
    assert asks(order, lines=[B])
    order.held.clear()
    order.rest()
    assert (asked_for(order), order.was_sent) == ("cancel 1 x B", False)
    assert told(order)[-1] == "buyer_wants_to_cancel to seller"
    assert cancels(order, B).was_sent


def test_CAN_7_ORD_8_a_wish_that_all_of_was_void_is_asked_for_when_it_is_open_again() -> None:
    order = voided_though_wished_for(SearchedLate(amazon().request, stock=(), choice_days=7), ONE_OF_A)
    assert order.stage == "awaiting_choice"
    assert order.happens("choice_after_void", choice="special_order")
    assert asked_for(order) == "cancel 1 x A"


def test_CAN_2_ORD_8_a_wish_for_what_is_open_again_comes_too_late_aloud() -> None:
    order = voided_though_wished_for(SearchedLate(amazon().request, stock=(Stock("A"),), choice_days=7), B)
    assert order.was_sent
    assert order.happens("choice_after_void", choice="special_order")
    asks(order, lines=[B])
    assert told(order)[-1] == "cancel_too_late to seller"


def test_CAN_7_ORD_8_what_is_open_again_belongs_to_a_wish_that_nobody_has_answered() -> None:
    order = voided_though_wished_for(
        SearchedLate(amazon().request, stock=(Stock("B"),), choice_days=7), ONE_OF_A, B
    )
    assert asked_for(order) == "cancel 1 x B"
    assert order.happens("choice_after_void", choice="special_order")
    assert asked_for(order) == "cancel 1 x A, 1 x B"
