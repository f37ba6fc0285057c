"""Buyers who paid by PayPal or Authorize.Net get their money back there, whatever the gateway does meanwhile
(REF-6, REF-9)."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.database import ConnectionRegister
from models.connections import KIND_OF, Connection, Provider, of_seller
from models.parties import Seller
from starter.sandbox.facts import PaymentSeed, RefundFact
from tests.case_story import OrderStory
from tests.connections import key
from tests.world import World

pytestmark = pytest.mark.proof

PAID = Decimal("100.00")


async def seller_with(world: World, provider: Provider, **options: str) -> Seller:
    """A seller whose shop takes money by this gateway."""
    seller = await world.seller()
    connection = Connection.model_validate(
        {
            "connection_id": f"{provider.value}-{seller.seller_id}",
            "kind": KIND_OF[provider],
            "provider": provider,
            "owner": of_seller(seller.seller_id),
            "base_url": f"{world.running.http_url}/{provider.value}",
            "secret": key(),
            "options": options,
        }
    )
    await asyncio.to_thread(ConnectionRegister(world.engine).put, [connection])
    return seller


async def paid_order(world: World, seller: Seller, gateway: Any, reference: str) -> OrderStory:
    """An order of two units, paid by this gateway, by a customer that it knows, and shipped."""
    seed = PaymentSeed(
        gateway=gateway, id=reference, amount=PAID, currency="USD", customer=f"{int(world.tag, 16)}"
    )
    await world.sandbox.seed_payment(seed)
    payment = {"paid_by": gateway, "reference": reference, "amount": f"{PAID}", "currency": "USD"}
    order = await world.simple_order(seller, payment=payment)
    await order.shipped()
    return order


async def went_back(world: World, payment: str) -> list[RefundFact]:
    return [one for one in (await world.effects()).refunds if one.charge == payment]


async def test_REF_6_a_paypal_payment_goes_back_once_though_the_answer_is_lost(world: World) -> None:
    payment = f"PP{world.tag.upper()}"
    seller = await seller_with(world, Provider.PAYPAL, client_id=f"shop-{world.tag}")
    order = await paid_order(world, seller, "paypal", payment)
    await world.sandbox.add_fault("paypal", "drop_after", f"captures/{payment}/refund")
    refund = await world.refund(order, amount="40.00")
    await refund.ends("succeeded")
    (fact,) = await went_back(world, payment)
    assert (fact.amount, fact.metadata) == (Decimal("40.00"), {"backhaul_id": refund.id})
    assert (await order.books()).refunds.buyer.left == Decimal("60.00")


async def test_REF_6_a_disputed_paypal_payment_waits_for_people(world: World) -> None:
    payment = f"PD{world.tag.upper()}"
    seller = await seller_with(world, Provider.PAYPAL, client_id=f"shop-{world.tag}")
    order = await paid_order(world, seller, "paypal", payment)
    await world.sandbox.dispute(payment)
    refund = await world.refund(order, amount="40.00")
    seen = await refund.shows(
        "a dispute", lambda one: one.waiting_for is not None and one.waiting_for.who == "staff"
    )
    assert seen.waiting_for is not None
    assert "TRANSACTION_DISPUTED" in seen.waiting_for.what
    assert (await order.books()).refunds.buyer.left == Decimal("60.00"), "it stays reserved (REF-3)"
    await refund.update(
        "refund_resolved", actor="staff:sam", outcome="not_moved", evidence="case PP-1", reason="the buyer lost"
    )
    await refund.ends("failed")
    assert await went_back(world, payment) == []
    assert (await order.books()).refunds.buyer.left == PAID


async def test_REF_6_part_of_an_authorize_net_payment_waits_for_the_settlement_and_then_goes_back_once(
    world: World,
) -> None:
    payment = str(60_000_000_000 + int(world.tag, 16))
    seller = await seller_with(world, Provider.AUTHORIZE_NET, login=f"shop-{world.tag}")
    order = await paid_order(world, seller, "authorize_net", payment)
    refund = await world.refund(order, amount="40.00")
    seen = await refund.shows(
        "the settlement", lambda one: one.waiting_for is not None and "settlement" in one.waiting_for.what
    )
    assert seen.waiting_for is not None
    assert (seen.stage, seen.waiting_for.who) == ("sending", "gateway")
    assert await went_back(world, payment) == []
    # The night passes at the gateway, and for the case.
    await world.sandbox.advance_clock(86_400)
    assert seen.waiting_for.due is not None
    await refund.forward_to(seen.waiting_for.due + timedelta(minutes=1))
    await refund.reaches("pending")
    await world.sandbox.advance_clock(86_400)
    await refund.forward(days=2)
    await refund.ends("succeeded")
    (fact,) = await went_back(world, payment)
    assert (fact.amount, fact.status) == (Decimal("40.00"), "succeeded")


async def test_REF_8_all_of_an_unsettled_authorize_net_payment_is_voided(world: World) -> None:
    payment = str(70_000_000_000 + int(world.tag, 16))
    seller = await seller_with(world, Provider.AUTHORIZE_NET, login=f"shop-{world.tag}")
    order = await paid_order(world, seller, "authorize_net", payment)
    refund = await world.refund(order)
    await refund.ends("succeeded")
    (fact,) = await went_back(world, payment)
    assert (fact.id, fact.amount) == (payment, PAID)
