"""An order is cancelled: when it may be, what becomes of the money, and what is kept of it (CAN)."""

from decimal import Decimal

import pytest

from models.cancellations import Fault
from models.ids import late_cancel_return_id
from tests.case_story import OrderStory, Refused
from tests.world import World

pytestmark = pytest.mark.proof

CANCEL = {"actor": "buyer:robin", "reason": "changed their mind"}


async def held_after_its_window(world: World) -> OrderStory:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("hold", reason="address is being checked")
    await order.forward(minutes=31)
    await order.reaches("on_hold")
    return order


async def assert_nothing_was_sent_or_taken(order: OrderStory) -> None:
    effects = await order.effects()
    assert effects.supplier_orders == ()
    assert effects.captures == ()
    assert all(intent.status == "canceled" for intent in effects.payment_intents)


# ---- CAN-1: in time ----


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_CAN_1_inside_the_window_nothing_is_sent_and_the_charge_is_voided(world: World, way: str) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.forward(minutes=10)
    await order.send(way, "cancel_request", **CANCEL)
    await order.ends("cancelled")
    effects = await order.effects()
    assert effects.supplier_orders == ()
    assert [(intent.status, intent.amount_received) for intent in effects.payment_intents] == [
        ("canceled", Decimal(0))
    ]
    (charge,) = (await order.books()).charges
    assert (charge.state, charge.captured) == ("voided", Decimal(0))


async def test_CAN_1_the_sender_of_an_update_is_told_that_it_is_cancelled(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    answer = await order.update("cancel_request", **CANCEL)
    assert answer.message == "cancelled: changed their mind"
    assert answer.accepted


async def test_CAN_1_a_request_that_comes_before_anything_was_done_cancels(world: World) -> None:
    order = await world.simple_order()
    await order.signal("cancel_request", **CANCEL)
    await order.ends("cancelled")
    await assert_nothing_was_sent_or_taken(order)


async def test_CAN_1_while_the_order_waits_for_its_release_it_is_never_too_late(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.forward(days=3)
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    assert (await order.effects()).payment_intents == ()


async def test_CAN_1_while_the_order_waits_for_a_payment_method_it_is_never_too_late(world: World) -> None:
    order = await world.simple_order(await world.seller(payment_method=None))
    await order.reaches("awaiting_payment")
    await order.forward(hours=5)
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    effects = await order.effects()
    assert (effects.payment_intents, effects.supplier_orders) == ((), ())


async def test_CAN_1_while_the_order_is_on_hold_it_is_never_too_late(world: World) -> None:
    order = await held_after_its_window(world)
    answer = await order.update("cancel_request", **CANCEL)
    assert answer.message.startswith("cancelled")
    await order.ends("cancelled")
    await assert_nothing_was_sent_or_taken(order)


async def test_CAN_1_a_held_order_goes_on_once_the_hold_is_released(world: World) -> None:
    order = await held_after_its_window(world)
    assert (await order.effects()).supplier_orders == ()
    await order.update("resume", reason="address is right")
    await order.reaches("awaiting_shipment")
    assert len((await order.effects()).supplier_orders) == 1


async def test_CAN_1_the_window_counts_from_the_release(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.forward(hours=2)
    await order.update("release")
    released = await order.now()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    assert abs((until - released).total_seconds() - 30 * 60) < 5
    await order.forward(minutes=29)
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")


async def test_CAN_1_the_charge_is_voided_once_although_the_gateway_loses_its_answer(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    (intent,) = (await order.effects()).payment_intents
    await world.sandbox.add_fault("gateway", "drop_after", f"POST /v1/payment_intents/{intent.id}/cancel")
    await order.update("cancel_request", **CANCEL)
    await order.forward(seconds=5)
    await order.ends("cancelled")
    await assert_nothing_was_sent_or_taken(order)


async def test_CAN_1_the_answer_comes_also_while_the_gateway_is_out_of_order(world: World) -> None:
    seller = await world.seller()
    await world.sandbox.add_fault("gateway", "error", "payment_intents", times=None, status=503)
    order = await world.simple_order(seller)
    await order.shows("that it waits for the gateway", lambda seen: seen.waiting_for is not None)
    answer = await order.update("cancel_request", **CANCEL)
    assert answer.message.startswith("cancelled")
    await world.sandbox.clear_faults()
    await order.forward(minutes=2)
    await order.ends("cancelled")
    await assert_nothing_was_sent_or_taken(order)


# ---- CAN-2: too late ----


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_CAN_2_once_with_a_supplier_it_is_already_fulfilled_and_goes_on_as_a_return(
    world: World, way: str
) -> None:
    order = await world.simple_order()
    await order.placed()
    await order.send(way, "cancel_request", **CANCEL)
    status = await order.shows(
        "the answer", lambda seen: any("already fulfilled" in step.what for step in seen.timeline)
    )
    assert status.stage == "awaiting_shipment"
    await order.ship_all()
    case = await world.return_story(late_cancel_return_id(order.id)).reaches("awaiting_approval")
    assert case.facts["source"] == "late_cancel"
    assert [(line["quantity"], line["reason"]) for line in case.facts["lines"]] == [(2, "changed their mind")]
    effects = await order.effects()
    assert (len(effects.supplier_orders), effects.stops, effects.refunds) == (1, (), ())


async def test_CAN_2_the_sender_of_an_update_is_told_already_fulfilled_and_what_can_be_done(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    answer = await order.update("cancel_request", **CANCEL)
    assert answer.message.startswith("already fulfilled")
    assert "can be returned" in answer.message


async def test_CAN_2_the_answer_comes_also_while_the_supplier_is_out_of_order(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("supplier", "error", "GET /v1/stock", times=None)
    await order.forward(minutes=31)
    await order.shows("that it looks for stock", lambda seen: seen.stage == "placing")
    answer = await order.update("cancel_request", **CANCEL)
    assert answer.message.startswith("already fulfilled")
    await world.sandbox.clear_faults()
    await order.forward(minutes=2)
    await order.reaches("awaiting_shipment")


async def test_CAN_2_two_late_requests_make_one_return(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    await order.update("cancel_request", **CANCEL)
    await order.update("cancel_request", actor="seller:jane", reason="the buyer called again")
    await order.ship_all()
    assert (await order.books()).return_ids in ((), (late_cancel_return_id(order.id),))
    await world.return_story(late_cancel_return_id(order.id)).reaches("awaiting_approval")
    assert (await order.books()).return_ids == (late_cancel_return_id(order.id),)


async def test_CAN_2_an_order_with_a_supplier_can_not_be_held(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    with pytest.raises(Refused) as refused:
        await order.update("hold", reason="wait")
    assert refused.value.type == "RefusedByRule"
    assert "CAN-2" in str(refused.value)


# ---- CAN-5: eBay ----


async def test_CAN_5_an_ebay_order_needs_the_buyers_request_there(world: World) -> None:
    order = await world.simple_order(channel="ebay")
    await order.reaches("cancel_window")
    with pytest.raises(Refused) as refused:
        await order.update("cancel_request", **CANCEL)
    assert refused.value.type == "RefusedByRule"
    assert "CAN-5" in str(refused.value)
    await order.placed()


async def test_CAN_5_a_signal_without_it_is_kept_as_rejected_and_cancels_nothing(world: World) -> None:
    order = await world.simple_order(channel="ebay")
    await order.reaches("cancel_window")
    event = await order.signal("cancel_request", **CANCEL)
    status = await order.shows("the rejected event", lambda seen: seen.rejected_count == 1)
    assert status.rejected_events[0].event_id == event["event_id"]
    assert "CAN-5" in status.rejected_events[0].reason
    await order.placed()


async def test_CAN_5_with_its_reference_an_ebay_order_is_cancelled_and_the_reference_is_kept(
    world: World,
) -> None:
    order = await world.simple_order(channel="ebay")
    await order.reaches("cancel_window")
    await order.update("cancel_request", **CANCEL, channel_reference="5012345678")
    await order.ends("cancelled")
    (cessation,) = (await order.books()).cessations
    assert cessation.channel_reference == "5012345678"


# ---- CAN-6: the buyer ----


async def test_CAN_6_a_cancelled_order_does_not_refund_the_buyer_by_itself(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    assert (await order.effects()).refunds == ()
    (mail,) = await order.mails(f"Order {order.id} is cancelled")
    assert "please review the order and refund the buyer" in (mail.text or "")


async def test_CAN_6_the_sellers_setting_refunds_the_buyer_in_full(world: World) -> None:
    order = await world.simple_order(await world.seller(auto_refund_buyer=True), shipping="7.99", tax="8.25")
    await order.reaches("cancel_window")
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    (refund,) = (await order.effects()).refunds
    assert refund.payment_intent == order.request.paid_with[0].reference
    assert (refund.amount, refund.currency) == (Decimal("116.24"), "USD")
    buyer = (await order.books()).refunds.buyer
    assert (buyer.refunded, buyer.left) == (Decimal("116.24"), Decimal(0))


# ---- CAN-9: a reason ----


@pytest.mark.parametrize("reason", [None, "", "   "])
async def test_CAN_9_a_cancel_needs_a_reason(world: World, reason: str | None) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    fields = {} if reason is None else {"reason": reason}
    with pytest.raises(Refused) as refused:
        await order.update("cancel_request", actor="seller:jane", **fields)
    assert refused.value.type == "InvalidInput"
    assert "reason" in str(refused.value)
    assert (await order.status()).stage == "cancel_window"


async def test_CAN_9_the_reason_is_kept(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("cancel_request", actor="seller:jane", reason="No Stock")
    await order.ends("cancelled")
    assert [one.reason for one in (await order.books()).cessations] == ["No Stock"]


# ---- CAN-11: shipping ----


async def test_CAN_11_a_cancelled_order_leaves_the_shops_shipping_list(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    (stop,) = (await order.effects()).stops
    assert (stop.seller_id, stop.state, stop.reason) == (
        order.request.seller_id,
        "stopped",
        "changed their mind",
    )


async def test_CAN_11_a_cancelled_order_is_stopped_also_when_the_shop_was_down(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("shop", "error", f"{order.id}/shipping-list", times=None)
    await order.signal("cancel_request", **CANCEL)
    await order.shows(
        "that it waits for the shop",
        lambda seen: any(
            wait.who == "shop" for wait in (seen.waiting_for, *seen.also_waiting_for) if wait is not None
        ),
    )
    with pytest.raises(Refused) as refused:
        await order.update(
            "shipment",
            actor="supplier:dock",
            shipment_id="s-1",
            carrier="UPS",
            tracking_number="1Z1",
            lines=[{"sku": order.request.lines[0].sku, "quantity": 1}],
        )
    assert "CAN-11" in str(refused.value)
    await world.sandbox.clear_faults()
    await order.forward(minutes=2)
    await order.ends("cancelled")
    effects = await order.effects()
    assert len(effects.stops) == 1
    assert effects.shipments == ()


# ---- CAN-12: why, and by whose fault ----


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"actor": "buyer:robin"}, Fault.BUYER),
        ({"actor": "seller:jane"}, Fault.SELLER),
        ({"actor": "channel:ebay"}, Fault.MARKETPLACE),
        ({"actor": "seller:jane", "fault": "supplier"}, Fault.SUPPLIER),
    ],
)
async def test_CAN_12_by_whose_fault_it_was_cancelled_is_kept(
    world: World, fields: dict[str, str], fault: Fault
) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await order.update("cancel_request", reason="wrong part", **fields)
    await order.ends("cancelled")
    (cessation,) = (await order.books()).cessations
    assert (cessation.kind, cessation.fault, cessation.by) == ("cancelled", fault, fields["actor"])


async def test_CAN_12_the_times_and_quantities_that_show_it_are_kept(world: World) -> None:
    order = await world.simple_order()
    until = (await order.reaches("cancel_window")).deadlines["cancel_until"]
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    books = await order.books()
    (cessation,) = books.cessations
    assert cessation.quantities == {order.request.lines[0].sku: 2}
    assert cessation.evidence["cancel until"] == until.isoformat()
    assert cessation.evidence["received at"] == books.listed.received_at.isoformat()
    assert books.listed.received_at.isoformat() < cessation.evidence["requested at"] < until.isoformat()
