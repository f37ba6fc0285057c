"""RET-22 on the running stack: that a parcel arrived is said after the order's end."""

from datetime import UTC, datetime, timedelta

import pytest

from models.failures import NotFound
from models.order_events import Delivered
from starter.client.send import send_event
from tests.case_story import OrderStory
from tests.world import World


def arrived(order: OrderStory, days_ago: int, shipment_id: str | None = None) -> Delivered:
    return Delivered(
        event_id=f"d-{days_ago}",
        actor="carrier:ups",
        shipment_id=shipment_id or f"s-{order.id}",
        at=datetime.now(UTC) - timedelta(days=days_ago),
    )


async def test_RET_22_a_delivery_after_the_orders_end_counts(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    said = arrived(order, 0)
    delivery = await send_event(world.client, order.handle.id, "delivered", said)
    assert delivery.answer is not None
    assert "is delivered" in delivery.answer.message
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    opened = (await case.status()).facts
    assert not opened["outside_window"]
    assert opened["window_until"] is not None
    (parcel,) = (await order.books()).shipments
    assert parcel.delivered_at is not None


async def test_RET_22_a_delivery_of_no_shipment_is_answered(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    with pytest.raises(NotFound) as refused:
        await send_event(world.client, order.handle.id, "delivered", arrived(order, 0, "no such one"))
    assert f"known: s-{order.id}" in str(refused.value)


async def test_RET_22_what_a_carrier_says_of_a_tracking_number_finds_its_order(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    said = {
        "event_id": f"d-{world.tag}",
        "actor": "carrier:ups",
        "tracking_number": f"1Z{order.id}",
        "at": datetime.now(UTC).isoformat(),
    }
    word = await world.orphan(event="delivered", said=said)
    await word.ends("matched")
    (parcel,) = (await order.books()).shipments
    assert parcel.delivered_at is not None
