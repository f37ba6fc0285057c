"""Idempotency keys as Stripe documents them: what an exactly-once refund can and can't rely on (REF-6)."""

import asyncio
from decimal import Decimal

import httpx

from starter.sandbox import SandboxClient
from starter.sandbox.facts import PaymentSeed

FORM = {"payment_intent": "pi_buyer", "amount": "1000", "metadata[refund_id]": "RF-1"}
KEY = {"Idempotency-Key": "RF-1"}
DAY = 86_400


async def pay(sandbox: SandboxClient, method: str = "pm_card_visa") -> None:
    await sandbox.seed_payment(
        PaymentSeed(id="pi_buyer", amount=Decimal("50"), currency="USD", payment_method=method)
    )


async def test_REF_6_the_same_key_again_replays_the_answer(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    first = await gateway.post("/v1/refunds", data=FORM, headers=KEY)
    again = await gateway.post("/v1/refunds", data=FORM, headers=KEY)
    assert (again.status_code, again.json()) == (200, first.json())
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len((await sandbox.effects()).refunds) == 1
    asked = await sandbox.requests("gateway", "/v1/refunds")
    assert [(one.work_done, one.replayed, one.idempotency_key) for one in asked] == [
        (True, False, "RF-1"),
        (False, True, "RF-1"),
    ]


async def test_REF_6_a_key_used_for_something_else_is_an_error(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    await gateway.post("/v1/refunds", data=FORM, headers=KEY)
    other_amount = await gateway.post("/v1/refunds", data=FORM | {"amount": "999"}, headers=KEY)
    other_place = await gateway.post("/v1/payment_intents/pi_buyer/cancel", headers=KEY)
    for answer in (other_amount, other_place):
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "idempotency_error")
    elsewhere = await gateway.post("/v1/refunds", data=FORM, headers=KEY | {"Stripe-Account": "acct_2"})
    assert elsewhere.json()["error"]["code"] == "resource_missing"


async def test_REF_6_a_key_is_forgotten_after_24_hours_and_the_refund_would_happen_twice(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    first = (await gateway.post("/v1/refunds", data=FORM, headers=KEY)).json()
    await sandbox.advance_clock(DAY - 60)
    assert (await gateway.post("/v1/refunds", data=FORM, headers=KEY)).json()["id"] == first["id"]
    await sandbox.advance_clock(61)
    assert (await gateway.post("/v1/refunds", data=FORM, headers=KEY)).json()["id"] != first["id"]
    assert len((await sandbox.effects()).refunds) == 2


async def test_REF_6_a_key_in_use_is_a_conflict(gateway: httpx.AsyncClient, sandbox: SandboxClient) -> None:
    await pay(sandbox)
    await sandbox.add_fault("gateway", "delay", "POST /v1/refunds", seconds=0.3)
    answers = await asyncio.gather(*(gateway.post("/v1/refunds", data=FORM, headers=KEY) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len((await sandbox.effects()).refunds) == 1


async def test_REF_6_refusals_are_replayed_and_wrong_parameters_are_not(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    too_much = FORM | {"amount": "9000"}
    assert (await gateway.post("/v1/refunds", data=too_much, headers=KEY)).status_code == 400
    assert "Idempotent-Replayed" in (await gateway.post("/v1/refunds", data=too_much, headers=KEY)).headers

    other_key = {"Idempotency-Key": "RF-2"}
    assert (await gateway.post("/v1/refunds", data=FORM | {"amount": "x"}, headers=other_key)).status_code == 400
    assert (await gateway.post("/v1/refunds", data=FORM, headers=other_key)).status_code == 200


async def test_REF_6_a_decline_is_replayed_with_its_status(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    form = {"amount": "100", "currency": "usd", "payment_method": "pm_card_chargeDeclined", "confirm": "true"}
    first = await gateway.post("/v1/payment_intents", data=form, headers=KEY)
    again = await gateway.post("/v1/payment_intents", data=form, headers=KEY)
    assert (first.status_code, again.status_code) == (402, 402)
    assert again.json() == first.json()


async def test_REF_6_a_500_is_replayed_but_429_and_503_are_not(
    gateway: httpx.AsyncClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    await sandbox.add_fault("gateway", "rate_limit", retry_after=7)
    limited = await gateway.post("/v1/refunds", data=FORM, headers=KEY)
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert limited.json()["error"]["code"] == "rate_limit"
    await sandbox.add_fault("gateway", "error", status=503)
    assert (await gateway.post("/v1/refunds", data=FORM, headers=KEY)).status_code == 503
    await sandbox.add_fault("gateway", "error")
    assert (await gateway.post("/v1/refunds", data=FORM, headers=KEY)).status_code == 500
    replayed = await gateway.post("/v1/refunds", data=FORM, headers=KEY)
    assert (replayed.status_code, replayed.headers["Idempotent-Replayed"]) == (500, "true")
    assert (await sandbox.effects()).refunds == ()
