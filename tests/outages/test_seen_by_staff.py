"""What people see of a case while the books are away (NTF-3)."""

import asyncio
import random
import time

import pytest

from models.case import CaseStatus
from tests.case_story import CaseStory
from tests.chaos.postgres import Postgres
from tests.chaos.stories import Story, ship
from tests.eventually import eventually
from tests.outages.lives import audited
from tests.world import World

PROMPT_SECONDS = 1.0


def waits_for_books(seen: CaseStatus) -> bool:
    waits = (seen.waiting_for, *seen.also_waiting_for)
    return any(wait is not None and wait.who == "books" for wait in waits)


async def answers_promptly(case: CaseStory) -> None:
    """At its second question at the latest: the first may fall into the moment of a try."""
    for _ in range(3):
        asked = time.monotonic()
        await case.status()
        if time.monotonic() - asked < PROMPT_SECONDS:
            return
    raise AssertionError(f"{case.id} takes {time.monotonic() - asked:.1f} s to say how it stands")


@pytest.mark.proof
async def test_NTF_3_a_case_says_that_it_waits_for_the_books_and_goes_on_when_they_are_back(
    world: World, postgres: Postgres
) -> None:
    story = Story(world, random.Random(1))
    order = await story.order()
    await story.placed(order)
    await asyncio.to_thread(postgres.stop)
    await ship(order)
    refund = await story.refund(order, 1, "5.00")
    for case in (order, refund):
        await eventually(case.status, waits_for_books, f"{case.id} does not say that it waits for the books", 60)
        await answers_promptly(case)
    await asyncio.to_thread(postgres.start)
    await order.ends("shipped")
    await refund.ends("succeeded")
    story.ends(order, "shipped")
    await audited(world, story.expected)
