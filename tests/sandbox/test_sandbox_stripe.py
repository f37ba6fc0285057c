"""The sandbox's gateway, judged by Stripe's own client: charges, refunds, pages, errors and keys (REF-6)."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import stripe

from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed

DAY = 86_400


@pytest.fixture
def client(running: RunningSandbox, sandbox: SandboxClient) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_sandbox", base_addresses={"api": running.gateway_url}, max_network_retries=0
    )


async def told(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Stripe's client waits for its answer, and the sandbox is in this process."""
    return await asyncio.to_thread(call, *args, **options)


async def pay(sandbox: SandboxClient, amount: str = "50.00", **more: Any) -> None:
    await sandbox.seed_payment(PaymentSeed(id="pi_buyer", amount=Decimal(amount), currency="USD", **more))


def charge(method: str = "pm_card_visa") -> dict[str, Any]:
    return {
        "amount": 10_050,
        "currency": "usd",
        "payment_method": method,
        "customer": "cus_seller",
        "capture_method": "manual",
        "confirm": True,
        "metadata": {"charge_id": "CH-1"},
    }


async def test_ORD_3_a_charge_is_authorized_captured_in_part_and_found(client: stripe.StripeClient) -> None:
    intents = client.v1.payment_intents
    made = await told(intents.create, charge())
    assert (made.status, made.amount_capturable, made.metadata["charge_id"]) == (
        "requires_capture",
        10_050,
        "CH-1",
    )
    taken = await told(intents.capture, made.id, {"amount_to_capture": 7_000})
    assert (taken.status, taken.amount_received) == ("succeeded", 7_000)
    seen = await told(intents.retrieve, made.id)
    assert (seen.id, seen.amount_received) == (made.id, 7_000)
    of_charge = await told(client.v1.charges.retrieve, taken.latest_charge)
    assert (of_charge.captured, of_charge.amount_captured) == (True, 7_000)


async def test_CAN_1_an_authorization_is_cancelled_once(client: stripe.StripeClient) -> None:
    made = await told(client.v1.payment_intents.create, charge())
    assert (await told(client.v1.payment_intents.cancel, made.id)).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as again:
        await told(client.v1.payment_intents.capture, made.id)
    assert again.value.code == "payment_intent_unexpected_state"


async def test_ORD_3_a_decline_is_a_card_error(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await told(client.v1.payment_intents.create, charge("pm_card_chargeDeclinedInsufficientFunds"))
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert declined.value.error is not None
    assert declined.value.error.decline_code == "insufficient_funds"


async def test_REF_3_refunds_are_paged_through_and_refused_at_the_end(
    client: stripe.StripeClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    made = [
        await told(client.v1.refunds.create, {"payment_intent": "pi_buyer", "amount": 1_000}) for _ in range(5)
    ]
    assert len({one.id for one in made}) == 5

    def pages() -> list[str]:
        listed = client.v1.refunds.list({"payment_intent": "pi_buyer", "limit": 2})
        return [one.id for one in listed.auto_paging_iter()]

    assert await told(pages) == [one.id for one in reversed(made)]
    with pytest.raises(stripe.InvalidRequestError) as none_left:
        await told(client.v1.refunds.create, {"payment_intent": "pi_buyer", "amount": 1})
    assert none_left.value.code == "charge_already_refunded"


async def test_REF_6_one_key_is_one_refund_for_a_day_and_another_request_under_it_is_refused(
    client: stripe.StripeClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox)
    ask: dict[str, Any] = {"payment_intent": "pi_buyer", "amount": 1_000}
    key: stripe.RequestOptions = {"idempotency_key": "RF-1"}
    first = await told(client.v1.refunds.create, ask, key)
    assert (await told(client.v1.refunds.create, ask, key)).id == first.id
    with pytest.raises(stripe.IdempotencyError):
        await told(client.v1.refunds.create, ask | {"amount": 1_001}, key)
    await sandbox.advance_clock(2 * DAY)
    assert (await told(client.v1.refunds.create, ask, key)).id != first.id, "it is forgotten after a day"


async def test_REF_7_a_pending_refund_fails_with_its_reason(
    client: stripe.StripeClient, sandbox: SandboxClient
) -> None:
    await pay(sandbox, payment_method="pm_card_pendingRefund")
    made = await told(client.v1.refunds.create, {"payment_intent": "pi_buyer"})
    assert made.status == "pending"
    await sandbox.settle_refund(made.id, "failed", failure_reason="expired_or_canceled_card")
    failed = await told(client.v1.refunds.retrieve, made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
