"""True facts, for tests that doctor them."""

import random

import pytest

from tests.chaos.evidence import Evidence, gather
from tests.chaos.stories import Story, an_order_is_cancelled
from tests.world import World, eventually


@pytest.fixture(scope="session")
def kept() -> dict[str, Evidence]:
    return {}


@pytest.fixture
async def true_facts(world: World, kept: dict[str, Evidence]) -> Evidence:
    """An order that came back to both refunds, and one that was cancelled; played once for all tests."""
    if not kept:
        story = Story(world, random.Random(1))
        order = await story.order()
        await story.shipped(order)
        await story.returned(order)
        await an_order_is_cancelled(story)
        for workflow_id in story.expected:
            await world.client.get_workflow_handle(workflow_id).result()

        async def look() -> Evidence:
            return await gather(world.sandbox, world.engine, world.client, tag=world.tag, expected=story.expected)

        kept["facts"] = await eventually(look, lambda seen: len(seen.cases) == 6, "the server lists all six cases")
    return kept["facts"]
