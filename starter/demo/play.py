"""Plays the stories side by side, and judges them by the cases' own word and by what the partners did."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
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
from starter.demo import stories_orders, stories_returns
from starter.demo.partner_effects import Seen
from starter.demo.progress import Board
from starter.demo.setting import set_scene
from starter.demo.story import CaseEnd, NotAsExpected, Place, Story, Telling, payment_reference
from starter.sandbox.client import SandboxError

STORIES: Final = (*stories_orders.STORIES, *stories_returns.STORIES)
FIRST_HUNDRED: Final = 10
"""The first run's orders are 1001, 1002, ...; each next run takes the next hundred."""
LAST_HUNDRED: Final = 9_999


@dataclass(frozen=True)
class ToldStory:
    """A story that was played and judged; `misses` says what was not as expected."""

    title: str
    order_id: str
    cases: tuple[CaseEnd, ...]
    misses: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return bool(self.cases) and not self.misses and all(case.as_expected for case in self.cases)


def clock_in_hand(client: Client) -> TimeSkipper:
    """A client whose cases keep the time of day until their clocks are moved; the server must allow that."""
    return TimeSkipper(client, config=TimeSkippingConfig(enabled=False))


async def play(place: Place, books: Engine, board: Board, stories: Sequence[Story] = STORIES) -> list[ToldStory]:
    """Set the scene, play all stories at once, and judge them when all are over.

    Raises Conflict when no order numbers are free, SandboxError when the scene can't be set.
    """
    await set_scene(books, place.sandbox)
    numbers = await free_order_ids(place, books, len(stories))
    tellings = [Telling(place, number, partial(board.step, number)) for number in numbers]
    failures = await asyncio.gather(
        *(_tell(story, telling, board) for story, telling in zip(stories, tellings, strict=True))
    )
    effects = await place.sandbox.effects()
    told = []
    for story, telling, failure in zip(stories, tellings, failures, strict=True):
        seen = Seen.of(effects, telling.order_id, telling.payment_reference)
        misses = [one.what for one in telling.expectations if not one.holds(seen)]
        told.append(
            ToldStory(
                title=story.title,
                order_id=telling.order_id,
                cases=tuple(telling.ends),
                misses=tuple(([failure] if failure else []) + misses),
            )
        )
    return told


async def _tell(story: Story, telling: Telling, board: Board) -> str | None:
    """Play one story; gives why it could not be played to its end, if so."""
    board.begins(telling.order_id, story.title)
    failure = None
    try:
        await story.play(telling)
    except (NotAsExpected, BackhaulError, SandboxError, RPCError, httpx.HTTPError) as error:
        failure = f"{error}"
    ended = "; ".join(f"{end.workflow_id} {end.how}" for end in telling.ends)
    board.is_over(telling.order_id, story.title, failure or ended)
    return failure


async def free_order_ids(place: Place, books: Engine, count: int) -> list[str]:
    """`1001`, `1002`, ...: the first hundred of which no number is used, in Temporal, books or sandbox.

    Raises Conflict when there is none.
    """
    paid = {payment.id for payment in (await place.sandbox.effects()).payment_intents}
    reading = Reading(books)
    for hundred in range(FIRST_HUNDRED, LAST_HUNDRED):
        numbers = [str(hundred * 100 + i) for i in range(1, count + 1)]
        if any(payment_reference(number) in paid for number in numbers):
            continue
        taken = [await _is_taken(place.skipper.client, reading, number) for number in numbers]
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
