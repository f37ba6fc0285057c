"""A partner is down, slow or says no: the case waits, says so, and goes on by itself (RET-16, REF-6, NTF-1)."""

from decimal import Decimal

import pytest

from models.case import CaseStatus
from tests.case_story import CaseStory, OrderStory
from tests.eventually import eventually
from tests.return_story import returning
from tests.world import World

pytestmark = pytest.mark.proof

STEPS = {
    "charge": ("gateway", "POST /v1/payment_intents$", "gateway"),
    "stock": ("supplier", "GET /v1/stock", "supplier"),
    "capture": ("gateway", "POST /v1/payment_intents/.*/capture", "gateway"),
    "purchase": ("supplier", "PUT /v1/orders", "supplier"),
}
"""Which call fails, and who must act while it does."""

STAGES = {"charge": "received", "stock": "placing", "capture": "placing", "purchase": "placing"}


def in_trouble(seen: CaseStatus) -> bool:
    return any("it is tried again" in step.what for step in seen.timeline)


async def staff_letters(world: World, about: str) -> list[str]:
    mails = await world.sandbox.mails(to="staff")
    return [mail.text or "" for mail in mails if about in (mail.text or "") + mail.subject]


async def pass_the_window(order: OrderStory, step: str) -> None:
    """Let the order come to the step, which for all but the charge lies behind the cancel window."""
    if step != "charge":
        await order.reaches("cancel_window")
        await order.forward(minutes=30, seconds=1)


@pytest.mark.parametrize("step", list(STEPS))
async def test_RET_16_an_order_waits_for_a_partner_that_is_down_and_goes_on_by_itself(
    world: World, step: str
) -> None:
    partner, call, who = STEPS[step]
    await world.sandbox.add_fault(partner, "drop_before", call, times=None)
    order = await world.simple_order()
    await pass_the_window(order, step)
    await order.shows(
        "whom it waits for",
        lambda seen: bool(
            seen.waiting_for and (seen.waiting_for.stage, seen.waiting_for.who) == (STAGES[step], who)
        ),
    )
    await world.sandbox.clear_faults()
    if step == "charge":
        await order.reaches("cancel_window")
        await order.forward(minutes=31)
    await order.reaches("awaiting_shipment")
    effects = await order.effects()
    assert (len(effects.supplier_orders), [capture.amount for capture in effects.captures]) == (1, [Decimal(63)])


@pytest.mark.parametrize("step", list(STEPS))
async def test_RET_16_staff_are_told_once_when_a_partner_refuses_our_key_and_it_goes_on_when_mended(
    world: World, step: str
) -> None:
    partner, call, _ = STEPS[step]
    await world.sandbox.add_fault(partner, "refuse", call, status=401, code="invalid_key", times=None)
    order = await world.simple_order()
    await pass_the_window(order, step)
    status = await order.shows("the trouble", in_trouble)
    assert status.waiting_for is not None
    assert status.waiting_for.who == "staff"
    assert "backhaul connection set" in status.waiting_for.what
    assert "ConnectionUnusable" in next(one.what for one in status.timeline if "tried again" in one.what)
    await eventually(lambda: staff_letters(world, order.id), bool, "staff are not told")

    await order.forward(minutes=14)
    assert (await order.status()).outcome is None
    await world.sandbox.clear_faults()
    await order.forward(minutes=8)  # the longest pause, however long it is by chance
    if step == "charge":
        await order.forward(minutes=31)

    await order.reaches("awaiting_shipment")
    letters = await staff_letters(world, order.id)
    assert len([letter for letter in letters if "does not take the key" in letter]) == 1


async def test_REF_6_a_refund_refused_by_a_wrong_key_goes_on_when_it_is_mended(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "refuse", "POST /v1/refunds", status=401, code="invalid_key", times=1)
    refund = await world.refund(order, amount="5.00")
    status = await refund.shows("the trouble", in_trouble)
    assert status.waiting_for is not None
    assert (status.stage, status.waiting_for.who) == ("sending", "staff")
    assert "does not take the key" in status.waiting_for.what
    await refund.forward(minutes=2)
    await refund.ends("succeeded")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("5.00")]


async def test_REF_6_a_partner_that_asks_for_time_gets_it(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "rate_limit", "POST /v1/refunds", retry_after=2)
    refund = await world.refund(order, amount="5.00")
    await refund.ends("succeeded")
    sent = [
        one
        for one in await world.sandbox.requests("gateway", "/v1/refunds")
        if one.method == "POST" and one.idempotency_key == refund.id
    ]
    assert [one.status for one in sent] == [429, 200]
    assert (sent[1].at - sent[0].at).total_seconds() >= 2


async def test_REF_6_a_partner_that_asks_for_two_hours_gets_them_and_people_see_it(world: World) -> None:
    order = await world.simple_order()
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("gateway", "rate_limit", "POST /v1/refunds", retry_after=7200)
    refund = await world.refund(order, amount="5.00")
    await refund.shows("the trouble", in_trouble)
    await refund.forward(minutes=119)
    asked = [one for one in await world.sandbox.requests("gateway", "/v1/refunds") if order.id in str(one.body)]
    assert [one.status for one in asked] == [429]
    await refund.forward(hours=1, minutes=1)
    await refund.ends("succeeded")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("5.00")]


async def test_ORD_9_the_shop_gets_the_tracking_number_once_it_is_back(world: World) -> None:
    order = await world.simple_order()
    await order.placed()
    await world.sandbox.add_fault("shop", "drop_after", "PUT .*/shipments/")
    await order.ship_all()
    assert [one.tracking_number for one in (await order.effects()).shipments] == [f"1Z{order.id}"]


@pytest.mark.parametrize("fault", ["drop_after", "error"])
async def test_RET_8_the_suppliers_service_issues_one_number_when_it_fails(world: World, fault: str) -> None:
    await world.sandbox.add_fault("supplier", fault, "PUT /v1/rmas")
    case = await returning(world, supplier=await world.supplier(rma="service"))
    await case.approved("awaiting_tracking")
    issued = [one.rma_number for one in (await world.effects()).rmas if one.return_id == case.id]
    assert issued == [(await case.status()).facts["rma_number"]]


async def test_NTF_1_a_mail_server_that_is_down_holds_up_no_money(world: World) -> None:
    await world.sandbox.add_fault("mail", "drop_before", times=None)
    case = await returning_while_mail_is_down(world)
    status = await case.shows(
        "both refunds", lambda seen: bool(seen.facts["buyer_refund"] and seen.facts["seller_refund"])
    )
    assert (status.facts["buyer_refund"], status.facts["seller_refund"]) == (
        "buyer refunded 100.00 USD",
        "seller refunded 63.00 USD",
    )
    await world.sandbox.clear_faults()


async def returning_while_mail_is_down(world: World) -> CaseStory:
    order = await shipped_without_mail(world)
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    line = {"sku": order.request.lines[0].sku, "quantity": 2, "reception": "received", "acceptance": "accepted"}
    await case.update("seller_approval", decision="approved")
    await case.update("return_tracking", carrier="UPS", tracking_number="1Z2")
    await case.update("goods_received", actor="supplier:dock", lines=[line])
    await case.update(
        "credit_memo", actor="supplier:dock", number="CM-1", date="2026-03-01", amount="63.00", currency="USD"
    )
    await case.update("buyer_refund", reason="returned")
    return case


async def shipped_without_mail(world: World) -> OrderStory:
    """An order that is shipped; its workflow still tries to send the mail about it."""
    order = await world.simple_order()
    await order.placed()
    line = {"sku": order.request.lines[0].sku, "quantity": 2}
    await order.update(
        "shipment", actor="supplier:dock", shipment_id="s1", carrier="UPS", tracking_number="1Z1", lines=[line]
    )
    status = await order.reaches("shipped")
    assert status.waiting_for is None or status.waiting_for.who == "mail server"
    return order
