"""Staff cancel a case at each stage in which it can wait: the books say so, no money is lost or
moved twice, and a later start of the same id is no second case (CAN-1, RET-15, REF-6)."""

from decimal import Decimal

import pytest
from temporalio.client import WorkflowExecutionStatus

from models.refunds import RefundState
from starter.client.start import open_order
from starter.sandbox.facts import Effects
from tests.rules.staff_cancel import assert_order_accounted_for, comes_to_its_stop, pauses_pass, started_again
from tests.stages import WAITS, standing_at
from tests.world import CaseStory, OrderStory, World


def money_moved(effects: Effects) -> list[tuple[str, Decimal]]:
    """Refunds at the gateway by our id."""
    return sorted((one.metadata["backhaul_id"], one.amount) for one in effects.refunds)


@pytest.mark.parametrize(("kind", "stage"), WAITS)
async def test_CAN_1_RET_15_REF_6_a_case_that_staff_stop_is_accounted_for_at_every_stage(
    world: World, kind: str, stage: str
) -> None:
    order, case = await standing_at(world, kind, stage)
    before = money_moved(await order.effects())
    await case.handle.cancel()
    await case.shows("that staff stop it", lambda seen: any("by staff" in step.what for step in seen.timeline))
    await world.sandbox.clear_faults()
    await pauses_pass(case)
    await comes_to_its_stop(case)
    if kind == "order":
        await assert_order_accounted_for(order)
    else:
        # What was on its way goes on by itself; nothing else moves.
        assert money_moved(await order.effects()) == before
        known = (await order.books()).refunds.refunds
        sent = [one for one in known if one.state is not RefundState.RESERVED]
        assert sorted((one.refund_id, one.amount) for one in sent) == before
    if kind == "refund":
        return  # started again, it goes on: see test_refund_resumed.py
    assert await started_again(case) == "refused"
    assert money_moved(await order.effects()) == before


# ---- before a worker has looked ----


async def unseen(world: World, kind: str, queue: str) -> tuple[OrderStory, CaseStory]:
    """A case that was started while its worker is away, and its order."""
    order = await world.simple_order(task_queue=queue if kind == "order" else None)
    if kind == "order":
        return order, order
    await order.shipped()
    if kind == "return":
        return order, await world.return_of(order, task_queue=queue)
    return order, await world.refund(order, amount="40.00", task_queue=queue)


async def test_RET_2_a_return_that_staff_stop_before_a_worker_looks_holds_no_units(world: World) -> None:
    queue = f"away-{world.tag}"
    order, case = await unseen(world, "return", queue)
    await case.handle.cancel()
    async with world.worker(queue):
        await case.reaches("stopped")
        standing = world.reading.standing(case.handle.id)
        assert standing is not None, "the books know of it"
        assert (standing.stage, standing.ended) == ("stopped", True)
        again = await world.return_of(order)
        await again.reaches("awaiting_approval")


@pytest.mark.parametrize("kind", ["order", "refund"])
async def test_CAN_1_REF_6_a_case_that_staff_stop_before_a_worker_looks_ends_stopped_and_moves_nothing(
    world: World, kind: str
) -> None:
    queue = f"away-{world.tag}"
    order, case = await unseen(world, kind, queue)
    await case.handle.cancel()
    async with world.worker(queue):
        await comes_to_its_stop(case)
    assert (await case.handle.describe()).status is WorkflowExecutionStatus.CANCELED
    effects = await order.effects()
    assert effects.refunds == ()
    if kind == "order":
        assert (effects.payment_intents, [stop.state for stop in effects.stops]) == ((), ["stopped"])
        assert [(line.cancelled, line.open) for line in (await order.books()).lines] == [(2, 0)]
        again = await open_order(world.client, order.request, task_queue=world.task_queue)
        assert again.already


async def test_REF_6_a_refund_between_two_tries_that_staff_stop_is_not_tried_again(world: World) -> None:
    """The seller's refund failed, and the return waits for three days before the next one."""
    order, case = await standing_at(world, "return", "refunding_seller")
    first = world.refund_story(f"RF-{case.id}-S1")
    await first.reaches("pending")
    await world.sandbox.settle_refund(first.id, "failed")
    await first.forward(hours=25)
    await first.ends("failed")
    await case.shows("the pause", lambda seen: "mend the seller's payment method" in f"{seen.waiting_for}")
    await case.handle.cancel()
    await comes_to_its_stop(case)
    assert [one.status for one in (await order.effects()).refunds] == ["failed"]
