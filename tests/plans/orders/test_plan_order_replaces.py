"""An order that replaces the goods of a return tells it how it stands (RET-24, ORD-15)."""

from decimal import Decimal
from typing import Any

import pytest

from models.failures import InvalidInput
from models.orders import OrderRequest
from models.records import OpenedOrder, Opening
from models.replacements import GIVEN_UP, ReplacementNews
from tests.plans.orders.order_rig import ADDRESS, Order, Stock, request
from workflows.orders.effects import TellReturn

FREE: dict[str, Any] = {"unit_price": "0.00", "unit_cost": "31.50"}


def replacement(**fields: Any) -> OrderRequest:
    given: dict[str, Any] = {"order_id": "RP.RR-1", "replaces": "RR-1", "payment": None, "currency": "USD"}
    return request({"sku": "A", "quantity": 2, **FREE}, **{**given, **fields})


def told(order: Order) -> list[ReplacementNews]:
    return [one.news for one in order.rig.begun if isinstance(one, TellReturn) and one.return_id == "RR-1"]


def units(news: ReplacementNews) -> tuple[int, int, int]:
    (line,) = news.lines
    return line.shipped, line.cancelled, line.voided


def test_RET_24_ORD_15_it_is_bought_and_shipped_as_any_other_and_its_return_hears_of_it() -> None:
    order = Order(replacement()).placed()
    assert order.money == (Decimal("63.00"), Decimal("0")), "the broker's charge is made as always (ORD-3)"
    assert [(units(one), one.with_supplier) for one in told(order)] == [((0, 0, 0), True)]
    order.ships("p1", A=1)
    order.ships("p2", A=1)
    assert (order.outcome, [units(one)[0] for one in told(order)][-2:]) == ("shipped", [2, 2])
    last = told(order)[-1]
    assert (last.outcome, [box.tracking_number for box in last.parcels]) == ("shipped", ["1Zp1", "1Zp2"])


def test_RET_24_it_says_that_nobody_has_it() -> None:
    order = Order(replacement(), stock=()).rest().passes(hours=2)
    assert order.outcome == "voided"
    last = told(order)[-1]
    assert (units(last), last.outcome, last.reason) == ((0, 0, 2), "voided", "no warehouse has it")


def test_RET_24_it_says_that_it_was_refused() -> None:
    order = Order(replacement())
    order.opening = OpenedOrder(opening=Opening.REFUSED, reason="no seller acme")
    order.rest()
    (last,) = told(order)
    assert (order.outcome, last.outcome, last.reason) == ("refused", "refused", "no seller acme")


def test_RET_24_it_says_that_staff_stopped_it() -> None:
    order = Order(replacement()).in_its_window().stops().rest()
    last = told(order)[-1]
    assert (last.outcome, units(last), last.with_supplier) == ("stopped", (0, 2, 0), False)


@pytest.mark.parametrize("in_time", [True, False])
def test_RET_24_given_up_by_its_return_it_is_cancelled_or_says_that_it_is_too_late(in_time: bool) -> None:
    order = Order(replacement())
    if in_time:
        order.in_its_window()
    else:
        order.placed()
    order.happens("cancel_request", event_id=GIVEN_UP, actor="seller:jo", reason="return RR-1 was withdrawn")
    last = told(order)[-1]
    assert (last.cancel_refused, units(last)[1]) == (not in_time, 2 if in_time else 0)


def test_RET_24_CAN_5_ebay_knows_no_replacement_so_it_asks_for_no_reference() -> None:
    order = Order(replacement(channel="ebay")).in_its_window()
    assert order.happens("cancel_request", event_id=GIVEN_UP, actor="seller:jo", reason="withdrawn")


def test_RET_24_a_return_that_has_ended_holds_nothing_up() -> None:
    order = Order(replacement())
    order.return_exists = True
    order.placed().ships("p1", A=2)
    assert order.outcome == "shipped"


def test_ORD_15_nobody_tries_to_refund_a_buyer_who_paid_nothing() -> None:
    order = Order(replacement(), auto_refund_buyer=True).in_its_window()
    order.happens("cancel_request", reason="withdrawn")
    assert (order.outcome, [one for one in order.begun if one.startswith("refund:")]) == ("cancelled", [])


def test_RET_24_an_order_of_somebody_else_tells_no_return() -> None:
    order = Order(stock=(Stock("A"),)).placed()
    order.ships("p1", A=2)
    assert (order.outcome, told(order)) == ("shipped", [])


def test_RET_24_no_other_order_has_the_id_of_a_replacement() -> None:
    said = {
        "order_id": "RP.RR-1",
        "seller_id": "acme",
        "buyer": {"email": "robin@buyer.example", "address": ADDRESS},
        "lines": [{"sku": "A", "title": "A", "quantity": 1, "unit_price": "0.00", "unit_cost": "5.00"}],
        "currency": "USD",
    }
    with pytest.raises(InvalidInput, match="kept for replacements"):
        OrderRequest.at_the_door(said)
    with pytest.raises(InvalidInput, match="the replacement of RR-9"):
        OrderRequest.at_the_door(said | {"replaces": "RR-9"})
    with pytest.raises(InvalidInput, match="costs the buyer nothing"):
        replacement(
            payment={"paid_by": "stripe", "reference": "pi", "amount": "7.00", "currency": "USD"}, shipping="7.00"
        )
    assert OrderRequest.at_the_door(said | {"replaces": "RR-1"}).only_started_by == "return-RR-1"
