"""What a person says of a refund of which the gateway says nothing is its end (REF-11)."""

import pytest

from models.refunds import RefundState
from tests.case_story import Refused
from tests.rules.test_refund_resumed import AMOUNT, PAID, at_the_gateway, in_the_books
from tests.stages import refund_at
from tests.world import World


@pytest.mark.proof
async def test_REF_11_a_person_says_what_became_of_a_refund_of_which_the_gateway_says_nothing_for_long(
    world: World,
) -> None:
    order, refund = await refund_at(world, "pending")
    with pytest.raises(Refused, match="says that it is pending"):
        await refund.update(
            "refund_resolved", actor="staff:sam", outcome="moved", evidence="a statement", reason="it is there"
        )
    await refund.forward(days=8)
    await refund.shows("the doubt", lambda seen: bool(seen.facts["in_doubt"]))
    with pytest.raises(Refused, match="only broker or staff"):
        await refund.update(
            "refund_resolved", actor="seller:jane", outcome="moved", evidence="a statement", reason="it is there"
        )
    await refund.update(
        "refund_resolved", actor="staff:sam", outcome="moved", evidence="a statement", reason="it is there"
    )
    status = await refund.ends("succeeded")
    assert status.timeline[-1].what == "succeeded: recorded by staff:sam: it is there"
    assert await in_the_books(order, refund) == (RefundState.SUCCEEDED, PAID - AMOUNT)


async def test_REF_11_a_person_settles_a_refund_that_a_dead_gateway_never_answers(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "drop_before", "/v1/refunds", times=None)
    refund = await world.refund(order, amount=f"{AMOUNT}")
    await refund.shows("the trouble", lambda seen: any("tried again" in step.what for step in seen.timeline))

    await refund.update(
        "refund_resolved", actor="staff:sam", outcome="not_moved", evidence="a statement", reason="it is gone"
    )

    status = await refund.ends("failed")
    assert status.timeline[-1].what == "failed: recorded by staff:sam: it is gone"
    assert await at_the_gateway(order) == []
    assert await in_the_books(order, refund) == (RefundState.FAILED, PAID)
