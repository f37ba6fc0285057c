"""Part of an order is cancelled: it is split off first, and each unit is cancelled or sent (CAN-10, CAN-4)."""

from decimal import Decimal
from typing import Any

import pytest

from models.orders import OrderRequest
from tests.plans.orders.order_rig import MINUTE, NOON, Order, Stock, request
from workflows.orders.cancellation import return_of
from workflows.orders.effects import (
    Authorize,
    Capture,
    LookUpArrival,
    Place,
    SearchStock,
    SplitOff,
    StopShipping,
    WriteDown,
)

CLOSES = NOON + 30 * MINUTE
ONE_A = [{"sku": "A", "quantity": 1}]
STOCK = (Stock("A"), Stock("B"))


def two_lines() -> OrderRequest:
    """Two of A at 50.00 and one of B at 20.00; the seller is charged 31.50 and 10.00 for one."""
    return request({}, {"sku": "B", "quantity": 1, "unit_price": "20.00", "unit_cost": "10.00"})


def sold(**settings: Any) -> Order:
    return Order(two_lines(), stock=STOCK, **settings)


def split_in_its_window(**settings: Any) -> Order:
    order = sold(**settings).in_its_window()
    order.happens("cancel_request", lines=ONE_A)
    return order


def placed_units(order: Order) -> dict[str, int]:
    found: dict[str, int] = {}
    for purchase in order.facts.purchases:
        for line in purchase.order.lines:
            found[line.sku] = found.get(line.sku, 0) + line.quantity
    return found


# ---- in time ----


def test_CAN_10_what_is_cancelled_moves_to_an_order_of_its_own_and_the_rest_goes_on() -> None:
    order = split_in_its_window()
    assert order.reply("e1") == (True, "1 x A cancelled as order SP.1001.1: changed their mind")
    assert (order.stage, order.facts.lines.open) == ("cancel_window", {"A": 1, "B": 1})
    order.passes(minutes=31)
    assert placed_units(order) == {"A": 1, "B": 1}
    order.ships("S1", A=1, B=1)
    assert order.outcome == "shipped"
    assert order.money == (Decimal("41.50"), Decimal(0)), "captured for what is bought; the rest is released"


def test_CAN_10_the_order_that_was_split_off_is_cancelled_at_once_and_charges_nobody() -> None:
    other = Order(split_in_its_window().split_off[0]).rest()
    assert other.facts.order_id == "SP.1001.1"
    assert other.outcome == "cancelled"
    assert other.facts.released_at is None, "it never goes to the broker (ORD-2)"
    assert other.begun == ["open"], "no charge, nothing is bought, and the shop knows no such order"
    assert other.mails == ["order_cancelled to seller"]
    (one,) = other.facts.cessations
    assert (one.reason, one.by, one.quantities) == ("changed their mind", "buyer:robin", {"A": 1})
    assert one.evidence["requested at"] == NOON.isoformat()


def test_CAN_6_the_buyer_of_the_part_is_refunded_by_itself_where_the_seller_wants_so() -> None:
    made = split_in_its_window().split_off[0]
    other = Order(made, auto_refund_buyer=True).rest()
    assert other.begun == ["open", "refund:RF-SP.1001.1-OB1:1"]
    assert other.facts.refunds[0].amount == made.paid == Decimal("50.00")


def test_ORD_6_what_is_left_is_looked_for_in_stock_first_though_what_was_cancelled_was_not_there() -> None:
    """B is in no stock; before the network is asked for it, it turns out that it was cancelled in time."""
    order = Order(two_lines(), stock=(Stock("A"), Stock("A", warehouse="far", second_source=True)))
    order.in_its_window().held = {SearchStock, LookUpArrival}
    order.passes(minutes=31)
    order.arrivals["e1"] = CLOSES - MINUTE
    order.says("cancel_request", lines=[{"sku": "B", "quantity": 1}])
    order.held = {LookUpArrival}
    order.rest()
    order.held = set()
    order.rest()
    assert [one.second_source for one in order.rig.begun if isinstance(one, SearchStock)] == [False, False]
    assert placed_units(order) == {"A": 2}
    assert order.stage == "awaiting_shipment"


def test_CAN_10_several_parts_one_after_the_other() -> None:
    order = split_in_its_window()
    order.happens("cancel_request", lines=[{"sku": "B", "quantity": 1}])
    assert [one.order_id for one in order.split_off] == ["SP.1001.1", "SP.1001.2"]
    assert sum((one.paid for one in order.split_off), Decimal(0)) == Decimal("70.00")
    assert order.facts.lines.open == {"A": 1}


def test_CAN_10_all_that_is_left_is_cancelled_as_any_order() -> None:
    order = split_in_its_window()
    order.happens("cancel_request", lines=[{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}])
    assert (order.outcome, len(order.split_off)) == ("cancelled", 1)
    assert [one.state for one in order.facts.charges] == ["voided"]
    (one,) = order.facts.cessations
    assert one.quantities == {"A": 1, "B": 1}


def test_CAN_10_more_than_is_open_is_refused() -> None:
    order = split_in_its_window()
    assert not order.happens("cancel_request", lines=[{"sku": "A", "quantity": 2}])
    assert "2 of A can't be cancelled: 1 are open" in order.facts.rejected[-1].reason
    assert order.facts.lines.open == {"A": 1, "B": 1}


def test_CAN_10_a_request_before_the_order_is_written_down_is_split_when_it_is() -> None:
    order = sold()
    order.held.add(WriteDown)
    order.rest()
    order.says("cancel_request", lines=ONE_A)
    assert order.reply("e1") is None
    order.held.clear()
    order.rest()
    assert order.reply("e1") == (True, "1 x A cancelled as order SP.1001.1: changed their mind")
    assert order.begun[:3] == ["open", "charge:1", "split:1"]


def test_CAN_10_a_declined_charge_is_made_anew_for_what_is_left() -> None:
    order = sold(payment_method="pm_bad").rest()
    order.happens("cancel_request", lines=ONE_A)
    order.happens("payment_method_updated", payment_method="pm_2")
    assert order.facts.charges[-1].amount == Decimal("41.50")


# ---- while it moves ----


def splitting(**settings: Any) -> Order:
    order = sold(**settings).in_its_window()
    order.held.add(SplitOff)
    order.says("cancel_request", lines=ONE_A)
    return order


def test_CAN_4_nothing_is_bought_while_units_move() -> None:
    order = splitting().passes(hours=2)
    assert not order.was_sent
    assert order.begun.count("split:1") == 1
    order.held.clear()
    order.rest()
    assert placed_units(order) == {"A": 1, "B": 1}


def test_CAN_4_what_the_database_does_not_split_stays_and_is_sent() -> None:
    order = splitting()
    order.split_refused = "50.00 USD went back already"
    order.held.clear()
    order.rest()
    assert order.reply("e1") == (False, "not cancelled: 50.00 USD went back already")
    assert order.facts.rejected[-1].reason == "50.00 USD went back already"
    assert order.facts.rejected_count == 0, "its sender did nothing wrong"
    order.passes(minutes=31)
    assert placed_units(order) == {"A": 2, "B": 1}
    assert order.money == (Decimal("73.00"), Decimal(0))


@pytest.mark.parametrize("refused", [None, "no"])
def test_CAN_10_the_whole_order_is_cancelled_after_the_part_has_moved(refused: str | None) -> None:
    order = splitting()
    order.says("cancel_request")
    assert order.reply("e2") is None, "one after the other"
    order.split_refused = refused
    order.held.clear()
    order.rest()
    assert order.outcome == "cancelled"
    (one,) = order.facts.cessations
    assert one.quantities == {"A": 2 if refused else 1, "B": 1}


@pytest.mark.parametrize("refused", [None, "no"])
def test_CAN_4_staff_stop_it_while_units_move(refused: str | None) -> None:
    order = splitting()
    order.stops().rest()
    order.split_refused = refused
    assert order.stage == "cancelling", "its answer is awaited"
    order.held.clear()
    order.rest()
    assert (order.outcome, order.was_sent) == ("stopped", False)
    gone = {line.line_id: line.cancelled + line.moved for line in order.facts.lines.counts}
    assert gone == {"A": 2, "B": 1}
    assert [one.state for one in order.facts.charges] == ["voided"]


def test_CAN_4_units_that_were_asked_for_in_time_are_not_bought_by_a_search_under_way() -> None:
    """The request reached the server in time, and is looked at while stock is searched."""
    order = sold()
    order.held.add(SearchStock)
    order.in_its_window().passes(minutes=31)
    order.says("cancel_request", lines=ONE_A)
    order.arrivals["e1"] = CLOSES - MINUTE
    order.rest()
    assert len(order.split_off) == 1, "the search has not been answered yet"
    order.held.clear()
    order.rest()
    assert placed_units(order) == {"A": 1, "B": 1}
    assert order.money == (Decimal("41.50"), Decimal(0))


def test_CAN_4_what_was_found_and_not_bought_is_looked_for_anew() -> None:
    order = sold()
    order.held.add(Capture)
    order.in_its_window().passes(minutes=31)
    assert placed_units(order) == {"A": 2, "B": 1}
    order.arrivals["e1"] = CLOSES - MINUTE
    order.says("cancel_request", lines=ONE_A)
    order.held.clear()
    order.rest()
    assert [one.order.number for one in order.facts.purchases] == ["1001-1"]
    assert placed_units(order) == {"A": 1, "B": 1}
    assert order.money == (Decimal("73.00"), Decimal("31.50")), "the part of what was collected goes back"


# ---- too late ----


def test_CAN_2_once_it_is_with_a_supplier_nothing_is_split() -> None:
    order = sold().placed()
    order.happens("cancel_request", lines=ONE_A)
    said = order.reply("e1")
    assert said is not None
    assert (said[0], order.split_off) == (False, [])
    assert said[1].startswith("already fulfilled")


def test_CAN_2_only_what_was_asked_for_comes_back() -> None:
    order = sold().placed()
    order.happens("cancel_request", lines=ONE_A)
    order.ships("S1", A=2, B=1)
    assert [(one.line_id, one.quantity) for one in return_of(order.facts).lines] == [("A", 1)]


@pytest.mark.parametrize("after", [False, True])
def test_CAN_3_what_reached_the_server_after_the_window_is_too_late(after: bool) -> None:
    order = sold().in_its_window().time_jumps(minutes=45)
    order.arrivals["e1"] = CLOSES if after else CLOSES - MINUTE / 60
    order.happens("cancel_request", lines=ONE_A)
    assert (len(order.split_off), placed_units(order)["A"]) == ((0, 2) if after else (1, 1))


# ---- who may not ----


def test_CAN_5_an_ebay_order_is_split_with_its_reference_alone() -> None:
    order = Order(request(channel="ebay", channel_order_id="12-1")).in_its_window()
    assert not order.happens("cancel_request", lines=ONE_A)
    assert order.happens("cancel_request", lines=ONE_A, channel_reference="5100")
    assert len(order.split_off) == 1


def test_RET_24_a_replacement_is_cancelled_as_a_whole() -> None:
    given: dict[str, Any] = {"replaces": "RR-1", "order_id": "RP.RR-1", "payment": None, "currency": "USD"}
    order = Order(request({"unit_price": "0.00"}, **given)).in_its_window()
    assert not order.happens("cancel_request", lines=ONE_A)
    assert "cancelled as a whole" in order.facts.rejected[-1].reason


def test_CAN_11_the_shop_is_told_of_no_order_that_it_does_not_know() -> None:
    other = Order(split_in_its_window().split_off[0]).rest()
    assert not any(isinstance(one, StopShipping | Authorize | Place) for one in other.rig.begun)
