"""What the sandbox's gateways say by themselves: signed as each signs, until it is taken, each state once."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
import stripe

from activities.connectors.authorize_net import webhooks as authorize_net
from activities.connectors.authorize_net.gateway import AuthorizeNetGateway
from activities.connectors.paypal.gateway import PayPalGateway
from activities.connectors.paypal.webhooks import PayPalWebhooks
from activities.connectors.stripe import webhooks as of_stripe
from activities.connectors.stripe.gateway import StripeGateway
from activities.connectors.webhooks import NotSigned, Webhook
from models.connections import Provider
from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox
from starter.sandbox.facts import PaymentSeed, WebhookSeed
from tests.connectors.gateway_calls import DAY, access, refund
from tests.connectors.paypal_description import Described


class Ear:
    """Whoever is told: answers what it is to answer, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[Webhook] = []
        self.answers: list[int] = []
        self.news = asyncio.Condition()
        self.url = ""

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in head[1:] if line}
        body = await reader.readexactly(int(headers["content-length"]))
        async with self.news:
            self.heard.append(Webhook(headers, body))
            self.news.notify_all()
        status = self.answers.pop(0) if self.answers else 200
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async def hears(self, count: int) -> list[Webhook]:
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: len(self.heard) >= count)
        return self.heard


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    ear = Ear()
    server = await asyncio.start_server(ear.listen, "127.0.0.1", 0)
    ear.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks/me"
    yield ear
    server.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_stripe_says_each_state_of_a_refund_once_until_it_is_taken(
    running: RunningSandbox, sandbox: SandboxClient, ear: Ear
) -> None:
    ear.answers = [503, 500]
    await sandbox.tell_webhooks(WebhookSeed(url=ear.url, secrets=("old", "new")))
    await sandbox.seed_payment(
        PaymentSeed(id="pi_1", amount=Decimal(50), currency="USD", payment_method="pm_card_pendingRefund")
    )
    gateway = StripeGateway(access(Provider.STRIPE, running.gateway_url, "sk_test_sandbox"))
    await gateway.refund(refund("pi_1", "RF-1", "1.00"), looks=False)
    await ear.hears(3)
    await sandbox.settle_refund("RF-1", "failed")
    await sandbox.settle_refund("RF-1", "failed")
    await ear.hears(5)
    await asyncio.sleep(0.1)

    assert len(ear.heard) == 5
    events = [
        stripe.Webhook.construct_event(one.body, one.headers["stripe-signature"], secret)
        for one in ear.heard
        for secret in ("old", "new")
    ]
    assert [one.type for one in events[::2]] == ["refund.created"] * 3 + ["refund.updated", "refund.failed"]
    assert len({one.id for one in events}) == 3
    word = of_stripe.read(ear.heard[-1]).refund
    assert word is not None
    assert (word.status, word.our_id, word.reason) == ("failed", "RF-1", "unknown")
    assert [(one.tries, one.answered) for one in await sandbox.webhooks()] == [(3, 200), (1, 200), (1, 200)]


async def test_paypal_says_what_it_signed_and_is_asked_as_its_description_wants_it(
    running: RunningSandbox, sandbox: SandboxClient, ear: Ear
) -> None:
    await sandbox.tell_webhooks(WebhookSeed(gateway="paypal", account="acme", url=ear.url, secrets=("WH1",)))
    await sandbox.seed_payment(
        PaymentSeed(gateway="paypal", id="CAP1", amount=Decimal(50), currency="USD", account="acme")
    )
    described = Described()
    options = {"client_id": "acme", "webhook_id": "WH1"}
    mine = access(Provider.PAYPAL, running.paypal_url, "test-secret", described, **options)
    await PayPalGateway(mine).refund(refund("CAP1", "RF-1", "1.00"), looks=False)
    (heard,) = await ear.hears(1)
    checked = described.checked

    await PayPalWebhooks(mine).verify(heard)
    assert described.checked == checked + 1
    changed = heard._replace(body=heard.body.replace(b'"1.00"', b'"9.00"'))
    assert changed != heard
    with pytest.raises(NotSigned):
        await PayPalWebhooks(mine).verify(changed)
    others = access(Provider.PAYPAL, running.paypal_url, "test-secret", client_id="acme", webhook_id="WH2")
    with pytest.raises(NotSigned):
        await PayPalWebhooks(others).verify(heard)


async def test_authorize_net_tells_of_refunds_and_voids(
    running: RunningSandbox, sandbox: SandboxClient, ear: Ear
) -> None:
    await sandbox.tell_webhooks(WebhookSeed(gateway="authorize_net", url=ear.url, secrets=("KEY",)))
    for number in ("601", "602"):
        await sandbox.seed_payment(
            PaymentSeed(gateway="authorize_net", id=number, amount=Decimal(50), currency="USD", customer="500")
        )
    mine = access(Provider.AUTHORIZE_NET, running.authorize_net_url, "test-key", login="acme")
    gateway = AuthorizeNetGateway(mine)
    await gateway.refund(refund("601", "RF-1", "50.00"), looks=False)
    await sandbox.advance_clock(DAY)
    await gateway.refund(refund("602", "RF-2", "10.00"), looks=False)
    heard = await ear.hears(2)

    for one in heard:
        authorize_net.verify(one, ["KEY"], now())
    words = [authorize_net.read(one).refund for one in heard]
    assert [(word.status, word.our_id, word.only_if_known) for word in words if word] == [
        ("succeeded", None, True),
        ("pending", "RF-2", False),
    ]
    assert words[0] is not None
    assert words[0].gateway_refund_id == "601"


async def test_what_was_not_taken_is_said_again_after_a_restart(ear: Ear, tmp_path: Path) -> None:
    ear.answers = [503] * 3
    async with running_sandbox(database=tmp_path / "s.db") as first, SandboxClient(first.http_url) as sandbox:
        await sandbox.tell_webhooks(WebhookSeed(url=ear.url, secrets=("new",)))
        await refunded(first, sandbox)
        await ear.hears(1)
    ear.answers = []
    before = len(ear.heard)
    async with running_sandbox(database=tmp_path / "s.db") as second, SandboxClient(second.http_url) as sandbox:
        await ear.hears(before + 1)
    assert len({one.body for one in ear.heard}) == 1


async def test_a_reset_forgets_what_was_to_be_said(running: RunningSandbox, sandbox: SandboxClient) -> None:
    await sandbox.tell_webhooks(WebhookSeed(url="http://127.0.0.1:9/webhooks/me", secrets=("new",)))
    await refunded(running, sandbox)
    (said,) = await sandbox.webhooks()
    assert (said.type, said.answered) == ("refund.created", None)
    await sandbox.reset()
    await asyncio.sleep(0.5)
    assert await sandbox.webhooks() == []


async def refunded(running: RunningSandbox, sandbox: SandboxClient) -> None:
    await sandbox.seed_payment(PaymentSeed(id="pi_1", amount=Decimal(50), currency="USD"))
    async with httpx.AsyncClient(base_url=running.gateway_url, auth=("sk_test_sandbox", "")) as http:
        (await http.post("/v1/refunds", data={"payment_intent": "pi_1", "amount": "100"})).raise_for_status()
