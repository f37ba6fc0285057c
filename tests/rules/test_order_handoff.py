"""From the broker's queue to a supplier: after the window, within the hour, without anyone's help (ORD-4)."""

from datetime import timedelta

import pytest

from models.contract import SLA_STATE, WAITING_ON
from tests.case_story import OrderStory
from tests.world import World

STAFF = "staff@backhaul.example"


async def alerts(order: OrderStory) -> list[str]:
    """What staff were told by mail about the 60 minutes."""
    mails = await order.mails(f"order-{order.id}: order {order.id} is not with a supplier in time", to=STAFF)
    return [mail.text or "" for mail in mails]


async def test_ORD_4_an_order_stays_in_the_queue_for_its_window_and_then_goes_by_itself(world: World) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    await order.forward_to(until - timedelta(seconds=5))
    status = await order.status()
    assert status.stage == "cancel_window"
    assert status.waiting_for is not None
    assert (status.waiting_for.who, status.waiting_for.due) == ("clock", until)
    assert (await order.effects()).supplier_orders == ()
    await order.forward(seconds=10)
    await order.reaches("awaiting_shipment")
    books = await order.books()
    assert len((await order.effects()).supplier_orders) == 1
    assert books.handed_off_at is not None
    assert until <= books.handed_off_at < until + timedelta(minutes=1)


async def test_ORD_4_the_window_is_thirty_minutes_and_the_limit_sixty_from_receipt(world: World) -> None:
    order = await world.simple_order()
    status = await order.reaches("cancel_window")
    received = (await order.books()).listed.received_at
    assert status.deadlines == {
        "cancel_until": received + timedelta(minutes=30),
        "handoff_due": received + timedelta(minutes=60),
    }


async def test_ORD_4_window_and_limit_are_the_sellers_settings_when_the_order_came(world: World) -> None:
    order = await world.simple_order(await world.seller(cancel_window_minutes=5, handoff_minutes=20))
    await order.reaches("cancel_window")
    await order.forward(minutes=6)
    await order.reaches("awaiting_shipment")
    books = await order.books()
    assert books.cancel_until == books.listed.received_at + timedelta(minutes=5)
    assert books.handoff_due == books.listed.received_at + timedelta(minutes=20)


@pytest.mark.proof
async def test_ORD_4_an_order_in_time_is_not_flagged(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    await order.forward(hours=2)
    assert await order.attribute(SLA_STATE) == "on_time"
    await order.ship_all()
    assert await alerts(order) == []


@pytest.mark.proof
async def test_ORD_4_with_the_supplier_down_it_is_flagged_to_staff_and_goes_on_when_it_is_back(
    world: World,
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "error", f"PUT /v1/orders/{order.id}-", times=None)
    await order.forward(minutes=59)
    assert (await order.status()).sla_state == "on_time"
    await order.forward(minutes=2)
    status = await order.shows("the breach", lambda seen: seen.sla_state == "breached")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "supplier"
    assert await order.attribute(SLA_STATE) == "breached"
    assert await order.attribute(WAITING_ON) == ["supplier"]
    await world.sandbox.clear_faults()
    await order.forward(hours=1)
    await order.reaches("awaiting_shipment")
    assert len((await order.effects()).supplier_orders) == 1
    await order.ship_all()
    (told,) = await alerts(order)
    assert "Who must act: supplier" in told
    assert (await order.status()).sla_state == "breached"


@pytest.mark.proof
async def test_ORD_4_waiting_for_a_payment_method_is_flagged_too(world: World) -> None:
    order = await world.simple_order(await world.seller(payment_method=None))
    await order.reaches("awaiting_payment")
    await order.forward(minutes=61)
    await order.shows("the breach", lambda seen: seen.sla_state == "breached")
    await order.update("payment_method_updated", payment_method="pm_card_visa")
    await order.reaches("awaiting_shipment")
    await order.ship_all()
    (told,) = await alerts(order)
    assert "Who must act: seller" in told


async def test_ORD_4_a_held_order_is_flagged_too(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="address is being checked")
    await order.forward(minutes=61)
    await order.shows("the breach", lambda seen: seen.sla_state == "breached")
    assert await order.attribute(SLA_STATE) == "breached"


@pytest.mark.proof
async def test_ORD_4_before_its_release_an_order_is_not_the_brokers_and_not_late(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.forward(hours=5)
    assert (await order.status()).sla_state == "on_time"
    await order.update("release")
    await order.placed()
    assert (await order.status()).sla_state == "on_time"


@pytest.mark.proof
async def test_ORD_4_a_cancelled_order_is_not_flagged_later(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="address is being checked")
    await order.forward(minutes=40)
    await order.reaches("on_hold")
    await order.update("cancel_request", reason="changed their mind")
    await order.ends("cancelled")
    assert (await order.status()).sla_state == "on_time"
    assert await alerts(order) == []


@pytest.mark.proof
async def test_ORD_4_people_see_which_partner_is_out_of_order_and_it_goes_on(world: World) -> None:
    """Staff are told by one e-mail for all cases (`test_shared_outages`)."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "error", f"PUT /v1/orders/{order.id}-", times=None)
    await order.forward(minutes=45)
    await order.shows("the trouble", lambda seen: any("it is tried again" in step.what for step in seen.timeline))
    (said,) = [step.what for step in (await order.status()).timeline if "it is tried again" in step.what]
    assert said.startswith(f"accept order {order.id}-1")
    assert "the supplier network answered 500" in said
    await world.sandbox.clear_faults()
    await order.forward(hours=1)
    await order.reaches("awaiting_shipment")


@pytest.mark.parametrize(
    "kind",
    ["drop_after", *(pytest.param(kind, marks=pytest.mark.proof) for kind in ("drop_before", "rate_limit"))],
)
async def test_ORD_4_an_order_reaches_its_supplier_once_whatever_the_network_does(world: World, kind: str) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", kind, f"PUT /v1/orders/{order.id}-", times=2)
    await order.forward(minutes=31)
    await order.forward(minutes=1)
    await order.reaches("awaiting_shipment")
    assert [one.number for one in (await order.effects()).supplier_orders] == [f"{order.id}-1"]
