"""Amazon's client against a sandbox that behaves as Amazon does; what goes over the wire is checked against
Amazon's own descriptions."""

import asyncio
import gzip
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from temporalio.exceptions import ApplicationError

from activities.connectors.amazon.calls import AnswerLost
from activities.connectors.amazon.client import XML, Amazon
from activities.connectors.amazon.shown_refunds import shown_refunds
from activities.connectors.amazon.wire import Document, Processing
from models.amazon.feeds import FeedType
from models.failures import BackhaulError, RefusedByPartner
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.amazon.facts import AmazonItemSeed, AmazonOrderSeed
from tests.connectors.amazon_calls import (
    TOKEN,
    Counted,
    account,
    fails,
    handed_in,
    over,
    read,
    refund_feed,
    result_of,
)
from tests.connectors.amazon_description import Described

ORDER = "111-1234567-1234567"
ITEM = "12345678901234"
SECOND = "123456789012345"
REFUND = f"{ORDER} {ITEM} 10.00"
RETURNS = "GET_XML_RETURNS_DATA_BY_RETURN_DATE"


@pytest.fixture
def rates() -> Counted:
    return Counted()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "client_secret"
    file.write_text("amzn1.test-secret\n")
    return file


@pytest.fixture
async def described() -> AsyncIterator[Described]:
    transport = Described()
    yield transport
    await transport.aclose()


@pytest.fixture
async def client(
    running: RunningSandbox, sandbox: SandboxClient, described: Described, rates: Counted, secret: Path
) -> AsyncIterator[Amazon]:
    access = account(running.amazon_url, secret, described)
    yield Amazon(access, rates)
    await access.clients.aclose()


# ---- tokens ----


async def test_a_token_is_got_once_for_many_who_wait_and_again_when_it_is_refused(
    client: Amazon, sandbox: SandboxClient
) -> None:
    await asyncio.gather(*(client.feed("1") for _ in range(10)))
    assert len(await sandbox.requests("amazon", "/auth/o2/token")) == 1
    await sandbox.advance_clock(3700)
    assert await client.feed("1") is None
    assert len(await sandbox.requests("amazon", "/auth/o2/token")) == 2


async def test_tokens_and_secrets_go_where_they_belong_and_documents_get_none(
    client: Amazon, described: Described, sandbox: SandboxClient
) -> None:
    await handed_in(client, refund_feed(REFUND))
    for request in described.sent:
        to_documents = "/documents/" in request.url.path and "/feeds/" not in request.url.path
        signs_in = request.url.path.endswith("/token")
        assert ("x-amz-access-token" in request.headers) is not (to_documents or signs_in)
        assert (TOKEN.encode().replace(b"|", b"%7C") in request.content) is signs_in
    assert "test" not in str([record.body for record in await sandbox.requests("amazon", "/auth/")])


async def test_the_test_of_the_connection_says_what_is_wrong(
    running: RunningSandbox, client: Amazon, rates: Counted, secret: Path
) -> None:
    await client.test()
    wrong = account(running.amazon_url, secret, token="Atzr|live-verysecret")
    with pytest.raises(RefusedByPartner, match="does not take the key of connection amazon-acme") as refused:
        await Amazon(wrong, rates).test()
    assert "verysecret" not in str(refused.value)
    await asyncio.to_thread(secret.write_text, "verysecret\n")
    with pytest.raises(RefusedByPartner, match="invalid_client"):
        await Amazon(account(running.amazon_url, secret), rates).test()
    await asyncio.to_thread(secret.unlink)
    with pytest.raises(BackhaulError, match="can't be read"):
        await Amazon(account(running.amazon_url, secret), rates).test()


# ---- rates ----


async def test_AMZ_5_a_turn_that_comes_later_is_waited_for_without_a_place(client: Amazon, rates: Counted) -> None:
    rates.waits = [0.01]
    assert await client.feed("1") is None
    rates.waits = [110.0]
    late = await fails(lambda: client.feed("1"))
    assert (late.type, late.non_retryable, late.next_retry_delay) == (
        "PartnerUnavailable",
        False,
        timedelta(seconds=110),
    )
    assert rates.taken == ["getFeed"]


async def test_AMZ_5_a_no_for_too_many_calls_counts_for_all_workers(
    client: Amazon, sandbox: SandboxClient, rates: Counted
) -> None:
    await sandbox.add_fault("amazon", "rate_limit", match="GET /feeds", retry_after=7)
    busy = await fails(lambda: client.feed("1"))
    assert (busy.type, busy.next_retry_delay) == ("PartnerUnavailable", timedelta(seconds=7))
    assert rates.exhausted == [("getFeed", 7.0)]


async def test_AMZ_5_the_rate_that_amazon_names_counts(
    client: Amazon, sandbox: SandboxClient, rates: Counted
) -> None:
    await sandbox.amazon_behaves(speed=0.5)
    await client.feed("1")
    assert rates.learnt == {"getFeed": 1.0}
    rates.learn("acme-amazon", "getFeed", 2.0)  # as another worker was told in between
    await client.feed("1")
    assert rates.learnt == {"getFeed": 1.0}, "the latest answer wins"


async def test_the_sandbox_keeps_amazons_rates(client: Amazon, sandbox: SandboxClient, rates: Counted) -> None:
    for _ in range(10):
        await client.feeds_since(FeedType.REFUNDS, datetime.now(UTC))
    too_often = await fails(lambda: client.feeds_since(FeedType.REFUNDS, datetime.now(UTC)))
    assert too_often.details[0].code == "QuotaExceeded"
    await sandbox.advance_clock(46)
    await client.feeds_since(FeedType.REFUNDS, datetime.now(UTC))


# ---- feeds ----


async def test_AMZ_7_a_feed_takes_its_time_and_tells_what_was_done(
    client: Amazon, sandbox: SandboxClient, described: Described
) -> None:
    feed_id = await handed_in(client, refund_feed(REFUND, f"{ORDER} {SECOND} 5.50"))
    stands = [(await over(client, sandbox, feed_id, seconds)).status for seconds in (0, 3, 5)]
    assert stands == [Processing.IN_QUEUE, Processing.IN_PROGRESS, Processing.DONE]
    report = await result_of(client, await over(client, sandbox, feed_id))
    assert b"<MessagesSuccessful>2</MessagesSuccessful>" in report
    done = await sandbox.at_amazon()
    assert [(one.adjustment_id, str(one.amount)) for one in done.refunds] == [("RF-1", "10.00"), ("RF-2", "5.50")]
    assert described.checked > 5


async def test_AMZ_7_the_processing_report_fails_single_messages(client: Amazon, sandbox: SandboxClient) -> None:
    fault = {"match": "RF-2$", "code": 18021}
    await sandbox.amazon_behaves(message_faults=[fault, {"match": "RF-3$", "result": "Warning", "code": 1}])
    feed_id = await handed_in(client, refund_feed(REFUND, REFUND, REFUND))
    report = await result_of(client, await over(client, sandbox, feed_id))
    assert report.count(b"<Result>") == 2
    assert b"<MessagesWithError>1</MessagesWithError><MessagesWithWarning>1</MessagesWithWarning>" in report
    assert [one.adjustment_id for one in (await sandbox.at_amazon()).refunds] == ["RF-1", "RF-3"]


@pytest.mark.parametrize(("kind", "made"), [("drop_before", 0), ("drop_after", 1), ("error", 0)])
async def test_AMZ_10_createFeed_whose_answer_is_lost_is_in_doubt_and_never_asked_again(
    client: Amazon, sandbox: SandboxClient, kind: str, made: int
) -> None:
    await sandbox.add_fault("amazon", kind, match="POST /feeds/2021-06-30/feeds")
    before = datetime.now(UTC) - timedelta(minutes=1)
    with pytest.raises(AnswerLost):
        await handed_in(client, refund_feed(REFUND))
    assert len(await sandbox.requests("amazon", "/feeds/2021-06-30/feeds")) == 1
    found = await client.feeds_since(FeedType.REFUNDS, before)
    assert len(found) == made


async def test_AMZ_10_a_no_for_too_many_calls_created_nothing(client: Amazon, sandbox: SandboxClient) -> None:
    await sandbox.add_fault("amazon", "rate_limit", match="POST /feeds/2021-06-30/feeds")
    with pytest.raises(ApplicationError) as raised:
        await handed_in(client, refund_feed(REFUND))
    assert raised.value.type == "PartnerUnavailable"
    assert (await sandbox.at_amazon()).feeds == ()


async def test_AMZ_10_a_feed_that_hangs_holds_up_those_of_its_type(client: Amazon, sandbox: SandboxClient) -> None:
    await sandbox.amazon_behaves(hangs=True)
    first = await handed_in(client, refund_feed(REFUND))
    second = await handed_in(client, refund_feed(REFUND))
    assert (await over(client, sandbox, first, 86_400)).status is Processing.IN_PROGRESS
    assert (await over(client, sandbox, second, 0)).status is Processing.IN_QUEUE
    await sandbox.amazon_behaves()
    assert (await over(client, sandbox, first)).status is Processing.DONE
    assert (await over(client, sandbox, second)).status is Processing.DONE


@pytest.mark.parametrize("status", ["CANCELLED", "FATAL"])
async def test_a_feed_may_end_without_a_result(client: Amazon, sandbox: SandboxClient, status: str) -> None:
    await sandbox.amazon_behaves(feeds_end=status)
    feed = await over(client, sandbox, await handed_in(client, refund_feed(REFUND)))
    assert (feed.status.value, feed.result_document_id) == (status, None)
    assert (await sandbox.at_amazon()).refunds == ()


async def test_a_documents_address_lives_for_five_minutes(client: Amazon, sandbox: SandboxClient) -> None:
    document = await client.create_feed_document()
    await sandbox.advance_clock(301)
    late = await fails(lambda: client.documents.put(document.url, b"x", XML))
    assert (late.type, late.non_retryable) == ("PartnerUnavailable", False)
    assert "X-Amz" not in str(late)
    feed = await over(client, sandbox, await handed_in(client, refund_feed(REFUND)))
    assert feed.result_document_id is not None
    result = await client.feed_document(feed.result_document_id)
    await sandbox.advance_clock(301)
    assert (await fails(lambda: read(client, result))).type == "PartnerUnavailable"
    assert b"ProcessingReport" in await result_of(client, feed)


# ---- reports ----


async def report(client: Amazon, sandbox: SandboxClient) -> str:
    end = datetime.now(UTC)
    report_id = await client.create_report(RETURNS, end - timedelta(days=30), end)
    await sandbox.advance_clock(60)
    return report_id


@pytest.mark.parametrize("packed", [True, False])
async def test_AMZ_1_a_report_is_asked_for_and_read(client: Amazon, sandbox: SandboxClient, packed: bool) -> None:
    await sandbox.amazon_reports(RETURNS, "<AmazonEnvelope>é</AmazonEnvelope>", gzip=packed)
    found = await client.report(await report(client, sandbox))
    assert found is not None
    assert found.document_id is not None
    document = await client.report_document(found.document_id)
    assert (document.compression == "GZIP") is packed
    assert (await read(client, document)).decode() == "<AmazonEnvelope>é</AmazonEnvelope>"


async def test_AMZ_1_a_report_without_data_is_cancelled(client: Amazon, sandbox: SandboxClient) -> None:
    found = await client.report(await report(client, sandbox))
    assert found is not None
    assert (found.status, found.document_id) == (Processing.CANCELLED, None)


async def test_AMZ_8_a_settlement_is_found_and_never_asked_for(client: Amazon, sandbox: SandboxClient) -> None:
    kind = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"
    for number in range(3):
        await sandbox.amazon_reports(kind, f"settlement {number}", ready=True)
    found = await client.reports_since([kind], datetime.now(UTC) - timedelta(days=1))
    assert sorted([await content(client, one.document_id) for one in found]) == [
        "settlement 0",
        "settlement 1",
        "settlement 2",
    ]
    refused = await fails(lambda: client.create_report(kind, datetime.now(UTC), datetime.now(UTC)))
    assert refused.type == "RefusedByPartner"


async def content(client: Amazon, document_id: str | None) -> str:
    assert document_id is not None
    return (await read(client, await client.report_document(document_id))).decode()


async def test_a_document_that_breaks_off_is_no_gzip_or_too_long_is_said_to_be_so() -> None:
    packed = gzip.compress(b"x" * 1000)
    assert await said(packed) == ""
    assert "gave a document that is no GZIP" in await said(b"no gzip")
    assert "gave a document that breaks off" in await said(packed[:-9])
    assert "is longer than 999 bytes" in await said(packed, most=999)


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(b"x" * 600) + gzip.compress(b"y" * 400),
        gzip.compress(b"x" * 1000) + b"\0" * 8,
        gzip.compress(b"") + gzip.compress(b"x" * 1000),
    ],
    ids=["two members", "zeros behind", "an empty member"],
)
async def test_a_document_of_several_gzip_members_is_read_whole(body: bytes) -> None:
    into = io.BytesIO()
    assert await said(body, into=into) == ""
    assert into.getvalue() == gzip.decompress(body)


@pytest.mark.parametrize("size", [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1, 10 * 64 * 1024])
async def test_a_document_that_fills_its_pieces_is_read_whole(size: int) -> None:
    into = io.BytesIO()
    assert await said(gzip.compress(b"x" * size), most=size, into=into) == ""
    assert len(into.getvalue()) == size


async def said(body: bytes, most: int = 1000, into: io.BytesIO | None = None) -> str:
    """What is said of a document; nothing: it was read."""

    async def stream() -> AsyncIterator[bytes]:
        yield body

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=stream()))
    other = Amazon(account("http://127.0.0.1:1", Path("/nowhere"), transport), Counted())
    document = Document(url="http://127.0.0.1:1/x", compressionAlgorithm="GZIP")
    try:
        await other.documents.read(document, into or io.BytesIO(), most)
    except ApplicationError as error:
        return error.message
    return ""


# ---- orders and money ----


async def test_CAN_7_an_order_says_who_asks_to_cancel_and_nothing_of_the_buyer(
    client: Amazon, sandbox: SandboxClient
) -> None:
    items = (
        AmazonItemSeed(order_item_id=ITEM, quantity=2, shipped=1),
        AmazonItemSeed(order_item_id=SECOND, cancel_requested="ordered by mistake"),
    )
    await sandbox.amazon_order(AmazonOrderSeed(order_id=ORDER, items=items))
    order = await client.order(ORDER)
    assert order is not None
    assert order.items[0].cancellation is None
    assert order.items[0].fulfillment is not None
    assert order.items[0].fulfillment.unfulfilled == 1
    asked = order.items[1].cancellation
    assert asked is not None
    assert asked.request is not None
    assert asked.request.reason == "ordered by mistake"
    assert await client.order("111-0000000-0000000") is None


async def test_AMZ_11_what_amazon_did_already_is_seen_in_its_transactions(
    client: Amazon, sandbox: SandboxClient
) -> None:
    await sandbox.amazon_behaves(transactions_after_seconds=3600)
    await over(client, sandbox, await handed_in(client, refund_feed(REFUND)))
    assert await client.transactions_of(ORDER) == ()
    await sandbox.advance_clock(3600)
    (found,) = await client.transactions_of(ORDER)
    assert (found.kind, found.status) == ("Refund", "RELEASED")
    assert found.total is not None
    assert found.total.amount == -10
    (shown,) = shown_refunds([found])
    assert (shown.amount, shown.is_deferred, "RF-1" in shown.keys) == (Decimal("10.0"), False, True)
    await sandbox.amazon_behaves(transactions_deferred=True)
    assert [one.is_deferred for one in shown_refunds(await client.transactions_of(ORDER))] == [True]
    sale = found.model_copy(update={"kind": "Shipment"})
    assert shown_refunds([sale]) == []
