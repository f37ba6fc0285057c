"""Which connection an order's calls name, and stock that is not known (ORD-3, ORD-4, ORD-5, ORD-6)."""

from typing import Any

from models.charges import ChargeConnection
from models.partners import AuthorizeCharge, CaptureCharge, PlaceSupplierOrder, VoidCharge
from models.payments import PaidBy
from models.records import OpenedOrder, Opening
from models.worklists import Work
from tests.plans.orders.no_connection import NO_CONNECTION
from tests.plans.orders.order_rig import BY_STRIPE, Order, Stock, request
from workflows.engine.case import Effect
from workflows.engine.worklists import work_of
from workflows.orders.charges import records_of
from workflows.orders.effects import Authorize, Capture, Place, SearchStock, VoidAuthorization
from workflows.orders.partner_calls import call_of
from workflows.orders.view import view

NEWER = ChargeConnection(connection_id="broker-paypal", provider=PaidBy.PAYPAL)
LAMP: dict[str, Any] = {"sku": "LAMP", "quantity": 3, "unit_price": "20.00", "unit_cost": "10.33"}


def asked(order: Order, kind: type[Effect]) -> Any:
    """What was asked of the partner by the last effect of this kind."""
    effect = [one for one in order.rig.begun if isinstance(one, kind)][-1]
    return call_of(order.facts, effect, "run-1")[1]


def charged_by(connection_id: str) -> Order:
    """An order that the broker charges by this connection."""
    order = Order()
    by = ChargeConnection(connection_id=connection_id, provider=PaidBy.STRIPE)
    order.opening = OpenedOrder(opening=Opening.OPENED, charge_connection=by)
    return order


def opened_without_one() -> Order:
    """An order that was opened before the broker had a connection."""
    order = Order()
    order.opening = OpenedOrder(opening=Opening.OPENED)
    order.connections = []
    return order


# ---- the charge ----


def test_ORD_3_a_charge_is_made_captured_and_kept_by_the_connection_of_its_order() -> None:
    order = charged_by("broker-old").in_its_window()
    authorize = asked(order, Authorize)
    assert isinstance(authorize, AuthorizeCharge)
    assert authorize.connection_id == "broker-old"
    order.passes(minutes=31)
    capture = asked(order, Capture)
    assert isinstance(capture, CaptureCharge)
    assert capture.connection_id == "broker-old"
    assert [one.connection_id for one in records_of(order.facts.charges)] == ["broker-old"]


def test_CAN_1_a_charge_is_voided_by_the_connection_that_made_it() -> None:
    order = charged_by("broker-old").in_its_window()
    order.says("cancel_request", reason="buyer changed his mind")
    order.rest()
    void = asked(order, VoidAuthorization)
    assert isinstance(void, VoidCharge)
    assert void.connection_id == "broker-old"


def test_ORD_3_an_authorization_that_is_not_answered_is_voided_by_the_connection_that_was_asked() -> None:
    order = charged_by("broker-old")
    order.held.add(Authorize)
    order.rest()
    assert [one.connection_id for one in order.facts.charges] == ["broker-old"]
    void = VoidAuthorization(key="void:1", charge_id="CH-1001-1")
    message = call_of(order.facts, void, "run-1")[1]
    assert isinstance(message, VoidCharge)
    assert message.connection_id == "broker-old"


# ---- no connection when the order was opened ----


def test_NTF_9_without_a_connection_the_order_waits_for_staff_who_are_told_at_once_how_to_mend_it() -> None:
    order = opened_without_one().rest()
    (wait,) = order.rig.plan.waits
    assert (order.stage, wait.who) == ("received", "staff")
    assert "the broker has no active payments connection" in wait.what
    (told,) = [mail for mail in order.rig.mails() if mail.template == "staff_alert"]
    assert (told.facts["who_acts"], told.topic) == ("staff", NO_CONNECTION.topic)
    assert Work.PARTNER_IN_TROUBLE in work_of(order.facts, view(order.facts, order.rig.plan), order.rig.plan.waits)
    assert Work.FAULTS_OF_OURS not in work_of(order.facts, view(order.facts, order.rig.plan), order.rig.plan.waits)
    order.connections = [BY_STRIPE]
    order.in_its_window()


def test_CAN_1_an_order_that_waits_for_a_connection_can_be_cancelled_after_its_window() -> None:
    order = opened_without_one().rest().passes(hours=3)
    assert order.happens("cancel_request")
    assert order.outcome == "cancelled"


def test_ORD_3_an_order_that_waits_for_a_connection_can_be_stopped() -> None:
    order = opened_without_one().rest()
    order.stops().rest()
    assert order.outcome == "stopped"


def test_REF_6_the_connection_is_kept_before_the_first_call_and_a_newer_one_is_never_asked() -> None:
    order = opened_without_one().rest()
    order.connections = [BY_STRIPE]
    order.held.add(Authorize)
    order.rest()
    assert order.facts.charge_connection == BY_STRIPE
    assert asked(order, Authorize).connection_id == BY_STRIPE.connection_id
    order.connections = [NEWER, BY_STRIPE]
    order.rig.restart()
    order.rest()
    assert asked(order, Authorize).connection_id == BY_STRIPE.connection_id, "its answer was lost"
    order.held.clear()
    order.rest().passes(minutes=31)
    assert asked(order, Capture).connection_id == BY_STRIPE.connection_id
    assert [key for key in order.begun if key == "charge-connection"] == ["charge-connection"]


def test_REF_6_a_second_charge_of_the_order_goes_the_same_way() -> None:
    order = Order(payment_method="pm_empty").rest()
    order.connections = [NEWER, BY_STRIPE]
    assert order.happens("payment_method_updated", payment_method="pm_2")
    assert {one.connection_id for one in order.facts.charges} == {BY_STRIPE.connection_id}
    assert len(order.facts.charges) == 2


# ---- orders to suppliers ----


def test_ORD_5_an_order_goes_through_the_connection_that_offered_it() -> None:
    order = Order()
    order.through = {"sup-reno/reno": "reno-api"}
    order.in_its_window().passes(minutes=31)
    placed = asked(order, Place)
    assert isinstance(placed, PlaceSupplierOrder)
    assert placed.order.connection_id == "reno-api"


# ---- stock that is not known ----


def searches(order: Order) -> list[bool]:
    """Each search so far: whether it asked the whole network."""
    return [one.second_source for one in order.rig.begun if isinstance(one, SearchStock)]


def test_ORD_5_an_order_that_finds_all_elsewhere_goes_on_and_says_whose_stock_is_not_known() -> None:
    order = Order()
    order.not_known = {"omaha-api": "the supplier did not answer in time"}
    order.in_its_window().passes(minutes=31)
    assert order.was_sent
    assert "stock of omaha-api is not known (the supplier did not answer in time)" in order.steps


def test_ORD_6_what_is_missing_while_a_supplier_is_silent_is_looked_for_again_before_anything_dearer() -> None:
    order = Order(request({}, LAMP), stock=(Stock("A"), Stock("LAMP", second_source=True)))
    order.not_known = {"omaha-api": "the supplier did not answer in time"}
    order.in_its_window().passes(minutes=31)
    assert searches(order) == [False]
    assert order.stage == "placing"
    order.passes(minutes=5)
    assert searches(order) == [False, False]
    order.not_known = {}
    order.stock.append(Stock("LAMP", warehouse="omaha"))
    order.passes(minutes=5)
    assert searches(order) == [False, False, False]
    assert [one.order.second_source for one in order.facts.purchases] == [False, False]
    said = [step for step in order.steps if "not known" in step]
    assert len(said) == 1, "once while it stays so"


def test_ORD_4_stock_that_stays_unknown_counts_as_none_when_the_order_must_be_with_a_supplier() -> None:
    order = Order(stock=(Stock("A", second_source=True),))
    order.not_known = {"omaha-api": "the supplier did not answer in time"}
    order.in_its_window().passes(minutes=31)
    order.passes(minutes=28)
    assert True not in searches(order)
    order.passes(minutes=2)
    assert searches(order)[-1] is True
    assert [one.order.second_source for one in order.facts.purchases] == [True]


def test_ORD_7_nothing_is_voided_while_a_second_source_may_be_silent() -> None:
    order = Order(stock=())
    order.in_its_window()
    order.not_known = {"omaha-api": "the supplier did not answer in time"}
    order.passes(minutes=31)
    assert order.outcome is None
    order.passes(minutes=30)
    assert order.outcome == "voided"


def test_CAN_1_an_order_that_waits_for_stock_can_still_be_stopped() -> None:
    order = Order(stock=())
    order.not_known = {"omaha-api": "the supplier did not answer in time"}
    order.in_its_window().passes(minutes=31)
    order.stops().rest()
    assert order.outcome == "stopped"
