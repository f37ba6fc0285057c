"""Where an order's items are bought, and what happens when nobody has them (ORD-5..7, CAN-12)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from models.cancellations import Fault
from models.contract import SUPPLIER_ID
from starter.sandbox.facts import SupplierSeed
from tests.case_story import OrderStory
from tests.world import NEWARK, World

pytestmark = pytest.mark.proof  # the plans try each of these without a server

MIDWEST = (41.26, -95.94)


def bought(effects: Any) -> list[tuple[str, list[tuple[str, int]]]]:
    """What was ordered at which warehouse: units by SKU. They go out side by side; here by number."""
    return [
        (order.warehouse_id, [(line["sku"], line["quantity"]) for line in order.lines])
        for order in sorted(effects.supplier_orders, key=lambda order: order.number)
    ]


async def window_passes(order: OrderStory) -> None:
    await order.reaches("cancel_window")
    await order.forward(minutes=31)


# ---- ORD-5: the closest that has it ----


async def test_ORD_5_the_closest_warehouse_that_has_it_gets_the_order(world: World) -> None:
    far, near = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 500, far, at=NEWARK, cost="1.00")
    await world.stock(sku, 5, near, cost="31.50")
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2})
    await order.placed()
    assert bought(await order.effects()) == [(f"{near.supplier_id}-w1", [(sku, 2)])]
    assert await order.attribute(SUPPLIER_ID) == near.supplier_id


async def test_ORD_5_a_closer_one_without_all_units_is_passed_over_for_one_that_has_them(world: World) -> None:
    far, near = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 3, near)
    await world.stock(sku, 4, far, at=NEWARK)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 4})
    await order.placed()
    assert bought(await order.effects()) == [(f"{far.supplier_id}-w1", [(sku, 4)])]


async def test_ORD_5_a_line_that_no_warehouse_has_whole_is_split_over_the_closest(world: World) -> None:
    far, middle, near = await world.supplier(), await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 3, far, at=NEWARK)
    await world.stock(sku, 3, near)
    await world.stock(sku, 3, middle, at=MIDWEST)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 5})
    await order.placed()
    assert bought(await order.effects()) == [
        (f"{near.supplier_id}-w1", [(sku, 3)]),
        (f"{middle.supplier_id}-w1", [(sku, 2)]),
    ]
    assert [capture.amount for capture in (await order.effects()).captures] == [Decimal("157.50")]


async def test_ORD_5_lines_of_several_suppliers_are_one_order_for_each(world: World) -> None:
    brakes, lamps = await world.supplier(), await world.supplier()
    disc, pad, lamp = world.sku(), world.sku(), world.sku()
    await world.stock(disc, 9, brakes)
    await world.stock(pad, 9, brakes)
    await world.stock(lamp, 9, lamps)
    order = await world.order(await world.seller(), {"sku": disc}, {"sku": lamp}, {"sku": pad, "quantity": 4})
    await order.placed()
    assert bought(await order.effects()) == [
        (f"{brakes.supplier_id}-w1", [(disc, 1), (pad, 4)]),
        (f"{lamps.supplier_id}-w1", [(lamp, 1)]),
    ]


async def test_ORD_5_two_warehouses_of_one_supplier_get_an_order_each(world: World) -> None:
    supplier = await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, supplier, warehouse="w1")
    await world.stock(lamp, 9, supplier, warehouse="w2", at=NEWARK)
    order = await world.order(await world.seller(), {"sku": disc}, {"sku": lamp})
    await order.placed()
    assert [warehouse for warehouse, _ in bought(await order.effects())] == [
        f"{supplier.supplier_id}-w1",
        f"{supplier.supplier_id}-w2",
    ]


async def test_ORD_5_one_piece_in_stock_counts_as_none(world: World) -> None:
    far, near = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 1, near)
    await world.stock(sku, 2, far, at=NEWARK)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 1})
    await order.placed()
    assert bought(await order.effects()) == [(f"{far.supplier_id}-w1", [(sku, 1)])]


async def test_ORD_5_a_seller_may_set_a_higher_minimum_of_its_own(world: World) -> None:
    far, near = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 4, near)
    await world.stock(sku, 5, far, at=NEWARK)
    order = await world.order(await world.seller(minimum_stock=5), {"sku": sku, "quantity": 1})
    await order.placed()
    assert bought(await order.effects()) == [(f"{far.supplier_id}-w1", [(sku, 1)])]


# ---- ORD-6: second source ----


async def test_ORD_6_out_of_stock_is_second_sourced_at_any_price_and_the_seller_pays_the_original_cost(
    world: World,
) -> None:
    usual, network = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 1, usual)
    await world.stock(sku, 20, network, cost="99.99", second_source=True)
    order = await world.order(
        await world.seller(), {"sku": sku, "quantity": 2, "unit_cost": "31.50"}, estimated_shipping="5.00"
    )
    await order.placed()
    effects = await order.effects()
    assert bought(effects) == [(f"{network.supplier_id}-w1", [(sku, 2)])]
    assert effects.supplier_orders[0].lines[0]["unit_cost"] == "99.99"
    assert [capture.amount for capture in effects.captures] == [Decimal("68.00")]
    (order_to_supplier,) = (await order.books()).supplier_orders
    assert order_to_supplier.second_source


async def test_ORD_6_what_is_in_stock_is_not_second_sourced(world: World) -> None:
    usual, network = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 9, usual, at=NEWARK)
    await world.stock(sku, 20, network, second_source=True)
    order = await world.order(await world.seller(), {"sku": sku})
    await order.placed()
    assert bought(await order.effects()) == [(f"{usual.supplier_id}-w1", [(sku, 1)])]


async def test_ORD_6_only_what_is_missing_is_second_sourced(world: World) -> None:
    usual, network = await world.supplier(), await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, usual)
    await world.stock(lamp, 9, network, cost="80.00", second_source=True)
    order = await world.order(await world.seller(), {"sku": disc}, {"sku": lamp})
    await order.placed()
    assert bought(await order.effects()) == [
        (f"{usual.supplier_id}-w1", [(disc, 1)]),
        (f"{network.supplier_id}-w1", [(lamp, 1)]),
    ]


@pytest.mark.parametrize("refusal", ["out_of_stock", "refused"])
async def test_ORD_6_a_suppliers_refusal_is_second_sourced_too(world: World, refusal: Any) -> None:
    usual, network = await world.supplier(), await world.supplier()
    sku = world.sku()
    await world.stock(sku, 9, usual)
    await world.stock(sku, 9, network, cost="80.00", second_source=True)
    await world.sandbox.put_supplier(usual.supplier_id, SupplierSeed(refuses=(sku,), refusal=refusal))
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2})
    await order.placed()
    effects = await order.effects()
    assert bought(effects) == [(f"{network.supplier_id}-w1", [(sku, 2)])]
    assert [capture.amount for capture in effects.captures] == [Decimal("63.00")]
    assert [(one.number, one.state) for one in (await order.books()).supplier_orders] == [
        (f"{order.id}-1", "refused"),
        (f"{order.id}-2", "accepted"),
    ]


# ---- ORD-7: nobody has it ----


async def test_ORD_7_without_any_source_the_order_is_voided_and_nothing_is_taken(world: World) -> None:
    seller = await world.seller()
    order = await world.order(seller, {"sku": world.sku(), "quantity": 2})
    await window_passes(order)
    await order.ends("voided")
    effects = await order.effects()
    assert (effects.supplier_orders, effects.captures, effects.refunds) == ((), (), ())
    assert [intent.status for intent in effects.payment_intents] == ["canceled"]
    assert [stop.state for stop in effects.stops] == ["stopped"]
    (mail,) = await order.mails(f"Order {order.id} can't be fulfilled", to=str(seller.email))
    for choice in ("Buy the part elsewhere", "special order", "Cancel with the buyer"):
        assert choice in (mail.text or "")


async def test_ORD_7_of_an_order_that_is_partly_void_only_the_rest_is_charged(world: World) -> None:
    seller, supplier = await world.seller(), await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, supplier)
    order = await world.order(
        seller,
        {"sku": disc, "quantity": 2, "unit_cost": "31.50"},
        {"sku": lamp, "quantity": 1, "unit_cost": "37.00"},
        estimated_shipping="10.00",
    )
    await order.placed()
    effects = await order.effects()
    assert [capture.amount for capture in effects.captures] == [Decimal("69.30")]
    assert effects.refunds == ()
    lines = {line.sku: line for line in (await order.books()).lines}
    assert (lines[disc].open, lines[lamp].voided) == (2, 1)
    assert lines[disc].cost == Decimal("69.30")


async def test_ORD_7_after_a_suppliers_refusal_the_seller_is_refunded_at_once_to_the_cent(world: World) -> None:
    seller, good, bad = await world.seller(), await world.supplier(), await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, good)
    await world.stock(lamp, 9, bad)
    await world.sandbox.put_supplier(bad.supplier_id, SupplierSeed(refuses=("*",)))
    order = await world.order(
        seller,
        {"sku": disc, "quantity": 2, "unit_cost": "31.50"},
        {"sku": lamp, "quantity": 3, "unit_cost": "10.33"},
        estimated_shipping="10.00",
        cost_tax="5.01",
    )
    await order.placed()
    effects = await order.effects()
    (capture,) = effects.captures
    (refund,) = effects.refunds
    lines = {line.sku: line for line in (await order.books()).lines}
    assert capture.amount == Decimal("109.00")
    assert refund.amount == lines[lamp].cost
    assert capture.amount - refund.amount == lines[disc].cost
    assert refund.payment_intent == capture.payment_intent
    sellers = (await order.books()).refunds.seller
    assert (sellers.paid, sellers.refunded) == (capture.amount, refund.amount)


async def test_ORD_7_when_the_last_supplier_refuses_all_the_seller_gets_everything_back(world: World) -> None:
    supplier = await world.supplier()
    sku = world.sku()
    await world.stock(sku, 9, supplier)
    await world.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(refuses=("*",)))
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 2}, estimated_shipping="3.33")
    await window_passes(order)
    await order.ends("voided")
    effects = await order.effects()
    assert [capture.amount for capture in effects.captures] == [Decimal("66.33")]
    assert [refund.amount for refund in effects.refunds] == [Decimal("66.33")]
    assert effects.supplier_orders == ()


async def test_ORD_7_part_of_a_line_that_nobody_has_is_void(world: World) -> None:
    supplier = await world.supplier()
    sku = world.sku()
    await world.stock(sku, 2, supplier)
    order = await world.order(await world.seller(), {"sku": sku, "quantity": 3, "unit_cost": "10.00"})
    await order.placed()
    (line,) = (await order.books()).lines
    assert (line.open, line.voided) == (2, 1)
    assert [capture.amount for capture in (await order.effects()).captures] == [Decimal("20.00")]


# ---- CAN-12: why it was voided ----


async def test_CAN_12_a_void_keeps_what_the_stock_feed_said_and_when(world: World) -> None:
    supplier = await world.supplier()
    sku = world.sku()
    await world.stock(sku, 1, supplier)
    order = await world.order(await world.seller(), {"sku": sku})
    await window_passes(order)
    await order.ends("voided")
    (cessation,) = (await order.books()).cessations
    assert (cessation.kind, cessation.fault, cessation.quantities) == ("voided", Fault.STOCK_FEED, {sku: 1})
    said, _, when = cessation.evidence[f"stock feed of {sku}"].partition(" at ")
    assert said == "1 (1 passed over: fewer than 2)"
    assert datetime.fromisoformat(when) > datetime.fromisoformat(cessation.evidence["cancel until"])
    assert cessation.evidence[f"second source of {sku}"].startswith("0 at ")


async def test_CAN_12_a_void_keeps_which_supplier_refused_with_what_word_and_when(world: World) -> None:
    supplier = await world.supplier()
    sku = world.sku()
    await world.stock(sku, 9, supplier)
    await world.sandbox.put_supplier(supplier.supplier_id, SupplierSeed(refuses=("*",), refusal="out_of_stock"))
    order = await world.order(await world.seller(), {"sku": sku})
    await window_passes(order)
    await order.ends("voided")
    (cessation,) = (await order.books()).cessations
    assert cessation.fault is Fault.SUPPLIER
    refused = f"refused by {supplier.supplier_id}, warehouse {supplier.supplier_id}-w1"
    assert cessation.evidence[refused].startswith("out_of_stock at ")
    assert cessation.evidence[f"stock feed of {sku}"].startswith("9 (9 passed over: refused) at ")
