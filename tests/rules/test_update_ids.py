"""The server answers an update that it knows by itself: only the very same event may be that (RET-16)."""

from models.orders import Hold, Resume
from starter.sending import send_event
from tests.world import World


async def test_RET_16_another_event_with_a_used_event_id_is_answered_by_the_case(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    hold = Hold(event_id="click-1", actor="seller:jane", reason="ask the buyer")
    first = await send_event(world.client, order.handle.id, "hold", hold)

    resume = Resume(event_id="click-1", actor="seller:jane", reason="answered")
    second = await send_event(world.client, order.handle.id, "resume", resume)

    assert first.answer is not None
    assert second.answer is not None
    assert (first.answer.duplicate, second.answer.duplicate) == (False, True)
    assert second.answer.message != first.answer.message


async def test_RET_16_the_same_event_again_gets_the_first_answer(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    hold = Hold(event_id="click-1", actor="seller:jane", reason="ask the buyer")

    first = await send_event(world.client, order.handle.id, "hold", hold)
    second = await send_event(world.client, order.handle.id, "hold", hold)

    assert first == second
