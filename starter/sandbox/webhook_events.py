"""What the sandbox's gateways say by themselves: an event for each new state of a refund, signed as each does."""

import hashlib
import hmac
import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from starter.sandbox import paypal_objects, stripe_objects
from starter.sandbox.authorize_net_books import Transaction
from starter.sandbox.facts import GatewayName, WebhookSeed
from starter.sandbox.paypal import webhook_signature
from starter.sandbox.paypal_objects import PayPalRefund
from starter.sandbox.store import Document
from starter.sandbox.stripe_objects import Refund

_OF_PAYPAL: Final = {"COMPLETED": "PAYMENT.CAPTURE.REFUNDED"}


class News(NamedTuple):
    """A refund in a state in which it was not before. `account`: whose."""

    gateway: GatewayName
    account: str
    refund_id: str
    status: str
    refund: Refund | PayPalRefund | Transaction


class GatewayEvent(NamedTuple):
    """An event as its gateway writes it."""

    id: str
    type: str
    body: str


def news_in(document: Document) -> News | None:
    """What may be new in a document that was written; none: no gateway says anything of it."""
    match document:
        case Refund():
            return News("stripe", document.space, document.id, document.status, document)
        case PayPalRefund():
            return News("paypal", document.space, document.id, document.status, document)
        case Transaction() if document.type == "refundTransaction" or document.status == "voided":
            return News("authorize_net", document.space, document.id, document.status, document)
    return None


def events_of(news: News, *, is_first: bool, base: str) -> list[GatewayEvent]:
    """`base`: where links point to."""
    match news.refund:
        case Refund() as refund:
            types = ["refund.created" if is_first else "refund.updated"]
            types += ["refund.failed"] if refund.status == "failed" else []
            return [_of_stripe(refund, type) for type in types]
        case PayPalRefund() as refund:
            return [_of_paypal(refund, f"{base}/paypal")]
        case transaction:
            return _of_authorize_net(transaction, is_first=is_first)


def signature_of(seed: WebhookSeed, body: str) -> dict[str, str]:
    """The headers that show who sends it, now."""
    match seed.gateway:
        case "stripe":
            now = int(time.time())
            signed = f"{now}.{body}".encode()
            each = (hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in seed.secrets)
            return {"Stripe-Signature": ",".join((f"t={now}", *(f"v1={one}" for one in each)))}
        case "paypal":
            sent, moment = f"t{secrets.token_hex(12)}", paypal_objects.moment(int(time.time()))
            signature = webhook_signature(sent, moment, seed.secrets[0], json.loads(body))
            return {
                "PAYPAL-AUTH-ALGO": "SHA256withRSA",
                "PAYPAL-CERT-URL": "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-sandbox",
                "PAYPAL-TRANSMISSION-ID": sent,
                "PAYPAL-TRANSMISSION-SIG": signature,
                "PAYPAL-TRANSMISSION-TIME": moment,
            }
    signature = hmac.new(seed.secrets[0].encode(), body.encode(), hashlib.sha512).hexdigest()
    return {"X-ANET-Signature": f"sha512={signature.upper()}"}


def _of_stripe(refund: Refund, type: str) -> GatewayEvent:
    event_id = stripe_objects.new_id("evt")
    said = {
        "id": event_id,
        "object": "event",
        "api_version": "2020-08-27",
        "created": int(time.time()),
        "data": {"object": stripe_objects.refund_json(refund)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": type,
        **({"account": refund.space} if refund.space else {}),
    }
    return GatewayEvent(event_id, type, json.dumps(said, indent=2))


def _of_paypal(refund: PayPalRefund, base: str) -> GatewayEvent:
    event_id, type = f"WH-{secrets.token_hex(9).upper()}", _OF_PAYPAL.get(refund.status)
    type = type or f"PAYMENT.REFUND.{refund.status}"
    said = {
        "id": event_id,
        "event_version": "1.0",
        "create_time": paypal_objects.moment(int(time.time())),
        "resource_type": "refund",
        "resource_version": "2.0",
        "event_type": type,
        "summary": f"A refund is {refund.status.lower()}",
        "resource": paypal_objects.refund_json(refund, base),
    }
    return GatewayEvent(event_id, type, json.dumps(said))


def _of_authorize_net(transaction: Transaction, *, is_first: bool) -> list[GatewayEvent]:
    """One when a refund is made, and when a transaction is voided; of its settlement nothing is said."""
    if transaction.status != "voided" and not is_first:
        return []
    kind = "void" if transaction.status == "voided" else "refund"
    event_id = secrets.token_hex(16)
    type = f"net.authorize.payment.{kind}.created"
    payload: dict[str, Any] = {
        "responseCode": 1,
        "authCode": "",
        "avsResponse": "P",
        "authAmount": float(transaction.amount),
        "invoiceNumber": transaction.invoice_number,
        "entityName": "transaction",
        "id": transaction.id,
    }
    said = {
        "notificationId": event_id,
        "eventType": type,
        "eventDate": datetime.now(UTC).isoformat(),
        "webhookId": "sandbox",
        "payload": payload,
    }
    return [GatewayEvent(event_id, type, json.dumps(said))]
