"""The gateways' webhooks over the wire: the sandbox signs and sends them, the front takes them, the refund asks
the gateway itself (REF-7)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from pydantic import HttpUrl

from activities.database import ConnectionRegister, WebhookRegister
from activities.database.webhooks import WebhookListed
from models.connections import Connection, ConnectionKind, Provider
from models.parties import Seller
from models.refunds import RefundState
from models.webhooks import WebhookState
from starter.front import serve
from starter.ops.local_connections import STRIPE
from starter.ops.ports import free_port
from starter.sandbox.facts import PaymentSeed, WebhookFact, WebhookSeed
from tests.case_story import OrderStory
from tests.connections import key
from tests.eventually import eventually
from tests.world import World

KEY = "sk_test_sandbox"
PAID = {"amount": "100.00", "currency": "USD"}


@asynccontextmanager
async def front(world: World, port: int) -> AsyncIterator[None]:
    serving = asyncio.create_task(serve(world.client, world.settings, port=port))
    try:
        yield
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def webhooks_of(world: World, connection_id: str) -> list[WebhookListed]:
    return await asyncio.to_thread(WebhookRegister(world.engine).listed, None, connection_id, 50)


async def taken(world: World, connection_id: str, type: str) -> WebhookListed:
    """The one of this type, once it is there."""

    async def of_type() -> list[WebhookListed]:
        return [one for one in await webhooks_of(world, connection_id) if one.type == type]

    found: list[WebhookListed] = await eventually(of_type, bool, f"{type} is taken")
    return found[0]


async def test_REF_7_a_refund_that_stripe_takes_back_later_is_known_by_a_webhook(world: World) -> None:
    account, port = f"acct_{world.tag}", free_port()
    seller = await world.seller(account=account)
    connection_id = f"{STRIPE}-{seller.seller_id}"
    url = f"http://127.0.0.1:{port}/webhooks/{connection_id}"
    await world.sandbox.tell_webhooks(WebhookSeed(account=account, url=url, secrets=("old", KEY)))
    order = await world.simple_order(seller)
    await order.reaches("cancel_window")
    async with front(world, port):
        refund = await world.refund(order, amount="10.00")
        await refund.ends("succeeded")
        await taken(world, connection_id, "refund.created")

        await world.sandbox.settle_refund(refund.id, "failed", failure_reason="expired_or_canceled_card")
        told = await taken(world, connection_id, "refund.failed")
        assert told.workflow_id == f"refund-{refund.id}"
        await refund.ends("failed")
    assert world.reading.refund(refund.id).state is RefundState.FAILED
    assert world.reading.refunds_of(order.id).buyer.left == order.request.paid


async def test_REF_7_a_pending_refund_at_paypal_ends_by_a_webhook_also_after_an_outage_of_the_front(
    world: World,
) -> None:
    account, port = f"client-{world.tag}", free_port()
    seller = await world.seller()
    connection_id, capture = f"paypal-{world.tag}", f"CAP{world.tag}".upper()
    connection = Connection(
        connection_id=connection_id,
        kind=ConnectionKind.PAYMENTS,
        provider=Provider.PAYPAL,
        owner=f"seller:{seller.seller_id}",
        base_url=HttpUrl(world.running.paypal_url),
        secret=key(),
        options={"client_id": account, "webhook_id": f"WH{world.tag}"},
    )
    await asyncio.to_thread(ConnectionRegister(world.engine).put, [connection])
    url = f"http://127.0.0.1:{port}/webhooks/{connection_id}"
    await world.sandbox.tell_webhooks(
        WebhookSeed(gateway="paypal", account=account, url=url, secrets=(f"WH{world.tag}",))
    )
    order = await world.simple_order(seller, payment={"paid_by": "paypal", "reference": capture} | PAID)
    await world.sandbox.seed_payment(
        PaymentSeed(
            gateway="paypal",
            id=capture,
            amount=Decimal(PAID["amount"]),
            currency=PAID["currency"],
            account=account,
            payment_method="echeck",
        )
    )
    await order.reaches("cancel_window")
    refund = await world.refund(order, amount="10.00")
    await refund.reaches("pending")

    await world.sandbox.settle_refund(refund.id, "succeeded")
    async with front(world, port):
        await refund.ends("succeeded")
        said = await eventually(lambda: paypals(world), all_taken, "every webhook is taken")
    assert max(one.tries for one in said) > 1, "while the front was away it was said again"
    assert {one.state for one in await webhooks_of(world, connection_id)} <= {
        WebhookState.DELIVERED,
        WebhookState.ENDED,
    }


@pytest.mark.proof
async def test_REF_7_what_authorize_net_signs_reaches_its_refund_and_a_void_is_no_orphan(world: World) -> None:
    """Part of a settled payment goes back, and all of one that is not settled, which is a void."""
    account, port, seller = f"shop-{world.tag}", free_port(), await world.seller()
    connection = Connection(
        connection_id=f"authorize-net-{world.tag}",
        kind=ConnectionKind.PAYMENTS,
        provider=Provider.AUTHORIZE_NET,
        owner=f"seller:{seller.seller_id}",
        base_url=HttpUrl(world.running.authorize_net_url),
        secret=key(),
        webhook_secrets=(key(),),
        options={"login": account},
    )
    await asyncio.to_thread(ConnectionRegister(world.engine).put, [connection])
    url = f"http://127.0.0.1:{port}/webhooks/{connection.connection_id}"
    await world.sandbox.tell_webhooks(
        WebhookSeed(gateway="authorize_net", account=account, url=url, secrets=(KEY,))
    )
    settled, unsettled = (str(number + int(world.tag, 16)) for number in (80_000_000_000, 90_000_000_000))
    orders = [
        await authorize_net_order(world, seller, account, settled),
        await authorize_net_order(world, seller, account, unsettled),
    ]
    async with front(world, port):
        voided = await world.refund(orders[1])
        await voided.ends("succeeded")
        await taken(world, connection.connection_id, "net.authorize.payment.void.created")

        await world.sandbox.advance_clock(86_400)
        refund = await world.refund(orders[0], amount="10.00")
        told = await taken(world, connection.connection_id, "net.authorize.payment.refund.created")
        await refund.reaches("pending")
    assert (told.workflow_id, told.state) == (f"refund-{refund.id}", WebhookState.DELIVERED)
    assert WebhookState.ORPHAN not in {one.state for one in await webhooks_of(world, connection.connection_id)}


async def authorize_net_order(world: World, seller: Seller, account: str, payment: str) -> OrderStory:
    """An order in its cancel window, whose buyer paid the seller by a card that Authorize.Net knows."""
    order = await world.simple_order(seller, payment={"paid_by": "authorize_net", "reference": payment} | PAID)
    await world.sandbox.seed_payment(
        PaymentSeed(
            gateway="authorize_net",
            id=payment,
            amount=Decimal(PAID["amount"]),
            currency=PAID["currency"],
            account=account,
            customer=f"{int(world.tag, 16)}",
        )
    )
    await order.reaches("cancel_window")
    return order


async def paypals(world: World) -> list[WebhookFact]:
    return [one for one in await world.sandbox.webhooks() if one.gateway == "paypal"]


def all_taken(said: list[WebhookFact]) -> bool:
    return len(said) > 0 and all(one.answered == 200 for one in said)
