"""A refund that staff stopped before its end goes on under its own id: by the gateway's word, or when it is
started again. What the gateway has is not sent twice, and its last word is in the books (REF-6, REF-7)."""

from decimal import Decimal

import pytest
from temporalio.client import WorkflowFailureError

from models.contract import REFUND
from models.refunds import GatewayUpdate, RefundRequest, RefundState
from starter.client.send import record_event, send_event
from starter.client.start import open_refund
from tests.rules.staff_cancel import stopped
from tests.stages import refund_at
from tests.world import CaseStory, OrderStory, World, eventually

PAID = Decimal(100)
AMOUNT = Decimal(40)


async def stop(refund: CaseStory, how: str) -> None:
    """Staff press Cancel or Terminate."""
    if how == "cancel":
        await stopped(refund)
    else:
        await refund.handle.terminate("by mistake")


async def pending(world: World, how: str) -> tuple[OrderStory, CaseStory, str]:
    """A refund that was stopped while it was pending, its order, and its number at the gateway."""
    order, refund = await refund_at(world, "pending")
    ident = str((await refund.status()).facts["gateway_refund_id"])
    await stop(refund, how)
    return order, refund, ident


async def say(refund: CaseStory, status: str, ident: str, way: str = "update") -> None:
    """The gateway's word, by the door of the starter."""
    word = GatewayUpdate.model_validate(
        refund.event(actor="gateway:stripe", status=status, gateway_refund_id=ident, reason=None)
    )
    send = send_event if way == "update" else record_event
    await send(refund.world.client, refund.handle.id, "gateway_update", word)


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
    return (await open_refund(order.world.client, request, task_queue=order.world.task_queue)).already


async def at_the_gateway(order: OrderStory) -> list[tuple[Decimal, str]]:
    return [(one.amount, one.status) for one in (await order.effects()).refunds]


async def in_the_books(order: OrderStory, refund: CaseStory) -> tuple[RefundState, Decimal]:
    """Where the refund stands, and what is left to refund."""
    totals = (await order.books()).refunds
    (row,) = [one for one in totals.refunds if one.refund_id == refund.id]
    return row.state, totals.buyer.left


@pytest.mark.parametrize("way", ["update", "signal"])
@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_REF_7_a_stopped_refund_that_the_gateway_made_is_settled_by_its_word(
    world: World, how: str, way: str
) -> None:
    order, refund, ident = await pending(world, how)
    await world.sandbox.settle_refund(refund.id, "succeeded")

    await say(refund, "succeeded", ident, way)

    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_REF_7_a_stopped_refund_that_failed_at_the_gateway_is_refundable_again(
    world: World, how: str
) -> None:
    order, refund, ident = await pending(world, how)
    await world.sandbox.settle_refund(refund.id, "failed")

    await say(refund, "failed", ident)

    await refund.ends("failed")
    assert await in_the_books(order, refund) == (RefundState.FAILED, PAID)
    again = await world.refund(order)
    await again.reaches("pending")
    assert sorted(await at_the_gateway(order)) == [(AMOUNT, "failed"), (PAID, "pending")]


async def test_REF_7_a_stopped_refund_that_is_still_pending_waits_on(world: World) -> None:
    order, refund, ident = await pending(world, "cancel")
    await say(refund, "pending", ident)
    await refund.reaches("pending")
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)

    await world.sandbox.settle_refund(refund.id, "succeeded")
    await refund.forward(hours=25)

    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_REF_6_a_refund_that_was_stopped_while_it_was_pending_is_not_sent_again(
    world: World, how: str
) -> None:
    order, refund, _ = await pending(world, how)

    assert await start(order, refund) is False

    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_REF_6_a_refund_whose_answer_was_lost_when_it_was_stopped_is_made_once(
    world: World, how: str
) -> None:
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_after", "POST /v1/refunds")
    refund = await world.refund(order, amount=f"{AMOUNT}")
    await eventually(lambda: at_the_gateway(order), bool, "the gateway does not make it")
    await stop(refund, how)

    assert await start(order, refund) is False

    ident = (await refund.reaches("pending")).facts["gateway_refund_id"]
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", ident)
    await refund.ends("succeeded")
    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


async def test_REF_6_a_refund_that_was_terminated_before_it_was_sent_is_made_when_it_is_started_again(
    world: World,
) -> None:
    order, refund = await refund_at(world, "sending")
    await refund.handle.terminate("by mistake")
    await world.sandbox.clear_faults()
    assert await at_the_gateway(order) == []

    assert await start(order, refund) is False

    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]


async def test_REF_6_a_stopped_refund_does_not_go_on_with_another_amount(world: World) -> None:
    order, refund, _ = await pending(world, "cancel")

    assert await start(order, refund, AMOUNT + 1) is False

    await refund.ends("refused")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]
    assert await in_the_books(order, refund) == (RefundState.PENDING, PAID - AMOUNT)


async def test_REF_6_a_resumed_refund_that_has_ended_is_not_started_again(world: World) -> None:
    order, refund, ident = await pending(world, "terminate")
    await world.sandbox.settle_refund(refund.id, "succeeded")
    await say(refund, "succeeded", ident)
    await refund.ends("succeeded")

    assert await start(order, refund) is True

    assert await at_the_gateway(order) == [(AMOUNT, "succeeded")]


async def test_REF_6_a_word_about_a_refund_that_was_never_sent_does_not_send_it(world: World) -> None:
    """Staff stopped it before it was sent; only a person lets it go on."""
    await world.sandbox.add_fault("gateway", "drop_before", "POST /v1/refunds", times=None)
    order, refund = await refund_at(world, "sending")
    await stop(refund, "terminate")
    await world.sandbox.clear_faults()
    await say(refund, "failed", "re_of_another")
    with pytest.raises(WorkflowFailureError):
        await refund.handle.result()
    status = await refund.status()
    assert (status.outcome, "does not have it" in status.timeline[-1].what) == ("stopped", True)
    assert [one.name for one in status.rejected_events] == ["gateway_update"]
    assert await at_the_gateway(order) == []
    assert world.reading.refund(refund.id).state is RefundState.RESERVED
    assert not await start(order, refund), "a person lets it go on"
    await refund.reaches("pending")
    assert await at_the_gateway(order) == [(AMOUNT, "pending")]


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
