"""How long a case leaves a partner alone before it asks again: as long as it wants, and not as long as others."""

from datetime import timedelta

import pytest
from temporalio.client import WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment

from models.case import Ended
from tests.engine.test_engine import Yard, status
from tests.eventually import eventually
from workflows.engine.calls import DATABASE, SPREAD

LONG_BEFORE_STAFF = timedelta(minutes=5)
"""A pause that staff are not told of."""


@pytest.fixture
def yard(env: WorkflowEnvironment) -> Yard:
    return Yard(env)


def later(wanted: timedelta) -> ApplicationError:
    """The scales don't answer, and want to be left alone for a while."""
    return ApplicationError("busy", type="PartnerUnavailable", non_retryable=True, next_retry_delay=wanted)


async def pauses(handle: WorkflowHandle[object, Ended]) -> list[timedelta]:
    events = [event async for event in handle.fetch_history_events()]
    started = [
        one.timer_started_event_attributes for one in events if one.HasField("timer_started_event_attributes")
    ]
    return [one.start_to_fire_timeout.ToTimedelta() for one in started]


async def first_pause(yard: Yard) -> timedelta:
    """Of a new parcel that the scales turn away."""
    handle = await yard.parcel()
    found: list[timedelta] = await eventually(lambda: pauses(handle), bool, "it pauses")
    await handle.terminate()
    return found[0]


@pytest.mark.parametrize("wanted", [LONG_BEFORE_STAFF, timedelta(hours=2), timedelta(hours=24)])
async def test_RET_16_a_partner_gets_the_whole_pause_that_it_asks_for(yard: Yard, wanted: timedelta) -> None:
    yard.scales.fail_with = later(wanted)
    async with yard.worker():
        pause = await first_pause(yard)
        assert yard.scales.weighed == 1, "it is not asked meanwhile"
    assert wanted <= pause <= wanted * (1 + SPREAD)


async def test_RET_16_parcels_that_failed_together_do_not_come_back_together(yard: Yard) -> None:
    yard.scales.fail_with = ApplicationError("a bug", type="Internal", non_retryable=True)
    async with yard.worker():
        found = [await first_pause(yard) for _ in range(5)]
    assert len(set(found)) == 5
    assert all(DATABASE.pause <= pause <= DATABASE.pause * (1 + SPREAD) for pause in found)


async def test_RET_16_after_its_pause_the_partner_is_asked_again_and_the_parcel_goes_on(yard: Yard) -> None:
    yard.scales.fail_with = later(timedelta(hours=2))
    async with yard.worker():
        handle = await yard.parcel()
        await eventually(lambda: pauses(handle), bool, "it pauses")
        yard.scales.fail_with = None
        await yard.env.fast_forward(handle, timedelta(hours=2) * (1 + SPREAD))
        await eventually(lambda: status(handle), lambda seen: seen.stage == "on_its_way", "it goes on")
        assert yard.scales.weighed == 2
        await handle.terminate()
