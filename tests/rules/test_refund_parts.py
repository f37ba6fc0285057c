"""A buyer who paid at two gateways gets its money back by both, exactly once each, whatever answer is lost (REF-3,
REF-6)."""

from decimal import Decimal
from typing import Any

import pytest

from models.connections import Provider
from starter.sandbox.facts import PaymentSeed
from tests.case_story import CaseStory, OrderStory
from tests.chaos.staff import reset_before_refund
from tests.rules.staff_cancel import comes_to_its_stop, staff_letters
from tests.rules.test_other_gateways import seller_with, went_back
from tests.world import World
from workflows.returns.workflow import Return

pytestmark = pytest.mark.proof


async def paid_at_two(world: World) -> tuple[OrderStory, str, str]:
    """An order of 100.00 that has shipped, paid by 60.00 at Stripe and 40.00 at PayPal; with their numbers."""
    card, capture = f"pi_{world.tag}", f"PP{world.tag.upper()}"
    seller = await seller_with(world, Provider.PAYPAL, client_id=f"shop-{world.tag}")
    await world.sandbox.seed_payment(
        PaymentSeed(gateway="paypal", id=capture, amount=Decimal("40.00"), currency="USD")
    )
    payments = [
        {"paid_by": "stripe", "reference": card, "amount": "60.00", "currency": "USD"},
        {"paid_by": "paypal", "reference": capture, "amount": "40.00", "currency": "USD"},
    ]
    order = await world.simple_order(seller, payments=payments)
    await order.shipped()
    return order, card, capture


async def amounts_back(world: World, order: OrderStory, capture: str) -> tuple[list[Decimal], list[Decimal]]:
    """What Stripe and PayPal gave back."""
    by_paypal = [one.amount for one in await went_back(world, capture)]
    of_order = [one.amount for one in (await order.effects()).refunds if one.charge != capture]
    return of_order, by_paypal


async def test_REF_3_REF_6_a_direct_refund_is_made_in_parts_though_an_answer_is_lost(
    world: World,
) -> None:
    order, _, capture = await paid_at_two(world)
    await world.sandbox.add_fault("paypal", "drop_after", f"captures/{capture}/refund")
    whole = await world.refund(order)
    told = await whole.ends("refused")
    parts = [world.refund_story(f"{whole.id}P{number}") for number in (1, 2)]
    assert told.facts["parts"] == [one.id for one in parts]
    for part in parts:
        await part.ends("succeeded")
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])
    assert (await order.books()).refunds.buyer.left == 0
    # The same command, sent again: nothing is repeated.
    again = await world.refund(order, refund_id=whole.id)
    assert "was made in parts already" in (await again.ends("refused")).timeline[-1].what
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])


async def approved_return(world: World, order: OrderStory, **more: Any) -> CaseStory:
    """Nothing needs to come back: a click refunds the buyer."""
    back = await world.return_of(order, **more)
    await back.reaches("awaiting_approval")
    await back.update("seller_approval", decision="approved", returnless=True)
    return back


async def test_REF_3_REF_6_a_click_is_made_in_parts_though_an_answer_is_lost(world: World) -> None:
    order, _, capture = await paid_at_two(world)
    back = await approved_return(world, order)
    await world.sandbox.add_fault("paypal", "drop_after", f"captures/{capture}/refund")
    answer = await back.update("buyer_refund", reason="worn")
    assert answer.accepted
    seen = await back.ends("completed")
    assert [one["amount"] for one in seen.facts["buyer_refunds"]] == ["60.00", "40.00"]
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])
    told = [str(one.text) for one in await back.mails(to=str(order.request.buyer.email))]
    assert len([text for text in told if "100.00" in text]) == 1, "the sum, once"
    assert not [text for text in told if "60.00" in text]


async def test_REF_6_what_people_refund_of_an_open_return_is_made_in_parts(world: World) -> None:
    """The return is told, and begins nothing, as it did not ask."""
    order, _, capture = await paid_at_two(world)
    back = await approved_return(world, order)
    whole = await world.refund(order, return_id=back.id)
    await whole.ends("refused")
    for number in (1, 2):
        await world.refund_story(f"{whole.id}P{number}").ends("succeeded")
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])


async def test_REF_6_a_return_that_staff_reset_finds_the_parts_that_were_made(world: World) -> None:
    """To the task that asked for the whole: it asks again, and the money moves once."""
    order, _, capture = await paid_at_two(world)
    back = await approved_return(world, order)
    assert (await back.update("buyer_refund", reason="worn")).accepted
    await back.ends("completed")

    await reset_before_refund(back, f"RF-{back.id}-B1")

    seen = await back.ends("completed")
    assert sorted((one["refund_id"], one["amount"]) for one in seen.facts["buyer_refunds"]) == [
        (f"RF-{back.id}-B1P1", "60.00"),
        (f"RF-{back.id}-B1P2", "40.00"),
    ]
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])
    assert seen.rejected_count == 0, "no click is answered with no"


async def test_REF_6_RET_15_a_return_that_staff_stop_before_its_refund_is_divided_leaves_it_to_be_made(
    world: World,
) -> None:
    """Staff are told that it goes on by itself: so it does, in parts."""
    order, _, capture = await paid_at_two(world)
    queue = f"returns-{world.tag}"
    async with world.worker(queue):
        back = await approved_return(world, order, task_queue=queue)
        await back.reaches("awaiting_buyer_refund")
    whole = world.refund_story(f"RF-{back.id}-B1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.WORKFLOWS", [Return])  # no refund moves meanwhile
        async with world.worker(queue):
            await back.signal("buyer_refund", reason="worn")
            await back.reaches("refunding_buyer")
            await back.handle.cancel()
            await comes_to_its_stop(back)
    assert f"refund {whole.id} goes on by itself" in await staff_letters(order)
    async with world.worker(queue):
        for number in (1, 2):
            await world.refund_story(f"{whole.id}P{number}").ends("succeeded")
        await whole.ends("refused")
    assert await amounts_back(world, order, capture) == ([Decimal("60.00")], [Decimal("40.00")])
