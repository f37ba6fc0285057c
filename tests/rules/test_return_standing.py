"""Lists and search attributes say what a return waits for now (NTF-3)."""

import random

from models.contract import STAGE, WAITING_ON
from tests.chaos.stories import Story, credit, stands_at
from tests.chaos.story_parts import awaiting_credit
from tests.eventually import eventually
from tests.world import World


async def test_NTF_3_after_the_sellers_refund_the_list_says_that_the_sellers_click_is_awaited(
    world: World,
) -> None:
    _, case = await awaiting_credit(Story(world, random.Random(1)))

    await credit(case)

    await stands_at(case, "awaiting_buyer_refund")
    await eventually(
        lambda: case.attribute(STAGE), lambda stage: stage == "awaiting_buyer_refund", "staff find it by its stage"
    )
    assert await case.attribute(WAITING_ON) == ["seller"]
