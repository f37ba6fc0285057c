"""PayPal's webhooks. PayPal signs with a key of its own, and says itself whether it signed an event: it is asked
with the event as it came, byte for byte (`POST /v1/notifications/verify-webhook-signature`)."""

import json
import re
from typing import Any, Final, Literal

from pydantic import Field

from activities.connectors.access import Access
from activities.connectors.http import WireModel
from activities.connectors.paypal.client import PayPal, StatusDetails
from activities.connectors.webhooks import NotSigned, Webhook, event, read_as, read_object
from models.webhooks import WebhookEvent

VERIFY: Final = "/v1/notifications/verify-webhook-signature"

_STATES: Final = {"COMPLETED": "succeeded", "FAILED": "failed", "CANCELLED": "failed"}

_SIGNED: Final = {
    "auth_algo": ("paypal-auth-algo", re.compile(r"[a-zA-Z0-9]{1,100}")),
    "cert_url": ("paypal-cert-url", re.compile(r"https?://[!-~]{1,490}")),
    "transmission_id": ("paypal-transmission-id", re.compile(r"(?!\d+$)\w\S{1,49}", re.ASCII)),
    "transmission_sig": ("paypal-transmission-sig", re.compile(r"(?!\d+$)\w\S{1,499}", re.ASCII)),
    "transmission_time": ("paypal-transmission-time", re.compile(r"[0-9TZtz:.+-]{10,100}")),
}
"""What the question consists of: the header that has it, and the form that PayPal's description asks for."""


class _Verified(WireModel):
    verification_status: Literal["SUCCESS", "FAILURE"]


class _Refund(WireModel):
    id: str = Field(min_length=1)
    status: str
    status_details: StatusDetails | None = None
    invoice_id: str | None = None


class _Event(WireModel):
    id: str
    event_type: str
    resource_type: str | None = None
    resource: dict[str, Any] = Field(default_factory=dict)


class PayPalWebhooks:
    """Asks PayPal about webhooks of one connection. Raises InvalidInput without a client id or a webhook id."""

    def __init__(self, access: Access) -> None:
        self._webhook_id = access.required("webhook_id", "the id of the webhook at PayPal")
        self._paypal = PayPal(access)

    async def verify(self, webhook: Webhook) -> None:
        """Raises NotSigned, Unreadable for what is no JSON, and as in `activities.connectors.http`."""
        question = question_about(webhook, self._webhook_id)
        what = "verify a webhook"
        answer = await self._paypal.post_as_is(what, VERIFY, question)
        if self._paypal.partner.read(what, answer, _Verified).verification_status != "SUCCESS":
            raise NotSigned("PayPal did not sign it for this webhook")


def question_about(webhook: Webhook, webhook_id: str) -> bytes:
    """The event stands in it as it came: written anew it might be another text, which PayPal did not sign.

    Raises NotSigned where a header is missing, Unreadable for what is no JSON object.
    """
    signed = {}
    for name, (header, form) in _SIGNED.items():
        value = webhook.header(header)
        if not form.fullmatch(value):
            raise NotSigned(f"{header} is none of PayPal's")
        signed[name] = value
    read_object(webhook.body)
    head = json.dumps({**signed, "webhook_id": webhook_id})
    return head.removesuffix("}").encode() + b', "webhook_event": ' + webhook.body + b"}"


def read(webhook: Webhook) -> WebhookEvent:
    """Whatever happened to a refund, its `resource` is the refund as it is then. Raises Unreadable."""
    said = read_as(_Event, read_object(webhook.body))
    # What has a `state` instead is a refund of the old interface, which is none of ours.
    if said.resource_type != "refund" or "status" not in said.resource:
        return event(said.id, said.event_type)
    refund = read_as(_Refund, said.resource)
    status = _STATES.get(refund.status, "pending")
    why = refund.status_details.reason if refund.status_details is not None else None
    word = {
        "gateway_refund_id": refund.id,
        "status": status,
        "reason": (why or refund.status.lower()) if status == "failed" else None,
        "our_id": refund.invoice_id,
    }
    return event(said.id, said.event_type, word)
