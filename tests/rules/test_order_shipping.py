"""Warehouses ship: the shop gets each tracking number, and every unit has one fate (ORD-9, ORD-11)."""

from typing import Any

import pytest

from activities.database.views import OrderView
from starter.sandbox.facts import SupplierSeed
from tests.case_story import OrderStory, Refused
from tests.eventually import eventually
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


def parcel(number: int = 1, **units: int) -> dict[str, Any]:
    """A shipment of so many units of each SKU."""
    return {
        "actor": "supplier:dock",
        "shipment_id": f"s-{number}",
        "carrier": "UPS",
        "tracking_number": f"1Z-{number}",
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in units.items()],
    }


async def two_lines(world: World, **settings: Any) -> tuple[OrderStory, str, str]:
    """An order of 2 of one item and 3 of another, not placed yet."""
    supplier = await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, supplier)
    await world.stock(lamp, 9, supplier)
    order = await world.order(
        await world.seller(**settings), {"sku": disc, "quantity": 2}, {"sku": lamp, "quantity": 3}
    )
    await order.reaches("cancel_window")
    return order, disc, lamp


async def test_ORD_9_the_tracking_number_reaches_the_shop_as_if_the_seller_had_typed_it(world: World) -> None:
    supplier = await world.supplier()
    order = await world.simple_order(supplier=supplier, channel="ebay", channel_order_id="12-345-678")
    await order.placed()
    sku = order.request.lines[0].sku
    await order.update("shipment", **parcel(**{sku: 2}))
    await order.ends("shipped")
    (asked,) = await world.sandbox.requests("shop", f"/orders/{order.id}/shipments/s-1")
    assert asked.body == {
        "channel": "ebay",
        "channel_order_id": "12-345-678",
        "carrier": "UPS",
        "tracking_number": "1Z-1",
        "lines": [{"sku": sku, "quantity": 2}],
        "more_parcels": [],
        "correction": 0,
    }


async def test_ORD_9_the_buyer_never_hears_of_broker_or_supplier(world: World) -> None:
    supplier = await world.supplier(name="Reno Warehouse")
    order = await world.simple_order(supplier=supplier)
    await order.shipped()
    asked = [str(one.body).lower() for one in await world.sandbox.requests("shop", order.id)]
    assert asked
    for word in ("backhaul", "broker", "reno", supplier.supplier_id):
        assert not any(word in body for body in asked)
    assert await order.mails(to=str(order.request.buyer.email)) == []


async def test_ORD_9_the_supplier_gets_the_buyers_address_and_not_what_the_buyer_paid(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    (asked,) = await world.sandbox.requests("supplier", f"/v1/orders/{order.id}-1")
    assert asked.body["ship_to"]["line1"] == order.request.buyer.address.line1
    assert "50.00" not in str(asked.body)
    assert str(order.request.buyer.email) not in str(asked.body)


async def test_ORD_9_while_the_shop_is_down_the_order_says_so_and_the_number_arrives_later_once(
    world: World,
) -> None:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("shop", "error", f"{order.id}/shipments", times=None)
    await order.update("shipment", **parcel(**{order.request.lines[0].sku: 2}))
    await order.shows(
        "that it waits for the shop",
        lambda seen: seen.waiting_for is not None and seen.waiting_for.who == "shop",
    )
    await world.sandbox.clear_faults()
    await order.forward(hours=1)
    await order.ends("shipped")
    assert [one.tracking_number for one in (await order.effects()).shipments] == ["1Z-1"]


async def test_ORD_9_an_answer_of_the_shop_that_is_lost_makes_no_second_shipment(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("shop", "drop_after", f"{order.id}/shipments")
    await order.update("shipment", **parcel(**{order.request.lines[0].sku: 2}))
    await order.forward(seconds=10)
    await order.ends("shipped")
    assert len((await order.effects()).shipments) == 1


async def test_ORD_9_the_seller_is_told_carrier_and_number(world: World) -> None:
    seller = await world.seller()
    order = await world.simple_order(seller)
    await order.shipped()
    (mail,) = await order.mails(f"Order {order.id} has shipped", to=str(seller.email))
    assert "UPS" in (mail.text or "")
    assert f"1Z{order.id}" in (mail.text or "")


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_ORD_11_part_of_a_line_ships_first_and_the_order_is_done_with_the_last_unit(
    world: World, way: str
) -> None:
    order, disc, lamp = await two_lines(world)
    await order.placed()
    await order.send(way, "shipment", **parcel(1, **{lamp: 1}))
    status = await order.shows("the first parcel", lambda seen: len(seen.facts["shipments"]) == 1)
    assert status.outcome is None
    await order.send(way, "shipment", **parcel(2, **{lamp: 2, disc: 1}))
    await order.shows("the second parcel", lambda seen: len(seen.facts["shipments"]) == 2)
    assert (await order.reaches("awaiting_shipment")).outcome is None
    await order.send(way, "shipment", **parcel(3, **{disc: 1}))
    await order.ends("shipped")
    assert [one.shipment_id for one in (await order.effects()).shipments] == ["s-1", "s-2", "s-3"]
    assert [(line.shipped, line.open) for line in (await order.books()).lines] == [(2, 0), (3, 0)]


async def test_ORD_11_what_it_still_waits_for_is_shown(world: World) -> None:
    order, disc, lamp = await two_lines(world)
    await order.placed()
    await order.update("shipment", **parcel(1, **{disc: 2, lamp: 1}))
    status = await order.shows(
        "what is open", lambda seen: seen.waiting_for is not None and "2 x" in seen.waiting_for.what
    )
    assert status.waiting_for is not None
    assert status.waiting_for.what == f"ship 2 x {lamp}"


async def test_ORD_11_a_shipment_told_twice_counts_once(world: World) -> None:
    order, disc, lamp = await two_lines(world)
    await order.placed()
    first = await order.signal("shipment", **parcel(1, **{disc: 1, lamp: 1}))
    await order.handle.signal("shipment", first)
    await order.update("shipment", **parcel(1, **{disc: 1, lamp: 1}))
    await order.shows(
        "that it is known", lambda seen: any("known already; counted once" in step.what for step in seen.timeline)
    )

    def counts_once(books: OrderView) -> bool:
        return [(line.shipped, line.open) for line in books.lines] == [(1, 1), (1, 2)]

    await eventually(order.books, counts_once, "its units are not counted once")
    assert len((await order.effects()).shipments) == 1


async def test_ORD_11_more_units_than_are_open_are_refused_and_change_nothing(world: World) -> None:
    order, disc, lamp = await two_lines(world)
    await order.placed()
    await order.update("shipment", **parcel(1, **{disc: 1}))
    with pytest.raises(Refused) as refused:
        await order.update("shipment", **parcel(2, **{disc: 2, lamp: 1}))
    assert refused.value.type == "RefusedByRule"
    assert "ORD-11" in str(refused.value)
    await order.signal("shipment", **parcel(3, **{disc: 2}))
    await order.shows("the rejected event", lambda seen: seen.rejected_count == 1)
    assert [one.shipment_id for one in (await order.effects()).shipments] == ["s-1"]
    await order.update("shipment", **parcel(4, **{disc: 1, lamp: 3}))
    await order.ends("shipped")


async def test_ORD_11_an_item_that_was_not_ordered_is_refused(world: World) -> None:
    order, _, _ = await two_lines(world)
    await order.placed()
    with pytest.raises(Refused) as refused:
        await order.update("shipment", **parcel(1, **{"SKU-OTHER": 1}))
    assert "SKU-OTHER" in str(refused.value)


async def test_ORD_11_a_shipment_that_comes_early_is_kept_until_its_turn(world: World) -> None:
    order, disc, lamp = await two_lines(world)
    await order.signal("shipment", **parcel(1, **{disc: 2, lamp: 3}))
    await order.shows("that it is kept", lambda seen: any("s-1" in step.what for step in seen.timeline))
    assert (await order.effects()).shipments == ()
    await order.forward(minutes=31)
    await order.ends("shipped")
    effects = await order.effects()
    assert (len(effects.supplier_orders), len(effects.shipments)) == (1, 1)


async def test_ORD_11_an_early_shipment_of_what_was_voided_meanwhile_is_set_aside(world: World) -> None:
    good, bad = await world.supplier(), await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, good)
    await world.stock(lamp, 9, bad)
    await world.sandbox.put_supplier(bad.supplier_id, SupplierSeed(refuses=("*",)))
    order = await world.order(await world.seller(), {"sku": disc}, {"sku": lamp})
    await order.reaches("cancel_window")
    await order.update("shipment", **parcel(1, **{lamp: 1}))
    await order.forward(minutes=31)
    status = await order.shows("the rejected event", lambda seen: seen.rejected_count == 1)
    assert "ORD-11" in status.rejected_events[0].reason
    assert (await order.effects()).shipments == ()
    await order.update("shipment", **parcel(2, **{disc: 1}))
    await order.ends("shipped")


async def test_ORD_11_an_order_of_which_some_is_void_is_done_when_the_rest_is_shipped(world: World) -> None:
    supplier = await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, supplier)
    order = await world.order(await world.seller(), {"sku": disc, "quantity": 2}, {"sku": lamp})
    await order.placed()
    await order.update("shipment", **parcel(1, **{disc: 2}))
    await order.ends("shipped")
    assert [(line.shipped, line.voided) for line in (await order.books()).lines] == [(2, 0), (0, 1)]


async def test_ORD_11_staff_are_told_of_an_order_that_does_not_ship(world: World) -> None:
    order, disc, lamp = await two_lines(world, shipment_reminder_days=(5,))
    await order.placed()
    await order.forward(days=4)
    await order.update("shipment", **parcel(1, **{disc: 2}))
    await order.forward(days=2)
    await order.shows("the reminder", lambda seen: any("after 5 days" in step.what for step in seen.timeline))
    await order.update("shipment", **parcel(2, **{lamp: 3}))
    await order.ends("shipped")
    (mail,) = await order.mails(f"order-{order.id}: not shipped", to="staff@backhaul.example")
    assert f"3 x {lamp}" in (mail.text or "")
