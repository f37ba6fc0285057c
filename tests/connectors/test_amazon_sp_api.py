"""The sandbox is judged by a client that others wrote: python-amazon-sp-api talks to it as to Amazon."""

import asyncio
import gzip
import io
import secrets
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import httpx
import pytest
from sp_api.api.feeds.feeds_2021_06_30 import FeedsV20210630
from sp_api.api.finances.finances_2024_06_19 import FinancesV20240619
from sp_api.api.orders.orders_2026_01_01 import OrdersV20260101
from sp_api.api.reports.reports import Reports
from sp_api.auth import AccessTokenClient
from sp_api.base import FeedType, Marketplaces, ReportType
from sp_api.base.exceptions import (
    SellingApiBadRequestException,
    SellingApiNotFoundException,
    SellingApiRequestThrottledException,
)

from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.amazon.facts import AmazonItemSeed, AmazonOrderSeed
from tests.amazon_orders import FIRST, ORDER
from tests.connectors.amazon_calls import refund_feed

RETURNS = ReportType.GET_XML_RETURNS_DATA_BY_RETURN_DATE


class Theirs:
    """Their clients, with the sandbox where Amazon's hosts stand."""

    def __init__(self, running: RunningSandbox) -> None:
        host = running.amazon_url

        class Token(AccessTokenClient):  # type: ignore[misc]  # it has no types
            scheme = "http://"
            host = running.amazon_url.removeprefix("http://")

        marketplaces = Enum("marketplaces", {"US": "US"})
        us: Any = marketplaces.US
        us.endpoint, us.marketplace_id = host, Marketplaces.US.marketplace_id
        us.region = Marketplaces.US.region
        keys = {
            # They keep tokens for the whole process: each test is an account of its own.
            "refresh_token": f"Atzr|test-{secrets.token_hex(4)}",
            "lwa_app_id": "amzn1.application-oa2-client.others",
            "lwa_client_secret": "test-secret",
        }
        self._told = {"credentials": keys, "auth_token_client_class": Token, "marketplace": us}

    def of(self, kind: Any) -> Any:
        """Their client of this kind. They cut the host out of an address that begins with `https://`."""
        host = httpx.URL(self._told["marketplace"].endpoint).netloc.decode()
        headers = property(lambda one: {**kind.headers.fget(one), "host": host})
        return type("Pointed", (kind,), {"headers": headers})(**self._told)


@pytest.fixture
async def theirs(running: RunningSandbox, sandbox: SandboxClient) -> Theirs:
    return Theirs(running)


async def test_they_hand_in_a_feed_and_read_what_became_of_it(theirs: Theirs, sandbox: SandboxClient) -> None:
    feeds = theirs.of(FeedsV20210630)
    content = io.BytesIO(refund_feed(f"{ORDER} {FIRST} 10.00"))
    _, made = await asyncio.to_thread(
        feeds.submit_feed, FeedType.POST_PAYMENT_ADJUSTMENT_DATA, content, "text/xml; charset=UTF-8"
    )
    feed_id = made.payload["feedId"]
    assert (await asyncio.to_thread(feeds.get_feed, feed_id)).payload["processingStatus"] == "IN_QUEUE"
    await sandbox.advance_clock(60)
    done = (await asyncio.to_thread(feeds.get_feed, feed_id)).payload
    assert done["processingStatus"] == "DONE"
    report = await asyncio.to_thread(feeds.get_feed_document, done["resultFeedDocumentId"])
    assert "<MessagesSuccessful>1</MessagesSuccessful>" in report
    listed = await asyncio.to_thread(feeds.get_feeds, feedTypes=["POST_PAYMENT_ADJUSTMENT_DATA"])
    assert [one["feedId"] for one in listed.payload["feeds"]] == [feed_id]
    assert len((await sandbox.at_amazon()).refunds) == 1


async def test_they_ask_for_a_report_and_read_it(theirs: Theirs, sandbox: SandboxClient) -> None:
    await sandbox.amazon_reports(RETURNS.value, "<AmazonEnvelope/>")
    reports = theirs.of(Reports)
    made = await asyncio.to_thread(reports.create_report, reportType=RETURNS, dataStartTime=datetime.now(UTC))
    await sandbox.advance_clock(60)
    done = (await asyncio.to_thread(reports.get_report, made.payload["reportId"])).payload
    document = await asyncio.to_thread(reports.get_report_document, done["reportDocumentId"], download=True)
    told = document.payload["document"]
    assert "<AmazonEnvelope/>" in (told if isinstance(told, str) else gzip.decompress(told).decode())


async def test_they_see_orders_and_what_moved(theirs: Theirs, sandbox: SandboxClient) -> None:
    items = (AmazonItemSeed(order_item_id=FIRST, cancel_requested="by mistake"),)
    await sandbox.amazon_order(AmazonOrderSeed(order_id=ORDER, items=items))
    orders = theirs.of(OrdersV20260101)
    found = await asyncio.to_thread(orders.get_order, ORDER)
    order = found.payload.get("order", found.payload)
    assert order["orderId"] == ORDER
    finances = theirs.of(FinancesV20240619)
    moved = await asyncio.to_thread(
        finances.list_transactions, relatedIdentifierName="ORDER_ID", relatedIdentifierValue=ORDER
    )
    assert moved.payload["transactions"] == []


async def test_they_understand_every_no(theirs: Theirs, sandbox: SandboxClient) -> None:
    feeds = theirs.of(FeedsV20210630)
    with pytest.raises(SellingApiNotFoundException):
        await asyncio.to_thread(feeds.get_feed, "1")
    with pytest.raises(SellingApiBadRequestException):
        await asyncio.to_thread(feeds.create_feed, "POST_NOTHING", "document")

    def ask() -> None:
        feeds.create_feed_document(io.BytesIO(b"<a/>"), "text/xml; charset=UTF-8")

    await sandbox.amazon_behaves(speed=0.001)  # on a busy machine too, nothing is allowed anew meanwhile
    for _ in range(15):
        await asyncio.to_thread(ask)
    with pytest.raises(SellingApiRequestThrottledException):
        await asyncio.to_thread(ask)
