"""A special order waits for its stock, and is charged anew when it arrives (ORD-8)."""

from decimal import Decimal

import pytest

from models.case import Custody, MoneyState, SlaState, Who
from models.charges import ChargeConnection
from models.partners import ChargeState
from models.payments import PaidBy
from models.refunds import RefundState
from tests.plans.orders.no_connection import NO_CONNECTION
from tests.plans.orders.order_rig import Order, Stock, request
from tests.plans.orders.void_stages import LEFT_ONE, NOT_HERE, refused_after_capture, voided, waiting
from workflows.orders import rails
from workflows.orders.effects import Authorize, Place
from workflows.orders.view import facts_in_status, view

# ---- it waits ----


def test_ORD_8_a_special_order_waits_without_money_until_stock_arrives() -> None:
    order = waiting()
    order.passes(days=200)
    assert order.stage == "awaiting_stock"
    assert order.rig.plan.waits[0].who is Who.SUPPLIER
    assert order.rig.plan.waits[0].what == "have 2 x A in stock again"
    assert order.facts.captured == 0
    assert order.facts.charge is None
    assert "stop-shipping" not in order.begun, "it is not cancelled in the shop"
    assert rails.custody(order.facts) is Custody.NOT_BOUGHT
    assert rails.money(order.facts) is MoneyState.NONE
    assert facts_in_status(order.facts)["waiting_for_stock"] == {"A": 2}
    assert not any("limit to reach a supplier" in one for one in order.steps), "it breaks no promise (NTF-7)"
    assert order.mails.count("special_order to seller") == 1


def test_ORD_8_stock_arrives_and_the_seller_is_charged_anew() -> None:
    order = waiting()
    order.stock = [Stock("A")]
    assert order.happens("stock_arrived")
    assert order.stage == "awaiting_shipment"
    keys = [one for one in order.begun if one.split(":")[0] in ("charge", "void", "capture")]
    assert keys == ["charge:1", "void:1", "charge:2", "capture:2"]
    ids = [one.charge_id for one in order.facts.charges]
    assert len(set(ids)) == 2, "the second charge never goes under the key of the first"
    assert order.money == (Decimal("63.00"), Decimal(0))
    assert order.ships("s1", A=2)
    assert order.outcome == "shipped"


def test_ORD_8_a_refund_is_reversed_by_a_charge_of_the_same_amount() -> None:
    order = refused_after_capture()
    assert order.happens("stock_arrived")
    assert [(one.state, one.captured) for one in order.facts.charges] == [
        (ChargeState.CAPTURED, Decimal("63.00")),
        (ChargeState.CAPTURED, Decimal("63.00")),
    ]
    assert order.money == (Decimal("126.00"), Decimal("63.00"))
    assert order.facts.kept == order.facts.cost_due
    assert order.ships("s1", A=2)
    assert order.outcome == "shipped"


def test_ORD_8_a_refund_that_failed_is_not_charged_again() -> None:
    order = voided(stock=(NOT_HERE,))
    assert order.facts.refunds[0].state == "succeeded"
    order = Order(stock=(NOT_HERE,), choice_days=7)
    order.refund_states = [RefundState.FAILED]
    order.rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    order.stock = [Stock("A")]
    order.happens("stock_arrived")
    assert order.stage == "awaiting_shipment"
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    assert len(order.facts.charges) == 1, "what the broker still has pays for it"


@pytest.mark.parametrize("state", ["in doubt", "not yet"])
def test_ORD_8_REF_11_nothing_is_charged_while_nobody_knows_whether_the_refund_was_made(state: str) -> None:
    order = Order(stock=(NOT_HERE,), choice_days=7)
    order.refund_states = [state]
    order.rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    order.stock = [Stock("A")]
    order.happens("stock_arrived")
    assert order.stage == "awaiting_payment"
    assert order.rig.plan.waits[0].who is Who.STAFF
    assert "charge:2" not in order.begun
    order.refund_states = [RefundState.SUCCEEDED]
    order.passes(days=4)
    assert "charge:2" in order.begun
    assert order.money == (Decimal("126.00"), Decimal("63.00"))


@pytest.mark.parametrize("told_by", ["broker:stock", "supplier:dock", "staff:sam", "script:feed"])
def test_ORD_8_who_knows_the_stock_says_that_it_arrived(told_by: str) -> None:
    order = waiting()
    assert order.happens("stock_arrived", actor=told_by)


def test_ORD_8_RET_16_the_seller_does_not_say_that_stock_arrived() -> None:
    assert not waiting().happens("stock_arrived", actor="seller:jane")
    assert not voided().happens("choice_after_void", choice="cancel", actor="supplier:dock")


def test_ORD_8_RET_16_stock_that_arrives_before_the_choice_is_kept() -> None:
    order = voided()
    order.stock = [Stock("A")]
    assert order.happens("stock_arrived")
    assert order.stage == "awaiting_choice"
    order.happens("choice_after_void", choice="special_order")
    assert order.stage == "awaiting_shipment"


def test_ORD_8_stock_that_arrives_before_the_choice_is_kept_line_by_line() -> None:
    order = Order(request({"sku": "A"}, {"sku": "B"}), stock=(), choice_days=7).rest().passes(minutes=31)
    assert order.happens("stock_arrived", lines=[{"sku": "A", "quantity": 1}])
    assert order.happens("stock_arrived", lines=[{"sku": "A", "quantity": 1}])
    assert not order.happens("stock_arrived", lines=[{"sku": "A", "quantity": 1}]), (
        "both of A are said to be there"
    )
    order.stock = [Stock("A"), Stock("B")]
    order.happens("choice_after_void", choice="special_order")
    assert order.stage == "awaiting_shipment"
    assert order.facts.waiting == {"B": 2}, "nobody said that B is there"
    assert order.facts.captured == Decimal("63.00")


def test_ORD_8_stock_of_one_line_waits_while_the_seller_has_not_chosen_for_the_other() -> None:
    order = Order(request({"sku": "A"}, {"sku": "B"}), stock=(), choice_days=7).rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order", lines=[{"sku": "A", "quantity": 2}])
    assert order.happens("stock_arrived", lines=[{"sku": "B", "quantity": 2}])
    assert (order.stage, order.facts.waiting) == ("awaiting_stock", {"A": 2})
    order.stock = [Stock("A"), Stock("B")]
    order.happens("choice_after_void", choice="special_order")
    assert order.facts.captured == Decimal("63.00"), "B is bought, A waits on"
    assert order.facts.waiting == {"A": 2}


def test_ORD_8_stock_arrives_once_for_what_waits() -> None:
    order = waiting()
    order.held = {Authorize}
    assert order.happens("stock_arrived")
    assert not order.happens("stock_arrived"), "nothing waits any more"
    assert not Order().placed().happens("stock_arrived")
    assert not waiting().happens("stock_arrived", lines=[{"sku": "A", "quantity": 3}])


def test_ORD_8_it_is_looked_for_stock_by_itself() -> None:
    order = waiting(stock_look_days=2)
    order.passes(days=3)
    order.stock = [Stock("A")]
    order.passes(hours=20)
    assert order.stage == "awaiting_stock", "it is looked every two days"
    order.passes(days=1)
    assert order.stage == "awaiting_shipment"
    assert "in stock again: 2 x A" in order.steps


def test_ORD_8_a_warehouse_that_refused_is_not_found_again_by_itself() -> None:
    order = waiting(stock=(NOT_HERE,))
    order.passes(days=30)
    assert order.stage == "awaiting_stock"
    assert "charge:2" not in order.begun, "else its card would be charged and refunded every day"


def test_ORD_8_some_arrives_and_the_rest_waits_on() -> None:
    order = waiting()
    order.stock = [Stock("A", quantity=1)]
    assert order.happens("stock_arrived", **LEFT_ONE)
    assert order.stage == "awaiting_shipment"
    assert order.facts.captured == Decimal("31.50")
    assert order.facts.waiting == {"A": 1}
    assert order.ships("s1", A=1)
    assert order.stage == "awaiting_stock"
    order.stock = [Stock("A")]
    assert order.happens("stock_arrived")
    assert order.facts.captured == Decimal("63.00")
    assert order.ships("s2", A=1)
    assert order.outcome == "shipped"


def test_ORD_8_what_is_not_in_stock_after_all_goes_back_and_waits_again() -> None:
    order = waiting()
    assert order.happens("stock_arrived")
    assert order.stage == "awaiting_stock"
    assert "not in stock after all: 2 x A; waits on" in order.steps
    assert [one.state for one in order.facts.charges] == [ChargeState.VOIDED, ChargeState.VOIDED]
    assert len(order.facts.cessations) == 1, "it was voided once"
    order.stock = [NOT_HERE]
    assert order.happens("stock_arrived")
    assert order.stage == "awaiting_stock"
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    assert order.mails.count("special_order to seller") == 3
    order.stock = [Stock("A")]
    assert order.happens("stock_arrived"), "the warehouse says that it has it now"
    assert order.stage == "awaiting_shipment"
    assert order.facts.kept == Decimal("63.00")


def test_ORD_8_the_rest_of_the_order_ships_first() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7).rest().passes(minutes=31)
    assert order.stage == "awaiting_shipment"
    assert order.happens("choice_after_void", choice="special_order")
    assert order.stage == "awaiting_shipment"
    order.stock = [Stock("A"), Stock("B")]
    assert order.happens("stock_arrived")
    assert "charge:2" not in order.begun
    assert order.ships("s1", B=2)
    assert order.stage == "awaiting_shipment"
    assert order.facts.captured == Decimal("126.00")
    assert order.ships("s2", A=2)
    assert order.outcome == "shipped"


def test_ORD_4_ORD_8_what_is_bought_first_keeps_its_promise_though_other_units_wait() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7)
    order.held = {Place}
    order.rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    assert view(order.facts, order.rig.plan).sla_state is SlaState.ON_TIME
    order.passes(minutes=31)
    assert "staff_alert to staff" in order.mails
    assert view(order.facts, order.rig.plan).sla_state is SlaState.BREACHED


def test_ORD_8_what_shipped_in_part_waits_for_the_choice_before_it_ends() -> None:
    lines = ({"sku": "A"}, {"sku": "B"})
    order = Order(request(*lines), stock=(Stock("B"),), choice_days=7).rest().passes(minutes=31)
    assert order.ships("s1", B=2)
    assert order.stage == "awaiting_choice"
    assert order.happens("choice_after_void", choice="cancel")
    assert order.outcome == "shipped"
    assert not order.facts.cancels, "what shipped is not cancelled"


# ---- the new charge ----


def test_ORD_8_ORD_3_a_new_charge_that_is_declined_waits_for_a_method() -> None:
    order = waiting()
    order.stock, order.good_methods = [Stock("A")], {"pm_2"}
    order.happens("stock_arrived")
    assert order.stage == "awaiting_payment"
    assert order.rig.plan.waits[0].who is Who.SELLER
    assert order.mails[-1] == "payment_needed to seller"
    assert not order.was_sent
    order.happens("payment_method_updated", payment_method="pm_2")
    assert order.stage == "awaiting_shipment"
    assert order.facts.kept == Decimal("63.00")


def test_ORD_8_ORD_3_a_declined_second_charge_is_not_taken_for_the_first_one() -> None:
    order = refused_after_capture()
    order.good_methods = set()
    order.happens("stock_arrived")
    assert order.stage == "awaiting_payment"
    assert any("charge declined" in one for one in order.steps)
    assert order.money == (Decimal("63.00"), Decimal("63.00"))


def test_ORD_8_the_new_charge_goes_by_the_connection_of_the_order() -> None:
    order = waiting()
    order.stock = [Stock("A")]
    order.connections = [ChargeConnection(connection_id="broker-paypal", provider=PaidBy.PAYPAL)]
    order.troubled = {Authorize: NO_CONNECTION}
    order.happens("stock_arrived")
    assert order.rig.plan.waits[0].who is Who.STAFF, "the connection is not active any more"
    order.rest()
    assert order.stage == "awaiting_shipment"
    assert {one.connection_id for one in order.facts.charges} == {"broker-stripe"}


def test_ORD_8_a_lost_answer_of_the_new_charge_is_asked_for_under_its_own_key() -> None:
    order = waiting()
    order.stock, order.held = [Stock("A")], {Authorize}
    order.happens("stock_arrived")
    order.rig.restart()
    order.held = set()
    order.rest().passes(minutes=1)
    assert order.stage == "awaiting_shipment"
    assert [one for one in order.begun if one.startswith("charge:")] == ["charge:1", "charge:2"]


def test_ORD_8_an_authorization_that_grew_too_old_is_made_again() -> None:
    order = waiting()
    order.stock, order.authorizations_age = [Stock("A")], True
    order.happens("stock_arrived")
    assert order.stage == "awaiting_shipment"
    assert order.facts.kept == Decimal("63.00")


def test_ORD_8_REF_14_a_new_charge_that_is_too_small_is_given_up_by_itself() -> None:
    cheap = request({"unit_cost": "0.10"})
    order = Order(cheap, stock=(), choice_days=7).rest().passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    order.stock = [Stock("A")]
    order.happens("stock_arrived")
    assert order.stage == "awaiting_shipment"
    assert not order.facts.charges
