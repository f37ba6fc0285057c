"""PayPal's wire protocol: a token for each call, JSON, decimal strings, kept requests. Knows no rule of ours."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import httpx
from pydantic import Field

from activities.connectors.access import Access
from activities.connectors.bulkhead import BRISK
from activities.connectors.http import Partner, WireModel, error_of
from models.gateway_limits import smallest_movable
from models.payments import PaidBy

PAYPAL_URL: Final = "https://api-m.paypal.com"

LONGEST_KEY: Final = 108
"""Of a `PayPal-Request-Id` at orders, the shortest that PayPal allows."""
LONGEST_INVOICE_ID: Final = 127

SEARCHED_AT_ONCE: Final = timedelta(days=31)
MOST_PAGES: Final = 50
"""How much of one search is read; one that gives more is no place to find anything in."""
AUTHORIZATIONS: Final = "T1300"
REFUNDS: Final = "T1107"

_EARLIER: Final = 60.0
"""A token is renewed so many seconds before it expires."""


class Money(WireModel):
    value: Decimal
    currency_code: str


class Link(WireModel):
    href: str
    rel: str = ""


class _RelatedIds(WireModel):
    order_id: str | None = None


class _Supplement(WireModel):
    related_ids: _RelatedIds = _RelatedIds()


class StatusDetails(WireModel):
    reason: str | None = None


class Movement(WireModel):
    """An authorization, a capture or a refund."""

    id: str
    status: str
    status_details: StatusDetails | None = None
    amount: Money | None = None
    invoice_id: str | None = None
    create_time: datetime | None = None
    links: tuple[Link, ...] = ()
    supplementary_data: _Supplement = _Supplement()

    @property
    def order_id(self) -> str | None:
        """Of the order that it belongs to: by its related ids, or by its link upwards."""
        if self.supplementary_data.related_ids.order_id is not None:
            return self.supplementary_data.related_ids.order_id
        ups = (link.href for link in self.links if link.rel == "up" and "/checkout/orders/" in link.href)
        return next((href.rpartition("/")[2] for href in ups), None)


class _Payments(WireModel):
    authorizations: tuple[Movement, ...] = ()
    captures: tuple[Movement, ...] = ()
    refunds: tuple[Movement, ...] = ()


class _Unit(WireModel):
    payments: _Payments = _Payments()


class Order(WireModel):
    id: str
    status: str
    purchase_units: tuple[_Unit, ...] = ()

    @property
    def payments(self) -> _Payments:
        return self.purchase_units[0].payments if self.purchase_units else _Payments()


class _TransactionInfo(WireModel):
    transaction_id: str
    invoice_id: str | None = None


class _Transaction(WireModel):
    transaction_info: _TransactionInfo


class _Found(WireModel):
    transaction_details: tuple[_Transaction, ...] = ()
    total_pages: int = 1


class _TokenAnswer(WireModel):
    access_token: str = Field(min_length=1)
    expires_in: float


class _Token(NamedTuple):
    text: str
    expires: float
    """By the monotonic clock."""


class PayPal:
    """The calls that Backhaul makes, as PayPal's reference has them. Raises InvalidInput without a client id."""

    def __init__(self, access: Access, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        client_id = access.required("client_id", "PayPal's client id")
        basic = base64.b64encode(f"{client_id}:{access.secret.get_secret_value()}".encode()).decode()
        self._basic = f"Basic {basic}"
        self._token: _Token | None = None
        self._signing_in = asyncio.Lock()
        self.partner = Partner(
            "payment gateway", access, {"Prefer": "return=representation"}, default_url=PAYPAL_URL
        )

    async def sign_in(self, what: str, refused: str | None = None) -> str:
        """A token that is good for a while, got once for all who wait for it. `refused`: this one is not.

        Raises PartnerUnavailable for those who would wait long: their places in the queue are others' too (NTF-9).
        """
        try:
            async with asyncio.timeout(BRISK):
                await self._signing_in.acquire()
        except TimeoutError:
            raise self.partner.unavailable(what, "lets an earlier call wait for its sign-in") from None
        try:
            known = self._token
            if known is not None and known.text != refused and time.monotonic() < known.expires:
                return known.text
            answer = await self.partner.call(
                what,
                "POST",
                "/v1/oauth2/token",
                form={"grant_type": "client_credentials"},
                headers={"Authorization": self._basic},
            )
            token = self.partner.read(what, answer, _TokenAnswer)
            lasts = max(token.expires_in - _EARLIER, 0.0)
            self._token = _Token(token.access_token, time.monotonic() + lasts)
            return token.access_token
        finally:
            self._signing_in.release()

    async def get(self, what: str, path: str, params: Sequence[tuple[str, str]] = ()) -> httpx.Response | None:
        """None: PayPal doesn't know it."""
        answer = await self._call(what, "GET", path, params=params, expects={404})
        return None if answer.status_code == 404 else answer

    async def post(
        self, what: str, path: str, body: Mapping[str, Any] | None, key: str | None, expects: Collection[int] = ()
    ) -> httpx.Response:
        """Under a key, by which PayPal does it once. 409: an earlier try is still running, so: later."""
        headers = {} if key is None else {"PayPal-Request-Id": shortened(key, LONGEST_KEY)}
        answer = await self._call(what, "POST", path, json=body, headers=headers, expects={409, *expects})
        if answer.status_code == 409:
            raise self.partner.unavailable(what, "is still busy with an earlier try", answer)
        return answer

    async def post_as_is(self, what: str, path: str, body: bytes) -> httpx.Response:
        """A JSON body that somebody else wrote, not changed by a byte."""
        return await self._call(what, "POST", path, content=body, headers={"Content-Type": "application/json"})

    async def _call(
        self,
        what: str,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        json: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        expects: Collection[int] = (),
    ) -> httpx.Response:
        """With a token; with a new one where PayPal no longer takes it."""
        refused: str | None = None
        while True:
            token = await self.sign_in(what, refused)
            answer = await self.partner.call(
                what,
                method,
                path,
                params=params,
                json=json,
                content=content,
                headers={**(headers or {}), "Authorization": f"Bearer {token}"},
                expects={401, *expects},
            )
            if answer.status_code != 401:
                return answer
            if refused is not None:
                raise self.partner.refused(what, answer)
            refused = token

    # ---- what is looked at ----

    async def movement(self, what: str, kind: str, id: str) -> Movement | None:
        """One of `authorizations`, `captures`, `refunds`."""
        answer = await self.get(what, movement_path(kind, id))
        return None if answer is None else self.partner.read(what, answer, Movement)

    async def order(self, what: str, order_id: str) -> Order | None:
        answer = await self.get(what, f"/v2/checkout/orders/{quote(order_id, safe='')}")
        return None if answer is None else self.partner.read(what, answer, Order)

    async def search(self, what: str, kind: str, invoice_id: str, since: datetime) -> str | None:
        """The newest transaction of this kind with this invoice id; what is younger than three hours may not be
        there yet."""
        until = self.now()
        while until > since:
            start = max(until - SEARCHED_AT_ONCE, since)
            found = await self._search_span(what, kind, invoice_id, start, until)
            if found is not None:
                return found
            until = start
        return None

    async def _search_span(
        self, what: str, kind: str, invoice_id: str, start: datetime, end: datetime
    ) -> str | None:
        for page in range(1, MOST_PAGES + 1):
            params = [
                ("start_date", _moment(start)),
                ("end_date", _moment(end)),
                ("transaction_type", kind),
                ("fields", "transaction_info"),
                ("balance_affecting_records_only", "N"),
                ("page_size", "500"),
                ("page", str(page)),
            ]
            answer = await self.get(what, "/v1/reporting/transactions", params)
            if answer is None:
                return None
            found = self.partner.read(what, answer, _Found)
            for one in found.transaction_details:
                if one.transaction_info.invoice_id == invoice_id:
                    return one.transaction_info.transaction_id
            if page >= found.total_pages:
                return None
        raise self.partner.unavailable(what, "has too many transactions to look through")


def movement_path(kind: str, id: str, verb: str = "") -> str:
    """`/v2/payments/captures/8MC/refund`."""
    return f"/v2/payments/{kind}/{quote(id, safe='')}" + (f"/{verb}" if verb else "")


def issue_of(answer: httpx.Response) -> str | None:
    """Of a no: `CAPTURE_FULLY_REFUNDED`."""
    return error_of(answer).code


def money(amount: Decimal, currency: str) -> dict[str, str]:
    """USD 10.5 -> `10.50`; JPY, HUF and TWD without decimals."""
    step = smallest_movable(PaidBy.PAYPAL, currency)
    return {"currency_code": currency, "value": str(amount.quantize(step))}


def shortened(text: str, most: int) -> str:
    """The text, or, where it is too long, its beginning with a hash of all of it."""
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{text[: most - 33]}-{digest}"


def _moment(moment: datetime) -> str:
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
