"""Feeds 2021-06-30: documents, feeds that take their time, and what is done by them."""

import re
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from starter.sandbox.amazon.books import AmazonBooks, Cancelled, Content, Feed, Ordered, Refunded
from starter.sandbox.amazon.errors import invalid, no_such
from starter.sandbox.amazon.facts import (
    AmazonCancelFact,
    AmazonFacts,
    AmazonFeedFact,
    AmazonRefundFact,
    MessageFault,
)
from starter.sandbox.amazon.feed_rules import CANCELS, MALFORMED, REFUNDS, FeedMessage, Told, read_feed
from starter.sandbox.amazon.processing_report import Result, written
from starter.sandbox.amazon.wire_forms import listed, moment, text_of, texts_of
from starter.sandbox.wire import Answer, Asked

_CONTENT_TYPE: Final = re.compile(r"text/(xml|tab-separated-values|plain);\s*charset=[\w-]+", re.IGNORECASE)
MORE_THAN_FULFILLABLE: Final = 18021
ORDER_NOT_FOUND: Final = 18028


class Feeds:
    """Of all accounts."""

    def __init__(self, books: AmazonBooks) -> None:
        self._books = books
        self._store = books.store

    def create_document(self, asked: Asked) -> Answer:
        content_type = text_of(asked.body, "contentType")
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise invalid("The contentType is not supported.")
        account = asked.parts["account"]
        document = Content(id=self._books.new_id("T"), space=account, type=content_type)
        self._store.put(document)
        url = asked.parts["base"] + self._books.address(document.id, account, "PUT")
        return Answer(201, {"feedDocumentId": document.id, "url": url}, changed=True)

    def create(self, asked: Asked) -> Answer:
        """A feed for a document, each time anew: there is no key."""
        account, document_id = asked.parts["account"], text_of(asked.body, "inputFeedDocumentId")
        feed_type = text_of(asked.body, "feedType")
        if feed_type not in (REFUNDS, CANCELS):
            raise invalid("The feed type is not supported.")
        document = self._store.get(Content, document_id, account)
        if document is None or document.content is None:
            raise invalid(f"The feed document {document_id} is not there, or empty.")
        now = self._store.now()
        begins = now + self._books.quickened(self._books.behaviour.queue_seconds)
        feed = Feed(
            id=self._books.number("feed"),
            space=account,
            feed_type=feed_type,
            marketplaces=texts_of(asked.body, "marketplaceIds", most=25),
            document_id=document_id,
            created=now,
            begins=begins,
            ends=begins + self._books.quickened(self._books.behaviour.progress_seconds),
            hangs=self._books.behaviour.hangs,
        )
        self._store.put(feed)
        return Answer(202, {"feedId": feed.id}, changed=True)

    def get(self, asked: Asked) -> Answer:
        self.go_on()
        feed = self._store.get(Feed, asked.parts["id"], asked.parts["account"])
        if feed is None:
            raise no_such("feed")
        return Answer(200, self._as_json(feed))

    def find(self, asked: Asked) -> Answer:
        self.go_on()
        every = self._store.find(Feed, space=asked.parts["account"])
        return listed(asked, "feeds", [(one.created, one.feed_type, self._as_json(one)) for one in every])

    def _as_json(self, feed: Feed) -> dict[str, Any]:
        named = {"inputFeedDocumentId": feed.document_id} if self._books.behaviour.feeds_name_documents else {}
        return _as_json(feed) | named

    def get_document(self, asked: Asked) -> Answer:
        return document_answer(self._books, asked, "feedDocumentId")

    # ---- time goes by ----

    def go_on(self) -> None:
        """Let every feed go on as far as it is time; one of a type of an account at a time."""
        over: dict[tuple[str, str], datetime] = {}
        blocked: set[tuple[str, str]] = set()
        now = self._store.now()
        for feed in self._store.find(Feed):
            line = (feed.space, feed.feed_type)
            if feed.status in ("DONE", "CANCELLED", "FATAL"):
                over[line] = feed.ends
                continue
            if line in blocked:
                continue
            begins = max(feed.begins, over.get(line, feed.begins))
            ends = begins + (feed.ends - feed.begins)
            if now < begins:
                blocked.add(line)
            elif now < ends or feed.hangs:
                blocked.add(line)
                self._store.put(feed.model_copy(update={"status": "IN_PROGRESS", "begins": begins, "ends": ends}))
            else:
                self._end(feed.model_copy(update={"begins": begins, "ends": ends}))
                over[line] = ends

    def _end(self, feed: Feed) -> None:
        behaviour = self._books.behaviour
        document = self._store.get(Content, feed.document_id, feed.space)
        assert document is not None
        assert document.content is not None
        status = behaviour.feeds_end
        found = read_feed(document.content.encode("latin-1"), feed.feed_type)
        count = max(found.count, 1)
        if status == "DONE":
            results = self._process(feed, found.messages, found.faults, found.whole)
            result = Content(id=self._books.new_id("R"), space=feed.space, gzip=behaviour.gzip)
            report = written(feed.id, "SANDBOX", count, results)
            self._store.put(result.model_copy(update={"content": report.decode("latin-1")}))
            feed = feed.model_copy(update={"result_document_id": result.id})
        self._store.put(feed.model_copy(update={"status": status, "messages": count}))

    def _process(
        self, feed: Feed, messages: list[FeedMessage], faults: dict[int, str], whole: str | None
    ) -> list[Result]:
        if whole is not None:
            return [Result(0, "Error", MALFORMED, whole)]
        results = [Result(number, "Error", MALFORMED, why) for number, why in faults.items()]
        for message in messages:
            no = self._no(message)
            if no is None or no.result == "Warning" or self._moves_all_the_same(message):
                self._do(feed, message)
            if no is not None:
                results.append(no)
        return sorted(results)

    def _no(self, message: FeedMessage) -> Result | None:
        if (rule := self._fault(message)) is not None:
            return Result(message.message_id, rule.result, rule.code, rule.description, message.order_id)
        order = self._store.get(Ordered, message.order_id)
        if order is None:
            if not self._store.count(Ordered):
                return None
            why = "The order is not found."
            return Result(message.message_id, "Error", ORDER_NOT_FOUND, why, message.order_id)
        known = {item.order_item_id: item.quantity for item in order.seed.items}
        for item in message.items:
            before = self._cancelled(message.order_id, item.order_item_id)
            asked = (item.quantity_cancelled or 0) + before
            if item.order_item_id not in known or asked > known[item.order_item_id]:
                why = "The quantity is more than can be fulfilled."
                return Result(message.message_id, "Error", MORE_THAN_FULFILLABLE, why, message.order_id)
        return None

    def _fault(self, message: FeedMessage) -> MessageFault | None:
        names = (message.order_id, *(item.adjustment_id or "" for item in message.items))
        faults = self._books.behaviour.message_faults
        return next((one for one in faults if any(re.search(one.match, name) for name in names)), None)

    def _moves_all_the_same(self, message: FeedMessage) -> bool:
        rule = self._fault(message)
        return rule is not None and rule.moved

    def _cancelled(self, order_id: str, item: str) -> int:
        earlier = self._store.find(Cancelled, owner=order_id)
        return sum(one.fact.quantity or 0 for one in earlier if one.fact.order_item_id == item)

    def _do(self, feed: Feed, message: FeedMessage) -> None:
        for position, item in enumerate(message.items):
            id = f"{feed.id}/{message.message_id}/{position}"
            if message.cancels:
                self._store.put(Cancelled(id=id, fact=_cancelled(feed, message, item)))
            else:
                self._store.put(Refunded(id=id, account=feed.space, fact=_refunded(feed, message, item)))

    # ---- facts ----

    def facts(self) -> AmazonFacts:
        """All that happened so far."""
        self.go_on()
        return AmazonFacts(
            feeds=tuple(
                AmazonFeedFact(
                    feed_id=one.id,
                    feed_type=one.feed_type,
                    account=one.space,
                    document_id=one.document_id,
                    status=one.status,
                    messages=one.messages,
                    created=one.created,
                )
                for one in self._store.find(Feed)
            ),
            refunds=tuple(one.fact for one in self._store.find(Refunded)),
            cancels=tuple(one.fact for one in self._store.find(Cancelled)),
        )


def document_answer(books: AmazonBooks, asked: Asked, name: str) -> Answer:
    """Where a document can be read."""
    account, document_id = asked.parts["account"], asked.parts["id"]
    document = books.store.get(Content, document_id, account)
    if document is None:
        raise no_such("document")
    body: dict[str, Any] = {
        name: document.id,
        "url": asked.parts["base"] + books.address(document.id, account, "GET"),
    }
    if document.gzip:
        body["compressionAlgorithm"] = "GZIP"
    return Answer(200, body)


def _as_json(feed: Feed) -> dict[str, Any]:
    body: dict[str, Any] = {
        "feedId": feed.id,
        "feedType": feed.feed_type,
        "marketplaceIds": list(feed.marketplaces),
        "createdTime": moment(feed.created),
        "processingStatus": feed.status,
    }
    if feed.status != "IN_QUEUE":
        body["processingStartTime"] = moment(feed.begins)
    if feed.status == "DONE":
        body |= {"processingEndTime": moment(feed.ends), "resultFeedDocumentId": feed.result_document_id}
    return body


def _refunded(feed: Feed, message: FeedMessage, item: Told) -> AmazonRefundFact:
    amounts: Counter[str] = Counter()
    for kind, amount in item.components:
        amounts[kind] += amount  # type: ignore[assignment]  # amounts are decimal
    return AmazonRefundFact(
        feed_id=feed.id,
        message_id=message.message_id,
        order_id=message.order_id,
        order_item_id=item.order_item_id,
        adjustment_id=item.adjustment_id,
        reason=item.reason,
        amount=sum((amount for _, amount in item.components), Decimal(0)),
        currency=item.currency,
        components={kind: Decimal(amount) for kind, amount in amounts.items()},
        at=feed.ends,
    )


def _cancelled(feed: Feed, message: FeedMessage, item: Told) -> AmazonCancelFact:
    return AmazonCancelFact(
        feed_id=feed.id,
        message_id=message.message_id,
        order_id=message.order_id,
        order_item_id=item.order_item_id,
        quantity=item.quantity_cancelled,
        reason=item.reason,
        at=feed.ends,
    )
