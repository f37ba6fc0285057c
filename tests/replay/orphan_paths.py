"""Paths of an orphan: what was said of a case that is not known (RET-20)."""

from datetime import timedelta
from unittest.mock import patch

from activities import event_delivery
from models.returns import ReturnRequest
from starter.client.start import open_return
from tests.case_story import OrderStory
from tests.replay.recording import Recorded
from tests.world import World


async def _shipped(world: World) -> OrderStory:
    order = await world.simple_order()
    await order.shipped()
    return order


async def orphan_matched_later(world: World) -> list[Recorded]:
    """Nobody knows its number, until the return opens."""
    order = await _shipped(world)
    early = await world.orphan(f"RR-{order.id}-1")
    await early.reaches("unmatched")
    back = await world.return_of(order, return_id=f"RR-{order.id}-1")
    await back.reaches("awaiting_approval")
    await early.ends("matched")
    return [early]


async def orphan_that_starts_a_return(world: World) -> list[Recorded]:
    """A marketplace opened it before its order came; the order ships between two looks (RET-20)."""
    supplier, sku, number = await world.supplier(), world.sku(), f"12-{world.tag}"
    await world.stock(sku, 10, supplier)
    asked = ReturnRequest.at_the_door(
        {
            "return_id": f"RR-{world.tag}-E",
            "order_id": number,
            "source": "ebay_return",
            "lines": [{"sku": sku, "quantity": 1, "reason": "NOT_AS_DESCRIBED"}],
        }
    )
    await open_return(world.client, asked, task_queue=world.task_queue)
    back = world.return_story(asked.return_id)
    orphan = world.orphan_story((await back.ends("refused")).facts["orphan"])
    await orphan.reaches("unmatched")
    refused = await back.handle.fetch_history()
    order = await world.order(await world.seller(), {"sku": sku}, channel="ebay", channel_order_id=number)
    await order.placed()
    await orphan.shows("its order", lambda seen: any("shipped yet" in step.what for step in seen.timeline))
    await order.ship_all()
    await orphan.ends("matched")
    return [orphan, refused]


async def orphan_of_several_cases(world: World) -> list[Recorded]:
    """A person says which return it is."""
    order = await _shipped(world)
    first = await world.return_of(order, quantity=1)
    await first.reaches("awaiting_approval")
    second = await world.return_of(order, quantity=1)
    await second.reaches("awaiting_approval")
    orphan = await world.orphan(order.id)
    await orphan.reaches("several_fit")
    await orphan.update("match", case_id=second.handle.id, reason="the buyer named it")
    await orphan.ends("matched")
    return [orphan]


async def orphan_not_taken(world: World) -> list[Recorded]:
    """Its order has ended; staff dismiss it."""
    order = await _shipped(world)
    said = {"event_id": f"c-{world.tag}", "actor": "channel:ebay", "reason": "too late"}
    orphan = await world.orphan(order.id, event="cancel_request", said=said)
    await orphan.reaches("not_taken")
    await orphan.update("dismiss", reason="it is shipped")
    await orphan.ends("dismissed")
    return [orphan]


async def orphan_expired(world: World) -> list[Recorded]:
    orphan = await world.orphan(f"nobody knows {world.tag}", look_days=2)
    await orphan.reaches("unmatched")
    await orphan.forward(days=3)
    await orphan.ends("expired")
    return [orphan]


async def orphan_stopped(world: World) -> list[Recorded]:
    orphan = await world.orphan(f"nobody knows {world.tag}")
    await orphan.reaches("unmatched")
    await orphan.handle.cancel()
    await orphan.shows("its end", lambda seen: seen.outcome == "stopped")
    return [orphan]


async def orphan_whose_case_does_not_answer(world: World) -> list[Recorded]:
    """No worker runs for its order; when one does, the order has it. Nobody waits 15 s for each try."""
    queue = f"{world.task_queue}-orphans-{world.tag}"
    order = await world.simple_order(task_queue=queue)
    said = {"event_id": f"c-{world.tag}", "actor": "channel:ebay", "reason": "changed their mind"}
    orphan = await world.orphan(f"nobody knows {world.tag}", event="cancel_request", said=said)
    await orphan.reaches("unmatched")
    with patch.object(event_delivery, "_WITHIN", timedelta(milliseconds=200)):
        await orphan.signal("match", case_id=order.handle.id, reason="the buyer named it")
        await orphan.shows(
            "its trouble", lambda seen: any("no success yet" in step.what for step in seen.timeline)
        )
    async with world.worker(queue):
        await orphan.ends("matched")
    return [orphan]
