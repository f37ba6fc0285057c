"""The buyer gets another one in place of its money, on the real server (RET-24, ORD-15)."""

from decimal import Decimal
from typing import Any

import pytest

from models.ids import order_workflow_id, replacement_order_id
from tests.case_story import OrderStory
from tests.return_story import Money, ReturnStory, returning
from tests.rules.test_reset import reset_to_its_start
from tests.rules.test_started_wrongly import refusal
from tests.rules.test_terminated import reconciled
from tests.stages import replacement_of
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


async def replacing(world: World, **settings: Any) -> tuple[ReturnStory, OrderStory]:
    """A return of two units, approved with a replacement, and the replacement's order."""
    case = await returning(world, seller=await world.seller(replacement_sent="at_once", **settings))
    await case.approved(resolution="replacement")
    return case, await replacement_of(case)


async def credited(case: ReturnStory) -> None:
    await case.track()
    await case.receive()
    await case.credit("63.00")


async def test_RET_24_the_replacement_is_bought_shipped_and_charged_and_the_buyer_is_not_refunded(
    world: World,
) -> None:
    case, order = await replacing(world, auto_refund_buyer=True)
    await order.shipped()
    await case.shows("it was sent", lambda seen: seen.facts["replacement"] == f"order {order.id}, sent")
    await credited(case)
    await case.ends("completed")

    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal("63.00"))
    (charge,) = (await order.effects()).payment_intents
    assert charge.amount == Decimal("63.00"), "as always (ORD-3)"
    letter = await case.buyer_letter("is on its way")
    assert f"1Z{order.id}" in str(letter.text)
    assert order.id in str((await case.seller_letter("the replacement is order")).subject)
    assert (await order.books()).replaces == case.id
    assert (await order.status()).facts["replaces"] == case.id
    view = world.reading.return_view(case.id)
    assert (view.resolution, view.replacement_order) == ("replacement", order.id)


async def test_RET_24_a_return_that_is_reset_starts_no_second_one(world: World) -> None:
    case, order = await replacing(world)

    await reset_to_its_start(case)
    await case.reaches("awaiting_approval")
    await case.approved(resolution="replacement")
    await order.shipped()
    await credited(case)
    await case.ends("completed")

    assert len((await order.effects()).payment_intents) == 1
    assert len((await order.effects()).supplier_orders) == 1


async def test_RET_24_withdrawn_in_its_window_the_replacement_is_cancelled(world: World) -> None:
    case, order = await replacing(world)
    await case.withdraw(actor="buyer:robin")
    await order.ends("cancelled")
    await case.ends("withdrawn")
    assert (await order.effects()).supplier_orders == ()


async def test_RET_24_a_replacement_that_is_terminated_is_told_to_its_return(world: World) -> None:
    case, order = await replacing(world)
    await order.reaches("cancel_window")
    await credited(case)
    await order.handle.terminate("by mistake")
    await reconciled(order)
    status = await case.shows("what staff do", lambda seen: "terminated" in str(seen.waiting_for))
    assert status.waiting_for is not None
    assert status.waiting_for.who == "staff"
    await case.update("staff_override", waive="replacement", reason="it was never sent", actor="staff:kim")
    await case.reaches("awaiting_buyer_refund")
    await case.update("buyer_refund", reason="no replacement", actor="seller:jane")
    await case.ends("completed")
    assert await case.money() == Money(buyer=Decimal("100.00"), seller=Decimal("63.00"))


async def test_RET_24_nobody_but_its_return_starts_a_replacement(world: World) -> None:
    before = await world.simple_order()
    number = replacement_order_id("RR-x")
    request = before.request.model_dump(mode="json", exclude={"payment", "continued"}) | {
        "order_id": number,
        "replaces": "RR-x",
        "currency": "USD",
        "lines": [line.model_dump(mode="json") | {"unit_price": "0.00"} for line in before.request.lines],
    }
    error = await refusal(world, "Order", order_workflow_id(number), [request])
    assert "started by return-RR-x alone" in str(error)
