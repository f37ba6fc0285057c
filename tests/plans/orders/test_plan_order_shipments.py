"""Warehouses ship, in parts and in any order; the shop is told, and the order is done with the last unit (ORD-9,
ORD-11, CAN-11)."""

from datetime import timedelta

import pytest

from tests.plans.orders.order_rig import Order, Stock, request
from workflows.orders.effects import AnnounceTracking, Place, SearchStock

LAMP = {"sku": "LAMP", "quantity": 3}


def two_suppliers(**lamp: bool) -> Order:
    """An order of A from reno and LAMP from omaha."""
    return Order(request({}, LAMP), stock=(Stock("A"), Stock("LAMP", warehouse="omaha", **lamp))).in_its_window()


def test_ORD_9_the_shop_and_the_seller_are_told_carrier_and_number() -> None:
    order = Order().placed()
    order.ships("s1", A=2)
    assert order.mail("shipped-s1") == {"carrier": "UPS", "tracking_number": "1Zs1"}
    assert order.items("shipped-s1") == {"A": 2}
    assert "tracking number of shipment s1 is with the shop" in order.steps


def test_ORD_9_the_seller_is_told_once_the_shop_has_the_number() -> None:
    order = Order().placed()
    order.held.add(AnnounceTracking)
    order.ships("s1", A=2)
    assert (order.mails, order.outcome) == ([], None)
    assert [wait.who for wait in order.rig.plan.waits] == ["shop"]
    order.held.clear()
    order.rest()
    assert (order.mails, order.outcome) == (["order_shipped to seller"], "shipped")


def test_ORD_11_part_of_a_line_ships_first_and_the_order_is_done_with_the_last_unit() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    assert (order.stage, order.rig.plan.waits[0].what) == ("awaiting_shipment", "ship 1 x A")
    order.ships("s2", A=1)
    assert order.facts.closing_message == "nothing is left open, after 2 shipments"


def test_ORD_11_a_shipment_told_twice_counts_once() -> None:
    order = Order().placed()
    assert order.ships("s1", A=1)
    assert order.ships("s1", A=1)
    assert order.facts.lines.open == {"A": 1}
    assert len(order.facts.shipments) == 1


def test_ORD_11_a_known_shipment_with_other_units_is_refused_and_says_what_is_known() -> None:
    order = Order().placed()
    assert order.ships("s1", A=1)
    assert not order.ships("s1", A=2)
    assert "shipment s1 is known with 1 x A" in order.rig.facts.rejected[-1].reason
    assert order.facts.lines.open == {"A": 1}


@pytest.mark.parametrize("units", [{"A": 3}, {"OTHER": 1}])
def test_ORD_11_more_than_is_open_and_what_was_not_ordered_is_refused(units: dict[str, int]) -> None:
    order = Order().placed()
    assert not order.ships("s1", **units)
    assert order.facts.lines.open == {"A": 2}
    assert "ORD-11" in order.facts.rejected[-1].reason


def test_ORD_11_two_that_do_not_fit_together_are_refused_also_while_they_wait() -> None:
    order = Order().in_its_window()
    assert order.ships("s1", A=2)
    assert not order.ships("s2", A=1)


def test_ORD_11_a_shipment_that_comes_early_is_kept_until_its_turn() -> None:
    order = Order().in_its_window()
    order.ships("s1", A=2)
    assert order.facts.lines.open == {"A": 2}
    order.passes(minutes=31)
    assert order.outcome == "shipped"


def test_ORD_11_an_early_shipment_of_what_was_voided_meanwhile_is_set_aside() -> None:
    order = Order(stock=(Stock("A", 1),)).in_its_window()
    order.ships("s1", A=2)
    order.passes(minutes=31)
    assert (order.stage, order.facts.parcels) == ("awaiting_shipment", ())
    assert order.facts.rejected[-1].reason == "2 of A can't ship, 1 are open (ORD-11)"
    order.ships("s2", A=1)
    assert order.outcome == "shipped"


def test_ORD_11_hundreds_of_early_shipments_are_dealt_with_in_one_task() -> None:
    order = Order(request({"quantity": 300}), stock=(Stock("A", 300),), careful=False).in_its_window()
    for number in range(300):
        order.hears(
            "shipment",
            shipment_id=f"s{number}",
            carrier="UPS",
            tracking_number="1Z",
            lines=[{"sku": "A", "quantity": 1}],
        )
    order.passes(minutes=31)
    assert order.outcome == "shipped"


def test_ORD_9_what_one_supplier_ships_does_not_wait_for_another_that_is_down() -> None:
    order = two_suppliers()
    order.held.add(Place)
    order.passes(minutes=31)
    reno, _ = order.rig.pending
    order.held.clear()
    order.rig.answer(reno)
    order.held.add(Place)
    order.rest()
    assert order.stage == "placing"
    order.ships("s1", A=2)
    assert order.begun[-1] == "shipment:s1"
    order.ships("s2", LAMP=3)
    assert order.begun[-1] == "shipment:s1", "nobody has accepted it yet"
    order.held.clear()
    order.rest()
    assert order.outcome == "shipped"


def test_ORD_11_an_order_of_which_some_is_void_is_done_when_the_rest_is_shipped() -> None:
    order = two_suppliers(refuses=True).passes(minutes=31)
    order.ships("s1", A=2)
    assert order.outcome == "shipped"
    assert [(one.shipped, one.voided) for one in order.facts.lines.counts] == [(2, 0), (0, 3)]


def test_ORD_11_staff_are_told_of_an_order_that_does_not_ship() -> None:
    order = Order().placed()
    order.passes(days=4)
    assert order.mails == []
    order.passes(days=2)
    assert order.mail("alert-unshipped-5")["what"] == "not shipped after 5 days: 2 x A"
    order.ships("s1", A=1)
    order.passes(days=9)
    assert order.mail("alert-unshipped-14")["what"] == "not shipped after 14 days: 1 x A"
    assert order.rig.plan.wake_at is None
    order.passes(days=90)
    assert order.mails.count("staff_alert to staff") == 2


def test_CAN_11_a_cancelled_order_does_not_ship_and_what_came_early_is_answered() -> None:
    order = Order().in_its_window()
    order.ships("s1", A=1)
    order.hears("cancel_request")
    assert not order.hears(
        "shipment", shipment_id="s2", carrier="UPS", tracking_number="1Z", lines=[{"sku": "A", "quantity": 1}]
    )
    order.rest()
    assert [one.reason for one in order.facts.rejected] == [
        "the order is cancelled and does not ship (CAN-11)",
        "the order is cancelled (CAN-11)",
    ]


def test_CAN_11_what_came_early_of_an_order_that_is_voided_is_answered() -> None:
    order = Order(stock=()).in_its_window()
    order.ships("s1", A=1)
    order.passes(minutes=31)
    assert order.outcome == "voided"
    assert order.facts.rejected[-1].reason == "the order is voided (CAN-11)"


def test_ORD_11_shipments_survive_a_search_that_takes_long() -> None:
    order = Order().in_its_window()
    order.held.add(SearchStock)
    order.passes(minutes=31)
    order.ships("s1", A=2)
    order.rig.restart()
    order.held.clear()
    order.rig.clock(timedelta(minutes=1))
    assert order.outcome == "shipped"
