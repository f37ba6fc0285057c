"""Many cases at once, with queries among their events: each history replays on the code that made it."""

import asyncio

from tests.replay.test_replay import replayer
from tests.rules.test_return_events import test_RET_16_each_event_does_the_same_as_signal_and_as_update as a_return
from tests.world import World

CASES = 24
AT_ONCE = 8


async def test_returns_that_run_side_by_side_replay(world: World) -> None:
    """A local activity that ended in the task that started a timer, which its end cancelled, did not replay."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with places:
            await a_return(world, "signal")

    await asyncio.gather(*(one() for _ in range(CASES)))

    mine = [case.id async for case in world.client.list_workflows('WorkflowType="Return"') if world.tag in case.id]
    assert len(mine) == CASES
    for workflow_id in mine:
        await replayer().replay_workflow(await world.client.get_workflow_handle(workflow_id).fetch_history())
