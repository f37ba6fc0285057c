"""Who said a webhook, and what it says: signatures on the raw body, and bodies of whatever kind (REF-7)."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from activities.connectors.authorize_net import webhooks as of_authorize_net
from activities.connectors.paypal import webhooks as of_paypal
from activities.connectors.stripe import webhooks as of_stripe
from activities.connectors.webhooks import NotSigned, Unreadable, Webhook
from models.webhooks import RefundWord, WebhookEvent

NOW = 1_700_000_000
SECRET = "whsec_first"
NEXT = "whsec_second"
BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "refund.failed",
        "data": {
            "object": {
                "id": "re_1",
                "object": "refund",
                "status": "failed",
                "failure_reason": "expired_or_canceled_card",
                "metadata": {"backhaul_id": "RF-RR-1-B1"},
            }
        },
    }
).encode()


def signature(secret: str, body: bytes = BODY, at: int = NOW) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def by_stripe(header: str, body: bytes = BODY) -> Webhook:
    return Webhook({"stripe-signature": header}, body)


# ---- Stripe ----


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (f"t={NOW},v1={signature(SECRET)}", [SECRET]),
        (f"t={NOW},v1={signature(SECRET)},v0=abc", [SECRET]),
        (f"t={NOW}, v1={signature(NEXT)}, v1={signature(SECRET)}", [SECRET]),
        (f"t={NOW},v1={signature(NEXT)}", [SECRET, NEXT]),
        (f"t={NOW - 300},v1={signature(SECRET, at=NOW - 300)}", [SECRET]),
        (f"t={NOW + 300},v1={signature(SECRET, at=NOW + 300)}", [SECRET]),
    ],
    ids=["plain", "other schemes", "Stripe has two", "we have two", "5 minutes ago", "clocks differ"],
)
def test_REF_7_stripe_signed_it(header: str, secrets: list[str]) -> None:
    of_stripe.verify(by_stripe(header), secrets, NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        f"v1={signature(SECRET)}",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t={NOW},v1=é",
        f"t={NOW},v0={signature(SECRET)}",
        f"t={NOW},v1={signature(NEXT)}",
        f"t={NOW},v1={signature(SECRET, BODY + b' ')}",
        f"t={NOW + 1},v1={signature(SECRET)}",
        f"t={NOW},t={NOW},v1={signature(SECRET)}",
        f"t=-{NOW},v1={signature(SECRET)}",
        f"t={'9' * 5000},v1={signature(SECRET)}",
        f"t=²,v1={signature(SECRET)}",
        f"t={NOW - 301},v1={signature(SECRET, at=NOW - 301)}",
        f"t={NOW + 301},v1={signature(SECRET, at=NOW + 301)}",
        "," * 10_000,
        f"t={NOW}" + ",v1=0" * 5_000,
    ],
)
def test_REF_7_stripe_did_not_sign_it(header: str) -> None:
    with pytest.raises(NotSigned):
        of_stripe.verify(by_stripe(header), [SECRET], NOW)


@pytest.mark.parametrize("at", [NOW, NOW - 299, NOW - 301])
@pytest.mark.parametrize("secret", [SECRET, NEXT])
@pytest.mark.parametrize("body", [BODY, BODY + b" ", b"", b"{}", "ü".encode()])
def test_REF_7_stripes_own_library_says_the_same(
    at: int, secret: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = f"t={at},v1={signature(secret, BODY, at)}"
    monkeypatch.setattr("time.time", lambda: float(NOW))

    def allowed(check: Callable[[], Any]) -> bool:
        try:
            check()
        except (NotSigned, stripe.SignatureVerificationError):
            return False
        return True

    theirs = allowed(lambda: stripe.WebhookSignature.verify_header(body.decode(), header, SECRET, 300))
    assert allowed(lambda: of_stripe.verify(by_stripe(header, body), [SECRET], NOW)) is theirs


@pytest.mark.parametrize("secrets", [[], [""], [SECRET, ""]])
def test_an_empty_secret_verifies_nothing(secrets: list[str]) -> None:
    for module in (of_stripe, of_authorize_net):
        with pytest.raises(ValueError, match="secret"):
            module.verify(by_stripe(f"t={NOW},v1={signature('')}"), secrets, NOW)


def stripes(type: str, **refund: Any) -> Webhook:
    said = {"id": "evt_1", "type": type, "data": {"object": {"id": "re_1", "object": "refund", **refund}}}
    return Webhook({}, json.dumps(said).encode())


@pytest.mark.parametrize("type", ["refund.created", "refund.updated", "refund.failed", "charge.refund.updated"])
@pytest.mark.parametrize(
    ("status", "claimed", "reason"),
    [
        ("succeeded", "succeeded", None),
        ("failed", "failed", "failed"),
        ("canceled", "failed", "canceled"),
        ("pending", "pending", None),
        ("requires_action", "pending", None),
        (None, "pending", None),
        ("what will come", "pending", None),
    ],
)
def test_REF_7_what_stripe_says_of_a_refund(
    type: str, status: str | None, claimed: Any, reason: str | None
) -> None:
    word = RefundWord(gateway_refund_id="re_1", status=claimed, reason=reason, our_id=None)
    assert of_stripe.read(stripes(type, status=status)).refund == word


def test_REF_7_stripe_tells_our_id_and_its_reason() -> None:
    read = of_stripe.read(Webhook({}, BODY))
    word = RefundWord(
        gateway_refund_id="re_1", status="failed", reason="expired_or_canceled_card", our_id="RF-RR-1-B1"
    )
    assert read == WebhookEvent(event_id="evt_1", type="refund.failed", refund=word)


def test_what_nobody_listens_to_is_read_by_its_id_and_type_alone() -> None:
    read = of_stripe.read(Webhook({}, b'{"id": "evt_2", "type": "payout.paid", "data": {"object": {"id": 1}}}'))
    assert read == WebhookEvent(event_id="evt_2", type="payout.paid")


# ---- Authorize.Net ----

KEY = "A1" * 64


def net(event: str = of_authorize_net.REFUNDED, **payload: Any) -> Webhook:
    payload = {"entityName": "transaction", "id": "60020981676", "responseCode": 1, "authAmount": 45.00, **payload}
    said = {"notificationId": "d0e8", "eventType": event, "webhookId": "w1", "payload": payload}
    return Webhook({}, json.dumps(said).encode())


def net_signature(key: str, body: bytes) -> str:
    return hmac.new(key.encode(), body, hashlib.sha512).hexdigest()


def test_REF_7_authorize_net_signed_it_with_one_of_the_keys() -> None:
    body = net().body
    for signature in (net_signature(KEY, body).upper(), net_signature(KEY, body)):
        of_authorize_net.verify(Webhook({"x-anet-signature": f"sha512={signature}"}, body), ["other", KEY], NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "sha512=",
        "sha512",
        net_signature(KEY, net().body),
        f"sha1={net_signature(KEY, net().body)}",
        f"sha512={net_signature('other', net().body)}",
        f"sha512={net_signature(KEY, b'')}",
        "sha512=é",
    ],
)
def test_REF_7_authorize_net_did_not_sign_it(header: str) -> None:
    with pytest.raises(NotSigned):
        of_authorize_net.verify(Webhook({"x-anet-signature": header}, net().body), [KEY], NOW)


def test_REF_7_what_authorize_net_says_of_a_refund() -> None:
    refunded = RefundWord(gateway_refund_id="60020981676", status="pending", our_id="RF-1")
    assert of_authorize_net.read(net(invoiceNumber="RF-1")).refund == refunded
    declined = of_authorize_net.read(net(responseCode=2)).refund
    assert declined == RefundWord(gateway_refund_id="60020981676", status="failed", reason="response_code_2")
    voided = of_authorize_net.read(net(of_authorize_net.VOIDED, invoiceNumber="CH-1")).refund
    assert voided == RefundWord(gateway_refund_id="60020981676", status="succeeded", only_if_known=True)
    assert of_authorize_net.read(net("net.authorize.payment.authcapture.created")).refund is None


# ---- PayPal ----

SIGNED = {
    "paypal-auth-algo": "SHA256withRSA",
    "paypal-cert-url": "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270",
    "paypal-transmission-id": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
    "paypal-transmission-sig": "lmI95Jx3Y9nhR5SJWlHVIWpg4AgFk7n9bCHSRxbrd8A9zrhdu2rMyFrmz==",
    "paypal-transmission-time": "2016-02-18T20:01:35Z",
}
EVENT = b'{"id":"WH-1", "event_type":"PAYMENT.CAPTURE.REFUNDED",\n "resource":{"total":10.00,"name":"\\u00fc"}}'


def test_REF_7_paypal_is_asked_about_the_event_as_it_came() -> None:
    question = of_paypal.question_about(Webhook(SIGNED, EVENT), "1JE4291016473214C")
    assert question.endswith(b'"webhook_event": ' + EVENT + b"}")
    asked = json.loads(question)
    assert asked["webhook_event"] == json.loads(EVENT)
    assert asked["webhook_id"] == "1JE4291016473214C"
    assert {name: asked[name] for name in of_paypal._SIGNED} == {
        name: SIGNED[header] for name, (header, _) in of_paypal._SIGNED.items()
    }


@pytest.mark.parametrize("header", SIGNED)
@pytest.mark.parametrize("value", ["", "ü", "a b\n", "7" * 501])
def test_REF_7_without_paypals_headers_paypal_is_not_asked(header: str, value: str) -> None:
    with pytest.raises(NotSigned):
        of_paypal.question_about(Webhook({**SIGNED, header: value}, EVENT), "1JE4291016473214C")


def test_REF_7_a_header_adds_nothing_to_what_paypal_is_asked() -> None:
    forged = {**SIGNED, "paypal-transmission-sig": 'x","webhook_id":"forged'}
    question = of_paypal.question_about(Webhook(forged, EVENT), "1JE4291016473214C")
    assert json.loads(question)["webhook_id"] == "1JE4291016473214C"


@pytest.mark.parametrize("body", [b'{"id":"W"}, "webhook_id": "X', b'{} {"webhook_id":"X"}', b'{"a":NaN}', b"[]"])
def test_REF_7_a_body_adds_nothing_to_what_paypal_is_asked(body: bytes) -> None:
    with pytest.raises(Unreadable):
        of_paypal.question_about(Webhook(SIGNED, body), "1JE4291016473214C")


@pytest.mark.parametrize(
    ("status", "claimed", "reason"),
    [
        ("COMPLETED", "succeeded", None),
        ("PENDING", "pending", None),
        ("FAILED", "failed", "failed"),
        ("CANCELLED", "failed", "cancelled"),
    ],
)
def test_REF_7_what_paypal_says_of_a_refund(status: str, claimed: Any, reason: str | None) -> None:
    resource = {"id": "1JU08902781691411", "status": status, "invoice_id": "RF-1"}
    said = {"id": "W", "event_type": "PAYMENT.CAPTURE.REFUNDED", "resource_type": "refund", "resource": resource}
    word = RefundWord(gateway_refund_id="1JU08902781691411", status=claimed, reason=reason, our_id="RF-1")
    assert of_paypal.read(Webhook({}, json.dumps(said).encode())).refund == word


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_other_events_of_paypal_are_read_by_id_and_type_alone(kind: str) -> None:
    said = {"id": "WH-2", "event_type": "PAYMENT.SALE.REFUNDED", "resource_type": kind, "resource": {"state": "x"}}
    assert of_paypal.read(Webhook({}, json.dumps(said).encode())).refund is None


# ---- hostile bodies ----

HOSTILE = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"1e999",
    b"{",
    b"\xff\xfe{}",
    b'{"id": "\xff"}',
    b"[" * 200_000,
    b'{"a":' * 50_000,
    b'{"id": ' + b"9" * 100_000 + b"}",
    b"{}",
    b'{"id": 1, "type": "refund.failed", "data": {"object": {}}}',
    b'{"id": "e", "type": "refund.failed", "data": {"object": {"id": "re", "object": "refund", "status": {}}}}',
    b'{"id": "' + b"e" * 999 + b'", "type": "refund.failed", "data": {"object": {"id": "r", "object": "refund"}}}',
    b'{"id": "e\\u0000", "type": "refund.failed", "data": {"object": {"id": "r", "object": "refund"}}}',
    b'{"id": "e", "type": "refund.failed", "data": {"object": {"id": "r\\nX", "object": "refund"}}}',
    b'{"id": "\\ud800", "type": "x", "data": {"object": {}}}',
    b'{"notificationId": "n", "eventType": "net.authorize.payment.refund.created", "payload": []}',
    b'{"notificationId": "n", "eventType": "net.authorize.payment.refund.created", "payload": {"id": 7}}',
    b'{"id": "W", "event_type": "E", "resource_type": "refund", "resource": {"status": "COMPLETED"}}',
]


@pytest.mark.parametrize("module", [of_stripe, of_authorize_net, of_paypal])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_REF_7_a_body_of_any_kind_is_refused_in_words(module: Any, body: bytes) -> None:
    with pytest.raises(Unreadable) as wrong:
        module.read(Webhook({}, body))
    assert len(str(wrong.value)) < 300
