"""What changes while an order is under way: its address, a supplier's shortage, a parcel's number (ORD-18..20)."""

from typing import Any

import pytest

from models.message import Event
from tests.plans.orders.order_rig import ADDRESS, MINUTE, Order, Stock, request
from workflows.engine.procedure import Reply
from workflows.orders.effects import AnnounceTracking, Place, SearchStock
from workflows.orders.events import reply
from workflows.orders.partner_calls import call_of

LAMP = {"sku": "LAMP", "quantity": 3}
ELSEWHERE = ADDRESS | {"line1": "9 Other Rd", "city": "Elko", "postal_code": "89801"}


def moves(order: Order, **address: Any) -> bool:
    """The buyer corrects the address; whether it counts."""
    event = order.event("address_changed", actor="buyer:robin", address=ELSEWHERE | address)
    assert order.rig.hear(event)
    order.rest()
    return answer_to(order, event).accepted


def answer_to(order: Order, event: Event) -> Reply:
    """What its sender is told."""
    answer = reply(order.facts, event)
    assert answer is not None, "it is decided"
    return answer


def sent_to(order: Order) -> list[str]:
    """The street of each purchase order that was sent."""
    placed = [one for one in order.answered if isinstance(one, Place)]
    messages = [call_of(order.facts, one, "run-1")[1] for one in placed]
    return [message.ship_to.line1 for message in messages]  # type: ignore[attr-defined]


# ---- ORD-18 ----


def test_ORD_18_inside_the_window_the_address_is_corrected_and_the_supplier_gets_the_new_one() -> None:
    order = Order().in_its_window()
    assert moves(order)
    order.passes(minutes=30)
    assert (order.stage, sent_to(order)) == ("awaiting_shipment", ["9 Other Rd"])
    assert "the buyer's address is corrected" in order.steps


def test_ORD_18_while_it_waits_for_a_click_the_address_is_corrected() -> None:
    order = Order(auto_release=False).rest()
    assert moves(order)
    assert order.facts.ship_to.city == "Elko"


def test_ORD_18_on_the_last_moment_of_the_window_it_counts_and_a_moment_later_not() -> None:
    order = Order().in_its_window()
    order.passes(minutes=29, seconds=59)
    assert moves(order)
    late = Order().in_its_window()
    late.held.add(SearchStock)
    late.rig.clock(30 * MINUTE)
    assert not moves(late)
    assert late.facts.ship_to.city == "Reno"


def test_ORD_18_afterwards_it_is_refused_aloud_and_the_seller_is_told_what_can_be_done() -> None:
    order = Order().placed()
    assert not moves(order)
    assert order.facts.ship_to.line1 == "1 Main St"
    assert "address_too_late to seller" in order.mails
    assert order.mail("address-too-late-e1")["address"] == "Robin, 9 Other Rd, 89801 Elko, US"


@pytest.mark.parametrize("network", [False, True])
def test_ORD_18_on_hold_after_stock_was_asked_it_is_too_late(network: bool) -> None:
    """A warehouse near the address that it had was chosen, or there is none, and its window is over."""
    order = Order(stock=(Stock("A", second_source=network),)).in_its_window()
    order.held.add(SearchStock)
    order.passes(minutes=31)
    order.happens("hold", reason="look at it first")
    order.held.clear()
    order.rest()
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert not moves(order)
    order.happens("resume", reason="as agreed")
    assert sent_to(order) == ["1 Main St"]


def test_ORD_18_a_cancelled_order_takes_no_address() -> None:
    order = Order().in_its_window()
    order.held.add(AnnounceTracking)
    order.hears("cancel_request")
    assert not order.facts.corrected_address
    event = order.event("address_changed", actor="buyer:robin", address=ELSEWHERE)
    order.rig.hear(event)
    assert order.facts.corrected_address is None


def test_ORD_18_ORD_10_to_another_country_it_waits_for_a_click_again() -> None:
    order = Order().in_its_window()
    assert moves(order, country="CA")
    order.passes(minutes=31)
    assert (order.stage, sent_to(order)) == ("on_hold", [])
    order.happens("resume", reason="fine")
    assert order.stage == "awaiting_shipment"


def test_ORD_18_the_same_address_changes_nothing() -> None:
    order = Order().in_its_window()
    event = order.event("address_changed", actor="buyer:robin", address=ADDRESS)
    order.rig.hear(event)
    order.rest()
    assert order.facts.corrected_address is None
    assert answer_to(order, event).message == "the order has this address already"


# ---- ORD-19 ----


def two_warehouses(**more: Any) -> Order:
    """An order of three lamps, of which omaha ships all; tulsa has some too."""
    stock = (Stock("LAMP", warehouse="omaha"), Stock("LAMP", warehouse="tulsa", **more))
    return Order(request(LAMP), stock=stock).placed()


def short(order: Order, number: str = "1001-1", **fields: Any) -> bool:
    return order.happens("supplier_shortage", supplier_order_number=number, reason="fell off the shelf", **fields)


def bought(order: Order) -> list[tuple[str, int, str]]:
    return [(one.order.warehouse_id, sum(one.deliverable.values()), one.state) for one in order.facts.purchases]


def test_ORD_19_what_a_supplier_can_t_deliver_after_all_is_bought_elsewhere() -> None:
    order = two_warehouses()
    assert short(order, lines=[{"sku": "lamp", "quantity": 1}])
    assert bought(order) == [("omaha", 2, "accepted"), ("tulsa", 1, "accepted")]
    assert order.stage == "awaiting_shipment"
    order.ships("s1", LAMP=3)
    assert order.outcome == "shipped"


def test_ORD_19_all_that_has_not_shipped_when_it_names_no_lines() -> None:
    order = two_warehouses()
    order.ships("s1", LAMP=1)
    assert short(order)
    assert bought(order) == [("omaha", 1, "accepted"), ("tulsa", 2, "accepted")]


def test_ORD_19_ORD_7_what_nobody_else_has_is_voided_and_the_seller_gets_its_money_back() -> None:
    order = Order(request(LAMP), stock=(Stock("LAMP", warehouse="omaha"),)).placed()
    assert short(order, lines=[{"sku": "LAMP", "quantity": 1}])
    (voided,) = order.facts.cessations
    assert (voided.kind, voided.quantities, voided.fault) == ("voided", {"LAMP": 1}, "supplier")
    assert voided.evidence["not delivered by sup-omaha, warehouse omaha"].startswith("fell off the shelf at ")
    assert [str(one.amount) for one in order.facts.seller_refunds] == ["31.50"]
    order.ships("s1", LAMP=2)
    assert order.outcome == "shipped"


def test_ORD_19_a_shortage_told_twice_counts_once() -> None:
    order = two_warehouses()
    event = order.event(
        "supplier_shortage",
        supplier_order_number="1001-1",
        reason="gone",
        lines=[{"sku": "LAMP", "quantity": 2}],
    )
    for _ in range(2):
        order.rig.hear(event)
        order.rest()
    assert bought(order) == [("omaha", 1, "accepted"), ("tulsa", 2, "accepted")]
    assert not short(order, lines=[{"sku": "LAMP", "quantity": 2}]), "one is left there"


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        ("1001-9", None),
        ("1001-1", [{"sku": "LAMP", "quantity": 4}]),
        ("1001-1", [{"sku": "OTHER", "quantity": 1}]),
    ],
)
def test_ORD_19_what_is_not_with_that_supplier_can_t_be_missing(number: str, lines: Any) -> None:
    order = two_warehouses()
    fields = {"lines": lines} if lines else {}
    assert not short(order, number, **fields)
    assert "ORD-19" in order.facts.rejected[-1].reason
    assert bought(order) == [("omaha", 3, "accepted")]


def test_ORD_19_what_has_shipped_is_not_missing() -> None:
    order = two_warehouses()
    order.ships("s1", LAMP=2)
    assert not short(order, lines=[{"sku": "LAMP", "quantity": 2}])


@pytest.mark.parametrize(
    ("said", "lines", "taken"),
    [
        ("1001-1", None, {"LAMP": 1}),
        ("1001 1", None, {"LAMP": 1}),
        ("1001-1", [{"sku": "LAMP", "quantity": 1}], {"LAMP": 1}),
        ("1001-1", [{"sku": "LAMP", "quantity": 2}], {}),
        ("1001-2", None, {"LAMP": 2}),
    ],
)
def test_ORD_19_what_has_left_by_its_own_order_is_not_missing_though_another_supplier_has_more(
    said: str, lines: Any, taken: dict[str, int]
) -> None:
    omaha, tulsa = Stock("LAMP", 2, warehouse="omaha"), Stock("LAMP", 1, warehouse="tulsa")
    order = Order(request(LAMP), stock=(omaha, tulsa, Stock("LAMP", warehouse="waco"))).placed()
    assert bought(order) == [("omaha", 2, "accepted"), ("tulsa", 1, "accepted")]
    order.stock.remove(tulsa)
    assert ship(order, supplier_order_number=said, carrier="UPS", tracking_number="1Z1")
    assert short(order, lines=lines) is bool(taken)
    assert order.facts.purchases[0].short == taken
    assert sum(units for _, units, _ in bought(order)) == 3, "as many as were ordered, and no more"


@pytest.mark.parametrize("spelled", ["1001 1", "10011", "１００１-1", "1001/1"])
def test_ORD_21_our_number_of_a_supplier_order_is_known_however_it_is_spelled(spelled: str) -> None:
    order = two_warehouses()
    assert short(order, spelled, lines=[{"sku": "LAMP", "quantity": 1}])
    assert ship(order, supplier_order_number=spelled, carrier="UPS", tracking_number="1Z1")
    assert order.facts.shipments[-1].supplier_order_number == "1001-1", "as the books know it"


def test_ORD_19_CAN_2_asked_to_cancel_after_all_came_to_nothing_it_is_voided_and_never_cancelled() -> None:
    order = Order(request(LAMP), stock=(Stock("LAMP", warehouse="omaha"),)).placed()
    order.held.add(SearchStock)
    assert short(order)
    order.happens("cancel_request", reason="tired of it")
    assert order.facts.cancels[-1].decision == "too_late"
    order.held.clear()
    order.rest()
    assert (order.outcome, order.facts.accepted_cancel) == ("voided", None)
    assert [one.kind for one in order.facts.cessations] == ["voided"]
    assert [str(one.amount) for one in order.facts.seller_refunds] == ["94.50"]
    assert order.facts.late_cancel_return is None, "nothing of it ships, so nothing comes back"


def test_ORD_19_the_warehouse_is_not_chosen_again_for_that_item() -> None:
    order = two_warehouses()
    assert short(order)
    assert short(order, "1001-2")
    assert {one.warehouse_id for one in order.facts.refused_sources} == {"omaha", "tulsa"}
    assert order.outcome == "voided"


# ---- ORD-20 ----


def ship(order: Order, ident: str = "s1", **fields: Any) -> bool:
    given = {"shipment_id": ident, "lines": [{"sku": "LAMP", "quantity": 1}]}
    return order.happens("shipment", **given | fields)


def box(number: str) -> dict[str, str]:
    return {"carrier": "UPS", "tracking_number": number}


def test_ORD_20_a_label_that_is_replaced_reaches_the_shop_and_the_seller() -> None:
    order = two_warehouses()
    ship(order, **box("1Z1"))
    assert order.happens("shipment_corrected", shipment_id="S1", **box("1Z2"))
    (shipment,) = order.facts.shipments
    assert shipment.tracking_number == "1Z2"
    told = [one for one in order.answered if isinstance(one, AnnounceTracking)]
    assert [one.key for one in told] == ["shipment:s1", "shipment:s1:2"]
    assert call_of(order.facts, told[-1], "run-1")[1].tracking_number == "1Z2"  # type: ignore[attr-defined]
    assert order.mails == ["order_shipped to seller", "tracking_corrected to seller"]
    assert order.facts.lines.open == {"LAMP": 2}, "no unit left twice"


def test_ORD_20_a_correction_while_the_shop_is_told_comes_after_it() -> None:
    order = two_warehouses()
    order.held.add(AnnounceTracking)
    ship(order, **box("1Z1"))
    order.happens("shipment_corrected", shipment_id="s1", **box("1Z2"))
    order.held.clear()
    order.rest()
    told = [one.key for one in order.answered if isinstance(one, AnnounceTracking)]
    assert told == ["shipment:s1", "shipment:s1:2"]


def test_ORD_20_the_same_correction_twice_changes_nothing() -> None:
    order = two_warehouses()
    ship(order, **box("1Z1"))
    for _ in range(2):
        order.happens("shipment_corrected", shipment_id="s1", **box("1Z2"))
    assert order.facts.shipments[0].corrections == 1


def test_ORD_20_all_words_about_its_number_are_remembered_after_the_orders_end() -> None:
    order = Order(request(LAMP), stock=(Stock("LAMP", warehouse="omaha"),)).in_its_window()
    ship(order, **box("1Z1"))
    order.happens("shipment_corrected", event_id="before its turn", shipment_id="s1", **box("1Z2"))
    order.passes(minutes=31)
    order.happens("shipment_corrected", event_id="the same number", shipment_id="s1", **box("1Z2"))
    order.happens("shipment_corrected", event_id="another", shipment_id="s1", **box("1Z3"))
    (shipment,) = order.facts.shipments
    assert shipment.corrected_by == ("before its turn", "the same number", "another")
    assert shipment.corrections == 1, "the shop was told of one"


def test_ORD_20_another_number_for_a_known_shipment_is_not_counted_in_silence() -> None:
    order = two_warehouses()
    assert ship(order, **box("1Z1"))
    assert not ship(order, **box("1Z9"))
    assert "shipment_corrected" in order.facts.rejected[-1].reason
    assert ship(order, **box("1z-1")), "the same number, spelled otherwise, counts once"
    assert order.facts.lines.open == {"LAMP": 2}


def test_ORD_20_a_shipment_that_nobody_knows_can_t_be_corrected() -> None:
    order = two_warehouses()
    assert not order.happens("shipment_corrected", shipment_id="s1", **box("1Z2"))
    assert "no shipment s1 is known" in order.facts.rejected[-1].reason


def test_ORD_20_one_line_in_several_boxes() -> None:
    order = two_warehouses()
    assert ship(order, parcels=[box("1Z1"), box("1Z2")], lines=[{"sku": "LAMP", "quantity": 3}])
    assert order.outcome == "shipped"
    assert [one.tracking_number for one in order.facts.shipments[0].boxes] == ["1Z1", "1Z2"]
    assert order.mail("shipped-s1")["tracking_number"] == "1Z1, 1Z2"


@pytest.mark.parametrize("fields", [{}, {"carrier": "UPS"}, {"parcels": [box("1Z1")], **box("1Z2")}])
def test_ORD_20_a_shipment_needs_one_way_to_follow_it(fields: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="tracking_number"):
        two_warehouses().event("shipment", shipment_id="s1", lines=[{"sku": "LAMP", "quantity": 1}], **fields)


def test_ORD_20_a_successor_part_stands_for_the_one_that_was_ordered() -> None:
    order = two_warehouses()
    assert ship(order, lines=[{"sku": "LAMP", "quantity": 3, "substitute_sku": "LAMP-2"}], **box("1Z1"))
    assert order.outcome == "shipped"
    (shipment,) = order.facts.shipments
    assert list(shipment.substitutes.values()) == ["LAMP-2"]
    assert any("successor parts: LAMP-2 for LAMP" in step for step in order.steps)


def test_ORD_20_the_same_part_spelled_otherwise_is_no_successor() -> None:
    order = two_warehouses()
    assert ship(order, lines=[{"sku": "LAMP", "quantity": 3, "substitute_sku": "l-amp"}], **box("1Z1"))
    assert order.facts.shipments[0].substitutes == {}
    assert not any("successor" in step for step in order.steps)


def test_ORD_20_a_parcel_that_has_arrived_keeps_its_number() -> None:
    order = two_warehouses()
    ship(order, **box("1Z1"))
    order.happens("delivered", shipment_id="s1", at="2026-03-09T14:30:00Z")
    assert not order.happens("shipment_corrected", shipment_id="s1", **box("1Z2"))
    assert "is delivered" in order.facts.rejected[-1].reason
    assert order.facts.shipments[0].tracking_number == "1Z1"
