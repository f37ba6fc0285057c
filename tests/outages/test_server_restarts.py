"""PostgreSQL stops at once and comes back: cases wait for it, and go on by themselves (REF-6, RET-16)."""

import asyncio
import random
from datetime import UTC, datetime

from temporalio.client import WorkflowExecutionStatus

from tests.case_story import CaseStory
from tests.chaos.evidence import PROBLEMS
from tests.chaos.postgres import Postgres
from tests.chaos.stories import PLOTS, Story, credit, receive, ship, stands_at, tell, track
from tests.outages.lives import audited, live
from tests.world import World

RESTARTS = 3


async def test_RET_16_cases_in_the_middle_of_everything_keep_what_they_are_told_while_the_books_are_away(
    world: World, postgres: Postgres
) -> None:
    story = Story(world, random.Random(1))
    order = await story.order()
    await story.placed(order)
    sent_back = await story.order()
    await story.shipped(sent_back)
    credited = await story.open_return(sent_back)
    await tell(credited, "seller_approval", decision="approved")
    await stands_at(credited, "awaiting_tracking")
    paid_slowly = await story.order(buyer_method="pm_card_pendingRefund")
    await story.shipped(paid_slowly)
    pending = await story.refund(paid_slowly, 1, "30.00")
    await stands_at(pending, "pending")
    at_gateway = (await pending.status()).facts["gateway_refund_id"]

    before = datetime.now(UTC)
    await asyncio.to_thread(postgres.stop)
    await ship(order)
    await track(credited)
    await receive(credited, sent_back)
    await credit(credited)
    await tell(credited, "buyer_refund", reason="reviewed")
    await world.sandbox.settle_refund(pending.id, "succeeded")
    await tell(pending, "gateway_update", status="succeeded", gateway_refund_id=at_gateway)
    late = await story.refund(order, 1, "1.00")
    await all_wait([order, credited, pending, late])
    await asyncio.to_thread(postgres.start)

    for case, end in ((order, "shipped"), (credited, "completed"), (pending, "succeeded"), (late, "succeeded")):
        await stands_at(case, end)
        story.ends(case, end)
    await audited(world, story.expected, [before])


async def all_wait(cases: list[CaseStory]) -> None:
    """Each runs, none fails, and none has ended."""
    for case in cases:
        description = await case.handle.describe()
        assert description.status is WorkflowExecutionStatus.RUNNING
        assert not description.typed_search_attributes.get(PROBLEMS)


async def test_REF_6_cases_live_on_through_a_server_that_stops_again_and_again(
    world: World, postgres: Postgres
) -> None:
    lives = asyncio.create_task(live(world, PLOTS))
    stops: list[datetime] = []
    for _ in range(RESTARTS):
        await asyncio.sleep(1)
        stops.append(datetime.now(UTC))
        await asyncio.to_thread(postgres.stop)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(postgres.start)
    await audited(world, await lives, stops)
