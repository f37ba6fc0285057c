"""Connections that change while a case runs: it waits, says so, and its money goes back the way it came."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.connectors.connections import BELIEVED_SECONDS
from activities.database import ConnectionRegister
from models.connections import Connection, of_seller
from starter.sandbox.facts import PaymentSeed
from tests.connections import key
from tests.eventually import eventually
from tests.rules.test_partner_faults import in_trouble, staff_letters
from tests.world import World

pytestmark = pytest.mark.proof


async def change(world: World, connection_id: str, **changes: Any) -> None:
    """As staff do, and until no worker believes what was before."""
    register = ConnectionRegister(world.engine)
    before = await asyncio.to_thread(register.get, connection_id)
    await asyncio.to_thread(register.put, [before.model_copy(update=changes)])
    await asyncio.sleep(BELIEVED_SECONDS)


async def test_REF_9_a_refund_waits_for_the_connection_of_its_payment_though_the_seller_has_moved(
    world: World,
) -> None:
    seller = await world.seller(account=f"acct_{world.tag}")
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    old = f"sandbox-stripe-{seller.seller_id}"
    register = ConnectionRegister(world.engine)
    before = await asyncio.to_thread(register.get, old)
    moved = before.model_copy(update={"connection_id": f"new-{world.tag}", "account": None})
    await asyncio.to_thread(register.put, [moved])
    await change(world, old, active=False)

    refund = await world.refund(order, amount="5.00")
    status = await refund.shows("the trouble", in_trouble)
    told = next(step.what for step in status.timeline if "tried again" in step.what)
    assert f"connection {old} of {of_seller(seller.seller_id)} is not active" in told
    await eventually(lambda: staff_letters(world, refund.id), bool, "staff are not told")

    await change(world, old, active=True)
    await refund.forward(minutes=31)
    await refund.ends("succeeded")
    assert [(one.account, one.amount) for one in (await order.effects()).refunds] == [
        (f"acct_{world.tag}", Decimal("5.00"))
    ]


async def test_REF_6_a_key_that_is_rotated_between_charge_and_refund_needs_no_restart(
    world: World, tmp_path: Path
) -> None:
    seller = await world.seller()
    file = tmp_path / "key"
    file.write_text("sk_test_old")
    of_the_seller = f"sandbox-stripe-{seller.seller_id}"
    await change(world, of_the_seller, secret=f"file:{file}")
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    first = await world.refund(order, amount="1.00")
    await first.ends("succeeded")
    file.write_text("no longer a key of the sandbox")
    wrong = await world.refund(order, amount="2.00")
    await wrong.shows("the trouble", in_trouble)
    file.write_text("sk_test_new\n")
    await wrong.forward(minutes=31)
    await wrong.ends("succeeded")
    assert sum(one.amount for one in (await order.effects()).refunds) == Decimal("3.00")
    await change(world, of_the_seller, secret=key())


async def test_NTF_9_a_refund_to_which_no_connection_leads_waits_for_staff_and_goes_on_when_there_is_one(
    world: World,
) -> None:
    """The seller takes money by PayPal, and nobody has said yet how PayPal is reached."""
    seller = await world.seller()
    payment = {"paid_by": "paypal", "reference": f"PP{world.tag.upper()}", "amount": "100.00", "currency": "USD"}
    seed = PaymentSeed(gateway="paypal", id=payment["reference"], amount=Decimal(100), currency="USD")
    await world.sandbox.seed_payment(seed)
    order = await world.simple_order(seller, payment=payment)
    await order.reaches("cancel_window")
    refund = await world.refund(order, amount="5.00")
    status = await refund.shows("the trouble", in_trouble)
    assert status.waiting_for is not None
    assert (status.waiting_for.who, status.facts["in_doubt"]) == ("staff", False)
    assert "no active paypal connection" in status.waiting_for.what
    await eventually(lambda: staff_letters(world, "backhaul connection import"), bool, "staff are not told")

    register = ConnectionRegister(world.engine)
    told = {"connection_id": f"paypal-{world.tag}", "kind": "payments", "provider": "paypal", "secret": key()}
    where = {"owner": of_seller(seller.seller_id), "base_url": f"{world.running.http_url}/paypal"}
    one = Connection.model_validate({**told, **where, "options": {"client_id": f"shop-{world.tag}"}})
    await asyncio.to_thread(register.put, [one])
    await refund.forward(minutes=8)
    await refund.ends("succeeded")
