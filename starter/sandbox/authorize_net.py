"""The sandbox's Authorize.Net: one address for all requests, whose answers are 200 whatever they say."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from starter.sandbox import authorize_net_books as books
from starter.sandbox.authorize_net_books import AuthorizeNetBooks, Transaction
from starter.sandbox.authorize_net_transactions import (
    Done,
    Invalid,
    Rejected,
    Transactions,
    rejection_json,
    response_json,
)
from starter.sandbox.authorize_net_wire import NotOfTheSchema, read_request, written
from starter.sandbox.facts import Fault, FaultKind, PartnerName
from starter.sandbox.store import Store
from starter.sandbox.wire import Answer, Asked, Refused, Work

_TEXTS: Final = {
    "I00001": "Successful.",
    "E00001": "An error occurred during processing. Please try again.",
    "E00007": "User authentication failed due to invalid authentication values.",
    "E00027": "The transaction was unsuccessful.",
    "E00040": "The record cannot be found.",
}
_OF_AN_UNREAD_REQUEST: Final = {"name": "", "content": {}, "is_xml": False}


class AuthorizeNet:
    """All requests come to one address; each names itself by its root element."""

    name = PartnerName.AUTHORIZE_NET

    def __init__(self, store: Store) -> None:
        self._store = store
        self.books = AuthorizeNetBooks(store)
        self._transactions = Transactions(self.books)

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        return [("POST", "/xml/v1/request.api", self.request)]

    # ---- the wire ----

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        """Keys are checked and not kept: what was asked is shown to people."""
        try:
            name, content, is_xml = read_request(raw)
        except NotOfTheSchema as wrong:
            unread = Asked("POST", "", {}, dict(_OF_AN_UNREAD_REQUEST), {}, {})
            as_xml = raw.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<")
            raise Refused(_said(unread, {}, "E00003", str(wrong), as_xml=as_xml)) from None
        who = content.get("merchantAuthentication") or {}
        # A live key must never be taken here: whoever sends one has the wrong address.
        knows = "test" in str(who.get("transactionKey", "")) and bool(who.get("name"))
        shown = {**content, "merchantAuthentication": {"name": who.get("name", "")}}
        return {}, {"name": name, "content": shown, "is_xml": is_xml, "knows_the_key": knows}

    def account(self, asked: Asked) -> str | None:
        return _login(asked) or None

    def lock(self, asked: Asked) -> str | None:
        return None

    def busy(self, asked: Asked) -> Answer:
        return self._failed(asked, "E00001")

    def answer(self, asked: Asked, work: Work) -> Answer:
        return work(asked)

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        """A business no and an error of its own are answered with 200, unless the fault has a status."""
        if fault.kind is FaultKind.REFUSE and asked.body["name"] == "createTransactionRequest":
            code = fault.code or "2"
            no = Rejected(code, response_code="2" if code == "2" else "3")
            return _said(asked, {"transactionResponse": rejection_json(no)}, "E00027")
        if fault.kind is FaultKind.RATE_LIMIT:
            return Answer(fault.status or 429, {}, headers={"Retry-After": str(fault.retry_after)})
        if fault.status is not None:
            return Answer(fault.status, {})
        return self._failed(asked, fault.code or "E00001")

    def unknown(self, asked: Asked) -> Answer:
        return Answer(404, {})

    # ---- the requests ----

    def request(self, asked: Asked) -> Answer:
        if not asked.body["knows_the_key"]:
            return self._failed(asked, "E00007")
        requests: dict[str, Callable[[Asked], Answer]] = {
            "authenticateTestRequest": lambda one: _said(one, {}, "I00001"),
            "createTransactionRequest": self._create,
            "getTransactionDetailsRequest": self._details,
            "getUnsettledTransactionListRequest": self._unsettled,
            "getTransactionListForCustomerRequest": self._of_customer,
            "getSettledBatchListRequest": self._batches,
            "getTransactionListRequest": self._of_batch,
        }
        return requests[asked.body["name"]](asked)

    def _create(self, asked: Asked) -> Answer:
        request = _content(asked).get("transactionRequest") or {}
        try:
            done: Done = self._transactions.create(request, _login(asked))
        except Rejected as no:
            return _said(asked, {"transactionResponse": rejection_json(no)}, "E00027")
        except Invalid as wrong:
            return _said(asked, {}, "E00013", str(wrong))
        return _said(asked, {"transactionResponse": response_json(done)}, "I00001", changed=done.is_new)

    def _details(self, asked: Asked) -> Answer:
        found = self.books.get(str(_content(asked).get("transId", "")), _login(asked))
        if found is None:
            return self._failed(asked, "E00040")
        return _said(asked, {"transaction": books.details_json(found)}, "I00001")

    def _unsettled(self, asked: Asked) -> Answer:
        unsettled = (
            "authorizedPendingCapture",
            "capturedPendingSettlement",
            "refundPendingSettlement",
            "FDSAuthorizedPendingReview",
            "generalError",
        )
        return self._list(asked, [one for one in self._all(asked) if one.status in unsettled])

    def _of_customer(self, asked: Asked) -> Answer:
        customer = str(_content(asked).get("customerProfileId", ""))
        return self._list(asked, [one for one in self._all(asked) if one.customer_profile_id == customer])

    def _of_batch(self, asked: Asked) -> Answer:
        batch = str(_content(asked).get("batchId", ""))
        settled = [one for one in self._all(asked) if books.is_settled(one)]
        return self._list(asked, [one for one in settled if _batch_of(one) == batch])

    def _batches(self, asked: Asked) -> Answer:
        """Of at most 31 days; without dates, of the last day."""
        content, now = _content(asked), self._store.timestamp()
        first = _seconds(content.get("firstSettlementDate"), now - 86_400)
        last = _seconds(content.get("lastSettlementDate"), now)
        if last - first > 31 * 86_400:
            return self._failed(asked, "E00103")
        settled = (one for one in self._all(asked) if books.is_settled(one))
        moments = sorted({int(_batch_of(one)) for one in settled})
        batches = [books.batch_json(one) for one in moments if first <= one <= last]
        return _said(asked, {"batchList": batches} if batches else {}, "I00001")

    def _all(self, asked: Asked) -> list[Transaction]:
        return self.books.transactions(_login(asked))

    def _list(self, asked: Asked, found: list[Transaction]) -> Answer:
        """One page; the newest first where it is asked so."""
        content = _content(asked)
        if str((content.get("sorting") or {}).get("orderDescending", "")).lower() in ("true", "1"):
            found = list(reversed(found))
        paging = content.get("paging") or {}
        limit, page = int(paging.get("limit", 1000)), int(paging.get("offset", 1))
        shown = found[(page - 1) * limit : page * limit]
        listed: dict[str, Any] = {"transactions": [books.summary_json(one) for one in shown]} if shown else {}
        return _said(asked, {**listed, "totalNumInResultSet": len(found)}, "I00001")

    def _failed(self, asked: Asked, code: str) -> Answer:
        return _said(asked, {}, code)


def _said(
    asked: Asked,
    content: dict[str, Any],
    code: str,
    text: str | None = None,
    *,
    as_xml: bool | None = None,
    changed: bool = False,
) -> Answer:
    said = _TEXTS.get(code, "An error occurred.") if text is None else text
    tail: dict[str, Any] = {}
    if "refId" in _content(asked):
        tail["refId"] = _content(asked)["refId"]
    is_ok = code.startswith("I")
    tail["messages"] = {
        "resultCode": "Ok" if is_ok else "Error",
        "message": [{"code": code, "text": said}],
    }
    has_content = is_ok or bool(content)
    name = asked.body["name"].replace("Request", "Response") if has_content else "ErrorResponse"
    if name in ("getTransactionListForCustomerResponse",):
        name = "getTransactionListResponse"
    in_xml = asked.body["is_xml"] if as_xml is None else as_xml
    kind = "application/xml; charset=utf-8" if in_xml else "application/json; charset=utf-8"
    bytes_ = written(name, content, tail, as_xml=in_xml)
    return Answer(200, {**content, **tail}, changed=changed, headers={"Content-Type": kind}, text=bytes_)


def _content(asked: Asked) -> dict[str, Any]:
    content = asked.body["content"]
    return content if isinstance(content, dict) else {}


def _login(asked: Asked) -> str:
    content = asked.body["content"] if isinstance(asked.body, dict) else {}
    return str((content.get("merchantAuthentication") or {}).get("name", ""))


def _batch_of(one: Transaction) -> str:
    return str(books.settlement_after(one.settles_from))


def _seconds(value: Any, otherwise: int) -> int:
    return otherwise if value is None else int(datetime.fromisoformat(str(value)).timestamp())
