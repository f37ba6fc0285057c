"""A charge that the gateway can't move: computed amounts are made movable, a small one is given up or collected
otherwise, and the order goes on or is really cancelled (REF-14)."""

from decimal import Decimal
from typing import Any

import pytest

from models.charges import ChargeConnection
from models.gateway_limits import movable
from models.partners import TOO_SMALL, ChargeAnswer, ChargeState
from models.payments import BY_GATEWAY, PaidBy
from models.records import OpenedOrder, Opening
from models.senders import Role
from models.worklists import Work
from tests.plans.orders.order_rig import Order, Stock, request
from workflows.engine.worklists import work_of
from workflows.orders.effects import Authorize
from workflows.orders.view import view


def order_of(
    cost: str, currency: str = "USD", by: PaidBy = PaidBy.STRIPE, *more: dict[str, Any], **settings: Any
) -> Order:
    """Two units at this cost, and more lines, which the broker charges by this gateway."""
    payment = {
        "paid_by": "stripe",
        "reference": "pi_b",
        "amount": f"{100 + 50 * len(more)}.000",
        "currency": currency,
    }
    order = Order(request({"quantity": 2, "unit_cost": cost}, *more, payment=payment), **settings)
    connection = ChargeConnection(connection_id=f"broker-{by}", provider=by)
    order.opening = OpenedOrder(opening=Opening.OPENED, charge_connection=connection)
    return order


def test_REF_14_a_charge_under_the_minimum_is_given_up_the_seller_is_told_and_the_order_goes_on() -> None:
    order = order_of("0.20").placed()
    assert not [key for key in order.begun if key.startswith(("charge:", "capture:"))]
    assert "small_charge to seller" in order.mails
    assert order.mail("small-charge") == {"amount": "0.40", "currency": "USD", "given_up": "yes"}
    assert any("it is given up" in step for step in order.steps)
    assert order.ships("s1", A=2)
    assert (order.outcome, order.money) == ("shipped", (Decimal(0), Decimal(0)))


def test_REF_14_a_cancel_of_such_an_order_is_really_cancelled() -> None:
    order = order_of("0.20").in_its_window()
    assert order.happens("cancel_request")
    assert (order.outcome, order.reply("e1")) == ("cancelled", (True, "cancelled: changed their mind"))
    assert not [key for key in order.begun if key.startswith(("charge:", "void:"))]


def test_REF_14_by_setting_it_waits_and_goes_on_when_the_broker_has_collected_it() -> None:
    order = order_of("0.20", small_charges="wait").rest()
    assert order.stage == "awaiting_payment"
    assert "collect 0.40 USD otherwise" in order.rig.plan.waits[0].what
    assert "given_up" not in order.mail("small-charge")
    assert not order.happens("resume", reason="paid in cash")
    assert "the broker says" in order.facts.rejected[-1].reason
    assert order.happens("resume", actor=f"{Role.BROKER}:office", reason="paid in cash")
    order.placed()
    assert any("0.40 USD collected otherwise: paid in cash" in step for step in order.steps)


def test_REF_14_NTF_6_staff_find_it_in_a_worklist_until_it_is_collected() -> None:
    order = order_of("0.20", small_charges="wait").rest()
    assert work(order) == (Work.STAFF_TO_ACT,)
    assert order.happens("resume", actor=f"{Role.BROKER}:office", reason="paid in cash")
    assert work(order) == ()
    assert work(order_of("0.20").rest()) == (), "given up: nobody need do anything"
    assert work(order_of("5.00").rest()) == ()


def work(order: Order) -> tuple[Work, ...]:
    return work_of(order.facts, view(order.facts, order.rig.plan), order.rig.plan.waits)


def test_REF_14_an_order_that_waits_so_is_cancelled_at_any_time() -> None:
    order = order_of("0.20", small_charges="wait").rest().passes(days=3)
    assert order.happens("cancel_request")
    assert order.outcome == "cancelled"


def test_REF_14_what_the_gateway_calls_too_small_is_not_charged_again() -> None:
    order = order_of("5.00", "PHP")
    order.authorization_says = ChargeAnswer(charge_id="CH-1001-1", state=ChargeState.DECLINED, reason=TOO_SMALL)
    order.placed()
    assert [key for key in order.begun if key.startswith("charge:")] == ["charge:1"]
    assert "small_charge to seller" in order.mails


def test_REF_14_a_small_rest_after_a_part_is_voided_is_not_captured() -> None:
    dear = {"line_id": "A", "sku": "A", "quantity": 1, "unit_cost": "30.00"}
    cheap = {"line_id": "B", "sku": "B", "quantity": 1, "unit_cost": "0.20"}
    order = Order(request(dear, cheap), stock=(Stock("B"),)).placed()
    assert [key for key in order.begun if key.startswith(("charge", "void", "capture"))] == ["charge:1", "void:1"]
    assert order.money == (Decimal(0), Decimal(0))


def test_REF_14_three_decimals_are_charged_and_given_back_in_steps_that_the_gateway_moves() -> None:
    order = order_of("5.253", "KWD").in_its_window()
    (effect,) = [one for one in order.rig.begun if isinstance(one, Authorize)]
    assert effect.amount == Decimal("10.500"), "of 10.506"
    order.placed()
    assert order.money[0] == Decimal("10.500")


@pytest.mark.parametrize(
    ("by", "cost", "currency", "charged"),
    [
        (PaidBy.STRIPE, "5.253", "KWD", "10.500"),
        (PaidBy.STRIPE, "100.25", "HUF", "200.50"),
        (PaidBy.PAYPAL, "100.25", "HUF", "200"),
        (PaidBy.PAYPAL, "100.75", "TWD", "201"),
        (PaidBy.AUTHORIZE_NET, "5.253", "KWD", "10.500"),
        (PaidBy.PAYPAL, "0.20", "USD", "0.40"),
        (PaidBy.AUTHORIZE_NET, "0.20", "USD", "0.40"),
    ],
)
def test_REF_14_the_limits_are_those_of_the_gateway_that_charges(
    by: PaidBy, cost: str, currency: str, charged: str
) -> None:
    order = order_of(cost, currency, by).placed()
    (effect,) = [one for one in order.rig.begun if isinstance(one, Authorize)]
    assert effect.amount == order.money[0] == Decimal(charged)
    assert movable(effect.amount, by, currency) == effect.amount


@pytest.mark.parametrize("by", BY_GATEWAY)
def test_REF_14_a_gateway_that_is_decided_late_has_its_limits_too(by: PaidBy) -> None:
    order = order_of("0.20")
    order.opening = OpenedOrder(opening=Opening.OPENED)
    order.connections = [ChargeConnection(connection_id=f"broker-{by}", provider=by)]
    order.placed()
    small = by is PaidBy.STRIPE
    assert order.money[0] == (Decimal(0) if small else Decimal("0.40"))
    assert ("small_charge to seller" in order.mails) is small


def test_REF_14_a_charge_and_what_goes_back_of_it_can_be_moved_by_the_gateway_that_has_no_decimals() -> None:
    order = order_of("175.25", "HUF", PaidBy.PAYPAL, LAMP).rest()
    (effect,) = [one for one in order.rig.begun if isinstance(one, Authorize)]
    assert effect.amount == Decimal("525.00"), "of 525.75"
    order.passes(minutes=31)
    assert order.money == (Decimal("350.00"), Decimal(0)), "of 350.50, when the lamp is not to be had"


def test_REF_14_what_goes_back_of_it_is_movable_too_and_asked_for_once() -> None:
    order = Order(
        request({"quantity": 2, "unit_cost": "5.253"}, payment=KUWAITI), stock=(Stock("A", refuses=True),)
    ).rest()
    order.passes(minutes=31)
    captured, back = order.money
    assert (captured, back) == (Decimal("10.500"), Decimal("10.500"))


@pytest.mark.parametrize("small", ["wait", "give_up"])
def test_REF_14_ORD_8_what_was_settled_otherwise_is_never_charged_when_a_special_order_is_bought(
    small: str,
) -> None:
    """A at 0.40 is sent, and given up or paid in cash; B waits for stock, is charged 63.00, and nothing of A's."""
    b = {"sku": "B", "line_id": "B", "quantity": 1, "unit_cost": "63.00"}
    order = order_of("0.20", "USD", PaidBy.STRIPE, b, stock=(Stock("A"),), choice_days=7, small_charges=small)
    order.rest().passes(minutes=31)
    if small == "wait":
        assert "collect 0.40 USD otherwise" in order.rig.plan.waits[0].what
        assert order.happens("resume", actor=f"{Role.BROKER}:office", reason="paid in cash")
    assert order.stage == "awaiting_shipment"
    order.happens("choice_after_void", choice="special_order")
    assert order.ships("s1", A=2)
    order.stock = [Stock("B")]
    assert order.happens("stock_arrived")
    assert order.stage == "awaiting_shipment", order.rig.plan.waits
    assert order.money == (Decimal("63.00"), Decimal(0))


@pytest.mark.parametrize("times", [1, 2])
def test_REF_14_ORD_8_what_was_collected_otherwise_for_units_that_came_to_nothing_pays_for_them_later(
    times: int,
) -> None:
    order = order_of("0.20", stock=(Stock("A", refuses=True),), small_charges="wait", choice_days=7).rest()
    assert order.happens("resume", actor=f"{Role.BROKER}:office", reason="paid in cash")
    order.passes(minutes=31)
    order.happens("choice_after_void", choice="special_order")
    for _ in range(times):
        order.stock = [Stock("A", refuses=times == 2)]
        assert order.happens("stock_arrived")
    assert order.stage == ("awaiting_shipment" if times == 1 else "awaiting_stock")
    assert order.mails.count("small_charge to seller") == 1
    assert order.money == (Decimal(0), Decimal(0))


LAMP = {"line_id": "LAMP", "sku": "LAMP", "quantity": 1, "unit_cost": "175.25"}
KUWAITI = {"paid_by": "stripe", "reference": "pi_b", "amount": "100.000", "currency": "KWD"}
