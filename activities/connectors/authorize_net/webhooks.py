"""Authorize.Net's webhooks: `X-ANET-Signature: sha512=<HEX>`, an HMAC-SHA512 of the body under the text of the
signature key. They carry no time that is signed: a repeated one is known by its notification id."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from activities.connectors.http import WireModel
from activities.connectors.webhooks import NotSigned, Webhook, event, read_as, read_object, require_secrets
from models.webhooks import WebhookEvent

REFUNDED: Final = "net.authorize.payment.refund.created"
VOIDED: Final = "net.authorize.payment.void.created"
"""A payment that is not settled is refunded by voiding it; and so is a charge of the broker given free."""

_APPROVED: Final = 1
_HELD: Final = 4


class _Transaction(WireModel):
    id: str = Field(min_length=1)
    responseCode: int = _APPROVED
    invoiceNumber: str | None = None


class _Notification(WireModel):
    notificationId: str
    eventType: str
    payload: dict[str, Any] = Field(default_factory=dict)


def verify(webhook: Webhook, secrets: Sequence[str], now: float) -> None:
    """`now` is not needed: nothing that is signed says when. Raises NotSigned unless it is of one of the keys."""
    require_secrets(secrets)
    kind, _, signature = webhook.header("x-anet-signature").strip().partition("=")
    if kind.lower() != "sha512":
        raise NotSigned("x-anet-signature is no sha512 signature")
    said = signature.upper().encode()
    right = [hmac.new(secret.encode(), webhook.body, hashlib.sha512).hexdigest().upper() for secret in secrets]
    same = [hmac.compare_digest(one.encode(), said) for one in right]
    if not any(same):
        raise NotSigned("the signature is of another key, or of another body")


def read(webhook: Webhook) -> WebhookEvent:
    """Raises Unreadable."""
    said = read_as(_Notification, read_object(webhook.body))
    if said.eventType not in (REFUNDED, VOIDED):
        return event(said.notificationId, said.eventType)
    one = read_as(_Transaction, said.payload)
    is_void = said.eventType == VOIDED
    taken = one.responseCode in (_APPROVED, _HELD)
    word = {
        "gateway_refund_id": one.id,
        # A refund is moved by the settlement of the night, a void at once.
        "status": "failed" if not taken else "succeeded" if is_void else "pending",
        "reason": None if taken else f"response_code_{one.responseCode}",
        # A void is found by its transaction: its invoice number is the payment's.
        "our_id": None if is_void else one.invoiceNumber,
        "only_if_known": is_void,
    }
    return event(said.notificationId, said.eventType, word)
