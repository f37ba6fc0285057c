"""Amazon has cancelled one item of several, and the order follows through all of Backhaul (CAN-8, CAN-10)."""

from starter.sandbox.amazon.facts import AmazonItemSeed, AmazonOrderSeed
from tests.amazon_queue_story import amazon_account
from tests.world import World


async def test_CAN_8_one_of_two_that_amazon_has_cancelled_is_cancelled_and_the_other_ships(world: World) -> None:
    account = await amazon_account(world)
    order = await account.order()
    (line,) = order.request.lines
    items = (
        AmazonItemSeed(order_item_id="11111111111111", seller_sku=line.sku, cancelled_by="MERCHANT"),
        AmazonItemSeed(order_item_id="22222222222222", seller_sku=line.sku),
    )
    number = str(order.request.channel_order_id)
    await world.sandbox.amazon_order(AmazonOrderSeed(order_id=number, items=items))
    await order.update("hold", actor="channel:amazon", reason="ordered by mistake", answer_days=2)
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    await order.update("resume", actor="seller:jane", reason="cancelled in Seller Central")
    await order.reaches("awaiting_shipment")
    (moved,) = (await order.status()).facts["split_orders"]
    other = world.order_story(moved)
    await other.ends("cancelled")
    assert [(line.moved, line.cancelled) for line in (await order.books()).lines] == [(1, 0)]
    assert (await other.status()).facts["cessations"][0]["fault"] == "marketplace"
    assert (await other.effects()).stops == (), "the marketplace is not told of what it has cancelled"
