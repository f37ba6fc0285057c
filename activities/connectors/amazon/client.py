"""The operations of Amazon's Selling Partner API that Backhaul uses: feeds, reports, orders, finances."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import quote

from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.amazon.calls import AnswerLost, Calls, Rates
from activities.connectors.amazon.documents import Documents
from activities.connectors.amazon.operations import Operation
from activities.connectors.amazon.wire import (
    CreatedFeed,
    CreatedReport,
    Document,
    Feed,
    Feeds,
    FoundOrder,
    NewDocument,
    Order,
    Page,
    Report,
    Reports,
    Transaction,
    Transactions,
)
from activities.connectors.http import tested
from models.amazon.feeds import FeedType

XML: Final = "text/xml; charset=UTF-8"
MOST_PAGES: Final = 50
"""How much of one list is read; one that has more is no place to find anything in."""

Params = Sequence[tuple[str, str]]
AnyPage = TypeVar("AnyPage", bound=Page)

_FEEDS: Final = "/feeds/2021-06-30"
_REPORTS: Final = "/reports/2021-06-30"


class Amazon:
    """One account. Errors as in `activities.connectors.http`; a turn that comes later is PartnerUnavailable with
    the time until then."""

    def __init__(self, access: Access, rates: Rates) -> None:
        self._calls = Calls(access, rates)
        self._partner = self._calls.partner
        self.options = self._calls.options
        self.documents = Documents(access)

    async def test(self) -> None:
        """Ask for one feed, changing nothing. Raises a BackhaulError that says in words what is wrong."""
        params = [("feedTypes", FeedType.REFUNDS.value), ("pageSize", "1")]
        what = "try the connection"
        await tested(self._calls.call(Operation.GET_FEEDS, what, "GET", f"{_FEEDS}/feeds", params=params))

    # ---- feeds ----

    async def create_feed_document(self) -> NewDocument:
        """Where an XML document is to be put. Doing it again is harmless: one that nobody names is forgotten."""
        what = "ask where to put a feed"
        body = {"contentType": XML}
        answer = await self._calls.call(
            Operation.CREATE_FEED_DOCUMENT, what, "POST", f"{_FEEDS}/documents", json=body
        )
        return self._partner.read(what, answer, NewDocument)

    async def create_feed(self, feed_type: FeedType, document_id: str) -> str:
        """Have the document processed; gives the feed's id. Amazon knows no key for it: asking again makes a
        second feed (AMZ-7, AMZ-10).

        Raises AnswerLost where there may be one: look for it (`feeds_since`), never ask again before. Every
        ApplicationError means that nothing was created.
        """
        what = "hand in a feed"
        body = {
            "feedType": feed_type.value,
            "marketplaceIds": list(self.options.marketplaces),
            "inputFeedDocumentId": document_id,
        }
        answer = await self._calls.call_once(Operation.CREATE_FEED, what, f"{_FEEDS}/feeds", body)
        try:
            return self._partner.read(what, answer, CreatedFeed).feed_id
        except ApplicationError as error:
            raise AnswerLost(error.message) from None

    async def feed(self, feed_id: str) -> Feed | None:
        """None: Amazon doesn't know it."""
        what = "look at a feed"
        path = f"{_FEEDS}/feeds/{quote(feed_id, safe='')}"
        answer = await self._calls.call(Operation.GET_FEED, what, "GET", path, expects={404})
        return None if answer.status_code == 404 else self._partner.read(what, answer, Feed)

    async def feeds_since(self, feed_type: FeedType, since: datetime) -> tuple[Feed, ...]:
        """All of this type that were created since then, the newest first."""
        what = "look for feeds"
        params = [("feedTypes", feed_type.value), ("createdSince", _moment(since)), ("pageSize", "100")]
        pages = self._pages(Operation.GET_FEEDS, what, f"{_FEEDS}/feeds", params, Feeds)
        return tuple([one async for page in pages for one in page.feeds])

    async def feed_document(self, document_id: str) -> Document:
        """Where a processing report can be read."""
        what = "ask for a processing report"
        path = f"{_FEEDS}/documents/{quote(document_id, safe='')}"
        answer = await self._calls.call(Operation.GET_FEED_DOCUMENT, what, "GET", path)
        return self._partner.read(what, answer, Document)

    # ---- reports ----

    async def create_report(self, report_type: str, start: datetime, end: datetime) -> str:
        """Have a report made; gives its id. At most 60 days of returns (AMZ-1)."""
        what = "ask for a report"
        body = {
            "reportType": report_type,
            "marketplaceIds": list(self.options.marketplaces),
            "dataStartTime": _moment(start),
            "dataEndTime": _moment(end),
        }
        answer = await self._calls.call(Operation.CREATE_REPORT, what, "POST", f"{_REPORTS}/reports", json=body)
        return self._partner.read(what, answer, CreatedReport).report_id

    async def report(self, report_id: str) -> Report | None:
        """None: Amazon doesn't know it."""
        what = "look at a report"
        path = f"{_REPORTS}/reports/{quote(report_id, safe='')}"
        answer = await self._calls.call(Operation.GET_REPORT, what, "GET", path, expects={404})
        return None if answer.status_code == 404 else self._partner.read(what, answer, Report)

    async def reports_since(self, report_types: Sequence[str], since: datetime) -> tuple[Report, ...]:
        """Those of these types that were created since then, the newest first."""
        what = "look for reports"
        params = [("reportTypes", ",".join(report_types)), ("createdSince", _moment(since)), ("pageSize", "100")]
        pages = self._pages(Operation.GET_REPORTS, what, f"{_REPORTS}/reports", params, Reports)
        return tuple([one async for page in pages for one in page.reports])

    async def report_document(self, document_id: str) -> Document:
        """Where a report can be read."""
        what = "ask for a report's document"
        path = f"{_REPORTS}/documents/{quote(document_id, safe='')}"
        answer = await self._calls.call(Operation.GET_REPORT_DOCUMENT, what, "GET", path)
        return self._partner.read(what, answer, Document)

    # ---- orders and money ----

    async def order(self, order_id: str) -> Order | None:
        """Where an order and its items stand, without the buyer. None: Amazon doesn't know it."""
        what = "look at an order"
        path = f"/orders/2026-01-01/orders/{quote(order_id, safe='')}"
        params = [("includedData", "FULFILLMENT,CANCELLATION")]
        answer = await self._calls.call(Operation.GET_ORDER, what, "GET", path, params=params, expects={404})
        return None if answer.status_code == 404 else self._partner.read(what, answer, FoundOrder).order

    async def transactions_of(self, order_id: str) -> tuple[Transaction, ...]:
        """What Amazon says has moved for an order, before anything is sent again by hand (AMZ-11); up to 48 hours
        late."""
        what = "look at an order's transactions"
        named = [("relatedIdentifierName", "ORDER_ID"), ("relatedIdentifierValue", order_id)]
        path = "/finances/2024-06-19/transactions"
        pages = self._pages(Operation.LIST_TRANSACTIONS, what, path, named, Transactions, always=named)
        return tuple([one async for page in pages for one in page.payload.transactions])

    async def _pages(
        self,
        operation: Operation,
        what: str,
        path: str,
        params: Params,
        model: type[AnyPage],
        *,
        always: Params = (),
    ) -> AsyncIterator[AnyPage]:
        """All pages of a list. `params`: of the first page; `always`: of each page."""
        for _ in range(MOST_PAGES):
            answer = await self._calls.call(operation, what, "GET", path, params=params)
            page = self._partner.read(what, answer, model)
            yield page
            if page.next_page is None:
                return
            params = [*always, ("nextToken", page.next_page)]
        raise self._partner.unavailable(what, f"has more than {MOST_PAGES} pages to look through")


def _moment(moment: datetime) -> str:
    return (moment - timedelta(microseconds=moment.microsecond)).isoformat().replace("+00:00", "Z")
