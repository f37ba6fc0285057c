"""What the tests of Stripe's charges and refunds ask of it, and what it did."""

from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from models.partners import AuthorizeCharge, CaptureCharge, ChargeAnswer, SendRefund
from models.refunds import Direction
from starter.ops.local_connections import STRIPE
from starter.sandbox import SandboxClient
from starter.sandbox.facts import PaymentFact, PaymentSeed, RefundFact
from tests.connections import OF_ACME

DAY = 86_400


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
