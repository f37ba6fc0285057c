"""Stripe's webhooks: `Stripe-Signature: t=<unix>,v1=<hex>[,v1=<hex>]`, an HMAC-SHA256 of `t.body` under the
secret of the endpoint. While a secret is rotated there is a `v1` for each."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from activities.connectors.http import WireModel
from activities.connectors.stripe.client import OUR_ID
from activities.connectors.webhooks import NotSigned, Webhook, event, read_as, read_object, require_secrets
from models.webhooks import WebhookEvent

TOLERANCE: Final = 300
"""Seconds that the time of signing may be off, so that nobody repeats tomorrow what was heard today."""
MOST_SIGNATURES: Final = 20
"""So many are compared; Stripe sends as many as there are secrets."""

ABOUT_REFUNDS: Final = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_TIME: Final = re.compile(r"[0-9]{1,12}")
_STATES: Final = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}


class _Refund(WireModel):
    id: str = Field(min_length=1)
    object: str
    status: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] | None = None


class _Data(WireModel):
    object: dict[str, Any]


class _Event(WireModel):
    id: str
    type: str
    data: _Data


def verify(webhook: Webhook, secrets: Sequence[str], now: float) -> None:
    """`now` in seconds since 1970. Raises NotSigned unless one of the signatures is of one of the secrets."""
    require_secrets(secrets)
    said = [part.strip().partition("=") for part in webhook.header("stripe-signature").split(",")]
    times = [value for name, _, value in said if name == "t"]
    signatures = [value for name, _, value in said if name == "v1"][:MOST_SIGNATURES]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not signatures:
        raise NotSigned("stripe-signature has not one time and a v1 signature")
    signed = times[0].encode() + b"." + webhook.body
    right = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    # Each is compared with each, so that the time taken tells nothing.
    same = [hmac.compare_digest(one.encode(), other.encode()) for one in right for other in signatures]
    if not any(same):
        raise NotSigned("the signature is of another secret, or of another body")
    if abs(now - int(times[0])) > TOLERANCE:
        raise NotSigned("it was signed at another time: an old one, or this machine's clock is wrong")


def read(webhook: Webhook) -> WebhookEvent:
    """Raises Unreadable."""
    said = read_as(_Event, read_object(webhook.body))
    if said.type not in ABOUT_REFUNDS:
        return event(said.id, said.type)
    refund = read_as(_Refund, said.data.object)
    status = _STATES.get(refund.status or "", "pending")
    word = {
        "gateway_refund_id": refund.id,
        "status": status,
        "reason": (refund.failure_reason or refund.status) if status == "failed" else None,
        "our_id": (refund.metadata or {}).get(OUR_ID),
    }
    return event(said.id, said.type, word)
