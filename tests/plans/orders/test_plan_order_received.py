"""An order is written down, released, and charged to the seller (ORD-1..3, ORD-10, ORD-12), by facts alone."""

from datetime import timedelta
from decimal import Decimal

import pytest

from models.failures import Category
from models.partners import ChargeAnswer, ChargeState
from models.records import OpenedOrder, Opening
from tests.plans.orders.order_rig import NOON, Order, Stock, request
from tests.plans.rig import Troubled
from workflows.engine.save import record_of
from workflows.orders.effects import Authorize, Capture, SearchStock, WriteDown
from workflows.orders.view import projection, view

# ---- ORD-1: written down ----


def test_ORD_1_an_order_is_written_down_before_anything_is_asked() -> None:
    order = Order()
    order.rig.settle()
    assert order.begun == ["open"]
    assert order.stage == "received"


@pytest.mark.parametrize("opening", [Opening.REFUSED, Opening.DUPLICATE, Opening.CONFLICT])
def test_ORD_17_the_seller_is_told_of_an_order_that_is_not_taken_and_it_is_not_kept(opening: Opening) -> None:
    order = Order()
    order.opening = OpenedOrder(opening=opening, reason="as the database says")
    order.rest()
    assert (order.outcome, order.facts.closing_message) == ("refused", "as the database says")
    assert (order.begun, order.mails) == (["open"], ["order_refused to seller"])
    assert not view(order.facts, order.rig.plan).is_kept
    assert (
        projection(order.facts, record_of(order.facts, order.rig.plan, view(order.facts, order.rig.plan), ""))
        is None
    )


def test_ORD_1_while_the_database_does_not_take_it_people_see_the_case_itself() -> None:
    order = Order()
    order.troubled[WriteDown] = Troubled("Internal: no such column", Category.INTERNAL, alert=True)
    order.held.add(WriteDown)
    order.rest()
    order.held.clear()
    seen = view(order.facts, order.rig.plan)
    kept = projection(order.facts, record_of(order.facts, order.rig.plan, seen, "received"))
    assert seen.is_kept
    assert kept is not None
    assert kept[0].name == "save_case"
    assert order.mails == ["staff_alert to staff"]
    order.rest()
    kept = projection(order.facts, record_of(order.facts, order.rig.plan, seen, "received"))
    assert kept is not None
    assert kept[0].name == "save_order"


# ---- ORD-2, ORD-10: released ----


def test_ORD_2_an_order_goes_to_the_broker_by_itself_when_the_seller_wants_so() -> None:
    order = Order().in_its_window()
    assert order.facts.released_at == NOON
    assert order.facts.cancel_until == NOON + timedelta(minutes=30)
    assert order.facts.handoff_due == NOON + timedelta(minutes=60)


def test_ORD_2_else_it_waits_for_the_click_and_nothing_moves_before() -> None:
    order = Order(auto_release=False).rest().passes(days=3)
    assert (order.stage, order.begun) == ("awaiting_release", ["open"])
    assert order.mail("release")["why"] == "you release each order"
    assert order.happens("release")
    assert order.stage == "cancel_window"
    assert order.facts.cancel_until == NOON + timedelta(days=3, minutes=30)


def test_ORD_2_a_second_click_is_refused_and_changes_nothing() -> None:
    order = Order(auto_release=False).rest()
    order.happens("release")
    until = order.facts.cancel_until
    order.passes(minutes=5)
    assert not order.happens("release")
    assert order.facts.cancel_until == until


def test_ORD_2_a_click_that_comes_before_it_is_written_down_counts() -> None:
    order = Order(auto_release=False)
    order.rig.settle()
    order.happens("release")
    assert order.stage == "cancel_window"


@pytest.mark.parametrize("country", ["CA", "DE"])
def test_ORD_10_an_order_to_another_country_waits_for_a_click(country: str) -> None:
    order = Order(request(country=country)).rest()
    assert order.stage == "awaiting_release"
    assert order.mail("release")["why"] == f"it ships to {country}"


def test_ORD_10_the_countries_of_automatic_fulfilment_are_the_sellers_setting() -> None:
    order = Order(request(country="CA"), automatic_countries=("US", "CA")).rest()
    assert order.stage == "cancel_window"
    assert Order(automatic_countries=("CA",)).rest().stage == "awaiting_release"


# ---- ORD-3: charged ----


def test_ORD_3_the_charge_is_parts_and_estimated_shipping_and_tax() -> None:
    order = Order(request(estimated_shipping="5.00", cost_tax="4.00")).in_its_window()
    (charge,) = order.facts.charges
    assert (charge.charge_id, charge.amount, charge.state) == ("CH-1001-1", Decimal("72.00"), "authorized")
    assert charge.captured == 0


def test_ORD_3_without_a_method_on_file_it_waits_and_goes_on_when_one_arrives() -> None:
    order = Order(payment_method=None).rest().passes(hours=5)
    assert (order.stage, order.begun) == ("awaiting_payment", ["open", "late-handoff"])
    assert order.mail("payment-0")["reason"] == "there is no payment method on file"
    order.happens("payment_method_updated", payment_method="pm_2")
    assert order.stage == "awaiting_shipment"


def test_ORD_3_after_a_decline_it_goes_on_with_the_new_method_and_each_decline_asks_again() -> None:
    order = Order(payment_method="pm_bad").rest()
    assert order.stage == "awaiting_payment"
    order.happens("payment_method_updated", payment_method="pm_worse")
    assert order.stage == "awaiting_payment"
    order.happens("payment_method_updated", payment_method="pm_2")
    assert order.stage == "cancel_window"
    assert [one.charge_id for one in order.facts.charges] == ["CH-1001-1", "CH-1001-2", "CH-1001-3"]
    assert [order.mail(f"payment-{n}")["reason"] for n in (1, 2)] == ["insufficient_funds"] * 2


def test_ORD_3_the_same_token_again_is_tried_again() -> None:
    order = Order(payment_method="pm_bad").rest()
    order.good_methods.add("pm_bad")
    order.happens("payment_method_updated", payment_method="pm_bad")
    assert order.stage == "cancel_window"


def test_ORD_3_a_method_that_comes_while_the_gateway_is_asked_is_tried_after_a_decline() -> None:
    order = Order(payment_method="pm_bad")
    order.held.add(Authorize)
    order.rest()
    order.says("payment_method_updated", payment_method="pm_2")
    order.held.clear()
    order.rest()
    assert order.stage == "cancel_window"
    assert [one.state for one in order.facts.charges] == ["declined", "authorized"]


def test_ORD_3_an_authorization_that_is_gone_is_made_anew_without_asking_the_seller() -> None:
    order = Order().in_its_window()
    order.authorizations_age = True
    order.placed()
    assert [(one.state, one.captured) for one in order.facts.charges] == [
        ("expired", Decimal(0)),
        ("captured", Decimal("63.00")),
    ]
    assert "payment_needed to seller" not in order.mails


def test_ORD_3_a_charge_declined_when_it_is_collected_waits_before_anything_is_sent() -> None:
    order = Order().in_its_window()
    order.capture_says = ChargeAnswer(charge_id="CH-1001-1", state=ChargeState.DECLINED, reason="card_declined")
    order.passes(minutes=31)
    assert (order.stage, order.was_sent) == ("awaiting_payment", False)
    order.happens("payment_method_updated", payment_method="pm_2")
    assert (order.stage, order.was_sent) == ("awaiting_shipment", True)


def test_ORD_3_a_capture_with_a_number_of_its_own_is_what_is_given_back() -> None:
    """PayPal refunds captures, not authorizations; at others the number stays."""
    order = Order().in_its_window()
    order.capture_says = ChargeAnswer(
        charge_id="CH-1001-1", state=ChargeState.CAPTURED, gateway_reference="CAPTURE1", captured=Decimal("63.00")
    )
    order.passes(minutes=31)
    assert [one.gateway_reference for one in order.facts.charges] == ["CAPTURE1"]
    assert [one.gateway_reference for one in Order().placed().facts.charges] == ["pi_1"]


def test_ORD_3_nothing_is_sent_before_the_money_is_taken() -> None:
    order = Order().in_its_window()
    order.held.add(Capture)
    order.passes(minutes=31)
    assert (order.stage, order.was_sent) == ("placing", False)


def test_ORD_3_in_a_currency_without_cents_the_whole_amount_is_charged() -> None:
    line = {"unit_price": "5000", "unit_cost": "3150", "quantity": 1}
    payment = {"paid_by": "stripe", "reference": "pi_b", "amount": "5000", "currency": "JPY"}
    order = Order(request(line, payment=payment)).placed()
    assert order.money == (Decimal(3150), Decimal(0))


def test_ORD_3_an_order_that_costs_the_seller_nothing_is_not_charged() -> None:
    order = Order(request({"unit_cost": "0"})).placed()
    assert order.facts.charges == ()


def test_ORD_3_an_authorization_of_an_order_that_turns_out_to_cost_nothing_is_released() -> None:
    order = Order(request({}, {"sku": "FREE", "unit_cost": "0"}), stock=(Stock("FREE"),)).placed()
    assert [one.state for one in order.facts.charges] == ["voided"]
    assert order.facts.lines.open == {"FREE": 2}


def test_ORD_3_a_capture_that_finds_no_charge_is_no_money() -> None:
    order = Order().in_its_window()
    order.capture_says = ChargeAnswer(charge_id="CH-1001-1", state=ChargeState.NONE)
    order.passes(minutes=31)
    assert order.stage == "awaiting_payment"
    assert not order.facts.captured


def test_ORD_12_a_core_charge_is_part_of_the_price_and_charged_to_nobody_again() -> None:
    order = Order(request({"core_charge": "12.00"})).placed()
    assert order.money == (Decimal("63.00"), Decimal(0))


# ---- the whole happy way ----


def test_ORD_4_a_happy_order_asks_for_nothing_more_than_it_must() -> None:
    order = Order().placed()
    order.ships("s1", A=2)
    assert order.begun == [
        "open",
        "charge:1",
        "sourcing:1",
        "capture:1",
        "purchase:1001-1",
        "shipment:s1",
    ]
    assert order.mails == ["order_shipped to seller"]
    assert (order.outcome, order.rig.is_over) == ("shipped", True)
    assert not [one for one in order.rig.begun if isinstance(one, SearchStock) and one.second_source]
