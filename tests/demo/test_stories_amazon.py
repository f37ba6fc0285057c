"""The demo's stories of Amazon's reports are played to the end that they tell (AMZ-1, AMZ-8, CAN-8)."""

import pytest

from starter.demo.stories_amazon_reports import STORIES
from starter.demo.story import DemoEnvironment, Story
from tests.demo.test_judging import environment, played
from tests.world import World

__all__ = ["environment"]

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.play.__name__)
async def test_AMZ_1_AMZ_8_CAN_8_each_story_ends_as_it_is_told(
    world: World, environment: DemoEnvironment, story: Story
) -> None:
    (one,) = await played(world, environment, story)
    assert one.as_expected, f"{one.misses}; {one.cases}"
