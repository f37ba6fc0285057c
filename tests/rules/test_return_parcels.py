"""The parcel back: no tracking number normally means no refund (RET-10)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.case_story import Refused
from tests.eventually import eventually
from tests.return_story import Money, ReturnStory, returning
from tests.world import World

pytestmark = pytest.mark.proof  # the plans try each of these without a server


async def waiting_for_the_parcel(world: World, **settings: object) -> ReturnStory:
    """An approved return with its RMA number; the buyer should send the goods."""
    return await (await returning(world, seller=await world.seller(**settings))).approved()


@pytest.mark.parametrize("actor", ["seller:jane", "buyer:robin", "channel:ebay", "channel:amazon"])
async def test_RET_10_the_tracking_number_is_entered_or_imported(world: World, actor: str) -> None:
    case = await waiting_for_the_parcel(world)

    await case.track(actor=actor, tracking_number="1Z999")

    await case.reaches("in_transit")
    view = world.reading.return_view(case.id)
    assert (view.carrier, view.listed.tracking_number) == ("UPS", "1Z999")


async def test_RET_10_without_a_number_come_reminders_and_then_the_end_without_refund(world: World) -> None:
    case = await waiting_for_the_parcel(world, tracking_days=30, tracking_reminder_days=[7, 21], reopen_days=30)

    await case.forward(days=29, hours=23)
    reminders = await eventually(
        lambda: case.mails("the tracking number of your return", str(case.order.request.buyer.email)),
        lambda seen: len(seen) == 2,
        "two reminders",
    )
    assert (await case.status()).stage == "awaiting_tracking"
    await case.forward(hours=2)
    await case.reaches("expired")
    await case.buyer_letter("has ended")
    await case.forward(days=31)
    await case.ends("expired")

    assert len(reminders) == 2
    assert await case.money() == Money(buyer=Decimal(0), seller=Decimal(0))


async def test_RET_10_a_number_added_later_reopens_it(world: World) -> None:
    case = await waiting_for_the_parcel(world)
    await case.forward(days=31)
    await case.reaches("expired")

    await case.track()

    await case.reaches("in_transit")
    await case.seller_letter("is open again")


async def test_RET_10_staff_waive_the_number(world: World) -> None:
    case = await waiting_for_the_parcel(world)

    await case.override(waive="tracking")

    status = await case.reaches("in_transit")
    assert status.facts["waived"] == {"tracking": "agreed by phone"}


async def test_RET_10_only_staff_may_waive_the_number(world: World) -> None:
    case = await waiting_for_the_parcel(world)

    with pytest.raises(Refused, match="only broker or staff"):
        await case.update("staff_override", actor="buyer:robin", waive="tracking", reason="please")

    assert (await case.status()).stage == "awaiting_tracking"


async def test_RET_10_staff_give_more_time(world: World) -> None:
    case = await waiting_for_the_parcel(world, tracking_days=30)
    until = await case.now() + timedelta(days=40)

    await case.override(extend="tracking_due", until=until.isoformat())
    await case.forward(days=39)
    assert (await case.status()).stage == "awaiting_tracking"
    await case.forward(days=2)

    await case.reaches("expired")


async def test_RET_10_more_time_reopens_an_expired_return_without_repeating_reminders(world: World) -> None:
    case = await waiting_for_the_parcel(world, tracking_reminder_days=[7, 21])
    await case.forward(days=31)
    await case.reaches("expired")
    until = await case.now() + timedelta(days=5)

    await case.override(extend="tracking_due", until=until.isoformat())
    status = await case.reaches("awaiting_tracking")

    assert [step.what for step in status.timeline].count("the buyer is reminded of the tracking number") == 2


async def test_RET_10_goods_that_arrive_prove_more_than_a_number(world: World) -> None:
    case = await waiting_for_the_parcel(world)

    await case.receive()

    await case.reaches("awaiting_credit")


async def test_RET_10_nothing_is_due_for_an_expired_return(world: World) -> None:
    back = await (await returning(world, await world.seller(reopen_days=60))).approved()

    await back.forward(days=31)
    await back.reaches("expired")
    await back.forward(days=40)

    assert (await back.status()).sla_state == "on_time"
    assert not [letter for letter in await back.staff_letters() if "refund" in letter.subject.lower()]


async def test_RET_13_a_return_reopened_after_its_limit_is_over_it_at_once(world: World) -> None:
    back = await (await returning(world, await world.seller(reopen_days=60))).approved()
    await back.forward(days=31)
    await back.reaches("expired")
    await back.forward(days=40)

    await back.track()

    await back.shows("the breach", lambda seen: seen.sla_state == "breached")
