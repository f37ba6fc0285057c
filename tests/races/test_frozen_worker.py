"""A worker process is stopped in the midst of a refund for longer than it may take; another one makes it; then the
first wakes up and goes on where it was: one refund, one mail (REF-6)."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from models.refunds import RefundState
from starter.ops.processes import Child
from tests.case_story import CaseStory
from tests.chaos.ports import lasting_port
from tests.chaos.rig import READY_SECONDS, Rig, eventually, running_rig

pytestmark = pytest.mark.proof

FROZEN_AT = {
    "before it asks for the refund": "GET /v1/payment_intents/",
    "while the gateway refunds": "POST /v1/refunds$",
}
"""The request whose answer the worker never gets to see before it is stopped."""
DAWDLES_SECONDS = 3.0


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path_factory.mktemp("frozen")) as rig:
        yield rig


@asynccontextmanager
async def frozen(worker: int) -> AsyncIterator[None]:
    """The process does nothing while the block lasts."""
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@asynccontextmanager
async def second_worker(rig: Rig) -> AsyncIterator[Child]:
    environment = rig.plan.environment() | {"BACKHAUL_METRICS_ADDRESS": f"127.0.0.1:{lasting_port()}"}
    command = [sys.executable, "-m", "starter.cli", "worker"]
    child = await Child.start("second worker", command, environment, rig.plan.logs / "second-worker.log")

    async def is_ready() -> bool:
        assert child.exit_code is None, child.last_words()
        return "worker is ready" in child.log.read_text(errors="replace")

    try:
        await eventually(is_ready, "the second worker is ready")
        yield child
    finally:
        await child.stop(10)


async def sent_by(refund: CaseStory) -> int:
    """The process whose answer about `send_refund` counted; tries in vain before it are others."""
    asked, answered = set(), []
    async for event in refund.handle.fetch_history_events():
        completed = event.activity_task_completed_event_attributes
        if event.activity_task_scheduled_event_attributes.activity_type.name == "send_refund":
            asked.add(event.event_id)
        if completed.scheduled_event_id in asked:
            answered.append(int(completed.identity.partition("@")[0]))
    (process,) = answered
    return process


@pytest.mark.proof
@pytest.mark.parametrize("moment", FROZEN_AT)
async def test_REF_6_a_worker_that_wakes_up_after_another_made_its_refund_changes_nothing(
    rig: Rig, moment: str
) -> None:
    world, first = rig.world(), rig.worker_pid
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order, quantity=1)  # half of what was paid: the gateway would refund it twice
    await case.reaches("awaiting_approval")
    await case.update("seller_approval", decision="approved", returnless=True)
    await case.reaches("awaiting_buyer_refund")
    fault = await world.sandbox.add_fault("gateway", "delay", FROZEN_AT[moment], seconds=DAWDLES_SECONDS)
    await world.sandbox.clear_requests()
    await case.signal("buyer_refund", reason="returned")  # an update would be answered when it is made
    refund = world.refund_story(f"RF-{case.id}-B1")

    async def is_met() -> bool:
        known = (await world.sandbox.faults()).get(fault.id)
        return known is None or known.left == 0

    await eventually(is_met, "the gateway is asked")
    async with frozen(first), second_worker(rig) as second:
        await rig.hurry()
        await asyncio.wait_for(refund.handle.result(), READY_SECONDS)
        await asyncio.wait_for(case.handle.result(), READY_SECONDS)
        assert await sent_by(refund) == second.pid

    # It works on: what it was at has come to its end, by an answer or by its own limit.
    later = await world.refund(order, amount="50.01")
    assert (await asyncio.wait_for(later.handle.result(), READY_SECONDS))["state"] == "refused"
    effects = await order.effects()
    assert [(one.amount, one.status) for one in effects.refunds] == [(Decimal(50), "succeeded")]
    known = world.reading.refunds_of(order.id)
    assert [(one.refund_id, one.state) for one in known.refunds] == [(refund.id, RefundState.SUCCEEDED)]
    assert (known.buyer.refunded, known.buyer.left) == (Decimal(50), Decimal(50))
    assert world.reading.return_view(case.id).outcome == "completed"
    mails = Counter(one.message_id for one in effects.mails)
    assert set(mails.values()) == {1}
    buyers = [one for one in effects.mails if str(order.request.buyer.email) in one.recipients]
    assert len([one for one in buyers if "50.00 USD" in str(one.text)]) == 1
