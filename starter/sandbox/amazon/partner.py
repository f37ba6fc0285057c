"""Amazon's wire: tokens, rates, documents, errors; the work is done elsewhere."""

import gzip
import json
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from starter.sandbox.amazon.books import Address, AmazonBooks, Content
from starter.sandbox.amazon.errors import error_answer, invalid
from starter.sandbox.amazon.feed_rules import MOST_BYTES
from starter.sandbox.amazon.feeds import Feeds
from starter.sandbox.amazon.orders import Orders
from starter.sandbox.amazon.rates import may_call
from starter.sandbox.amazon.reports import Reports
from starter.sandbox.facts import Fault, FaultKind, PartnerName
from starter.sandbox.store import Document, Store
from starter.sandbox.wire import Answer, Asked, Refused, Work

TOKENS_LAST: Final = timedelta(hours=1)
_TOKEN: Final = "/auth/o2/token"
_DOCUMENTS: Final = "/documents/"
_MOST_UPLOADED: Final = MOST_BYTES + 1024


class Token(Document):
    kind = "amazon_token"
    account: str
    expires: datetime


class Amazon:
    """One Amazon, with the accounts of those who ask: an account is a refresh token."""

    name = PartnerName.AMAZON

    def __init__(self, store: Store) -> None:
        self._store = store
        self.books = AmazonBooks(store)
        self.feeds = Feeds(self.books)
        self._reports = Reports(self.books)
        self._orders = Orders(self.books, self.feeds)

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        feeds, reports = "/feeds/2021-06-30", "/reports/2021-06-30"
        counted: list[tuple[str, str, str, Work]] = [
            ("POST", f"{feeds}/documents", "createFeedDocument", self.feeds.create_document),
            ("GET", f"{feeds}/documents/{{id}}", "getFeedDocument", self.feeds.get_document),
            ("POST", f"{feeds}/feeds", "createFeed", self.feeds.create),
            ("GET", f"{feeds}/feeds", "getFeeds", self.feeds.find),
            ("GET", f"{feeds}/feeds/{{id}}", "getFeed", self.feeds.get),
            ("POST", f"{reports}/reports", "createReport", self._reports.create),
            ("GET", f"{reports}/reports", "getReports", self._reports.find),
            ("GET", f"{reports}/reports/{{id}}", "getReport", self._reports.get),
            ("GET", f"{reports}/documents/{{id}}", "getReportDocument", self._reports.get_document),
            ("GET", "/orders/2026-01-01/orders/{id}", "getOrder", self._orders.get),
            ("GET", "/finances/2024-06-19/transactions", "listTransactions", self._orders.transactions),
        ]
        return [
            ("POST", _TOKEN, self.token),
            ("PUT", f"{_DOCUMENTS}{{address}}", self.put_document),
            ("GET", f"{_DOCUMENTS}{{address}}", self.read_document),
            *((method, path, self._counted(operation, work)) for method, path, operation, work in counted),
        ]

    # ---- the wire ----

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return parse_qs(query), {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        if content_type.startswith("text/"):
            if len(raw) > _MOST_UPLOADED:
                raise Refused(error_answer(400, "EntityTooLarge"))
            return parse_qs(query), raw.decode("latin-1")
        try:
            return parse_qs(query), json.loads(raw) if raw else None
        except ValueError:
            raise invalid("The body is no JSON.") from None

    def account(self, asked: Asked) -> str | None:
        return asked.parts.get("account")

    def lock(self, asked: Asked) -> str | None:
        return None

    def busy(self, asked: Asked) -> Answer:
        return error_answer(503)

    def answer(self, asked: Asked, work: Work) -> Answer:
        """Let in whoever has a token, and a call left."""
        host = asked.headers.get("host", "")
        asked.parts["base"] = f"http://{host}/amazon"
        try:
            if asked.path != _TOKEN and not asked.path.startswith(_DOCUMENTS):
                asked.parts["account"] = self._account_of(asked)
            return work(asked)
        except Refused as refused:
            return refused.answer

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        if fault.kind is FaultKind.RATE_LIMIT:
            return error_answer(fault.status or 429, fault.code, Retry_After=str(fault.retry_after))
        if fault.kind is FaultKind.ERROR:
            return error_answer(fault.status or 500, fault.code)
        return error_answer(fault.status or 400, fault.code)

    def unknown(self, asked: Asked) -> Answer:
        return error_answer(404)

    def _counted(self, operation: str, work: Work) -> Callable[[Asked], Answer]:
        def answer(asked: Asked) -> Answer:
            speed = self.books.behaviour.speed
            allowed, rate = may_call(self._store, asked.parts["account"], operation, speed)
            said = {"x-amzn-RateLimit-Limit": rate}
            if not allowed:
                return error_answer(429, **said)
            try:
                found = work(asked)
            except Refused as refused:
                found = refused.answer
            found.headers.update(said)
            return found

        return answer

    # ---- tokens ----

    def token(self, asked: Asked) -> Answer:
        """A live secret must never be taken here: whoever sends one has the wrong address."""
        body = asked.body if isinstance(asked.body, dict) else {}
        refresh, client, secret = (
            str(body.get(name, "")) for name in ("refresh_token", "client_id", "client_secret")
        )
        for name in ("refresh_token", "client_secret"):
            if name in body:
                body[name] = "(not kept)"
        if body.get("grant_type") != "refresh_token":
            raise Refused(Answer(400, {"error": "unsupported_grant_type", "error_description": "unsupported"}))
        if not client or "test" not in secret:
            raise Refused(
                Answer(401, {"error": "invalid_client", "error_description": "Client authentication failed"})
            )
        if "test" not in refresh:
            raise Refused(Answer(400, {"error": "invalid_grant", "error_description": "The request is invalid"}))
        text = f"Atza|{secrets.token_urlsafe(24)}"
        self._store.put(Token(id=text, account=refresh, expires=self._store.now() + TOKENS_LAST))
        lasts = int(TOKENS_LAST.total_seconds())
        answer = {"access_token": text, "token_type": "bearer", "expires_in": lasts, "refresh_token": refresh}
        return Answer(200, answer)

    def _account_of(self, asked: Asked) -> str:
        token = self._store.get(Token, asked.headers.get("x-amz-access-token", ""))
        if token is None:
            raise Refused(error_answer(403))
        if self._store.now() >= token.expires:
            raise Refused(error_answer(403, message="The access token you provided has expired."))
        return token.account

    # ---- documents, whose addresses need no token ----

    def put_document(self, asked: Asked) -> Answer:
        document = self._opened(asked, "PUT")
        told = asked.headers.get("content-type", "")
        if told.replace(" ", "").lower() != document.type.replace(" ", "").lower():
            raise Refused(error_answer(403, "SignatureDoesNotMatch"))
        self._store.put(document.model_copy(update={"content": asked.body or ""}))
        return Answer(200, {}, changed=True, text=b"")

    def read_document(self, asked: Asked) -> Answer:
        document = self._opened(asked, "GET")
        content = (document.content or "").encode("latin-1")
        return Answer(200, {}, text=gzip.compress(content) if document.gzip else content)

    def _opened(self, asked: Asked, method: str) -> Content:
        address = self._store.get(Address, asked.parts["address"])
        if address is None or address.method != method or self._store.now() >= address.expires:
            raise Refused(error_answer(403, "AccessDenied", "Request has expired"))
        document = self._store.get(Content, address.document_id, address.account)
        assert document is not None
        return document
