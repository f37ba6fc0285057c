"""Orders as they really come, on the running system: lines, kits, payments, nothing to pay (ORD-13 to ORD-16)."""

from decimal import Decimal

import pytest

from tests.case_story import CaseStory, OrderStory, Refused
from tests.world import World

STAFF = "staff:sam"


async def kit_and_twice(world: World) -> OrderStory:
    """One item in two lines, and a kit of it and another item; all shipped by one warehouse."""
    supplier = await world.supplier()
    pad, disc = world.sku(), world.sku()
    for sku in (pad, disc):
        await world.stock(sku, 10, supplier)
    kit = {
        "line_id": "kit",
        "sku": world.sku(),
        "unit_price": "90.00",
        "unit_cost": "60.00",
        "components": [
            {"sku": pad, "title": "Pad", "quantity": 2, "unit_cost": "10.00"},
            {"sku": disc, "title": "Disc", "quantity": 1, "unit_cost": "40.00"},
        ],
    }
    order = await world.order(
        await world.seller(),
        {"sku": pad, "unit_price": "10.00", "tax": "1.00"},
        {"sku": pad, "unit_price": "10.00", "discount": "10.00"},
        kit,
    )
    await order.shipped()
    return order


async def test_ORD_13_ORD_14_lines_and_components_are_bought_shipped_and_returned_by_their_own_id(
    world: World,
) -> None:
    order = await kit_and_twice(world)
    pad, disc = order.request.items[0].sku, order.request.items[3].sku
    view = await order.books()
    assert [(line.line_id, line.paid, line.shipped) for line in view.lines] == [
        ("1", Decimal("11.00"), 1),
        ("2", Decimal("0.00"), 1),
        ("kit.1", Decimal("30.00"), 2),
        ("kit.2", Decimal("60.00"), 1),
    ]
    assert [one.items for one in view.supplier_orders] == [{pad: 4, disc: 1}]
    back = await world.return_of(
        order, lines=[{"sku": order.request.lines[2].sku, "quantity": 1, "reason": "worn"}]
    )
    status = await back.reaches("awaiting_approval")
    assert [(line["line_id"], line["sku"], line["paid"]) for line in status.facts["lines"]] == [
        ("kit.1", pad, "30.00"),
        ("kit.2", disc, "60.00"),
    ]


async def test_ORD_13_a_return_of_an_item_that_several_lines_fit_names_them(world: World) -> None:
    order = await kit_and_twice(world)
    pad = order.request.items[0].sku
    back = await world.return_of(order, lines=[{"sku": pad, "quantity": 1, "reason": "worn"}])
    ended = await back.ends("refused")
    assert "stands in several lines: line 1 (1 x " in ended.timeline[-1].what


async def test_ORD_16_a_discount_above_the_goods_never_gets_stuck(world: World) -> None:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 10, supplier)
    order = await world.order(
        await world.seller(), {"sku": sku, "unit_price": "10.00"}, shipping="10.00", discount="15.00"
    )
    await order.reaches("cancel_window")
    assert [(line.paid) for line in (await order.books()).lines] == [Decimal("5.00")]


async def test_ORD_15_a_gift_is_shipped_and_comes_back_without_the_buyers_money(world: World) -> None:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 10, supplier)
    order = await world.order(
        await world.seller(), {"sku": sku, "unit_price": "0.00"}, payments=[], currency="USD"
    )
    await order.shipped()
    back = await world.return_of(order)
    await back.update("seller_approval", decision="approved")
    await back.update("return_tracking", actor="buyer:robin", carrier="UPS", tracking_number="1Z")
    line = {"sku": sku, "quantity": 1, "reception": "received", "acceptance": "accepted"}
    await back.update("goods_received", actor="supplier:sue", lines=[line])
    memo = {"number": f"CM-{order.id}", "date": "2026-03-20", "amount": "31.50", "currency": "USD"}
    await back.update("credit_memo", actor="supplier:sue", **memo)
    ended = await back.ends("completed")
    assert "the buyer had paid nothing" in ended.timeline[-1].what
    refused = await world.refund(order, amount="1.00")
    assert "nothing was paid for order" in (await refused.ends("refused")).timeline[-1].what


async def test_REF_13_the_same_unit_is_not_refunded_twice(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    sku = order.request.lines[0].sku

    async def refund(*units: int, **more: str) -> CaseStory:
        return await world.refund(order, lines=[{"sku": sku, "quantity": count} for count in units], **more)

    assert (await (await refund(1)).ends("succeeded")).facts["amount"] == "50.00"
    refused = await (await refund(2, amount="10.00")).ends("refused")
    assert f"2 of {sku} can't be refunded: the order has 2, 1 of them" in refused.timeline[-1].what
    unknown = await world.refund(order, amount="1.00", lines=[{"sku": "NO-SUCH", "quantity": 99}])
    assert "there is no line NO-SUCH" in (await unknown.ends("refused")).timeline[-1].what
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("50.00")]


async def test_ORD_1_a_refund_goes_back_by_the_payment_that_can_carry_it(world: World) -> None:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 10, supplier)
    card = {"paid_by": "stripe", "reference": f"pi_{world.tag}", "amount": "20.00", "currency": "USD"}
    gift = {"paid_by": "gift_card", "amount": "30.00", "currency": "USD"}
    order = await world.order(await world.seller(), {"sku": sku}, payments=[gift, card])
    await order.shipped()
    await (await world.refund(order, amount="15.00")).ends("succeeded")
    refused = await (await world.refund(order, amount="10.00")).ends("refused")
    assert "the gateway can give back only 5.00 of 10.00 USD" in refused.timeline[-1].what
    assert [one.payment_intent for one in (await order.effects()).refunds] == [f"pi_{world.tag}"]


async def test_ORD_13_an_update_says_which_lines_there_are(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    lines = [{"sku": "OTHER", "quantity": 1}]
    with pytest.raises(Refused, match=r"there is no line OTHER, only line 1 \(2 x "):
        await order.update(
            "shipment", actor=STAFF, shipment_id="WH/OUT/1", carrier="UPS", tracking_number="1Z", lines=lines
        )
