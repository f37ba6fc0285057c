"""A special order on the real server: what went back is charged anew, once (ORD-8)."""

from decimal import Decimal

from activities.database.ledger import Ledger
from models.contract import STAGE, WORK
from tests.replay.order_paths import parcel
from tests.world import World


async def test_ORD_8_what_went_back_is_charged_anew_when_stock_arrives(world: World) -> None:
    supplier, sku = await world.supplier(), world.sku()
    await world.stock(sku, 9, supplier)
    order = await world.order(await world.seller(choice_days=7), {"sku": sku, "quantity": 2})
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "refuse", f"PUT .*/orders/{order.id}")
    await order.forward(minutes=31)
    await order.reaches("awaiting_choice")
    assert await order.attribute(WORK) == ["to_choose"]
    await order.shows("the refund", lambda seen: any("seller refunded" in step.what for step in seen.timeline))

    await order.update("choice_after_void", choice="special_order")
    await order.reaches("awaiting_stock")
    assert await order.attribute(STAGE) == "awaiting_stock"
    too_late = await world.claim(order, "20.00")
    assert "0 of 2 voided" in (await too_late.ends("refused")).timeline[-1].what, "what waits is not claimed"

    await order.update("stock_arrived", actor="broker:stock")
    await order.reaches("awaiting_shipment")
    await order.update("shipment", **parcel(order, "a", 2))
    await order.ends("shipped")
    charges = (await order.books()).charges
    assert [(one.captured, one.state.value) for one in charges] == [(Decimal("63.00"), "captured")] * 2
    assert len({one.gateway_reference for one in charges}) == 2
    entries = Ledger(world.engine).entries(order_id=order.id)
    charged = [(one.movement, one.kind) for one in entries if one.movement.startswith("charge/")]
    assert len(charged) == len(set(charged)), "nothing is entered twice"
    assert len({movement for movement, _ in charged}) == 2, "each charge has its own entries"
    assert len(await order.mails(f"Order {order.id} waits for stock")) == 1
