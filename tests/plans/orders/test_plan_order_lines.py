"""Lines have an identity of their own; a kit is bought, shipped and returned as its components (ORD-13, 14)."""

from decimal import Decimal
from typing import Any

from models.partners import AnnounceTracking as ToShop
from models.partners import PlaceSupplierOrder
from tests.plans.orders.order_rig import Order, Stock, request
from workflows.orders.cancellation import return_of
from workflows.orders.effects import AnnounceTracking, Place
from workflows.orders.partner_calls import call_of

PAD = {"sku": "PAD-1", "quantity": 1, "unit_price": "10.00"}
TWICE = (PAD | {"line_id": "1"}, PAD | {"line_id": "2", "unit_price": "0.00"})


def twice(**settings: Any) -> Order:
    return Order(request(*TWICE), stock=(Stock("PAD-1"),), **settings).placed()


def ship(order: Order, *lines: dict[str, Any], actor: str = "staff:sam", ident: str = "s1") -> bool:
    parcel = {"shipment_id": ident, "carrier": "UPS", "tracking_number": f"1Z{ident}", "lines": list(lines)}
    return order.happens("shipment", actor=actor, **parcel)


def open_units(order: Order) -> dict[str, int]:
    return order.facts.lines.open


def why(order: Order) -> str:
    return order.facts.rejected[-1].reason


def test_ORD_13_one_item_in_two_lines_is_bought_for_both() -> None:
    order = twice()
    (purchase,) = order.facts.purchases
    assert [(line.line_id, line.sku, line.quantity) for line in purchase.order.lines] == [
        ("1", "PAD-1", 1),
        ("2", "PAD-1", 1),
    ]


def test_ORD_13_an_item_that_fits_several_lines_names_them_and_changes_nothing() -> None:
    order = twice()
    assert not ship(order, {"sku": "PAD-1", "quantity": 1})
    assert "PAD-1 stands in several lines: line 1 (1 x PAD-1), line 2 (1 x PAD-1); say which" in why(order)
    assert open_units(order) == {"1": 1, "2": 1}


def test_ORD_13_an_item_is_enough_while_only_one_line_fits() -> None:
    order = twice()
    assert ship(order, {"line_id": "1", "quantity": 1})
    assert ship(order, {"sku": "PAD-1", "quantity": 1}, ident="s2")
    assert order.outcome == "shipped"


def test_ORD_13_all_that_is_left_of_an_item_needs_no_line() -> None:
    order = twice()
    assert ship(order, {"sku": "pad 1", "quantity": 2})
    assert order.outcome == "shipped"


def test_ORD_13_a_supplier_knows_items_only_and_its_units_are_taken_in_the_order_of_the_lines() -> None:
    order = twice()
    assert ship(order, {"sku": "PAD-1", "quantity": 1}, actor="supplier:dock")
    assert open_units(order) == {"2": 1}


def test_ORD_13_a_name_by_line_and_item_must_agree() -> None:
    order = Order(request({"sku": "A"}, {"sku": "B"}), stock=(Stock("A"), Stock("B"))).placed()
    assert not ship(order, {"line_id": "A", "sku": "B", "quantity": 1})
    assert "line A is A, not B" in why(order)
    assert ship(order, {"line_id": "A", "sku": "a", "quantity": 2})


def test_ORD_13_who_names_no_line_is_told_which_there_are() -> None:
    order = Order(request({"sku": "A"}, {"sku": "B"}), stock=(Stock("A"), Stock("B"))).placed()
    assert not ship(order, {"sku": "C", "quantity": 1})
    assert "there is no line C, only line A (2 x A), line B (2 x B)" in why(order)


def test_ORD_21_an_item_is_the_same_without_case_blanks_and_punctuation_and_is_shown_as_typed() -> None:
    order = Order(request({"sku": "BRK-100", "line_id": "1"}), stock=(Stock("BRK-100"),)).placed()
    assert ship(order, {"sku": "brk 100", "quantity": 2})
    assert [line.sku for one in order.facts.shipments for line in one.lines] == ["BRK-100"]


def test_CAN_10_the_whole_order_may_be_named_by_items() -> None:
    order = Order(request(*TWICE), stock=(Stock("PAD-1"),)).in_its_window()
    assert order.happens("cancel_request", lines=[{"sku": "PAD-1", "quantity": 2}])
    assert order.outcome == "cancelled"
    (cessation,) = order.facts.cessations
    assert (cessation.quantities, [one.line_id for one in cessation.lines]) == ({"PAD-1": 2}, ["1", "2"])


def test_ORD_13_partners_get_items_each_once() -> None:
    order = twice()
    ship(order, {"sku": "PAD-1", "quantity": 2})
    announced = next(one for one in order.answered if isinstance(one, AnnounceTracking))
    _, said = call_of(order.facts, announced, "run-1")
    assert isinstance(said, ToShop)
    assert [(line.sku, line.quantity) for line in said.lines] == [("PAD-1", 2)]


def test_ORD_7_what_nobody_has_is_voided_line_by_line() -> None:
    order = Order(request(*TWICE), stock=(Stock("PAD-1", quantity=1),)).placed()
    assert open_units(order) == {"1": 1}
    (voided,) = order.facts.cessations
    assert (voided.quantities, voided.lines[0].line_id) == ({"PAD-1": 1}, "2")
    assert voided.evidence["stock feed of PAD-1"].startswith("1 at ")


# ---- kits ----

KIT = {
    "sku": "KIT",
    "line_id": "k",
    "quantity": 2,
    "unit_price": "50.00",
    "components": [
        {"sku": "PAD-1", "title": "Pad", "quantity": 2, "unit_cost": "10.00"},
        {"sku": "DISC", "title": "Disc", "quantity": 1, "unit_cost": "40.00"},
    ],
}


def kit() -> Order:
    return Order(request(KIT), stock=(Stock("PAD-1"), Stock("DISC"))).placed()


def test_ORD_14_a_kit_is_bought_as_its_components() -> None:
    order = kit()
    bought = [line for one in order.facts.purchases for line in one.order.lines]
    assert [(line.line_id, line.sku, line.quantity) for line in bought] == [
        ("k.1", "PAD-1", 4),
        ("k.2", "DISC", 2),
    ]
    placed = next(one for one in order.answered if isinstance(one, Place))
    _, said = call_of(order.facts, placed, "run-1")
    assert isinstance(said, PlaceSupplierOrder)


def test_ORD_14_a_kit_names_all_its_components_in_proportion() -> None:
    order = kit()
    assert ship(order, {"sku": "kit", "quantity": 1})
    assert open_units(order) == {"k.1": 2, "k.2": 1}
    assert ship(order, {"sku": "PAD-1", "quantity": 2}, ident="s2"), "a component may ship alone"
    assert ship(order, {"line_id": "k.2", "quantity": 1}, ident="s3")
    assert order.outcome == "shipped"


def test_ORD_14_more_kits_than_are_left_are_refused() -> None:
    order = kit()
    assert not ship(order, {"line_id": "k", "quantity": 3})
    assert "6 of PAD-1 can't ship, 4 are open" in why(order)


def test_CAN_2_what_was_cancelled_too_late_comes_back_line_by_line() -> None:
    order = kit()
    order.happens("cancel_request")
    ship(order, {"line_id": "k", "quantity": 2})
    lines = return_of(order.facts).lines
    assert [(line.line_id, line.sku, line.quantity) for line in lines] == [("k.1", "PAD-1", 4), ("k.2", "DISC", 2)]


def test_ORD_15_an_order_that_costs_nothing_is_charged_and_shipped_as_any_other() -> None:
    free = request({"unit_price": "0.00"}, payment=None, currency="USD")
    order = Order(free).placed()
    assert order.facts.captured == Decimal("63.00")
    assert order.ships("s1", A=2)
    assert order.outcome == "shipped"
