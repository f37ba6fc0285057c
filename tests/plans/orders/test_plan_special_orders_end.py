"""A special order is cancelled, split, stopped, held, continued (ORD-8)."""

from decimal import Decimal
from typing import Any

import pytest

from models.partners import ChargeState
from tests.plans.orders.order_rig import Order, Stock, request
from tests.plans.orders.void_stages import LEFT_ONE, NOT_HERE, refused_after_capture, voided, waiting
from workflows.orders.effects import Authorize, Capture, Place, SearchStock, VoidAuthorization
from workflows.refunds.attempts import MakeRefund

# ---- it is cancelled ----


@pytest.mark.parametrize("automatic", [True, False])
def test_ORD_8_CAN_1_it_can_be_cancelled_while_it_waits(automatic: bool) -> None:
    order = waiting(auto_refund_buyer=automatic).passes(days=40)
    assert order.happens("cancel_request")
    assert order.outcome == "cancelled"
    assert order.reply("e2") == (True, "cancelled: changed their mind")
    assert ("refund:RF-1001-OB1:1" in order.begun) is automatic
    assert order.facts.lines.counts[0].cancelled == 2
    assert "amount" not in order.mail("cancelled"), "nothing goes back: it is back already"


@pytest.mark.parametrize("at", [Authorize, SearchStock, Capture])
def test_ORD_8_CAN_4_it_can_be_cancelled_until_it_is_with_a_supplier(at: Any) -> None:
    order = waiting()
    order.stock, order.held = [Stock("A")], {at}
    order.happens("stock_arrived")
    assert order.happens("cancel_request")
    order.held = set()
    order.rest()
    assert order.outcome == "cancelled"
    assert not order.was_sent
    assert order.facts.kept == 0, "what was charged meanwhile goes back"


def test_ORD_8_CAN_2_once_it_is_with_a_supplier_it_is_too_late() -> None:
    order = waiting()
    order.stock, order.held = [Stock("A")], {Place}
    order.happens("stock_arrived")
    order.happens("cancel_request")
    said = order.reply("e3")
    assert said is not None
    assert not said[0]
    order.held = set()
    order.rest()
    assert order.stage == "awaiting_shipment"


def test_ORD_8_CAN_4_refused_before_it_may_still_be_cancelled() -> None:
    order = refused_after_capture()
    assert order.was_sent
    assert order.happens("cancel_request")
    assert order.outcome == "cancelled"
    assert order.money == (Decimal("63.00"), Decimal("63.00")), "it goes back once"


def test_ORD_8_CAN_10_part_of_a_special_order_is_split_off_and_cancelled() -> None:
    order = waiting()
    assert order.happens("cancel_request", **LEFT_ONE)
    assert [one.order_id for one in order.split_off] == ["SP.1001.1"]
    assert order.stage == "awaiting_stock"
    assert order.facts.waiting == {"A": 1}
    order.stock = [Stock("A")]
    order.happens("stock_arrived")
    assert order.facts.captured == Decimal("31.50")
    assert order.ships("s1", A=1)
    assert order.outcome == "shipped"


def test_ORD_8_CAN_10_what_waits_can_be_cancelled_though_the_rest_is_with_a_supplier() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7).rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    assert order.happens("cancel_request", lines=[{"sku": "A", "quantity": 2}])
    assert order.facts.waiting == {}
    assert not order.happens("cancel_request", lines=[{"sku": "A", "quantity": 1}])
    assert order.ships("s1", B=2)
    assert order.outcome == "shipped"


def test_ORD_8_CAN_2_who_cancels_all_of_it_is_told_what_still_waits() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7).rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    order.happens("cancel_request")
    said = order.reply("e2")
    assert said is not None
    assert said[0] is False
    assert said[1].endswith("2 x A still wait for stock: name them to cancel them (ORD-8)")
    order.happens("cancel_request", lines=[{"sku": "A", "quantity": 2}])
    assert order.facts.waiting == {}


def test_ORD_8_CAN_10_stock_that_arrived_for_units_that_are_cancelled_begins_nothing() -> None:
    """Both are said to be there while the rest ships first; then they are cancelled, and others wait."""
    lines = ({"sku": "A"}, {"sku": "B"}, {"sku": "C"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7).rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    assert order.happens("stock_arrived", lines=[{"sku": "A", "quantity": 2}])
    assert order.happens("cancel_request", lines=[{"sku": "A", "quantity": 2}])
    assert order.ships("s1", B=2)
    assert order.stage == "awaiting_stock"
    assert order.facts.special is not None
    assert (order.facts.special.round, order.facts.special.arrived) == (0, {})


def test_ORD_8_CAN_10_a_split_keeps_the_orders_that_suppliers_have_answered() -> None:
    order = refused_after_capture()
    assert order.happens("cancel_request", **LEFT_ONE)
    assert [one.state for one in order.facts.purchases] == ["refused"]


def test_ORD_8_what_shipped_stays_when_the_rest_is_cancelled() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7, auto_refund_buyer=True)
    order.rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    order.ships("s1", B=2)
    assert order.stage == "awaiting_stock"
    assert order.happens("cancel_request")
    assert order.outcome == "shipped"
    assert "refund:RF-1001-OB1:1" not in order.begun, "the buyer has some of it"
    assert "stop-shipping" not in order.begun


@pytest.mark.parametrize("stage", ["awaiting_choice", "awaiting_stock", "placing"])
def test_ORD_8_staff_can_stop_it(stage: str) -> None:
    order = voided() if stage == "awaiting_choice" else waiting()
    if stage == "placing":
        order.stock, order.held = [Stock("A")], {SearchStock}
        order.happens("stock_arrived")
    order.stops()
    order.held = set()
    order.rest()
    assert order.outcome == "stopped"
    assert order.facts.kept == 0
    assert all(one.state is ChargeState.VOIDED for one in order.facts.charges)


def test_ORD_8_nothing_can_be_chosen_once_staff_have_stopped_it() -> None:
    order = voided()
    order.held = {MakeRefund, VoidAuthorization}
    order.stops()
    assert not order.happens("choice_after_void", choice="special_order")
    assert "staff have stopped the order" in order.facts.rejected[-1].reason


# ---- beside ----


def test_ORD_8_ORD_18_the_address_can_be_corrected_while_it_waits() -> None:
    order = waiting()
    address = {"name": "Robin", "line1": "2 Oak St", "city": "Reno", "postal_code": "89501", "country": "US"}
    order.happens("address_changed", address=address)
    assert order.facts.ship_to.line1 == "2 Oak St"


def test_ORD_8_a_hold_stops_it_before_it_is_charged() -> None:
    order = waiting()
    assert order.happens("hold", reason="the buyer moves")
    assert order.stage == "on_hold"
    order.stock = [Stock("A")]
    assert order.happens("stock_arrived")
    assert "charge:2" not in order.begun
    assert order.happens("resume", reason="moved")
    assert order.stage == "awaiting_shipment"


def test_ORD_8_a_shipment_that_comes_early_is_kept_for_its_turn() -> None:
    order = waiting()
    assert order.ships("s1", A=2)
    assert order.stage == "awaiting_stock"
    order.stock = [Stock("A")]
    order.happens("stock_arrived")
    assert order.outcome == "shipped"


@pytest.mark.parametrize("at", ["awaiting_choice", "awaiting_stock", "charging"])
def test_ORD_8_it_goes_on_with_its_facts_when_it_continues_as_new(at: str) -> None:
    order = voided() if at == "awaiting_choice" else waiting()
    if at == "charging":
        order.stock, order.held = [Stock("A")], {Authorize}
        order.happens("stock_arrived")
    order.rig.restart()
    order.held, order.stock = set(), [Stock("A")]
    if at == "awaiting_choice":
        order.happens("choice_after_void", choice="special_order")
    if at != "charging":
        order.happens("stock_arrived")
    order.rest().passes(minutes=1)
    assert order.stage == "awaiting_shipment"
    assert order.ships("s1", A=2)
    assert order.outcome == "shipped"


def test_ORD_8_ORD_7_what_was_charged_anew_and_came_to_nothing_goes_back_too() -> None:
    order = refused_after_capture()
    order.stock = [NOT_HERE]
    assert order.happens("stock_arrived")
    assert [one.amount for one in order.facts.seller_refunds] == [Decimal("63.00")] * 2
    assert order.money == (Decimal("126.00"), Decimal("126.00"))
