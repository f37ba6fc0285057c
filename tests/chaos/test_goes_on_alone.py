"""A worker is killed in the midst of an activity, nobody pushes, and the case goes on within a minute or so.

The crashes of `make chaos` hurry the server and end pauses from outside; here nothing does.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import TimeoutType
from temporalio.api.history.v1 import ActivityTaskStartedEventAttributes

from models import calls
from starter.sandbox.facts import FaultKind
from tests.case_story import OrderStory
from tests.chaos.auditor import Auditor
from tests.chaos.crash_coverage import gateway, gateway_reference
from tests.chaos.evidence import gather
from tests.chaos.rig import Rig, eventually, running_rig
from tests.chaos.stories import Story, ship, stage_of
from tests.chaos.story_parts import in_its_window

pytestmark = pytest.mark.proof

ONE_TRY_SECONDS = 60
"""How long an activity may take (`start_to_close`)."""
NOTICED_SECONDS = 20
"""Until the next try has begun and the case has gone on: timers, a pause between tries, a slow machine."""
UNTIL_TOLD = 600.0


@pytest.fixture
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path_factory.mktemp("alone")) as rig:
        yield rig


@pytest.mark.proof
async def test_REF_6_a_case_whose_worker_died_in_an_activity_goes_on_by_itself(rig: Rig) -> None:
    story = Story(rig.world(), random.Random(1))
    order = await in_its_window(story)
    spot = gateway(f"POST .*/{await gateway_reference(order)}/capture", named=True)
    held = await rig.sandbox.add_fault(spot.partner, FaultKind.DELAY, spot.match, seconds=UNTIL_TOLD)
    closes = (await order.books()).cancel_until
    assert closes is not None, "it has a window"
    await order.forward_to(closes + timedelta(seconds=1))  # no more: the activity's minute would pass with it

    async def is_asked() -> bool:
        return held.id not in await rig.sandbox.faults()

    await eventually(is_asked, "the gateway is asked to collect")
    await rig.kill("worker")
    await rig.sandbox.take_back_fault(held.id)
    await rig.start_worker()

    await eventually(lambda: _stands(order, "awaiting_shipment"), "goes on", ONE_TRY_SECONDS + NOTICED_SECONDS)

    second_try = await _last_try(order, calls.CAPTURE_CHARGE.name)
    assert second_try.attempt == 2
    assert second_try.last_failure.timeout_failure_info.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    await ship(order)
    await asyncio.wait_for(order.handle.result(), NOTICED_SECONDS)
    seen = await gather(rig.sandbox, rig.engine, rig.client, kills=tuple(rig.kills))
    assert Auditor(seen).audit().violations == ()


async def _stands(order: OrderStory, stage: str) -> bool:
    return await stage_of(order) == stage


async def _last_try(order: OrderStory, name: str) -> ActivityTaskStartedEventAttributes:
    """The try of this activity that the history tells of: it keeps only the last."""
    asked: set[int] = set()
    tries: list[ActivityTaskStartedEventAttributes] = []
    async for event in order.handle.fetch_history_events():
        if event.activity_task_scheduled_event_attributes.activity_type.name == name:
            asked.add(event.event_id)
        if event.activity_task_started_event_attributes.scheduled_event_id in asked:
            tries.append(event.activity_task_started_event_attributes)
    return tries[-1]
