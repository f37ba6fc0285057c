"""Refunds, against a gateway that behaves as Stripe does."""

from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.connectors.payments import Payments
from models.partners import RefundAnswer
from models.refunds import Direction
from starter.sandbox import SandboxClient
from tests.connections import OF_OWN, OWN_ACCOUNT
from tests.connectors.stripe_calls import DAY, capture, charge, lost, paid, refund, refunds

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
