"""Cases that live through an outage, and what an auditor finds afterwards."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from temporalio.client import WorkflowExecutionStatus

from tests.chaos.auditor import Audit, Auditor
from tests.chaos.evidence import Kill, gather
from tests.chaos.stories import Plot, Story
from tests.eventually import eventually
from tests.world import World

CALM_SECONDS: Final = 90.0
"""What the books kept from being done is tried again within half a minute, mails after some more."""


async def live(world: World, plots: tuple[Plot, ...], seed: int = 1) -> dict[str, str]:
    """Let these lives be lived at the same time; gives how each case must end."""
    stories = [Story(world, random.Random(seed + number)) for number in range(len(plots))]
    await asyncio.gather(*(story.live(plot) for story, plot in zip(stories, plots, strict=True)))
    return {case: end for story in stories for case, end in story.expected.items()}


async def audited(world: World, expected: dict[str, str], outages: Sequence[datetime] = ()) -> Audit:
    """Wait until nothing is under way, then count: everything must be done once, and nothing be lost.

    `outages`: when the books broke. No mail comes again for that: the worker lives on, and knows what is out.
    """
    await eventually(lambda: _under_way(world), lambda found: not found, "still under way", CALM_SECONDS)
    evidence = await gather(
        world.sandbox,
        world.engine,
        world.client,
        tag=world.tag,
        kills=tuple(Kill(at, "database") for at in outages),
        expected=expected,
    )
    audit = Auditor(evidence).audit()
    assert audit.violations == (), "\n".join(map(str, audit.violations))
    assert audit.cases >= len(expected) > 0
    return audit


async def _under_way(world: World) -> list[str]:
    """What the server still has to do for this test's cases."""
    found: list[str] = []
    async for case in world.client.list_workflows(f"TaskQueue = '{world.task_queue}'"):
        if case.status is WorkflowExecutionStatus.RUNNING:
            raw = (await world.client.get_workflow_handle(case.id).describe()).raw_description
            found += [f"{case.id}: {one.activity_type.name}" for one in raw.pending_activities]
            if raw.HasField("pending_workflow_task"):
                found.append(f"{case.id}: a workflow task")
    return found
