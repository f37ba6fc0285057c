"""A refund can't be stopped: staff's Cancel changes nothing. One whose workflow was terminated goes on under its
own id: by the gateway's word, or when it is started again. What the gateway has is not sent twice, and its last
word is in the database (REF-6, REF-7)."""

from decimal import Decimal

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import WorkflowExecutionStatus

from models.contract import REFUND
from models.refunds import GatewayUpdate, RefundRequest, RefundState
from starter.client.send import record_event, send_event
from starter.client.start import open_refund
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.rules.test_reset import reset_to_its_start
from tests.stages import refund_at, return_at
from tests.world import World

PAID = Decimal(100)
AMOUNT = Decimal(40)


async def terminated(world: World) -> tuple[OrderStory, CaseStory, str]:
    """A refund that was terminated while it was pending, its order, and its number at the gateway."""
    order, refund = await refund_at(world, "pending")
    ident = str((await refund.status()).facts["gateway_refund_id"])
    await refund.handle.terminate("by mistake")
    return order, refund, ident


async def never_sent(world: World) -> tuple[OrderStory, CaseStory]:
    """A refund that was terminated before the gateway heard of it, and its order: between two of its tries, so
    that none is on its way."""
    order, refund = await refund_at(world, "sending")

    async def pauses() -> bool:
        pending = (await refund.handle.describe()).raw_description.pending_activities
        return [one.state for one in pending] == [PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED]

    await eventually(pauses, bool, "it does not wait for its next try")
    await refund.handle.terminate("by mistake")
    await world.sandbox.clear_faults()
    assert await at_the_gateway(order) == []
    return order, refund


async def say(refund: CaseStory, status: str, ident: str, way: str = "update") -> None:
    """The gateway's word, by the door of the starter."""
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status=status, gateway_refund_id=ident, reason=None)
    )
    send = send_event if way == "update" else record_event
    await send(refund.stack.client, refund.handle.id, "gateway_update", word)


async def start(order: OrderStory, refund: CaseStory, amount: Decimal = AMOUNT) -> bool:
    """Somebody starts the same refund again; gives whether that is refused, as what is a case already."""
    request = RefundRequest.at_the_door(
        {
            "refund_id": refund.id,
            "order_id": order.id,
            "amount": f"{amount}",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "staff:sam",
        }
    )
    return (await open_refund(order.stack.client, request, task_queue=order.stack.task_queue)).already


async def at_the_gateway(order: OrderStory) -> list[tuple[Decimal, str]]:
    return [(one.amount, one.status) for one in (await order.effects()).refunds]


async def in_the_books(order: OrderStory, refund: CaseStory) -> tuple[RefundState, Decimal]:
    """Where the refund stands, and what is left to refund."""
    totals = (await order.books()).refunds
    (row,) = [one for one in totals.refunds if one.refund_id == refund.id]
    return row.state, totals.buyer.left


@pytest.mark.proof
@pytest.mark.parametrize("way", ["update", "signal"])
async def test_REF_7_a_terminated_refund_that_the_gateway_made_is_settled_by_its_word(
    world: World, way: str
) -> None:
    order, refund, ident = await terminated(world)
    await world.sandbox.settle_refund(refund.id, "succeeded")

    await say(refund, "succeeded", ident, way)

    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


@pytest.mark.proof
async def test_REF_7_a_terminated_refund_that_failed_at_the_gateway_is_refundable_again(world: World) -> None:
    order, refund, ident = await terminated(world)
    await world.sandbox.settle_refund(refund.id, "failed")

    await say(refund, "failed", ident)

    await refund.ends("failed")
    assert await in_the_books(order, refund) == (RefundState.FAILED, PAID)
    again = await world.refund(order)
    await again.reaches("pending")
    assert sorted(await at_the_gateway(order)) == [(AMOUNT, "failed"), (PAID, "pending")]


@pytest.mark.proof
async def test_REF_7_a_terminated_refund_that_is_still_pending_waits_on(world: World) -> None:
    order, refund, ident = await terminated(world)
    await say(refund, "pending", ident)
    await refund.reaches("pending")
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)

    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)

    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]


@pytest.mark.proof
async def test_REF_6_a_refund_that_was_terminated_while_it_was_pending_is_not_sent_again(world: World) -> None:
    order, refund, _ = await terminated(world)

    assert await start(order, refund) is False

    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)


async def test_REF_6_a_refund_whose_answer_was_lost_when_it_was_terminated_is_made_once(world: World) -> None:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/refunds")
    refund = await world.refund(order, amount=f"{AMOUNT}")
    await eventually(lambda: at_the_gateway(order), bool, "the gateway does not make it")
    await refund.handle.terminate("by mistake")

    assert await start(order, refund) is False

    ident = (await refund.reaches("pending")).facts["gateway_refund_id"]
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", ident)
    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


@pytest.mark.proof
async def test_REF_6_a_refund_that_was_terminated_before_it_was_sent_is_made_when_it_is_started_again(
    world: World,
) -> None:
    order, refund = await never_sent(world)

    assert await start(order, refund) is False

    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]


@pytest.mark.proof
async def test_REF_6_a_terminated_refund_does_not_go_on_with_another_amount(world: World) -> None:
    order, refund, _ = await terminated(world)

    assert await start(order, refund, AMOUNT + 1) is False

    await refund.ends("refused")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)


@pytest.mark.proof
async def test_REF_6_a_resumed_refund_that_has_ended_is_not_started_again(world: World) -> None:
    order, refund, ident = await terminated(world)
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", ident)
    await refund.ends("succeeded")

    assert await start(order, refund) is True

    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]


async def test_REF_6_a_word_about_a_refund_that_was_never_sent_does_not_send_it(world: World) -> None:
    """It was terminated before it was sent: a person says what becomes of it, not a word."""
    order, refund = await never_sent(world)

    await say(refund, "failed", "re_of_another")

    status = await refund.shows("that staff must look", lambda seen: seen.rejected_count == 1)
    assert "the gateway itself says none" in status.rejected_events[0].reason
    assert (status.stage, status.waiting_for and status.waiting_for.who) == ("pending", "staff")
    assert await at_the_gateway(order) == []
    assert await in_the_books(order, refund) == (RefundState.RESERVED, PAID - AMOUNT)
    await refund.update(
        "refund_resolved",
        actor="staff:sam",
        outcome="not_moved",
        evidence="the gateway's page",
        reason="never sent",
    )
    await refund.ends("failed")
    assert await in_the_books(order, refund) == (RefundState.FAILED, PAID)


async def test_REF_6_staffs_cancel_stops_no_refund(world: World) -> None:
    order, refund = await refund_at(world, "pending")
    await refund.handle.cancel()
    await refund.shows("the answer", lambda seen: "can't be stopped" in seen.timeline[-1].what)
    assert (await refund.status()).stage == "pending"

    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)

    await refund.ends("succeeded")
    assert (await refund.handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


async def test_REF_6_staffs_cancel_stops_no_refund_that_is_being_sent(world: World) -> None:
    await world.sandbox.add_fault("gateway", "drop_before", "POST /v1/refunds", times=None)
    order, refund = await refund_at(world, "sending")
    await refund.handle.cancel()
    await refund.shows("the answer", lambda seen: "can't be stopped" in seen.timeline[-1].what)
    await world.sandbox.clear_faults()
    await refund.forward(hours=1)
    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]


async def test_REF_7_a_word_about_a_refund_that_nobody_knows_moves_nothing(world: World) -> None:
    """By signal-with-start: it once made that refund and sent the money."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    request = RefundRequest.at_the_door(
        {
            "refund_id": f"RF-{order.id}-D7",
            "order_id": order.id,
            "amount": f"{AMOUNT}",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "script:webhook",
        }
    )
    refund = world.refund_story(request.refund_id)
    word = {"event_id": "w1", "actor": "gateway:stripe", "status": "failed", "gateway_refund_id": "re_1"}

    await world.client.start_workflow(
        REFUND,
        request,
        id=refund.handle.id,
        task_queue=world.task_queue,
        start_signal="gateway_update",
        start_signal_args=[word],
    )

    status = await refund.ends("refused")
    assert "no gateway has it" in status.rejected_events[0].reason
    assert await at_the_gateway(order) == []
    assert (await order.books()).refunds.refunds == ()
    assert await start(order, refund) is False, "a person may still make it"
    await refund.ends("succeeded")


@pytest.mark.proof
async def test_REF_7_a_stray_word_takes_no_id_away_from_the_return_whose_refund_it_is(world: World) -> None:
    """The workflow that the word started has ended, and bears the id of the refund that is clicked next."""
    case = await return_at(world, "awaiting_buyer_refund")
    order, refund = case.order, world.refund_story(f"RF-{case.id}-B1")
    request = RefundRequest.at_the_door(
        {
            "refund_id": refund.id,
            "order_id": order.id,
            "return_id": case.id,
            "currency": "USD",
            "reason": "a webhook's guess",
            "requested_by": "script:webhook",
        }
    )
    word = {"event_id": "w1", "actor": "gateway:stripe", "status": "failed", "gateway_refund_id": "re_1"}
    await world.client.start_workflow(
        REFUND,
        request,
        id=refund.handle.id,
        task_queue=world.task_queue,
        start_signal="gateway_update",
        start_signal_args=[word],
    )
    await refund.ends("refused")
    before = await at_the_gateway(order)

    await case.update("buyer_refund", reason="goods are back")

    await refund.reaches("pending")
    assert len(await at_the_gateway(order)) == len(before) + 1
    assert (await case.status()).stage == "refunding_buyer"


async def test_REF_7_a_success_that_somebody_only_claims_is_not_believed(world: World) -> None:
    order, refund = await refund_at(world, "pending")
    ident = str((await refund.status()).facts["gateway_refund_id"])
    await say(refund, "succeeded", ident)
    status = await refund.shows("the rejection", lambda seen: seen.rejected_count == 1)
    assert "the gateway itself says pending" in status.rejected_events[0].reason
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)


@pytest.mark.proof
async def test_REF_6_a_refund_that_had_succeeded_says_so_when_it_is_started_again(world: World) -> None:
    """Past the starter and its reuse policy, as its return does that does not know what became of it."""
    order, refund = await refund_at(world, "pending")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    ident = str((await refund.status()).facts["gateway_refund_id"])
    await refund.update("gateway_update", actor="gateway:stripe", status="succeeded", gateway_refund_id=ident)
    first = await refund.handle.result()
    begun = await anext(refund.handle.fetch_history_events(page_size=1))
    payloads = begun.workflow_execution_started_event_attributes.input.payloads
    (request,) = await world.client.data_converter.decode(payloads)
    again = await world.client.start_workflow(REFUND, request, id=refund.handle.id, task_queue=world.task_queue)
    told = await again.result()
    assert (told["state"], told["amount"], told["unknown"]) == (first["state"], first["amount"], False)
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]


@pytest.mark.proof
@pytest.mark.parametrize("task", [1, 2], ids=["to its start", "to its sending"])
@pytest.mark.parametrize("end", ["succeeded", "refused"])
async def test_REF_6_a_refund_that_is_reset_after_its_end_moves_nothing(world: World, end: str, task: int) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    if end == "refused":
        await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", status=400, code="charge_disputed")
    refund = await world.refund(order, amount=f"{AMOUNT}")
    await refund.ends(end)
    made = await at_the_gateway(order)
    await world.sandbox.clear_faults()

    await reset_to_its_start(refund, task)

    told = await refund.handle.result()
    assert (told["state"], await at_the_gateway(order)) == (end, made)
    assert (await in_the_books(order, refund))[0] == RefundState(end)


@pytest.mark.proof
async def test_REF_6_a_pending_refund_that_is_reset_is_looked_for_and_not_sent_again(world: World) -> None:
    order, refund = await refund_at(world, "pending")

    await reset_to_its_start(refund)

    await refund.reaches("pending")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)
    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)
