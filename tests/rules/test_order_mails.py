"""Sellers and staff are told about orders, once, and no mail server holds up money (NTF-1, NTF-4)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from starter.sandbox.facts import MailFact
from tests.case_story import OrderStory
from tests.world import World

pytestmark = pytest.mark.proof

CANCEL = {"actor": "buyer:robin", "reason": "changed their mind"}


async def waits_for_mail(order: OrderStory) -> None:
    await order.shows(
        "that only the mail is missing",
        lambda seen: (
            seen.outcome is not None and seen.waiting_for is not None and seen.waiting_for.who == "mail server"
        ),
    )


async def cancelled_too_late(world: World, **seller: Any) -> OrderStory:
    order = await world.simple_order(await world.seller(**seller), channel_order_id="EB-77")
    await order.placed()
    await order.update("cancel_request", **CANCEL)
    await order.ship_all()
    return order


def forwardable(mail: MailFact) -> str:
    """The message to the buyer inside the seller's mail."""
    return (mail.text or "").split("---")[1].strip()


# ---- NTF-1 ----


async def test_NTF_1_a_mail_server_that_is_down_holds_up_no_money_and_the_mail_arrives_once_later(
    world: World,
) -> None:
    seller = await world.seller(auto_refund_buyer=True)
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("mail", "drop_before", None, times=None)
    await order.signal("cancel_request", **CANCEL)
    await waits_for_mail(order)
    effects = await order.effects()
    assert [intent.status for intent in effects.payment_intents] == ["canceled"]
    assert [refund.amount for refund in effects.refunds] == [order.request.paid]
    assert len(effects.stops) == 1
    assert await order.mails(order.id) == []
    await order.forward(minutes=20)
    assert (await order.status()).stage == "cancelled"
    await world.sandbox.clear_faults()
    while (await order.handle.describe()).status is WorkflowExecutionStatus.RUNNING:
        await asyncio.sleep(1)  # the breaker does not ask for a while, by the machine's clock
        await order.forward(minutes=31)
    await order.ends("cancelled")
    assert len(await order.mails(f"Order {order.id} is cancelled", to=str(seller.email))) == 1


async def test_NTF_1_an_order_is_bought_and_shipped_while_the_mail_server_is_down(world: World) -> None:
    seller = await world.seller(auto_release=False)
    order = await world.simple_order(seller)
    await world.sandbox.add_fault("mail", "error", "SMTP", times=None)
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.placed()
    await order.update(
        "shipment",
        shipment_id="s-1",
        carrier="UPS",
        tracking_number="1Z",
        lines=[{"sku": order.request.lines[0].sku, "quantity": 2}],
    )
    await waits_for_mail(order)
    assert len((await order.effects()).captures) == 1
    assert len((await order.effects()).shipments) == 1
    await world.sandbox.clear_faults()
    await order.forward(hours=1)
    await order.ends("shipped")
    for subject in (f"Order {order.id} waits for your release", f"Order {order.id} has shipped"):
        assert len(await order.mails(subject, to=str(seller.email))) == 1


async def test_NTF_1_a_mail_that_is_refused_for_good_ends_nothing_and_is_shown(world: World) -> None:
    seller = await world.seller()
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    await world.sandbox.add_fault("mail", "refuse", f"SMTP {seller.email}")
    await order.update("cancel_request", **CANCEL)
    status = await order.ends("cancelled")
    assert any(
        "could not be sent (the mail server refused the mail (550))" in step.what for step in status.timeline
    )
    assert await order.mails(f"Order {order.id} is cancelled", to=str(seller.email)) == []
    (told,) = await order.mails(f"order-{order.id}", to="staff")
    assert "did not arrive" in (told.text or "")
    assert f"Order {order.id} is cancelled" in (told.text or ""), "staff read what the seller did not"


async def test_NTF_1_each_step_is_told_once_as_plain_text_and_html(world: World) -> None:
    seller = await world.seller(auto_release=False, payment_method=None)
    order = await world.simple_order(seller)
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.reaches("awaiting_payment")
    await order.update("payment_method_updated", payment_method="pm_card_visa")
    await order.shipped()
    mails = await order.mails(f"Order {order.id} ", to=str(seller.email))
    assert [mail.subject for mail in reversed(mails)] == [
        f"Order {order.id} waits for your release",
        f"Order {order.id} waits for a payment method",
        f"Order {order.id} has shipped",
    ]
    assert all(mail.text and mail.html for mail in mails)


async def test_NTF_1_the_same_event_twice_is_told_once(world: World) -> None:
    seller = await world.seller()
    order = await world.simple_order(seller)
    await order.placed()
    event = await order.signal("cancel_request", **CANCEL)
    await order.handle.signal("cancel_request", event)
    await order.ship_all()
    subject = f"Order {order.id} is already fulfilled"
    assert len(await order.mails(subject, to=str(seller.email))) == 1


async def test_NTF_1_a_seller_that_automates_refunds_is_told_so_and_the_buyer_of_the_refund(world: World) -> None:
    seller = await world.seller(auto_refund_buyer=True)
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    await order.update("cancel_request", **CANCEL)
    await order.ends("cancelled")
    (told,) = await order.mails(f"Order {order.id} is cancelled", to=str(seller.email))
    assert "refunded automatically" in (told.text or "")
    (to_buyer,) = await order.mails(to=str(order.request.buyer.email))
    assert "100.00" in (to_buyer.text or "")
    assert "backhaul" not in (to_buyer.text or "").lower()


# ---- NTF-4 ----


async def test_NTF_4_too_late_to_cancel_comes_with_a_message_to_forward(world: World) -> None:
    order = await cancelled_too_late(world)
    (mail,) = await order.mails(f"Order {order.id} is already fulfilled")
    message = forwardable(mail)
    assert message.startswith("Dear customer")
    assert "EB-77" in message
    assert "sorry" in message
    assert message.endswith("Acme Parts")
    assert "Backhaul" not in message


async def test_NTF_4_out_of_stock_comes_with_a_message_to_forward(world: World) -> None:
    seller = await world.seller()
    order = await world.order(seller, {"sku": world.sku(), "quantity": 2}, channel_order_id="EB-78")
    await order.reaches("cancel_window")
    await order.forward(minutes=31)
    await order.ends("voided")
    (mail,) = await order.mails(f"Order {order.id} can't be fulfilled", to=str(seller.email))
    message = forwardable(mail)
    assert "EB-78" in message
    assert "2 x" in message
    assert message.endswith("Acme Parts")
    assert "Backhaul" not in message


async def test_NTF_4_partly_out_of_stock_names_only_what_is_missing(world: World) -> None:
    seller, supplier = await world.seller(), await world.supplier()
    disc, lamp = world.sku(), world.sku()
    await world.stock(disc, 9, supplier)
    order = await world.order(seller, {"sku": disc, "quantity": 2}, {"sku": lamp, "title": "Lamp"})
    await order.placed()
    await order.update(
        "shipment", shipment_id="s-1", carrier="UPS", tracking_number="1Z", lines=[{"sku": disc, "quantity": 2}]
    )
    await order.ends("shipped")
    (mail,) = await order.mails(f"Part of order {order.id} can't be fulfilled", to=str(seller.email))
    message = forwardable(mail)
    assert lamp in message
    assert disc not in message


async def test_NTF_4_the_wording_is_in_the_sellers_language(world: World) -> None:
    order = await cancelled_too_late(world, language="de")
    (mail,) = await order.mails(f"Bestellung {order.id} ist bereits")
    message = forwardable(mail)
    assert message.startswith("Guten Tag")
    assert "EB-77" in message
    assert message.endswith("Acme Parts")


async def test_NTF_4_a_seller_may_have_a_wording_of_its_own(world: World, tmp_path: Path) -> None:
    own = World(
        world.env,
        world.running,
        world.sandbox,
        world.engine,
        world.settings.model_copy(update={"mail_templates": tmp_path}),
        f"wording-{world.tag}",
    )
    seller = await own.seller()
    folder = tmp_path / seller.seller_id / "en"
    folder.mkdir(parents=True)
    (folder / "message_too_late.md").write_text(
        "Hi! {{ order_number }} has left already. Yours, {{ seller_name }}\n"
    )
    async with own.worker(own.task_queue):
        order = await own.simple_order(seller)
        await order.placed()
        await order.update("cancel_request", **CANCEL)
        await order.ship_all()
    (mail,) = await order.mails(f"Order {order.id} is already fulfilled", to=str(seller.email))
    assert forwardable(mail) == f"Hi! {order.id} has left already. Yours, Acme Parts"
