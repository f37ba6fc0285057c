"""What the sandbox's Amazon keeps: how it behaves, its documents, feeds, reports, orders and what moved."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from starter.sandbox.amazon.facts import (
    AmazonCancelFact,
    AmazonOrderSeed,
    AmazonRefundFact,
    AmazonReportSeed,
    AmazonSeed,
)
from starter.sandbox.store import Document, Store

ADDRESSES_LAST: Final = timedelta(minutes=5)


class Behaviour(Document):
    kind = "amazon_behaviour"
    seed: AmazonSeed


class Content(Document):
    """A document; its space is the account. `content` as Latin-1, byte for byte. `type`: the content type that was
    promised for it."""

    kind = "amazon_document"
    type: str = ""
    content: str | None = None
    gzip: bool = False


class Address(Document):
    """Where a document can be put or read, for five minutes; its id opens it without any key."""

    kind = "amazon_address"
    document_id: str
    account: str
    method: str
    expires: datetime


class Feed(Document):
    """Its space is the account. It begins when the one of its type before it is over."""

    kind = "amazon_feed"
    feed_type: str
    marketplaces: tuple[str, ...]
    document_id: str
    created: datetime
    begins: datetime
    ends: datetime
    hangs: bool = False
    status: str = "IN_QUEUE"
    result_document_id: str | None = None
    messages: int = 0

    @property
    def owner(self) -> str:
        return self.feed_type


class Report(Document):
    """Its space is the account."""

    kind = "amazon_report"
    report_type: str
    marketplaces: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    created: datetime
    begins: datetime
    ends: datetime
    document_id: str | None = None
    result: str = "DONE"


class ReportSeeded(Document):
    """What reports of a type say; its id is the type."""

    kind = "amazon_report_seed"
    seed: AmazonReportSeed
    at: datetime


class Ordered(Document):
    kind = "amazon_order"
    seed: AmazonOrderSeed
    at: datetime


class Refunded(Document):
    kind = "amazon_refund"
    account: str
    fact: AmazonRefundFact

    @property
    def owner(self) -> str:
        return self.fact.order_id


class Cancelled(Document):
    kind = "amazon_cancel"
    fact: AmazonCancelFact

    @property
    def owner(self) -> str:
        return self.fact.order_id


class AmazonBooks:
    """Of all accounts."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def behaviour(self) -> AmazonSeed:
        kept = self.store.get(Behaviour, "behaviour")
        return AmazonSeed() if kept is None else kept.seed

    def behave(self, seed: AmazonSeed) -> None:
        """What hung goes on when nothing hangs any more, and takes its time from now on."""
        was_hanging = self.behaviour.hangs
        self.store.put(Behaviour(id="behaviour", seed=seed))
        if was_hanging and not seed.hangs:
            for feed in self.store.find(Feed):
                if feed.hangs:
                    began = feed.status == "IN_PROGRESS"
                    ends = max(feed.ends, self.store.now()) if began else feed.ends
                    self.store.put(feed.model_copy(update={"hangs": False, "ends": ends}))

    def seed_report(self, seed: AmazonReportSeed) -> None:
        """A settlement is there at once; the newest word about a type counts."""
        at = self.store.now()
        id = f"{seed.report_type} {secrets.token_hex(4)}" if seed.ready else seed.report_type
        self.store.put(ReportSeeded(id=id, seed=seed, at=at))

    def report_seed(self, report_type: str) -> AmazonReportSeed:
        """What a report of this type that is asked for says. Not seeded: there is no data."""
        kept = self.store.get(ReportSeeded, report_type)
        return AmazonReportSeed(report_type=report_type, status="CANCELLED") if kept is None else kept.seed

    def seed_order(self, seed: AmazonOrderSeed) -> None:
        self.store.put(Ordered(id=seed.order_id, seed=seed, at=self.store.now()))

    def new_id(self, what: str) -> str:
        return f"amzn1.tortuga.4.na.{what}{secrets.token_hex(12)}"

    def number(self, what: str) -> str:
        """Of a feed or a report: digits."""
        digest = hashlib.sha256(f"{what}{secrets.token_hex(8)}".encode()).hexdigest()
        return str(int(digest[:12], 16))

    def quickened(self, seconds: float) -> timedelta:
        return timedelta(seconds=seconds / self.behaviour.speed)

    def address(self, document_id: str, account: str, method: str) -> str:
        """The path of an address that opens this document for five minutes."""
        address = Address(
            id=secrets.token_urlsafe(24),
            document_id=document_id,
            account=account,
            method=method,
            expires=self.store.now() + ADDRESSES_LAST,
        )
        self.store.put(address)
        return f"/documents/{address.id}?X-Amz-Expires={int(ADDRESSES_LAST.total_seconds())}"
