"""PayPal's wire: tokens, kept requests, errors; the work is done elsewhere."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import zlib
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from starter.sandbox.facts import Fault, FaultKind, PartnerName
from starter.sandbox.paypal_books import PayPalBooks
from starter.sandbox.paypal_errors import error_answer, malformed, not_authenticated
from starter.sandbox.paypal_payments import PayPalPayments
from starter.sandbox.store import Document, Store
from starter.sandbox.wire import Answer, Asked, Refused, Work

TOKENS_LAST: Final = timedelta(hours=9)
KEYS_LAST: Final = timedelta(days=45)
ORDER_KEYS_LAST: Final = timedelta(hours=6)

_TOKEN: Final = "/v1/oauth2/token"


class Token(Document):
    kind = "paypal_token"
    client: str
    expires: datetime


class KeptRequest(Document):
    """What was done under a `PayPal-Request-Id`; its space is the account and the endpoint."""

    kind = "paypal_kept_request"
    at: datetime
    parameters: str
    status: int
    made: str | None
    """The id of what it made, which is shown as it is now."""


class PayPal:
    """One PayPal, with the accounts of those who ask."""

    name = PartnerName.PAYPAL

    def __init__(self, store: Store) -> None:
        self._store = store
        self.books = PayPalBooks(store)
        self._payments = PayPalPayments(store, self.books)

    def routes(self) -> list[tuple[str, str, Work]]:
        """Method, path, work."""
        payments = self._payments
        return [
            ("POST", _TOKEN, self.token),
            ("POST", "/v2/checkout/orders", payments.create_order),
            ("GET", "/v2/checkout/orders/{id}", payments.get_order),
            ("GET", "/v2/payments/authorizations/{id}", payments.get_authorization),
            ("POST", "/v2/payments/authorizations/{id}/capture", payments.capture),
            ("POST", "/v2/payments/authorizations/{id}/void", payments.void),
            ("GET", "/v2/payments/captures/{id}", payments.get_capture),
            ("POST", "/v2/payments/captures/{id}/refund", payments.refund),
            ("GET", "/v2/payments/refunds/{id}", payments.get_refund),
            ("GET", "/v1/reporting/transactions", payments.transactions),
            ("POST", "/v1/notifications/verify-webhook-signature", self.verify_webhook),
        ]

    # ---- the wire ----

    def read(self, raw: bytes, query: str, content_type: str) -> tuple[dict[str, Any], Any]:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return parse_qs(query), {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        try:
            return parse_qs(query), json.loads(raw) if raw else None
        except ValueError:
            raise malformed("MALFORMED_REQUEST_JSON") from None

    def account(self, asked: Asked) -> str | None:
        return asked.parts.get("account")

    def lock(self, asked: Asked) -> str | None:
        key = _key(asked)
        return None if key is None else f"paypal/{asked.path}/{key}"

    def busy(self, asked: Asked) -> Answer:
        return error_answer(409, "PREVIOUS_REQUEST_IN_PROGRESS")

    def answer(self, asked: Asked, work: Work) -> Answer:
        """Let in whoever has a token, show again what was made under a known key, or do the work and keep it."""
        try:
            if asked.path == _TOKEN:
                return work(asked)
            asked.parts["account"] = self._client_of(asked)
            key = _key(asked)
            if key is not None and (known := self._known(asked, key)) is not None:
                return known
            answer = work(asked)
        except Refused as refused:
            return refused.answer
        if key is not None:
            self._keep(asked, key, answer)
        return answer

    def failure(self, asked: Asked, fault: Fault) -> Answer:
        if fault.kind is FaultKind.RATE_LIMIT:
            return error_answer(fault.status or 429, fault.code, Retry_After=str(fault.retry_after))
        if fault.kind is FaultKind.ERROR:
            return error_answer(fault.status or 500, fault.code)
        usual = "REFUND_NOT_ALLOWED" if asked.path.endswith("/refund") else "INSTRUMENT_DECLINED"
        return error_answer(fault.status or 422, fault.code or usual)

    def unknown(self, asked: Asked) -> Answer:
        return error_answer(404)

    # ---- tokens ----

    def token(self, asked: Asked) -> Answer:
        client = _basic(asked)
        if not isinstance(asked.body, dict) or asked.body.get("grant_type") != "client_credentials":
            raise Refused(Answer(400, {"error": "unsupported_grant_type", "error_description": "unsupported"}))
        text = f"A21AA{secrets.token_urlsafe(24)}"
        self._store.put(Token(id=text, client=client, expires=self._store.now() + TOKENS_LAST))
        body = {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": text,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": int(TOKENS_LAST.total_seconds()),
            "nonce": secrets.token_hex(8),
        }
        return Answer(200, body)

    def _client_of(self, asked: Asked) -> str:
        scheme, _, text = asked.headers.get("authorization", "").partition(" ")
        token = self._store.get(Token, text) if scheme.lower() == "bearer" else None
        if token is None or self._store.now() >= token.expires:
            raise not_authenticated("invalid_token", "Token signature verification failed")
        return token.client

    # ---- kept requests ----

    def _known(self, asked: Asked, key: str) -> Answer | None:
        kept = self._store.get(KeptRequest, key, _endpoint(asked))
        lasts = ORDER_KEYS_LAST if asked.path == "/v2/checkout/orders" else KEYS_LAST
        if kept is None or self._store.now() - kept.at >= lasts:
            return None
        if kept.parameters != _parameters(asked):
            return error_answer(400, "DUPLICATE_REQUEST_ID")
        if kept.made is None:
            return Answer(kept.status, {}, headers={"Paypal-Debug-Replayed": "true"})
        kind = asked.path.rsplit("/", 1)[1]
        show = {
            "orders": self._payments.get_order,
            "capture": self._payments.get_capture,
            "refund": self._payments.get_refund,
        }
        again = Asked("GET", asked.path, {}, None, {**asked.parts, "id": kept.made}, asked.headers)
        return Answer(200, show[kind](again).body)

    def _keep(self, asked: Asked, key: str, answer: Answer) -> None:
        if answer.changed:
            kept = KeptRequest(
                id=key,
                space=_endpoint(asked),
                at=self._store.now(),
                parameters=_parameters(asked),
                status=answer.status,
                made=answer.body.get("id"),
            )
            self._store.put(kept)

    # ---- webhooks ----

    def verify_webhook(self, asked: Asked) -> Answer:
        """Whether an event really comes from here (`webhook_signature`)."""
        body = asked.body if isinstance(asked.body, dict) else {}
        wanted = (
            "auth_algo",
            "cert_url",
            "transmission_id",
            "transmission_sig",
            "transmission_time",
            "webhook_id",
            "webhook_event",
        )
        for name in wanted:
            if not body.get(name):
                raise malformed("MISSING_REQUIRED_PARAMETER", f"/{name}")
        right = webhook_signature(
            body["transmission_id"], body["transmission_time"], body["webhook_id"], body["webhook_event"]
        )
        same = hmac.compare_digest(right, str(body["transmission_sig"]))
        return Answer(200, {"verification_status": "SUCCESS" if same else "FAILURE"})


def webhook_signature(transmission_id: str, time: str, webhook_id: str, event: Any) -> str:
    """What the sandbox signs an event with: over the four values that PayPal signs."""
    crc = zlib.crc32(json.dumps(event, sort_keys=True).encode())
    signed = f"{transmission_id}|{time}|{webhook_id}|{crc}"
    return base64.b64encode(hmac.new(b"sandbox", signed.encode(), hashlib.sha256).digest()).decode()


def _basic(asked: Asked) -> str:
    """The client's id. A live secret must never be taken here: whoever sends one has the wrong address."""
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client, secret = "", ""
    if scheme.lower() != "basic" or not client or "test" not in secret:
        raise not_authenticated("invalid_client", "Client Authentication failed")
    return client


def _key(asked: Asked) -> str | None:
    return asked.headers.get("paypal-request-id") if asked.method == "POST" else None


def _endpoint(asked: Asked) -> str:
    return f"{asked.parts['account']} {asked.path}"


def _parameters(asked: Asked) -> str:
    return json.dumps(asked.body, sort_keys=True)
