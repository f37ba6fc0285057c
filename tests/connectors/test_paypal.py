"""PayPal's charges and refunds, against a sandbox that behaves as PayPal does; each request is checked against
PayPal's own description."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError
from temporalio.exceptions import ApplicationError

from activities.connectors.payment_gateway import PaymentGateway
from activities.connectors.paypal.client import shortened
from activities.connectors.paypal.gateway import PayPalGateway
from models.connections import Provider
from models.failures import InvalidInput, PartnerUnavailable, RefusedByPartner
from models.partners import ChargeState
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.facts import PaymentSeed
from tests.connectors.gateway_calls import (
    DAY,
    HOUR,
    access,
    capture,
    captures,
    charge,
    lost,
    refund,
    refunded,
    refunds,
    void,
)
from tests.connectors.paypal_description import Described

BUYERS = "8MC585209K746392H"


@pytest.fixture
async def described() -> AsyncIterator[Described]:
    transport = Described()
    yield transport
    await transport.aclose()


@pytest.fixture
async def paypal(
    running: RunningSandbox, sandbox: SandboxClient, described: Described
) -> AsyncIterator[PayPalGateway]:
    to_sandbox = access(Provider.PAYPAL, running.paypal_url, "test-secret", described, client_id="acme")
    yield PayPalGateway(to_sandbox)
    await to_sandbox.clients.aclose()


async def paid(sandbox: SandboxClient, id: str = BUYERS, currency: str = "USD", how: str = "wallet") -> str:
    """A buyer's payment of 50."""
    await sandbox.seed_payment(
        PaymentSeed(gateway="paypal", id=id, amount=Decimal(50), currency=currency, payment_method=how)
    )
    return id


def test_it_is_a_payment_gateway(running: RunningSandbox) -> None:
    gateway: PaymentGateway = PayPalGateway(
        access(Provider.PAYPAL, running.paypal_url, "test-secret", client_id="acme")
    )
    assert gateway.provider == "paypal"


# ---- tokens ----


async def test_a_token_is_got_once_for_many_who_wait_for_it(paypal: PayPalGateway, sandbox: SandboxClient) -> None:
    payment = await paid(sandbox)
    asks = [refund(payment, f"RF-{number}", "1.00") for number in range(10)]
    await asyncio.gather(*(paypal.refund(ask, looks=False) for ask in asks))
    assert len(await sandbox.requests("paypal", "/oauth2/token")) == 1
    assert len(await refunded(sandbox)) == 10


async def test_a_token_that_has_expired_is_renewed_once(paypal: PayPalGateway, sandbox: SandboxClient) -> None:
    payment = await paid(sandbox)
    await paypal.refund(refund(payment, "RF-0", "1.00"), looks=False)
    await sandbox.advance_clock(10 * HOUR)
    asks = [refund(payment, f"RF-{number}", "1.00") for number in range(1, 6)]
    answers = await asyncio.gather(*(paypal.refund(ask, looks=False) for ask in asks))
    assert {answer.state for answer in answers} == {"succeeded"}
    assert len(await sandbox.requests("paypal", "/oauth2/token")) == 2


async def test_a_connection_is_tried_by_signing_in(
    running: RunningSandbox, paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    await paypal.test()
    wrong = PayPalGateway(access(Provider.PAYPAL, running.paypal_url, "live-secret", client_id="acme"))
    with pytest.raises(RefusedByPartner, match="sign in"):
        await wrong.test()
    with pytest.raises(InvalidInput, match="client_id"):
        PayPalGateway(access(Provider.PAYPAL, running.paypal_url, "test-secret"))
    await sandbox.add_fault("paypal", "error", "oauth2")
    fresh = PayPalGateway(access(Provider.PAYPAL, running.paypal_url, "test-secret", client_id="acme"))
    with pytest.raises(PartnerUnavailable):
        await fresh.test()


# ---- ORD-3: the seller's charge ----


async def test_ORD_3_a_charge_is_authorized_captured_in_part_and_given_back(
    paypal: PayPalGateway, sandbox: SandboxClient, described: Described
) -> None:
    authorized = await paypal.authorize(charge("vault_good"), looks=False)
    assert authorized.state is ChargeState.AUTHORIZED
    taken = await paypal.capture(capture(authorized), looks=False)
    assert (taken.state, taken.captured) == (ChargeState.CAPTURED, Decimal("80.00"))
    (fact,) = await captures(sandbox)
    assert (fact.charge, fact.amount) == (taken.gateway_reference, Decimal("80.00"))
    answer = await paypal.refund(refund(fact.charge, "RF-1001-S1", "80.00"), looks=False)
    assert answer.state == "succeeded"
    assert described.checked == 3


@pytest.mark.parametrize(
    ("token", "reason"),
    [("vault_declined", "INSTRUMENT_DECLINED"), ("vault_closed", "PAYER_ACCOUNT_LOCKED_OR_CLOSED")],
)
async def test_ORD_3_a_decline_is_an_answer_with_the_gateways_reason(
    paypal: PayPalGateway, sandbox: SandboxClient, token: str, reason: str
) -> None:
    answer = await paypal.authorize(charge(token), looks=False)
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, reason)


async def test_CAN_1_a_void_is_one_also_when_it_was_before_or_comes_too_late(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    first = await paypal.authorize(charge("vault_good"), looks=False)
    for _ in range(2):
        assert (await paypal.void(void(first))).state is ChargeState.VOIDED
    gone = await paypal.capture(capture(first), looks=True)
    assert gone.state is ChargeState.EXPIRED
    second = await paypal.authorize(charge("vault_good", "CH-1001-2"), looks=False)
    taken = await paypal.capture(capture(second), looks=False)
    late = await paypal.void(void(second))
    assert (late.state, late.captured) == (ChargeState.CAPTURED, Decimal("80.00"))
    assert late.gateway_reference == taken.gateway_reference, "by it the money goes back"


async def test_ORD_3_an_authorization_of_more_than_29_days_has_expired(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    authorized = await paypal.authorize(charge("vault_good"), looks=False)
    await sandbox.advance_clock(30 * DAY)
    assert (await paypal.capture(capture(authorized), looks=False)).state is ChargeState.EXPIRED


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("hours", [0, 1, 7])
async def test_REF_6_a_charge_whose_answer_is_lost_is_made_once_at_once_and_after_its_key_is_forgotten(
    paypal: PayPalGateway, sandbox: SandboxClient, fault: str, hours: int
) -> None:
    await sandbox.add_fault("paypal", fault, "POST /v2/checkout/orders")
    await lost(paypal.authorize(charge("vault_good"), looks=False))
    await sandbox.advance_clock(hours * HOUR)
    answer = await paypal.authorize(charge("vault_good"), looks=True)
    assert answer.state is ChargeState.AUTHORIZED
    made = [one for one in await sandbox.requests("paypal", "/v2/checkout/orders") if one.work_done]
    assert len(made) == 1


@pytest.mark.parametrize("days", [0, 46])
async def test_REF_6_a_capture_whose_answer_is_lost_is_made_once(
    paypal: PayPalGateway, sandbox: SandboxClient, days: int
) -> None:
    authorized = await paypal.authorize(charge("vault_good"), looks=False)
    await sandbox.add_fault("paypal", "drop_after", "/capture")
    await lost(paypal.capture(capture(authorized), looks=False))
    await sandbox.advance_clock(days * DAY)
    taken = await paypal.capture(capture(authorized), looks=True)
    assert (taken.state, taken.captured) == (ChargeState.CAPTURED, Decimal("80.00"))
    assert [one.charge for one in await captures(sandbox)] == [taken.gateway_reference]


# ---- REF-6: refunds, exactly once ----


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
@pytest.mark.parametrize("seconds", [0, HOUR, 46 * DAY])
async def test_REF_6_a_refund_whose_answer_is_lost_is_made_once_also_after_its_key_is_forgotten(
    paypal: PayPalGateway, sandbox: SandboxClient, fault: str, seconds: int
) -> None:
    payment = await paid(sandbox)
    await sandbox.add_fault("paypal", fault, "/refund")
    await lost(paypal.refund(refund(payment), looks=False))
    await sandbox.advance_clock(seconds)
    answer = await paypal.refund(refund(payment), looks=True)
    (fact,) = await refunds(sandbox)
    assert (answer.state, answer.gateway_refund_id) == ("succeeded", fact.id)


async def test_REF_6_two_tries_at_once_are_one_refund(paypal: PayPalGateway, sandbox: SandboxClient) -> None:
    payment = await paid(sandbox)
    await paypal.test()
    answers = await asyncio.gather(
        *(paypal.refund(refund(payment), looks=False) for _ in range(4)), return_exceptions=True
    )
    assert await refunded(sandbox) == ["10.00"]
    for answer in answers:
        assert not isinstance(answer, BaseException) or "still busy" in str(answer)


async def test_REF_6_a_second_use_of_our_id_after_the_key_is_forgotten_is_our_own_success(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    """A first try without a look, by a run that does not know of the one before."""
    payment = await paid(sandbox)
    first = await paypal.refund(refund(payment), looks=False)
    await sandbox.advance_clock(46 * DAY)
    again = await paypal.refund(refund(payment), looks=False)
    assert (again.state, again.gateway_refund_id) == ("succeeded", first.gateway_refund_id)
    assert await refunded(sandbox) == ["10.00"]


async def test_REF_6_a_later_try_finds_the_refund_though_the_payment_is_disputed_since(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    await sandbox.add_fault("paypal", "drop_after", "/refund")
    await lost(paypal.refund(refund(payment), looks=False))
    await sandbox.advance_clock(46 * DAY)
    await sandbox.dispute(payment)
    assert (await paypal.refund(refund(payment), looks=True)).state == "succeeded"


async def test_REF_6_two_different_refunds_of_one_amount_both_happen(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    for number in (1, 2):
        assert (await paypal.refund(refund(payment, f"RF-{number}"), looks=True)).state == "succeeded"
    assert await refunded(sandbox) == ["10.00", "10.00"]


async def test_REF_6_fully_refunded_is_ours_or_somebody_elses(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    await sandbox.add_fault("paypal", "drop_after", "/refund")
    await lost(paypal.refund(refund(payment, amount="50.00"), looks=False))
    await sandbox.advance_clock(46 * DAY)
    assert (await paypal.refund(refund(payment, amount="50.00"), looks=False)).state == "succeeded"
    other = await paypal.refund(refund(payment, "RF-9", "1.00"), looks=False)
    assert (other.state, other.reason) == ("refused", "CAPTURE_FULLY_REFUNDED")


async def test_REF_6_nothing_is_found_of_a_refund_that_never_got_there(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    assert (await paypal.find_refund(refund(payment))).state == "none"
    assert (await paypal.find_refund(refund("NOSUCHCAPTURE"))).state == "none"
    gone = await paypal.refund(refund("NOSUCHCAPTURE"), looks=False)
    assert (gone.state, gone.reason) == ("refused", "INVALID_RESOURCE_ID")


# ---- REF-7 ----


async def test_REF_7_a_refund_to_a_bank_account_is_pending_and_may_fail_late(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox, how="echeck")
    answer = await paypal.refund(refund(payment), looks=False)
    assert (answer.state, answer.reason) == ("pending", "ECHECK")
    await sandbox.settle_refund("RF-1001-B1", "succeeded")
    assert (await paypal.find_refund(refund(payment))).state == "succeeded"
    await sandbox.settle_refund("RF-1001-B1", "failed")
    assert (await paypal.find_refund(refund(payment))).state == "failed"


# ---- what PayPal refuses ----


@pytest.mark.parametrize(("case", "reason"), [("dispute", "TRANSACTION_DISPUTED"), ("chargeback", "CHARGEBACK")])
async def test_REF_6_a_disputed_payment_is_left_to_people(
    paypal: PayPalGateway, sandbox: SandboxClient, case: str, reason: str
) -> None:
    payment = await paid(sandbox)
    await sandbox.dispute(payment, case)  # type: ignore[arg-type]
    answer = await paypal.refund(refund(payment), looks=False)
    assert answer.state == "parked"
    assert reason in str(answer.reason)
    assert await refunded(sandbox) == []


async def test_REF_6_a_seller_without_funds_is_asked_for_later(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox, how="short_of_funds")
    answer = await paypal.refund(refund(payment), looks=False)
    assert (answer.state, answer.reason) == ("later", "REFUND_FAILED_INSUFFICIENT_FUNDS")
    assert answer.again_at is not None
    await sandbox.fund(payment, enough=True)
    assert (await paypal.refund(refund(payment), looks=True)).state == "succeeded"


async def test_REF_9_a_payment_of_more_than_180_days_is_refused_for_good(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    await sandbox.advance_clock(181 * DAY)
    answer = await paypal.refund(refund(payment), looks=True)
    assert (answer.state, answer.reason) == ("refused", "REFUND_TIME_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    "issue", ["PARTIAL_REFUND_NOT_ALLOWED", "MAX_NUMBER_OF_REFUNDS_EXCEEDED", "PAYEE_ACCOUNT_LOCKED_OR_CLOSED"]
)
async def test_REF_9_any_other_issue_is_a_refusal_in_the_gateways_word(
    paypal: PayPalGateway, sandbox: SandboxClient, issue: str
) -> None:
    payment = await paid(sandbox)
    await sandbox.add_fault("paypal", "refuse", "/refund", code=issue)
    answer = await paypal.refund(refund(payment), looks=False)
    assert (answer.state, answer.reason) == ("refused", issue)


async def test_REF_5_a_refund_in_another_currency_is_refused(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox)
    answer = await paypal.refund(refund(payment, currency="EUR"), looks=False)
    assert (answer.state, answer.reason) == ("refused", "REFUND_CAPTURE_CURRENCY_MISMATCH")


# ---- REF-14: what it can move ----


async def test_REF_14_currencies_without_decimals_are_sent_without(
    paypal: PayPalGateway, sandbox: SandboxClient
) -> None:
    payment = await paid(sandbox, currency="HUF")
    assert (await paypal.refund(refund(payment, amount="10", currency="HUF"), looks=False)).state == "succeeded"
    with pytest.raises(ApplicationError, match="finer than paypal can move"):
        await paypal.refund(refund(payment, amount="10.50", currency="HUF"), looks=False)
    assert await refunded(sandbox) == ["10"]


# ---- the wire ----


async def test_REF_6_an_id_that_is_too_long_stays_its_own(paypal: PayPalGateway, sandbox: SandboxClient) -> None:
    payment = await paid(sandbox)
    longest = [f"RF-{'x' * 150}-{number}" for number in (1, 2)]
    for refund_id in longest:
        assert (await paypal.refund(refund(payment, refund_id), looks=True)).state == "succeeded"
        assert (await paypal.find_refund(refund(payment, refund_id))).state == "succeeded"
    assert await refunded(sandbox) == ["10.00", "10.00"]
    assert len(shortened(longest[0], 108)) == 108


async def test_an_outage_is_one_and_holds_no_secret(paypal: PayPalGateway, sandbox: SandboxClient) -> None:
    payment = await paid(sandbox)
    for kind in ("error", "rate_limit"):
        await sandbox.add_fault("paypal", kind, "/refund")
        with pytest.raises(ApplicationError) as raised:
            await paypal.refund(refund(payment), looks=False)
        assert raised.value.type == "PartnerUnavailable"
        assert "test-secret" not in str(raised.value)


async def test_what_the_description_does_not_allow_is_noticed(
    described: Described, running: RunningSandbox
) -> None:
    """The check itself: a number where PayPal wants a text."""
    async with httpx.AsyncClient(transport=described, base_url=running.paypal_url) as http:
        with pytest.raises(OpenAPIError):
            await http.post(
                f"/v2/payments/captures/{BUYERS}/refund",
                json={"amount": {"value": 10, "currency_code": "USD"}},
                headers={"Authorization": "Bearer any"},
            )
