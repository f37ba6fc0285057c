"""Which feed is believed to be the one whose answer was lost, and what is no lost answer (AMZ-7, AMZ-10)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError

from activities.amazon_batches import found_in, may_be
from activities.connectors.access import Access
from activities.connectors.amazon.calls import AnswerLost
from activities.connectors.amazon.client import Amazon
from activities.connectors.amazon.wire import Feed
from activities.connectors.clients import HttpClients
from models.amazon.batches import BatchState, FoundFeed
from models.amazon.feeds import FeedType
from models.amazon.queue import QueueKind
from models.settings import Settings
from models.tables import AmazonBatchRow
from tests.amazon_account import amazon
from tests.connectors.amazon_calls import TOKEN, Counted

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def feed(number: str, document: str | None = None, **more: Any) -> Feed:
    told = {"feedId": number, "feedType": FeedType.REFUNDS.value, "createdTime": NOON, "processingStatus": "DONE"}
    return Feed.model_validate({**told, "inputFeedDocumentId": document, **more})


# ---- which feed it is ----


@pytest.mark.parametrize(
    ("feeds", "found"),
    [
        ([feed("77", "D-1"), feed("78", "D-2")], FoundFeed(feed_id="77")),
        ([feed("78", "D-2")], FoundFeed()),
        ([feed("77")], FoundFeed(candidates=("77",))),
        ([feed("77"), feed("78")], FoundFeed(candidates=("77", "78"))),
        ([], FoundFeed()),
    ],
    ids=["it is named", "another is named", "one that names none", "several", "none"],
)
def test_AMZ_10_only_a_feed_that_names_the_document_is_believed_to_be_it(
    feeds: list[Feed], found: FoundFeed
) -> None:
    """One of another program, of the same moment and size, is a person's to tell apart."""
    assert found_in(feeds, "D-1") == found


@pytest.mark.parametrize(
    ("told", "can_be"),
    [
        (feed("77"), True),
        (feed("77", "D-1"), True),
        (feed("77", "D-2"), False),
        (feed("77", feedType=FeedType.CANCELLATIONS.value), False),
        (feed("77", createdTime=NOON - timedelta(minutes=10)), False),
    ],
    ids=["nameless", "named", "of another document", "of another type", "from before"],
)
def test_AMZ_10_a_feed_that_a_person_names_is_taken_only_if_it_can_be_it(told: Feed, can_be: bool) -> None:
    batch = AmazonBatchRow(
        batch_id="B-1",
        workflow_id="batch-B-1",
        connection_id="amazon-acme",
        kind=QueueKind.REFUND,
        number=1,
        state=BatchState.HANDING_IN,
        messages=1,
        requested_by="seller:jane",
        document_id="D-1",
        opened_at=NOON - timedelta(hours=1),
        handed_in_at=NOON,
    )
    assert may_be(told, batch) is can_be


# ---- what is no lost answer ----


def client(answer: Callable[[httpx.Request], httpx.Response], **limits: Any) -> Amazon:
    """A seller's account at an Amazon that signs everybody in; createFeed is answered by `answer`."""

    def says(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "Atza|test", "expires_in": 3600})
        return answer(request)

    clients = HttpClients(Settings(partner_timeout_seconds=5, **limits), transport=httpx.MockTransport(says))
    url = "http://127.0.0.1:9/amazon"
    options = {"client_secret": "env:AMAZON_CLIENT_SECRET", "token_url": f"{url}/auth/o2/token"}
    return Amazon(Access(amazon(base_url=url, options=options), SecretStr(TOKEN), clients), Counted())


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AMAZON_CLIENT_SECRET", "test-secret")


async def test_AMZ_10_a_feed_that_was_never_asked_for_is_not_in_doubt() -> None:
    """Amazon can't be reached; then it is out of order, and is not asked for a while."""

    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    account = client(nobody, partner_failures_in_a_row=1)
    for _ in range(2):
        with pytest.raises(ApplicationError) as raised:
            await account.create_feed(FeedType.REFUNDS, "D-1")
        assert raised.value.type == "PartnerUnavailable"
    assert "is not asked for a while" in raised.value.message


async def test_AMZ_10_a_feed_that_was_asked_for_and_not_answered_is_in_doubt() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("no answer", request=request)

    account = client(silent, partner_failures_in_a_row=9)
    with pytest.raises(AnswerLost, match="did not answer in time"):
        await account.create_feed(FeedType.REFUNDS, "D-1")
