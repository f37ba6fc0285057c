"""`backhaul replay` tries the code on the open cases of a server."""

from starter.replaying import replay_open_cases
from tests.rules.return_story import returning
from tests.world import World


async def test_open_cases_of_a_server_can_go_on_with_this_code(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    back = await (await returning(world)).approved()

    seen = {case.workflow_id: case async for case in replay_open_cases(world.client)}

    mine = [seen[order.handle.id], seen[back.handle.id]]
    assert [case.broken_by for case in mine] == [None, None]
    assert back.order.handle.id not in seen, "a closed case is not replayed"
