"""Where an order's items are bought, and what happens when nobody has them (ORD-5..7, CAN-12)."""

from decimal import Decimal
from typing import Any

import pytest

from models.cancellations import Fault
from models.partners import FoundSources, RefusedSource
from models.records import Cessation
from tests.plans.orders.order_rig import MINUTE, NOON, Order, Stock, request
from workflows.engine.case import Answered
from workflows.orders.effects import Place, SearchStock
from workflows.orders.partner_calls import call_of

LAMP: dict[str, Any] = {"sku": "LAMP", "quantity": 3, "unit_price": "20.00", "unit_cost": "10.33"}


def bought(order: Order) -> list[tuple[str, str, dict[str, int]]]:
    """Each purchase order: its warehouse, its state, and its units by SKU."""
    return [
        (one.order.warehouse_id, one.state, {line.sku: line.quantity for line in one.order.lines})
        for one in order.facts.purchases
    ]


def after_its_window(order: Order) -> Order:
    return order.in_its_window().passes(minutes=31)


# ---- ORD-5, ORD-6 ----


def test_ORD_5_what_is_in_stock_is_asked_for_once_and_bought() -> None:
    order = after_its_window(Order())
    assert bought(order) == [("reno", "accepted", {"A": 2})]
    assert [one.key for one in order.rig.begun if isinstance(one, SearchStock)] == ["sourcing:1"]


def test_ORD_5_the_question_holds_the_sellers_minimum_and_what_is_wanted() -> None:
    order = Order(request(), minimum_stock=5).in_its_window()
    order.held.add(SearchStock)
    order.passes(minutes=31)
    (search,) = order.rig.pending
    _, asked = call_of(order.facts, search, "run-1")
    said = asked.model_dump(mode="json")
    assert (said["minimum_stock"], said["currency"], said["second_source"]) == (5, "USD", False)
    assert said["wanted"] == [{"sku": "A", "quantity": 2, "unit_cost": "31.50"}]


def test_ORD_5_lines_of_several_warehouses_are_one_order_for_each() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha"), Stock("PAD"))
    order = after_its_window(Order(request({}, LAMP, {"sku": "PAD"}), stock=stock))
    assert bought(order) == [("reno", "accepted", {"A": 2, "PAD": 2}), ("omaha", "accepted", {"LAMP": 3})]
    assert [one.order.number for one in order.facts.purchases] == ["1001-1", "1001-2"]


def test_ORD_5_a_line_may_be_split_over_several_warehouses() -> None:
    order = after_its_window(Order(request({"quantity": 5}), stock=(Stock("A", 3), Stock("A", 4, "omaha"))))
    assert bought(order) == [("reno", "accepted", {"A": 3}), ("omaha", "accepted", {"A": 2})]


def test_ORD_6_only_what_is_missing_is_second_sourced_and_the_seller_pays_the_original_cost() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="network", second_source=True))
    order = after_its_window(Order(request({}, LAMP), stock=stock))
    assert bought(order) == [("reno", "accepted", {"A": 2}), ("network", "accepted", {"LAMP": 3})]
    assert [one.order.second_source for one in order.facts.purchases] == [False, True]
    assert order.money == (Decimal("93.99"), Decimal(0))
    assert "not in stock: second-sourced; the broker bears the difference" in order.steps
    searches = [one for one in order.rig.begun if isinstance(one, SearchStock)]
    assert [(one.units, one.second_source) for one in searches] == [
        ({"A": 2, "LAMP": 3}, False),
        ({"LAMP": 3}, True),
    ]


def test_ORD_6_a_suppliers_refusal_is_sourced_again_without_that_warehouse() -> None:
    order = after_its_window(Order(stock=(Stock("A", refuses=True), Stock("A", warehouse="omaha"))))
    assert bought(order) == [("reno", "refused", {"A": 2}), ("omaha", "accepted", {"A": 2})]
    assert order.facts.refused_sources == (RefusedSource(supplier_id="sup-reno", warehouse_id="reno", sku="A"),)
    assert order.money == (Decimal("63.00"), Decimal(0))


def test_ORD_6_the_orders_of_one_round_are_placed_side_by_side_and_refusals_wait_for_the_rest() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True), Stock("LAMP", warehouse="salem"))
    order = Order(request({}, LAMP), stock=stock).in_its_window()
    order.held.add(Place)
    order.passes(minutes=31)
    first, second = order.rig.pending
    order.held.clear()
    assert order.rig.answer(second)
    order.rig.settle()
    assert order.begun[-1] == "purchase:1001-2", "the next round waits"
    assert order.rig.answer(first)
    order.rest()
    assert bought(order) == [
        ("reno", "accepted", {"A": 2}),
        ("omaha", "refused", {"LAMP": 3}),
        ("salem", "accepted", {"LAMP": 3}),
    ]
    assert order.begun[-2:] == ["sourcing:2", "purchase:1001-3"]


def test_ORD_6_more_than_was_wanted_is_not_bought_and_what_is_not_named_is_missing() -> None:
    order = Order(request({}, LAMP)).in_its_window()
    order.held.add(SearchStock)
    order.passes(minutes=31)
    (search,) = order.rig.pending
    one = {"supplier_id": "sup", "warehouse_id": "w", "sku": "A", "quantity": 9, "unit_cost": "1.00"}
    found = FoundSources.model_validate({"sources": [one, one]})
    order.rig.take(Answered(effect=search, answer=found))
    assert bought(order) == [("w", "found", {"A": 2})]
    assert order.facts.unsourced == {"LAMP": 3}


# ---- ORD-7 ----


def test_ORD_7_without_any_source_the_order_is_voided_and_nothing_is_taken() -> None:
    order = after_its_window(Order(stock=()))
    assert (order.outcome, order.facts.closing_message) == ("voided", "order voided: no source has the items")
    assert order.begun == ["open", "charge:1", "sourcing:1", "sourcing:2", "void:1", "stop-shipping"]
    assert [one.state for one in order.facts.charges] == ["voided"]
    assert order.mails == ["order_voided to seller"]
    assert order.mail("voided") == {"reason": "no warehouse has it", "currency": "USD"}
    assert order.items("voided") == {"A": 2}


def test_ORD_7_of_an_order_that_is_partly_void_only_the_rest_is_charged() -> None:
    order = after_its_window(Order(request({}, LAMP, estimated_shipping="10.00")))
    assert order.stage == "awaiting_shipment"
    assert order.facts.lines.open == {"A": 2}
    assert order.money == (order.facts.lines.cost_due, Decimal(0))
    assert order.mails == ["order_partly_voided to seller"]


def test_ORD_7_part_of_a_line_that_nobody_has_is_void() -> None:
    order = after_its_window(Order(request({"quantity": 3, "unit_cost": "10.00"}), stock=(Stock("A", 2),)))
    (line,) = order.facts.lines.counts
    assert (line.open, line.voided, order.money) == (2, 1, (Decimal("20.00"), Decimal(0)))


def test_ORD_7_after_a_suppliers_refusal_the_seller_is_refunded_at_once_to_the_cent() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = after_its_window(Order(request({}, LAMP, estimated_shipping="10.00", cost_tax="5.01"), stock=stock))
    captured, refunded = order.money
    assert captured == Decimal("109.00")
    assert captured - refunded == order.facts.lines.cost_due
    (refund,) = order.facts.refunds
    assert (refund.refund_id, refund.state) == ("RF-1001-OS1", "succeeded")
    assert order.begun.index("save:CH-1001-1") < order.begun.index("refund:RF-1001-OS1:1")
    assert order.stage == "awaiting_shipment"


def test_ORD_7_a_refund_of_the_seller_holds_up_no_shipment() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, LAMP), stock=stock).in_its_window()
    order.refund_states = ["not yet"]
    order.passes(minutes=31)
    assert order.stage == "awaiting_shipment"
    order.ships("s1", A=2)
    assert (order.outcome, order.begun[-1]) == (None, "shipment:s1")
    order.refund_states = []
    order.rest()
    assert order.outcome == "shipped"


def test_ORD_7_when_the_last_supplier_refuses_all_the_seller_gets_everything_back() -> None:
    order = after_its_window(Order(request(estimated_shipping="3.33"), stock=(Stock("A", refuses=True),)))
    assert order.outcome == "voided"
    assert order.money == (Decimal("66.33"), Decimal("66.33"))
    assert [one.reason for one in order.facts.cessations] == ["the supplier refused it"]
    assert order.mails == ["order_voided to seller"]


@pytest.mark.parametrize("refused", [(), ("LAMP",), ("A", "LAMP")])
def test_ORD_7_whatever_is_refused_the_seller_pays_for_what_ships_alone(refused: tuple[str, ...]) -> None:
    stock = tuple(Stock(sku, warehouse=f"w-{sku}", refuses=sku in refused) for sku in ("A", "LAMP"))
    order = after_its_window(Order(request({}, LAMP, estimated_shipping="9.99", cost_tax="0.02"), stock=stock))
    captured, refunded = order.money
    assert captured == Decimal("104.00")
    assert captured - refunded == order.facts.lines.cost_due
    assert (order.facts.lines.cost_due == 0) == (len(refused) == 2)


# ---- CAN-12 ----


def test_CAN_12_a_void_keeps_what_the_stock_feed_said_and_when() -> None:
    order = after_its_window(Order(request({"quantity": 2}, LAMP), stock=(Stock("LAMP"), Stock("A", 1))))
    (cessation,) = order.facts.cessations
    at = (NOON + 30 * MINUTE).isoformat()
    assert (cessation.kind, cessation.fault, cessation.quantities) == ("voided", Fault.STOCK_FEED, {"A": 1})
    assert cessation.evidence == {
        "received at": NOON.isoformat(),
        "cancel until": at,
        "stock feed of A": f"1 at {at}",
        "second source of A": f"0 at {at}",
    }


def test_CAN_12_a_void_keeps_which_supplier_refused_with_what_word_and_when() -> None:
    order = after_its_window(Order(stock=(Stock("A", 9, refuses=True),)))
    (cessation,) = order.facts.cessations
    assert cessation.fault is Fault.SUPPLIER
    at = (NOON + 30 * MINUTE).isoformat()
    assert cessation.evidence["refused by sup-reno, warehouse reno"] == f"out_of_stock at {at}"
    assert cessation.evidence["stock feed of A"] == f"9 at {at}"


# ---- CAN-12: by whose fault ----


def unsold(reasons: dict[str, int], **settings: Any) -> Cessation:
    """An order of A that nobody ships, though so many are there, by why they are passed over."""
    order = Order(stock=(), **settings)
    order.passed_over = {"A": reasons}
    order.in_its_window().passes(minutes=31)
    (voided,) = order.facts.cessations
    return voided


def test_CAN_12_stock_in_another_currency_is_no_fault_of_the_stock_feed() -> None:
    voided = unsold({"currency CAD": 7})
    assert (voided.fault, voided.reason) == ("seller", "it is in stock in CAD only, and the order is in USD")
    assert "7 passed over: currency CAD" in voided.evidence["stock feed of A"]


def test_CAN_12_the_sellers_own_minimum_is_no_fault_of_the_stock_feed() -> None:
    voided = unsold({"fewer than 50": 9}, minimum_stock=50)
    assert (voided.fault, voided.reason) == (
        "seller",
        "no warehouse has the 50 that the seller's own minimum asks for",
    )


def test_CAN_12_a_single_one_is_as_good_as_none_for_everybody() -> None:
    assert unsold({"fewer than 2": 1}).fault == "stock_feed"
    assert unsold({"fewer than 2": 1}, minimum_stock=50).fault == "stock_feed"


def test_CAN_12_of_items_that_come_to_nothing_together_each_has_its_own_culprit() -> None:
    """Of A there is stock in another currency, of the lamp there is none anywhere."""
    order = Order(request({"quantity": 2}, LAMP), stock=())
    order.passed_over = {"A": {"currency CAD": 7}}
    order.in_its_window().passes(minutes=31)
    assert {(one.fault.value, tuple(one.quantities)) for one in order.facts.cessations} == {
        ("seller", ("A",)),
        ("stock_feed", ("LAMP",)),
    }
    assert [one for one in order.mails if "void" in one] == ["order_voided to seller"], "in one mail"
    assert order.items("voided") == {"A": 2, "LAMP": 3}
    assert order.mail("voided")["reason"] == (
        "2 x A: it is in stock in CAD only, and the order is in USD; 3 x LAMP: no warehouse has it"
    )


def test_CAN_12_the_stock_of_an_item_spelled_otherwise_in_two_lines_is_no_fault_of_the_stock_feed() -> None:
    lines = ({"line_id": "1", "sku": "BRK-1", "quantity": 1}, {"line_id": "2", "sku": "brk 1", "quantity": 1})
    order = Order(request(*lines), stock=(Stock("BRK-1", 1),))
    order.passed_over = {"BRK-1": {"currency CAD": 7}}
    order.in_its_window().passes(minutes=31)
    (voided,) = order.facts.cessations
    assert (voided.fault, [one.line_id for one in voided.lines]) == (Fault.SELLER, ["2"])


def test_CAN_12_whose_stock_was_not_known_is_kept() -> None:
    order = Order(stock=())
    order.not_known = {"net-2": "does not answer"}
    order.in_its_window().passes(minutes=91)
    (voided,) = order.facts.cessations
    assert voided.reason == "no warehouse is known to have it: the stock of some is not known"
    at = (NOON + 60 * MINUTE).isoformat()
    assert voided.evidence["stock feed without an answer"] == f"net-2 at {at}"
    assert voided.evidence["second source without an answer"] == f"net-2 at {at}"
