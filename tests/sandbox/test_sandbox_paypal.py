"""The sandbox's PayPal, judged by a client of another's making: PayPal's own (`paypal-server-sdk`)."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient

from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed
from starter.sandbox.paypal import webhook_signature

DAY = 86_400
TEN = {"currency_code": "USD", "value": "10.00"}
BUYERS = "8MC585209K746392H"
"""A buyer's payment of 50.00 USD."""


def client() -> PaypalServersdkClient:
    """With a token of its own."""
    who = ClientCredentialsAuthCredentials("acme", "test-secret")
    return PaypalServersdkClient(environment=Environment.SANDBOX, client_credentials_auth_credentials=who)


@pytest.fixture
async def paypal(
    running: RunningSandbox, sandbox: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> PaypalServersdkClient:
    addresses = {Environment.SANDBOX: {Server.DEFAULT: running.paypal_url}}
    monkeypatch.setattr(Configuration, "environments", addresses)
    await sandbox.seed_payment(PaymentSeed(gateway="paypal", id=BUYERS, amount=Decimal(50), currency="USD"))
    return client()


async def told(call: Callable[[dict[str, Any]], Any], **options: Any) -> Any:
    """What the client makes of the answer."""
    return (await asyncio.to_thread(call, options)).body


async def issue(call: Callable[[dict[str, Any]], Any], **options: Any) -> str:
    """Of the no that the client raises."""
    with pytest.raises(ErrorException) as raised:
        await asyncio.to_thread(call, options)
    return str(raised.value.details[0].issue)


def order(value: str = "10.00", currency: str = "USD", vault_id: str = "vault_good") -> dict[str, Any]:
    unit = {"amount": {"currency_code": currency, "value": value}, "invoice_id": "CH-1", "custom_id": "1001"}
    return {
        "intent": "AUTHORIZE",
        "purchase_units": [unit],
        "payment_source": {"paypal": {"vault_id": vault_id}},
    }


async def authorized(paypal: PaypalServersdkClient, key: str = "CH-1", **how: str) -> Any:
    made = await told(
        paypal.orders.create_order, body=order(**how), paypal_request_id=key, prefer="return=representation"
    )
    return made.purchase_units[0].payments.authorizations[0]


async def test_a_vaulted_payer_is_authorized_captured_and_refunded(paypal: PaypalServersdkClient) -> None:
    one = await authorized(paypal)
    assert (one.status, one.amount.value, one.invoice_id) == ("CREATED", "10.00", "CH-1")
    body = {"amount": {"currency_code": "USD", "value": "8.00"}, "final_capture": True}
    capture = await told(
        paypal.payments.capture_authorized_payment, authorization_id=one.id, body=body, paypal_request_id="C"
    )
    assert (capture.status, capture.amount.value) == ("COMPLETED", "8.00")
    shown = await told(paypal.payments.get_authorized_payment, authorization_id=one.id)
    assert shown.status == "CAPTURED"
    refund = await told(
        paypal.payments.refund_captured_payment, capture_id=capture.id, body={}, paypal_request_id="R"
    )
    assert (refund.status, refund.amount.value) == ("COMPLETED", "8.00"), "an empty body: all that is left"
    now = await told(paypal.payments.get_captured_payment, capture_id=capture.id)
    assert now.status == "REFUNDED"


async def test_an_authorization_is_voided_once(paypal: PaypalServersdkClient) -> None:
    one = await authorized(paypal)
    void = paypal.payments.void_payment
    assert await told(void, authorization_id=one.id) is None
    assert await issue(void, authorization_id=one.id) == "PREVIOUSLY_VOIDED"
    capture = paypal.payments.capture_authorized_payment
    assert await issue(capture, authorization_id=one.id, body={}) == "AUTHORIZATION_VOIDED"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"vault_id": "vault_declined"}, "INSTRUMENT_DECLINED"),
        ({"vault_id": "vault_closed"}, "PAYER_ACCOUNT_LOCKED_OR_CLOSED"),
        ({"value": "10.001"}, "DECIMAL_PRECISION"),
        ({"currency": "JPY"}, "DECIMALS_NOT_SUPPORTED"),
        ({"currency": "KWD"}, "CURRENCY_NOT_SUPPORTED"),
    ],
)
async def test_what_can_not_be_charged_is_told_as_an_issue(
    paypal: PaypalServersdkClient, how: dict[str, str], said: str
) -> None:
    assert await issue(paypal.orders.create_order, body=order(**how), paypal_request_id="CH-1") == said


async def test_a_request_is_done_once_for_45_days_and_shown_as_it_is_now(
    paypal: PaypalServersdkClient, sandbox: SandboxClient
) -> None:
    refund = paypal.payments.refund_captured_payment
    ask = {"capture_id": BUYERS, "body": {"amount": TEN, "invoice_id": "RF-1"}, "paypal_request_id": "RF-1"}
    first = await told(refund, **ask)
    await sandbox.settle_refund(first.id, "failed")
    again = await told(refund, **ask)
    assert (again.id, again.status) == (first.id, "FAILED")
    await sandbox.advance_clock(46 * DAY)
    assert await issue(client().payments.refund_captured_payment, **ask) == "DUPLICATE_INVOICE_ID"


async def test_refunds_are_refused_as_paypal_refuses_them(
    paypal: PaypalServersdkClient, sandbox: SandboxClient
) -> None:
    refund = paypal.payments.refund_captured_payment
    ten = {"capture_id": BUYERS, "body": {"amount": TEN}}
    too_much = {"amount": {"currency_code": "USD", "value": "50.01"}}
    euros = {"amount": {"currency_code": "EUR", "value": "10.00"}}
    assert await issue(refund, capture_id=BUYERS, body=too_much) == "REFUND_AMOUNT_EXCEEDED"
    assert await issue(refund, capture_id=BUYERS, body=euros) == "REFUND_CAPTURE_CURRENCY_MISMATCH"
    await sandbox.dispute(BUYERS)
    assert await issue(refund, **ten) == "TRANSACTION_DISPUTED"
    await sandbox.dispute(BUYERS, "chargeback")
    assert await issue(refund, **ten) == "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK"
    await sandbox.dispute(BUYERS, "closed")
    await sandbox.fund(BUYERS, enough=False)
    assert await issue(refund, **ten) == "REFUND_FAILED_INSUFFICIENT_FUNDS"
    await sandbox.fund(BUYERS, enough=True)
    assert (await told(refund, capture_id=BUYERS, body={})).amount.value == "50.00"
    assert await issue(refund, **ten) == "CAPTURE_FULLY_REFUNDED"


async def test_a_refund_after_180_days_is_too_late(paypal: PaypalServersdkClient, sandbox: SandboxClient) -> None:
    await sandbox.advance_clock(181 * DAY)
    assert await issue(paypal.payments.refund_captured_payment, capture_id=BUYERS) == "REFUND_TIME_LIMIT_EXCEEDED"


async def test_a_refund_to_a_bank_account_is_pending_and_may_fail(
    paypal: PaypalServersdkClient, sandbox: SandboxClient
) -> None:
    seed = PaymentSeed(gateway="paypal", id="ECHECK1", amount=Decimal(50), currency="USD", payment_method="echeck")
    await sandbox.seed_payment(seed)
    made = await told(
        paypal.payments.refund_captured_payment, capture_id="ECHECK1", prefer="return=representation"
    )
    assert (made.status, made.status_details.reason) == ("PENDING", "ECHECK")
    await sandbox.settle_refund(made.id, "failed")
    assert (await told(paypal.payments.get_refund, refund_id=made.id)).status == "FAILED"


async def test_a_transaction_is_found_by_a_search_after_three_hours(
    paypal: PaypalServersdkClient, sandbox: SandboxClient
) -> None:
    one = await authorized(paypal)
    now = (await sandbox.advance_clock(60)).now
    search = paypal.transaction_search.search_transactions
    since = now.replace(microsecond=0).isoformat()

    async def ids(until: str) -> list[str]:
        found = await told(
            search,
            start_date=now.replace(hour=0, minute=0, second=0, microsecond=0).isoformat(),
            end_date=until,
            transaction_type="T1300",
        )
        return [each.transaction_info.transaction_id for each in found.transaction_details or []]

    assert await ids(since) == []
    later = (await sandbox.advance_clock(4 * 3600)).now.replace(microsecond=0).isoformat()
    assert await ids(later) == [one.id]


async def test_whoever_has_no_token_is_not_let_in(running: RunningSandbox, sandbox: SandboxClient) -> None:
    async with httpx.AsyncClient(base_url=running.paypal_url) as http:
        asked = await http.get(f"/v2/payments/captures/{BUYERS}", headers={"Authorization": "Bearer old"})
        assert (asked.status_code, asked.json()["error"]) == (401, "invalid_token")
        form = {"grant_type": "client_credentials"}
        refused = await http.post("/v1/oauth2/token", auth=("acme", "live-secret"), data=form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        taken = await http.post("/v1/oauth2/token", auth=("acme", "test-secret"), data=form)
        assert taken.json()["expires_in"] == 9 * 3600


async def test_a_webhook_is_verified_by_its_signature(running: RunningSandbox, sandbox: SandboxClient) -> None:
    event = {"id": "WH-1", "event_type": "PAYMENT.CAPTURE.REFUNDED"}
    signature = webhook_signature("69cd13f0", "2026-03-02T12:00:00Z", "HOOK", event)
    body = {
        "auth_algo": "SHA256withRSA",
        "cert_url": "https://api.paypal.com/cert.pem",
        "transmission_id": "69cd13f0",
        "transmission_sig": signature,
        "transmission_time": "2026-03-02T12:00:00Z",
        "webhook_id": "HOOK",
        "webhook_event": event,
    }
    async with httpx.AsyncClient(base_url=running.paypal_url) as http:
        form = {"grant_type": "client_credentials"}
        token = (await http.post("/v1/oauth2/token", auth=("a", "test"), data=form)).json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        path = "/v1/notifications/verify-webhook-signature"
        assert (await http.post(path, json=body)).json() == {"verification_status": "SUCCESS"}
        forged = {**body, "webhook_event": {**event, "id": "WH-2"}}
        assert (await http.post(path, json=forged)).json() == {"verification_status": "FAILURE"}
