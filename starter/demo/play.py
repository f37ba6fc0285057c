"""Plays the stories side by side, and judges them by the cases' own word and by what the partners did."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final

import httpx
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from activities.database import Reading
from models.failures import BackhaulError, Conflict
from models.ids import order_workflow_id
from starter.demo import (
    stories_amazon,
    stories_amazon_reports,
    stories_credits,
    stories_kits,
    stories_orders,
    stories_orphans,
    stories_parcels,
    stories_returns,
    stories_special_orders,
    stories_splits,
)
from starter.demo.order_requests import payment_reference
from starter.demo.partner_effects import PartnerEffects
from starter.demo.progress import StoryProgress
from starter.demo.sample_data import load_sample_data
from starter.demo.story import DemoEnvironment, NotAsExpected, PlayedStory, Story, StoryRun
from starter.sandbox.client import SandboxError

STORIES: Final = (
    *stories_orders.STORIES,
    *stories_returns.STORIES,
    *stories_kits.STORIES,
    *stories_orphans.STORIES,
    *stories_parcels.STORIES,
    *stories_splits.STORIES,
    *stories_credits.STORIES,
    *stories_special_orders.STORIES,
    *stories_amazon.STORIES,
    *stories_amazon_reports.STORIES,
)
FIRST_HUNDRED: Final = 10
"""The first run's orders are 1001, 1002, ...; each next run takes the next hundred."""
LAST_HUNDRED: Final = 9_999


def movable_clocks(client: Client) -> TimeSkipper:
    """The same client; its cases keep the time of day until their clocks are moved. The server must allow that."""
    return TimeSkipper(client, config=TimeSkippingConfig(enabled=False))


async def play_stories(
    environment: DemoEnvironment, books: Engine, progress: StoryProgress, stories: Sequence[Story] = STORIES
) -> list[PlayedStory]:
    """Load the sample data, play all stories at once, and judge them when all are over.

    Raises Conflict when no order numbers are free, SandboxError when the partners can't be given it.
    """
    await load_sample_data(books, environment.sandbox, environment.front_url)
    numbers = await free_order_ids(environment, books, len(stories))
    runs = [StoryRun(environment, number, partial(progress.step, number)) for number in numbers]
    failures = await asyncio.gather(
        *(_play_story(story, run, progress) for story, run in zip(stories, runs, strict=True))
    )
    effects = await environment.sandbox.effects()
    played = []
    for story, run, failure in zip(stories, runs, failures, strict=True):
        of_order = PartnerEffects.of(effects, run.order_id, run.payment_reference)
        misses = [one.what for one in run.expectations if not one.holds(of_order)]
        played.append(
            PlayedStory(
                title=story.title,
                order_id=run.order_id,
                cases=tuple(run.ends),
                misses=tuple(([failure] if failure else []) + misses),
            )
        )
    return played


async def _play_story(story: Story, run: StoryRun, progress: StoryProgress) -> str | None:
    """Play one story; gives why it could not be played to its end, if so."""
    progress.begin(run.order_id, story.title)
    failure = None
    try:
        await story.play(run)
    except (NotAsExpected, BackhaulError, SandboxError, RPCError, httpx.HTTPError) as error:
        failure = f"{error}"
    ended = "; ".join(f"{end.workflow_id} {end.how}" for end in run.ends)
    progress.end(run.order_id, story.title, failure or ended)
    return failure


async def free_order_ids(environment: DemoEnvironment, books: Engine, count: int) -> list[str]:
    """`1001`, `1002`, ...: the first hundred of which no number is used, in Temporal, books or sandbox.

    Raises Conflict when there is none.
    """
    paid = {payment.id for payment in (await environment.sandbox.effects()).payment_intents}
    reading = Reading(books)
    for hundred in range(FIRST_HUNDRED, LAST_HUNDRED):
        numbers = [str(hundred * 100 + i) for i in range(1, count + 1)]
        if any(payment_reference(number) in paid for number in numbers):
            continue
        taken = [await _is_taken(environment.skipper.client, reading, number) for number in numbers]
        if not any(taken):
            return numbers
    raise Conflict("no order numbers are left for the demo; remove .backhaul to begin anew (make clean does)")


async def _is_taken(client: Client, reading: Reading, order_id: str) -> bool:
    workflow_id = order_workflow_id(order_id)
    if await asyncio.to_thread(reading.standing, workflow_id) is not None:
        return True
    try:
        await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
