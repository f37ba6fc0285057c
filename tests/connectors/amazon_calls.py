"""What the tests of Amazon have in common: an account at the sandbox, its rates, documents put and read."""

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.amazon.client import XML, Amazon
from activities.connectors.amazon.wire import Document, Feed
from activities.connectors.clients import HttpClients
from models.amazon.feeds import FeedType
from models.call_rates import CallRate
from models.settings import Settings
from starter.sandbox import SandboxClient
from tests.amazon_account import amazon

TOKEN = "Atzr|test-acme"


class Counted:
    """Takes every call, and remembers what it was told; `waits`: what it gives first instead."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.learnt: dict[str, float] = {}
        self.exhausted: list[tuple[str, float | None]] = []
        self.waits: list[float] = []

    def take(self, connection_id: str, operation: str, rate: CallRate) -> float:
        if self.waits:
            return self.waits.pop(0)
        self.taken.append(operation)
        return 0.0

    def learn(self, connection_id: str, operation: str, per_second: float) -> None:
        self.learnt[operation] = per_second

    def exhaust(self, connection_id: str, operation: str, rate: CallRate, seconds: float | None) -> None:
        self.exhausted.append((operation, seconds))


def account(
    amazon_url: str, secret: Path, transport: httpx.AsyncBaseTransport | None = None, token: str = TOKEN
) -> Access:
    """The seller acme's account at the sandbox; `secret`: the file of the application's client secret."""
    options = {"client_secret": f"file:{secret}", "token_url": f"{amazon_url}/auth/o2/token"}
    settings = Settings(partner_timeout_seconds=5, partner_failures_in_a_row=1_000)
    clients = HttpClients(settings, transport=transport)
    return Access(amazon(base_url=amazon_url, options=options), SecretStr(token), clients)


async def handed_in(client: Amazon, content: bytes, kind: FeedType = FeedType.REFUNDS) -> str:
    """Compose nothing: put this document and have it processed."""
    document = await client.create_feed_document()
    await client.documents.put(document.url, content, XML)
    return await client.create_feed(kind, document.feed_document_id)


async def over(client: Amazon, sandbox: SandboxClient, feed_id: str, seconds: float = 60) -> Feed:
    """The feed after this time."""
    await sandbox.advance_clock(seconds)
    feed = await client.feed(feed_id)
    assert feed is not None
    return feed


async def read(client: Amazon, document: Document) -> bytes:
    content = io.BytesIO()
    await client.documents.read(document, content)
    return content.getvalue()


async def result_of(client: Amazon, feed: Feed) -> bytes:
    """The processing report."""
    assert feed.result_document_id is not None
    return await read(client, await client.feed_document(feed.result_document_id))


async def fails(call: Callable[[], object]) -> ApplicationError:
    with pytest.raises(ApplicationError) as raised:
        await call()  # type: ignore[misc]  # it is a coroutine
    return raised.value


def refund_feed(*items: str, merchant: str = "A2ACMEPARTS01") -> bytes:
    """A document with a message for each of these order items, `111-1234567-1234567 12345678901234 10.00`."""
    messages = "".join(_refund(number, *item.split()) for number, item in enumerate(items, start=1))
    said = f"<DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>{merchant}</MerchantIdentifier>"
    head = f"<Header>{said}</Header>"
    kind = "<MessageType>OrderAdjustment</MessageType>"
    return f'<?xml version="1.0"?><AmazonEnvelope>{head}{kind}{messages}</AmazonEnvelope>'.encode()


def _refund(number: int, order_id: str, item: str, amount: str) -> str:
    component = f'<Component><Type>Principal</Type><Amount currency="USD">{amount}</Amount></Component>'
    return (
        f"<Message><MessageID>{number}</MessageID><OrderAdjustment><AmazonOrderID>{order_id}</AmazonOrderID>"
        f"<AdjustedItem><AmazonOrderItemCode>{item}</AmazonOrderItemCode>"
        f"<MerchantAdjustmentItemID>RF-{number}</MerchantAdjustmentItemID>"
        f"<AdjustmentReason>CustomerReturn</AdjustmentReason>"
        f"<ItemPriceAdjustments>{component}</ItemPriceAdjustments></AdjustedItem></OrderAdjustment></Message>"
    )
