"""The seller's charge, against a gateway that behaves as Stripe does."""

from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.payments import Payments
from models.partners import TOO_SMALL, CaptureCharge, ChargeState, VoidCharge
from starter.ops.local_connections import STRIPE
from starter.sandbox import SandboxClient
from tests.connectors.stripe_calls import DAY, capture, charge, charges, lost

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
