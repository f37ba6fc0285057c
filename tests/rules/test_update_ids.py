"""The server answers an update that it knows by itself: only the very same event may be that (RET-16)."""

import pytest

from models.orders import Hold, Resume
from starter.client.send import EventRefused, send_event
from tests.world import World


async def test_RET_16_another_event_with_a_used_event_id_is_answered_by_the_case(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    hold = Hold(event_id="click-1", actor="seller:jane", reason="ask the buyer")
    first = await send_event(world.client, order.handle.id, "hold", hold)

    resume = Resume(event_id="click-1", actor="seller:jane", reason="answered")
    with pytest.raises(EventRefused, match="used by hold already"):
        await send_event(world.client, order.handle.id, "resume", resume)

    assert first.answer is not None
    assert not first.answer.duplicate
    assert (await order.status()).facts["on_hold"] == "ask the buyer"


async def test_RET_16_the_same_event_again_gets_the_first_answer(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    hold = Hold(event_id="click-1", actor="seller:jane", reason="ask the buyer")

    first = await send_event(world.client, order.handle.id, "hold", hold)
    second = await send_event(world.client, order.handle.id, "hold", hold)

    assert first == second
