"""Events of the contract while a partner is asked: kept or answered, and the case goes on (RET-16)."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from models.case import OrderStage, RefundStage, ReturnStage
from models.contract import EVENTS
from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.races.event_forms import Sender, damages_of, way_of
from tests.races.test_every_event_in_every_stage import ORDER_STAGES, REFUND_STAGES, RETURN_STAGES
from tests.stages import WAITS, replacement_of, standing_at
from tests.world import World

pytestmark = pytest.mark.proof

WALKED = {"order": ORDER_STAGES, "return": RETURN_STAGES, "refund": REFUND_STAGES}
PARTNERS_ASKED = [(kind, stage) for kind, stage in WAITS if stage not in WALKED[kind]]
SHARE = 2
"""At each stage comes every so-many-th event; without a server all of them come at all stages."""
CELLS = [
    (kind, stage, name, way_of((row + column) // SHARE, 0), damages_of((row + column) // SHARE, 0))
    for row, (kind, stage) in enumerate(PARTNERS_ASKED)
    for column, name in enumerate(EVENTS[kind.capitalize()])
    if (row + column) % SHARE == 0
]


CANCELS = {
    (OrderStage.RECEIVED.value, "cancel_request"): OrderStage.CANCELLING.value,
    (OrderStage.AWAITING_STOCK.value, "cancel_request"): OrderStage.CANCELLED.value,
    (OrderStage.AWAITING_STOCK.value, "hold"): OrderStage.ON_HOLD.value,
    (ReturnStage.REPLACING.value, "withdrawal"): ReturnStage.WITHDRAWN.value,
    (ReturnStage.REPLACING.value, "refund_declined"): ReturnStage.COMPLETED.value,
}
"""What moves on at once, though the partner has not answered; and where to."""


async def partners_answer(world: World, case: CaseStory, stage: str, sku: str) -> None:
    """Partners are back, and the gateway ends what was pending; nothing is chosen in time, or stock arrives: the
    case must go on."""
    await world.sandbox.clear_faults()
    if stage.startswith("refunding"):
        refund = world.refund_story(f"RF-{case.id}-{'S' if stage == 'refunding_seller' else 'B'}1")
        await world.sandbox.settle_refund(refund.id, "succeeded")
        await refund.forward(hours=25)

    if stage == "awaiting_choice":
        await case.forward(days=8)
    if stage == "awaiting_stock" and (await case.status()).stage == stage:
        await world.stock(sku, 10, await world.supplier())
        await case.signal("stock_arrived")
    if stage == "replacing" and (await case.status()).outcome is None:
        await (await replacement_of(case)).shipped()

    async def goes_on() -> bool:
        status = await case.status()
        if status.outcome is not None or status.stage != stage:
            return True
        if not stage.startswith("refunding"):  # no time is skipped for a case while a refund of its own is open
            await world.env.fast_forward(case.handle, timedelta(minutes=1))
        return False

    await eventually(goes_on, bool, f"{case.id} is stuck at {stage}")


async def has_arrived(sender: Sender, sending: asyncio.Task[None]) -> None:
    """All of it is heard, while the partner still keeps silent. A cancel request is answered once it is decided,
    which may take the partner's answer: then its update is accepted, and waits."""
    case = sender.case

    async def look() -> bool:
        return (sending.done() or await waits_for_its_answer(case)) and await has_heard_all(case)

    await eventually(look, bool, "not all of it arrives")
    assert (await case.status()).rejected_count >= len(sender.damages)
    if sending.done():
        await sending
        await sender.assert_nothing_lost()


async def waits_for_its_answer(case: CaseStory) -> bool:
    kinds = [event.event_type async for event in case.handle.fetch_history_events()]
    accepted = kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED)
    return accepted > kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)


async def has_heard_all(case: CaseStory) -> bool:
    return not (await case.handle.describe()).raw_description.HasField("pending_workflow_task")


@pytest.mark.parametrize(("kind", "stage", "name", "way", "damages"), CELLS)
async def test_RET_16_an_event_while_a_partner_is_asked_is_kept_or_answered_and_stops_nothing(
    world: World, kind: str, stage: str, name: str, way: str, damages: tuple[str, ...]
) -> None:
    order, case = await standing_at(world, kind, stage)
    sender = Sender(case, name, order.request.lines[0].sku, way, damages)
    sending = asyncio.create_task(sender.send())
    await has_arrived(sender, sending)
    assert (await case.status()).stage in (stage, CANCELS.get((stage, name)))
    await partners_answer(world, case, stage, order.request.lines[0].sku)
    await sending
    await eventually(lambda: has_heard_all(case), bool, "the case has not heard all of it")
    await sender.assert_nothing_lost()


def test_RET_16_every_stage_is_walked_to_or_stood_at() -> None:
    """A new stage of the contract needs its place in one of these lists."""
    stages = {"order": OrderStage, "return": ReturnStage, "refund": RefundStage}
    for kind, walked in WALKED.items():
        assert set(walked) <= {stage.value for stage in stages[kind]}
    asked = {(kind, stage) for kind, stage, *_ in CELLS}
    assert asked | {(kind, stage) for kind, walked in WALKED.items() for stage in walked} == set(WAITS)
