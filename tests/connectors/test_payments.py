"""The seller's charge and the refunds, against a gateway that behaves as Stripe does."""

from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.connections import Connections
from activities.connectors.payments import Payments
from models.partners import (
    TOO_SMALL,
    AuthorizeCharge,
    CaptureCharge,
    ChargeAnswer,
    ChargeState,
    RefundAnswer,
    SendRefund,
    VoidCharge,
)
from models.refunds import Direction
from starter.ops.local_connections import STRIPE
from starter.sandbox import SandboxClient
from starter.sandbox.facts import PaymentFact, PaymentSeed, RefundFact
from tests.connections import OF_ACME, OF_OWN, OWN_ACCOUNT

DAY = 86_400


@pytest.fixture
def payments(partners: Connections, sandbox: SandboxClient) -> Payments:
    return Payments(partners)


def charge(
    charge_id: str = "CH-1001-1",
    amount: str = "100.00",
    currency: str = "USD",
    method: str = "pm_card_visa",
    customer: str | None = "cus_acme",
    again: bool = False,
) -> AuthorizeCharge:
    return AuthorizeCharge(
        charge_id=charge_id,
        order_id="1001",
        amount=Decimal(amount),
        currency=currency,
        payment_method=method,
        gateway_customer=customer,
        connection_id=STRIPE,
        again=again,
    )


def refund(
    refund_id: str = "RF-1001-B1",
    amount: str = "10.00",
    currency: str = "USD",
    payment: str = "pi_buyer",
    connection_id: str = OF_ACME,
    direction: Direction = Direction.SELLER_TO_BUYER,
) -> SendRefund:
    return SendRefund(
        refund_id=refund_id,
        order_id="1001",
        direction=direction,
        payment_reference=payment,
        amount=Decimal(amount),
        currency=currency,
        connection_id=connection_id if direction is Direction.SELLER_TO_BUYER else STRIPE,
    )


def capture(answer: ChargeAnswer, amount: str, currency: str = "USD") -> CaptureCharge:
    assert answer.gateway_reference is not None
    return CaptureCharge(
        charge_id=answer.charge_id,
        gateway_reference=answer.gateway_reference,
        amount=Decimal(amount),
        currency=currency,
        connection_id=STRIPE,
    )


async def paid(
    sandbox: SandboxClient,
    id: str = "pi_buyer",
    amount: str = "50.00",
    currency: str = "USD",
    account: str | None = None,
    method: str = "pm_card_visa",
) -> None:
    await sandbox.seed_payment(
        PaymentSeed(id=id, amount=Decimal(amount), currency=currency, account=account, payment_method=method)
    )


async def charges(sandbox: SandboxClient) -> tuple[PaymentFact, ...]:
    return (await sandbox.effects()).payment_intents


async def refunds(sandbox: SandboxClient) -> tuple[RefundFact, ...]:
    return (await sandbox.effects()).refunds


async def lost(activities: ActivityEnvironment, call: object, ask: object) -> None:
    """The call whose answer is lost: it fails as an outage, to be tried again."""
    with pytest.raises(ApplicationError) as raised:
        await activities.run(call, ask)  # type: ignore[arg-type]
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


# ---- ORD-3: the seller's charge ----


async def test_ORD_3_a_charge_is_reserved_and_not_yet_taken(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    answer = await activities.run(payments.authorize_charge, charge())
    assert answer.state is ChargeState.AUTHORIZED
    (intent,) = await charges(sandbox)
    assert (intent.id, intent.status) == (answer.gateway_reference, "requires_capture")
    assert (intent.amount, intent.amount_received, intent.customer) == (Decimal(100), Decimal(0), "cus_acme")
    assert intent.metadata == {"backhaul_id": "CH-1001-1", "order_id": "1001"}
    (request,) = [one for one in await sandbox.requests("gateway", "/v1/payment_intents") if one.method == "POST"]
    assert request.idempotency_key == "CH-1001-1"


async def test_ORD_3_a_decline_is_an_answer_with_the_gateways_reason(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    answer = await activities.run(
        payments.authorize_charge, charge(method="pm_card_visa_chargeDeclinedInsufficientFunds")
    )
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, "insufficient_funds")
    again = await activities.run(
        payments.authorize_charge, charge(method="pm_card_visa_chargeDeclinedInsufficientFunds")
    )
    assert (again.state, again.reason) == (answer.state, answer.reason)
    assert len(await charges(sandbox)) == 1


@pytest.mark.parametrize("later", [0, 3600, DAY + 1, 30 * DAY])
@pytest.mark.parametrize("customer", ["cus_acme", None])
async def test_ORD_3_a_charge_whose_answer_was_lost_is_made_once(
    payments: Payments,
    sandbox: SandboxClient,
    activities: ActivityEnvironment,
    retries: ActivityEnvironment,
    customer: str | None,
    later: int,
) -> None:
    await sandbox.add_fault("gateway", "drop_after", match="POST /v1/payment_intents")
    await lost(activities, payments.authorize_charge, charge(customer=customer))
    await sandbox.advance_clock(later)
    answer = await retries.run(payments.authorize_charge, charge(customer=customer))
    assert answer.state is (ChargeState.EXPIRED if later == 30 * DAY else ChargeState.AUTHORIZED)
    assert [intent.id for intent in await charges(sandbox)] == [answer.gateway_reference]


async def test_ORD_3_a_charge_that_a_case_may_have_made_before_it_was_reset_is_found_by_its_id(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    first = await activities.run(payments.authorize_charge, charge())
    await sandbox.advance_clock(2 * DAY)
    assert await activities.run(payments.authorize_charge, charge(again=True)) == first
    assert len(await charges(sandbox)) == 1


async def test_ORD_3_a_charge_that_was_voided_meanwhile_is_not_told_as_it_was_saved(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    first = await activities.run(payments.authorize_charge, charge())
    await activities.run(
        payments.void_charge,
        VoidCharge(charge_id="CH-1001-1", gateway_reference=first.gateway_reference, connection_id=STRIPE),
    )
    assert (await activities.run(payments.authorize_charge, charge())).state is ChargeState.VOIDED


async def test_ORD_3_part_of_a_charge_is_taken_and_the_rest_given_free(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    answer = await activities.run(payments.capture_charge, capture(authorized, "60.50"))
    assert (answer.state, answer.captured) == (ChargeState.CAPTURED, Decimal("60.50"))
    assert await activities.run(payments.capture_charge, capture(authorized, "60.50")) == answer
    (intent,) = await charges(sandbox)
    assert (intent.amount_received, intent.amount_capturable) == (Decimal("60.50"), Decimal(0))


async def test_ORD_3_a_capture_whose_answer_was_lost_takes_once(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    await sandbox.add_fault("gateway", "drop_after", match="POST .*/capture")
    await lost(activities, payments.capture_charge, capture(authorized, "100.00"))
    answer = await activities.run(payments.capture_charge, capture(authorized, "100.00"))
    assert (answer.state, answer.captured) == (ChargeState.CAPTURED, Decimal(100))
    assert [taken.amount for taken in (await sandbox.effects()).captures] == [Decimal(100)]


async def test_ORD_3_an_authorization_that_is_too_old_says_so(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    await sandbox.advance_clock(8 * DAY)
    answer = await activities.run(payments.capture_charge, capture(authorized, "100.00"))
    assert answer.state is ChargeState.EXPIRED


async def test_ORD_3_a_charge_that_the_gateway_never_saw_is_none(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    ask = CaptureCharge(
        charge_id="CH-9-1", gateway_reference="pi_none", amount=Decimal(1), currency="USD", connection_id=STRIPE
    )
    assert (await activities.run(payments.capture_charge, ask)).state is ChargeState.NONE


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "1099"), ("KWD", "1.230"), ("USD", "10.50"), ("ISK", "1500"), ("MGA", "700")]
)
async def test_ORD_3_each_currency_is_said_in_its_own_smallest_unit(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, currency: str, amount: str
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge(amount=amount, currency=currency))
    answer = await activities.run(payments.capture_charge, capture(authorized, amount, currency))
    assert answer.captured == Decimal(amount)
    (intent,) = await charges(sandbox)
    assert (intent.currency, intent.amount_received) == (currency, Decimal(amount))


async def test_ORD_3_an_amount_finer_than_its_currency_is_refused_before_anything_is_sent(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    with pytest.raises(ApplicationError) as raised:
        await activities.run(payments.authorize_charge, charge(amount="10.5", currency="JPY"))
    assert (raised.value.type, raised.value.non_retryable) == ("InvalidInput", True)
    assert await charges(sandbox) == ()


@pytest.mark.parametrize(("currency", "amount"), [("KWD", "10.505"), ("MGA", "700.20")])
async def test_REF_14_an_amount_finer_than_the_gateway_moves_is_refused_before_anything_is_sent(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, currency: str, amount: str
) -> None:
    with pytest.raises(ApplicationError, match="finer than stripe can move: give a multiple of"):
        await activities.run(payments.authorize_charge, charge(amount=amount, currency=currency))
    assert await charges(sandbox) == ()


async def test_REF_14_a_charge_under_a_minimum_that_only_the_gateway_knows_is_a_decline(
    payments: Payments, activities: ActivityEnvironment
) -> None:
    answer = await activities.run(payments.authorize_charge, charge(amount="29.00", currency="PHP"))
    assert (answer.state, answer.reason) == (ChargeState.DECLINED, TOO_SMALL)


# ---- CAN-1: the charge is voided ----


@pytest.mark.parametrize("known", [True, False])
async def test_CAN_1_a_reserved_charge_is_voided_also_twice(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, known: bool
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    ask = VoidCharge(
        charge_id="CH-1001-1",
        gateway_reference=authorized.gateway_reference if known else None,
        gateway_customer="cus_acme",
        connection_id=STRIPE,
    )
    assert (await activities.run(payments.void_charge, ask)).state is ChargeState.VOIDED
    assert (await activities.run(payments.void_charge, ask)).state is ChargeState.VOIDED
    assert [intent.status for intent in await charges(sandbox)] == ["canceled"]


async def test_CAN_1_a_charge_that_never_got_there_needs_no_void(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    answer = await activities.run(payments.void_charge, VoidCharge(charge_id="CH-1001-1", connection_id=STRIPE))
    assert answer.state is ChargeState.NONE


async def test_CAN_1_a_charge_that_was_taken_already_says_so_and_stays(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    await activities.run(payments.capture_charge, capture(authorized, "80.00"))
    answer = await activities.run(payments.void_charge, VoidCharge(charge_id="CH-1001-1", connection_id=STRIPE))
    assert (answer.state, answer.captured) == (ChargeState.CAPTURED, Decimal(80))


async def test_CAN_1_a_declined_charge_leaves_nothing_behind(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await activities.run(payments.authorize_charge, charge(method="pm_card_visa_chargeDeclined"))
    answer = await activities.run(payments.void_charge, VoidCharge(charge_id="CH-1001-1", connection_id=STRIPE))
    assert answer.state is ChargeState.VOIDED


async def test_CAN_1_a_void_whose_answer_was_lost_is_looked_at_again(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    ask = VoidCharge(charge_id="CH-1001-1", gateway_reference=authorized.gateway_reference, connection_id=STRIPE)
    await sandbox.add_fault("gateway", "drop_after", match="POST .*/cancel")
    await lost(activities, payments.void_charge, ask)
    assert (await activities.run(payments.void_charge, ask)).state is ChargeState.VOIDED


# ---- REF-6: a refund happens exactly once ----


async def test_REF_6_a_refund_whose_answer_was_lost_happens_once(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox)
    await sandbox.add_fault("gateway", "drop_after", match="POST /v1/refunds")
    await lost(activities, payments.send_refund, refund())
    answer = await activities.run(payments.send_refund, refund())
    (done,) = await refunds(sandbox)
    assert answer == RefundAnswer(state="succeeded", gateway_refund_id=done.id)
    assert (done.amount, done.metadata) == (Decimal(10), {"backhaul_id": "RF-1001-B1", "order_id": "1001"})


async def test_REF_6_a_retry_after_the_gateway_forgot_the_key_happens_once(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, retries: ActivityEnvironment
) -> None:
    await paid(sandbox)
    await sandbox.add_fault("gateway", "drop_after", match="POST /v1/refunds")
    await lost(activities, payments.send_refund, refund())
    await sandbox.advance_clock(30 * DAY)
    assert (await retries.run(payments.send_refund, refund())).state == "succeeded"
    assert len(await refunds(sandbox)) == 1


async def test_REF_6_a_connection_cut_before_the_work_is_tried_again(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox)
    await sandbox.add_fault("gateway", "drop_before", match="POST /v1/refunds")
    await lost(activities, payments.send_refund, refund())
    assert await activities.run(payments.look_up_refund, refund()) == RefundAnswer(state="none")
    assert (await activities.run(payments.send_refund, refund())).state == "succeeded"
    assert len(await refunds(sandbox)) == 1


async def test_REF_6_two_different_refunds_of_the_same_amount_both_happen(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox)
    for refund_id in ("RF-1001-B1", "RF-1001-B2"):
        assert (await activities.run(payments.send_refund, refund(refund_id))).state == "succeeded"
    assert [one.amount for one in await refunds(sandbox)] == [Decimal(10), Decimal(10)]


async def test_REF_6_a_refund_is_found_behind_a_hundred_others(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, retries: ActivityEnvironment
) -> None:
    await paid(sandbox, amount="200.00")
    first = await activities.run(payments.send_refund, refund("RF-1", amount="1.00"))
    for number in range(2, 103):
        await activities.run(payments.send_refund, refund(f"RF-{number}", amount="1.00"))
    assert await activities.run(payments.look_up_refund, refund("RF-1", amount="1.00")) == first
    await sandbox.advance_clock(2 * DAY)
    assert await retries.run(payments.send_refund, refund("RF-1", amount="1.00")) == first
    assert len(await refunds(sandbox)) == 102


# ---- which account pays, and in which currency ----


async def test_REF_9_the_buyer_is_refunded_from_the_sellers_own_account_by_charge(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox, id="ch_buyer", account=OWN_ACCOUNT)
    answer = await activities.run(payments.send_refund, refund(payment="ch_buyer", connection_id=OF_OWN))
    assert answer.state == "succeeded"
    (done,) = await refunds(sandbox)
    assert (done.account, done.charge) == (OWN_ACCOUNT, "ch_buyer")


async def test_RET_13_the_seller_is_refunded_from_the_brokers_account(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(payments.authorize_charge, charge())
    await activities.run(payments.capture_charge, capture(authorized, "100.00"))
    ask = refund(
        "RF-1001-S1",
        payment=authorized.gateway_reference or "",
        direction=Direction.BROKER_TO_SELLER,
    )
    assert (await activities.run(payments.send_refund, ask)).state == "succeeded"
    assert [one.account for one in await refunds(sandbox)] == [None]


@pytest.mark.parametrize(("currency", "amount"), [("JPY", "1099"), ("KWD", "1.230")])
async def test_REF_9_a_refund_is_said_in_the_smallest_unit_of_its_currency(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, currency: str, amount: str
) -> None:
    await paid(sandbox, amount="5000", currency=currency)
    await activities.run(payments.send_refund, refund(amount=amount, currency=currency))
    assert [(one.amount, one.currency) for one in await refunds(sandbox)] == [(Decimal(amount), currency)]


async def test_REF_9_a_refund_in_another_currency_than_the_payments_is_refused(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox, amount="5000", currency="JPY")
    answer = await activities.run(payments.send_refund, refund(amount="10.00", currency="USD"))
    assert answer == RefundAnswer(state="refused", reason="currency_mismatch")
    assert await refunds(sandbox) == ()


# ---- REF-7, REF-9: pending, failed, refused ----


async def test_REF_7_a_refund_may_stay_pending_and_fail_days_later(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox, method="pm_card_pendingRefund")
    pending = await activities.run(payments.send_refund, refund())
    assert pending.state == "pending"
    await sandbox.settle_refund("RF-1001-B1", "failed", failure_reason="lost_or_stolen_card")
    looked = await activities.run(payments.look_up_refund, refund())
    assert (looked.state, looked.reason) == ("failed", "lost_or_stolen_card")
    assert looked.gateway_refund_id == pending.gateway_refund_id


async def test_REF_7_a_failed_refund_is_never_sent_again_under_the_same_id(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, retries: ActivityEnvironment
) -> None:
    await paid(sandbox, method="pm_card_pendingRefund")
    await activities.run(payments.send_refund, refund())
    await sandbox.settle_refund("RF-1001-B1", "failed")
    await sandbox.advance_clock(2 * DAY)
    assert (await retries.run(payments.send_refund, refund())).state == "failed"
    assert len(await refunds(sandbox)) == 1


async def test_REF_9_more_than_is_left_is_refused_for_good_with_the_reason(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await paid(sandbox)
    too_much = await activities.run(payments.send_refund, refund(amount="50.01"))
    assert too_much.state == "refused"
    assert too_much.reason is not None
    await activities.run(payments.send_refund, refund("RF-all", amount="50.00"))
    nothing_left = await activities.run(payments.send_refund, refund("RF-more", amount="1.00"))
    assert nothing_left == RefundAnswer(state="refused", reason="charge_already_refunded")


@pytest.mark.parametrize("reference", ["pi_unknown", "ch_unknown", "PAYPAL-1"])
async def test_REF_9_a_payment_that_the_gateway_does_not_know_is_refused(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, reference: str
) -> None:
    answer = await activities.run(payments.send_refund, refund(payment=reference))
    assert answer.state == "refused"
    assert answer.reason in ("resource_missing", "payment_not_at_this_gateway")
    assert await activities.run(payments.look_up_refund, refund(payment=reference)) == RefundAnswer(state="none")
