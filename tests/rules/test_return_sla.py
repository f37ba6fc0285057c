"""The broker refunds the seller within 60 days of the return request (RET-13)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from models.case import SlaState
from tests.case_story import Refused
from tests.return_story import ReturnStory, returning
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


async def in_transit(world: World, **settings: object) -> ReturnStory:
    """A return on its way back, a moment after its request."""
    case = await (await returning(world, seller=await world.seller(**settings))).approved()
    await case.track()
    await case.reaches("in_transit")
    return case


async def test_RET_13_the_limit_counts_from_the_request_not_from_the_approval(world: World) -> None:
    case = await returning(world)
    await case.reaches("awaiting_approval")
    created = world.reading.return_view(case.id).listed.created_at
    await case.forward(days=20)

    await case.approved()

    due = (await case.status()).deadlines["refund_due"]
    assert due == created + timedelta(days=60)
    assert world.reading.return_view(case.id).listed.refund_due == due


async def test_RET_13_staff_are_reminded_14_7_and_1_day_before_and_alerted_at_the_breach(world: World) -> None:
    case = await in_transit(world)
    seen = []

    for days in (45.5, 1, 7, 6, 1):
        await case.forward(days=days)
        status = await case.status()
        seen.append((sum("left to refund" in step.what for step in status.timeline), status.sla_state))

    assert seen == [
        (0, SlaState.ON_TIME),
        (1, SlaState.AT_RISK),
        (2, SlaState.AT_RISK),
        (3, SlaState.AT_RISK),
        (3, SlaState.BREACHED),
    ]
    assert len(await case.alerts_staff("overdue")) == 1
    assert len(await case.staff_letters("is due in")) == 3


async def test_RET_13_after_the_breach_the_case_keeps_waiting_unless_said_otherwise(world: World) -> None:
    case = await in_transit(world)

    await case.forward(days=70)

    status = await case.status()
    assert status.stage == "in_transit"
    assert (await case.money()).seller == 0
    await case.receive()
    await case.credit("63.00")
    await case.shows("refunded late", lambda seen: "seller refunded" in (seen.facts["seller_refund"] or ""))


async def test_RET_13_after_the_breach_the_broker_pays_if_the_seller_has_that_setting(world: World) -> None:
    case = await in_transit(world, on_refund_breach="refund")
    await case.forward(days=59)
    assert (await case.money()).seller == 0

    await case.forward(days=2)
    await case.shows("refunded", lambda seen: "seller refunded" in (seen.facts["seller_refund"] or ""))

    assert (await case.money()).seller == Decimal("63.00")
    view = world.reading.return_view(case.id)
    assert view.credited == 0, "nobody credited it: it is at the broker's expense"


async def test_RET_13_a_refund_in_time_is_the_end_of_reminders(world: World) -> None:
    case = await in_transit(world)
    await case.receive()
    await case.credit("63.00")
    await case.shows("refunded", lambda seen: "seller refunded" in (seen.facts["seller_refund"] or ""))

    await case.forward(days=80)

    assert (await case.status()).sla_state is SlaState.ON_TIME
    assert await case.staff_letters("overdue") == []


async def test_RET_13_staff_move_the_limit(world: World) -> None:
    case = await in_transit(world, on_refund_breach="refund")
    until = await case.now() + timedelta(days=90)

    await case.override(extend="refund_due", until=until.isoformat())
    await case.forward(days=75)
    assert (await case.status()).sla_state is SlaState.ON_TIME
    await case.forward(days=16)

    await case.shows("refunded", lambda seen: "seller refunded" in (seen.facts["seller_refund"] or ""))


async def test_RET_13_a_limit_in_the_past_is_refused(world: World) -> None:
    case = await in_transit(world)
    yesterday = await case.now() - timedelta(days=1)

    with pytest.raises(Refused, match="in the past"):
        await case.override(extend="refund_due", until=yesterday.isoformat())


async def test_RET_13_the_seller_is_told_of_its_refund(world: World) -> None:
    case = await in_transit(world)
    await case.receive()

    await case.credit("63.00")

    await case.seller_letter("You are refunded 63.00 USD")
