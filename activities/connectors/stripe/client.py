"""Stripe's wire protocol: forms in, JSON out, minor units, cursors. Knows no rule of ours."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import Field

from activities.connectors.access import Access
from activities.connectors.http import SAVED, Partner, PartnerError, WireModel
from models.money import from_minor_units, to_minor_units

STRIPE_URL: Final = "https://api.stripe.com"
STRIPE_VERSION: Final = "2020-08-27"
"""The version whose fields are read here; an account's own default never changes under us."""

OUR_ID: Final = "backhaul_id"
"""The metadata that carries our id, by which a movement is found again."""

PAGE: Final = 100
MOST_PAGES: Final = 50
"""How much of one list is read; a list that is longer is no place to find anything in."""

SEARCH_LAG: Final = timedelta(hours=1)
"""What is older than this is found by a search. It is a minute as a rule, more during an outage of Stripe's."""

_SERVER_ERRORS: Final = range(500, 600)

# Where Stripe counts otherwise than ISO 4217: https://docs.stripe.com/currencies (zero-decimal, special cases).
_STRIPE_DIGITS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}


class LastPaymentError(PartnerError):
    """Why a payment intent could not be paid."""

    decline_code: str | None = None


class KeySpent(Exception):
    """The gateway saved a server error under this idempotency key: for a day it gives no other answer to it."""


class PaymentIntent(WireModel):
    """A charge on the way. Amounts in Stripe's minor units."""

    id: str
    status: str
    currency: str
    amount: int
    amount_received: int = 0
    metadata: dict[str, str] = Field(default_factory=dict)
    last_payment_error: LastPaymentError | None = None
    cancellation_reason: str | None = None


class Refund(WireModel):
    """A refund of a payment intent or a charge. Amounts in Stripe's minor units."""

    id: str
    status: str | None = None
    currency: str
    amount: int
    metadata: dict[str, str] = Field(default_factory=dict)
    failure_reason: str | None = None


class _Payment(WireModel):
    currency: str


class CardError(PartnerError):
    """An error of `/v1/payment_intents`: with the intent that it left behind."""

    decline_code: str | None = None
    payment_intent: PaymentIntent | None = None


class _CardErrorBody(WireModel):
    error: CardError


Listed = TypeVar("Listed", PaymentIntent, Refund)


class _Page(WireModel, Generic[Listed]):
    data: tuple[Listed, ...]
    has_more: bool = False


class Stripe:
    """The calls that Backhaul makes, as Stripe's API reference has them."""

    def __init__(self, access: Access) -> None:
        account = access.connection.account
        self.partner = Partner(
            "payment gateway",
            access,
            {
                **access.bearer,
                "Stripe-Version": STRIPE_VERSION,
                **({"Stripe-Account": account} if account else {}),
            },
            default_url=STRIPE_URL,
        )

    async def test(self) -> None:
        """Read the newest payment: address, key and account in one call. Raises a BackhaulError."""
        await self.partner.test("/v1/payment_intents?limit=1", _Page[PaymentIntent])

    async def post(
        self,
        what: str,
        path: str,
        form: Mapping[str, str],
        key: str,
        expects: Collection[int] = (),
    ) -> httpx.Response:
        """POST a form under an idempotency key. 409: the key is in use by a request still running, so: later.

        Raises KeySpent when the answer is the saved server error of an earlier try.
        """
        answer = await self.partner.call(
            what,
            "POST",
            path,
            form=form,
            headers={"Idempotency-Key": key},
            expects={409, *_SERVER_ERRORS, *expects},
        )
        if answer.status_code == 409:
            raise self.partner.unavailable(what, "is still busy with an earlier try", answer)
        if answer.status_code in _SERVER_ERRORS:
            if answer.headers.get(SAVED) == "true":
                raise KeySpent
            raise self.partner.unavailable(what, f"answered {answer.status_code}", answer)
        return answer

    async def intent(self, what: str, intent_id: str) -> PaymentIntent | None:
        """One payment intent; none if the gateway doesn't know it."""
        answer = await self.partner.call(what, "GET", intent_path(intent_id), expects={404})
        return None if answer.status_code == 404 else self.intent_in(what, answer)

    async def refund(self, what: str, refund_id: str) -> Refund | None:
        """One refund; none if the gateway doesn't know it."""
        path = f"/v1/refunds/{quote(refund_id, safe='')}"
        answer = await self.partner.call(what, "GET", path, expects={404})
        return None if answer.status_code == 404 else self.refund_in(what, answer)

    def intent_in(self, what: str, answer: httpx.Response) -> PaymentIntent:
        """The payment intent that an answer holds."""
        return self.partner.read(what, answer, PaymentIntent)

    def refund_in(self, what: str, answer: httpx.Response) -> Refund:
        """The refund that an answer holds."""
        return self.partner.read(what, answer, Refund)

    def card_error_in(self, what: str, answer: httpx.Response) -> CardError:
        """The error that an answer holds."""
        return self.partner.read(what, answer, _CardErrorBody).error

    async def currency_of(self, what: str, payment: Mapping[str, str]) -> str | None:
        """The currency of a payment, in capital letters; none if the gateway doesn't know the payment."""
        ((kind, reference),) = payment.items()
        path = intent_path(reference) if kind == "payment_intent" else f"/v1/charges/{quote(reference, safe='')}"
        answer = await self.partner.call(what, "GET", path, expects={404})
        return None if answer.status_code == 404 else self.partner.read(what, answer, _Payment).currency.upper()

    async def intent_by_our_id(self, what: str, our_id: str) -> PaymentIntent | None:
        """The payment intent that carries our id, if a search finds it already (`SEARCH_LAG`), as it is now."""
        answer = await self.partner.call(
            what,
            "GET",
            "/v1/payment_intents/search",
            params=[("query", f"metadata['{OUR_ID}']:'{_escaped(our_id)}'"), ("limit", "1")],
        )
        found = self.partner.read(what, answer, _Page[PaymentIntent]).data
        # A search may show an older state of it.
        return await self.intent(what, found[0].id) if found else None

    def recent_intents(self, what: str, customer: str | None) -> AsyncIterator[PaymentIntent]:
        """The payment intents that a search may not find yet, newest first; of one customer, if it is known."""
        since = int((datetime.now(UTC) - SEARCH_LAG).timestamp())
        params = [("created[gte]", str(since))]
        if customer:
            params.append(("customer", customer))
        return self._listed(what, "/v1/payment_intents", params, _Page[PaymentIntent])

    def refunds(self, what: str, payment: Mapping[str, str]) -> AsyncIterator[Refund]:
        """The refunds of one payment (`{"payment_intent": ...}` or `{"charge": ...}`), newest first."""
        return self._listed(what, "/v1/refunds", list(payment.items()), _Page[Refund])

    async def _listed(
        self,
        what: str,
        path: str,
        params: list[tuple[str, str]],
        page_model: type[_Page[Listed]],
    ) -> AsyncIterator[Listed]:
        """Raises PartnerUnavailable for a list of more than `MOST_PAGES`: what is not found there may exist."""
        cursor: list[tuple[str, str]] = []
        for _ in range(MOST_PAGES):
            answer = await self.partner.call(
                what,
                "GET",
                path,
                params=[*params, ("limit", str(PAGE)), *cursor],
                expects={404},
            )
            if answer.status_code == 404:
                return  # No such payment: it has no refunds, and what is tried next says why.
            page = self.partner.read(what, answer, page_model)
            for item in page.data:
                yield item
            if not (page.has_more and page.data):
                return
            cursor = [("starting_after", page.data[-1].id)]
        raise self.partner.unavailable(what, "has too many payments or refunds to look through")


def intent_path(intent_id: str, verb: str = "") -> str:
    """`/v1/payment_intents/pi_1`, `/v1/payment_intents/pi_1/capture`."""
    return f"/v1/payment_intents/{quote(intent_id, safe='')}" + (f"/{verb}" if verb else "")


def payment_of(reference: str) -> dict[str, str] | None:
    """How Stripe names a payment: payment intent or charge, by the prefix of its id; none: it isn't Stripe's."""
    if reference.startswith("pi_"):
        return {"payment_intent": reference}
    if reference.startswith(("ch_", "py_")):
        return {"charge": reference}
    return None


def to_stripe_units(amount: Decimal, currency: str) -> int:
    """USD 10.50 -> 1050, JPY 1099 -> 1099, KWD 1.234 -> 1234. Raises ValueError if that loses digits."""
    if currency not in _STRIPE_DIGITS:
        return to_minor_units(amount, currency)
    units = amount.scaleb(_STRIPE_DIGITS[currency])
    if units != units.to_integral_value():
        raise ValueError(f"the gateway takes no fractions of the smallest unit of {currency}")
    return int(units)


def from_stripe_units(units: int, currency: str) -> Decimal:
    """The inverse of `to_stripe_units`; `currency` in any case."""
    code = currency.upper()
    if code not in _STRIPE_DIGITS:
        return from_minor_units(units, code)
    return Decimal(units).scaleb(-_STRIPE_DIGITS[code])


def _escaped(text: str) -> str:
    """As a value within a search query."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
