"""The payment gateway: Stripe's wire with its keys, accounts and idempotency; the work is done elsewhere."""

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any

from starter.sandbox.facts import Fault, FaultKind, PartnerName
from starter.sandbox.store import Document, Store
from starter.sandbox.stripe_books import PaymentBooks
from starter.sandbox.stripe_errors import (
    error_answer,
    invalid_parameter,
    key_in_use,
    key_used_otherwise,
    not_authenticated,
)
from starter.sandbox.stripe_form import parse_form
from starter.sandbox.stripe_intents import PaymentIntents
from starter.sandbox.stripe_params import account_of
from starter.sandbox.stripe_refunds import Charges, Refunds
from starter.sandbox.stripe_search import PaymentSearch
from starter.sandbox.wire import Answer, Asked, Refused, Work

KEYS_LAST = timedelta(hours=24)

NEVER_SAVED = (401, 403, 404, 409)
"""Refusals that are no answer to the request itself: a mended key or address must be able to try again."""


class SavedAnswer(Document):
    """What was answered to an idempotency key; its space is the account."""

    kind = "saved_answer"
    at: datetime
    endpoint: str
    parameters: str
    status: int
    body: dict[str, Any]


class Gateway:
    """One Stripe, with its accounts."""

    name = PartnerName.GATEWAY

    def __init__(self, store: Store) -> None:
        self._store = store
        self.books = PaymentBooks(store)

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        intents = PaymentIntents(self._store, self.books)
        charges = Charges(self._store, self.books)
        refunds = Refunds(self._store, self.books)
        search = PaymentSearch(self._store, self.books)
        return [
            ("POST", "/v1/payment_intents", intents.create),
            ("GET", "/v1/payment_intents", intents.list),
            ("GET", "/v1/payment_intents/search", search.search),
            ("GET", "/v1/payment_intents/{id}", intents.retrieve),
            ("POST", "/v1/payment_intents/{id}/confirm", intents.confirm),
            ("POST", "/v1/payment_intents/{id}/capture", intents.capture),
            ("POST", "/v1/payment_intents/{id}/cancel", intents.cancel),
            ("GET", "/v1/charges", charges.list),
            ("GET", "/v1/charges/{id}", charges.retrieve),
            ("POST", "/v1/refunds", refunds.create),
            ("GET", "/v1/refunds", refunds.list),
            ("GET", "/v1/refunds/{id}", refunds.retrieve),
            ("POST", "/v1/refunds/{id}/cancel", refunds.cancel),
        ]

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        if raw and not content_type.startswith("application/x-www-form-urlencoded"):
            message = "Invalid request (check that your POST content type is application/x-www-form-urlencoded)."
            raise invalid_parameter(message, None)
        try:
            return parse_form(query), parse_form(raw.decode())
        except ValueError as error:
            raise invalid_parameter(str(error), None) from None

    def account(self, asked: Asked) -> str | None:
        return asked.headers.get("stripe-account")

    def lock(self, asked: Asked) -> str | None:
        key = self._key(asked)
        return None if key is None else f"{account_of(asked)}/{key}"

    def busy(self, asked: Asked) -> Answer:
        return key_in_use(self._key(asked) or "")

    def answer(self, asked: Asked, work: Work) -> Answer:
        """Authenticate, replay the answer of a known key, or do the work and save its answer (24 h)."""
        try:
            self._authenticate(asked)
            key = self._key(asked)
            if key is not None and (known := self._known(asked, key)) is not None:
                return known
        except Refused as refused:
            return refused.answer
        try:
            answer = work(asked)
        except Refused as refused:
            answer = refused.answer
        self._save(asked, answer)
        return answer

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        """A 500 came from inside and is saved under the key, as at Stripe; other 5xx and 429 are not."""
        if fault.kind is FaultKind.RATE_LIMIT:
            return error_answer(
                fault.status or 429,
                "invalid_request_error",
                "Request rate limit exceeded.",
                code=fault.code or "rate_limit",
                headers={"Retry-After": str(fault.retry_after)},
            )
        if fault.kind is FaultKind.ERROR:
            status = fault.status or 500
            answer = error_answer(status, "api_error", "An unknown error occurred.", code=fault.code)
            if status == 500:
                self._save(asked, answer)
            return answer
        usual = (400, "charge_not_refundable") if asked.path.startswith("/v1/refunds") else (402, "card_declined")
        status, code = fault.status or usual[0], fault.code or usual[1]
        if status == 402:
            answer = error_answer(
                status, "card_error", "Your card was declined.", code=code, decline_code="generic_decline"
            )
        else:
            answer = error_answer(status, "invalid_request_error", f"The request was refused: {code}.", code=code)
        if status not in NEVER_SAVED:
            self._save(asked, answer)
        return answer

    def unknown(self, asked: Asked) -> Answer:
        message = f"Unrecognized request URL ({asked.method}: {asked.path})."
        return error_answer(404, "invalid_request_error", message, kept=False)

    def _authenticate(self, asked: Asked) -> None:
        scheme, _, value = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                value = ""
        elif scheme.lower() != "bearer":
            raise not_authenticated("You did not provide an API key, by Basic or Bearer authorization.")
        # A live key must never be taken here: whoever sends one has the wrong address.
        if not value.startswith(("sk_test_", "rk_test_")):
            raise not_authenticated(f"Invalid API Key provided: {value[:8]}****")

    def _key(self, asked: Asked) -> str | None:
        return asked.headers.get("idempotency-key") if asked.method == "POST" else None

    def _known(self, asked: Asked, key: str) -> Answer | None:
        if len(key) > 255:
            raise invalid_parameter("Idempotency keys have up to 255 characters.", None)
        saved = self._store.get(SavedAnswer, key, account_of(asked))
        if saved is None or self._store.now() - saved.at >= KEYS_LAST:
            return None
        if saved.endpoint != _endpoint(asked):
            return key_used_otherwise(key, f"for the same endpoint they were first used for ('{saved.endpoint}')")
        if saved.parameters != _parameters(asked):
            return key_used_otherwise(key, "with the same parameters they were first used with")
        return Answer(saved.status, saved.body, headers={"Idempotent-Replayed": "true"})

    def _save(self, asked: Asked, answer: Answer) -> None:
        key = self._key(asked)
        if key is None or not answer.kept:
            return
        self._store.put(
            SavedAnswer(
                id=key,
                space=account_of(asked),
                at=self._store.now(),
                endpoint=_endpoint(asked),
                parameters=_parameters(asked),
                status=answer.status,
                body=answer.body,
            )
        )


def _endpoint(asked: Asked) -> str:
    return f"{asked.method} {asked.path}"


def _parameters(asked: Asked) -> str:
    return json.dumps(asked.body, sort_keys=True)
