"""What the tests of PayPal and Authorize.Net have in common: connections to the sandbox, charges and refunds."""

from collections.abc import Awaitable
from decimal import Decimal

import httpx
import pytest
from pydantic import HttpUrl, SecretStr
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.clients import HttpClients
from models.connections import KIND_OF, Connection, Provider
from models.partners import AuthorizeCharge, CaptureCharge, ChargeAnswer, SendRefund, VoidCharge
from models.refunds import Direction
from models.settings import Settings
from starter.ops.local_connections import STRIPE
from starter.sandbox import SandboxClient
from starter.sandbox.facts import CaptureFact, RefundFact

HOUR = 3_600
DAY = 24 * HOUR


def access(
    provider: Provider,
    base_url: str,
    secret: str,
    transport: httpx.AsyncBaseTransport | None = None,
    **options: str,
) -> Access:
    """The broker's connection of this provider to the sandbox."""
    connection = Connection(
        connection_id=provider.value,
        kind=KIND_OF[provider],
        provider=provider,
        owner="broker",
        base_url=HttpUrl(base_url),
        options=options,
    )
    settings = Settings(partner_timeout_seconds=5, partner_failures_in_a_row=1_000)
    return Access(connection, SecretStr(secret), HttpClients(settings, transport=transport))


def charge(
    method: str, charge_id: str = "CH-1001-1", amount: str = "100.00", currency: str = "USD", customer: str = "500"
) -> AuthorizeCharge:
    return AuthorizeCharge(
        charge_id=charge_id,
        order_id="1001",
        amount=Decimal(amount),
        currency=currency,
        payment_method=method,
        gateway_customer=customer,
        connection_id=STRIPE,
    )


def capture(answer: ChargeAnswer, amount: str = "80.00", currency: str = "USD") -> CaptureCharge:
    assert answer.gateway_reference is not None
    return CaptureCharge(
        charge_id=answer.charge_id,
        gateway_reference=answer.gateway_reference,
        amount=Decimal(amount),
        currency=currency,
        connection_id=STRIPE,
    )


def void(answer: ChargeAnswer) -> VoidCharge:
    return VoidCharge(charge_id=answer.charge_id, gateway_reference=answer.gateway_reference, connection_id=STRIPE)


def refund(
    payment: str, refund_id: str = "RF-1001-B1", amount: str = "10.00", currency: str = "USD"
) -> SendRefund:
    return SendRefund(
        refund_id=refund_id,
        order_id="1001",
        direction=Direction.SELLER_TO_BUYER,
        payment_reference=payment,
        amount=Decimal(amount),
        currency=currency,
        connection_id=STRIPE,
    )


async def lost(call: Awaitable[object]) -> None:
    """The call whose answer is lost: it fails as an outage, to be tried again."""
    with pytest.raises(ApplicationError) as raised:
        await call
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


async def refunds(sandbox: SandboxClient) -> list[RefundFact]:
    return list((await sandbox.effects()).refunds)


async def refunded(sandbox: SandboxClient) -> list[str]:
    """The amounts that went back, oldest first."""
    counted = ("succeeded", "pending")
    return [str(one.amount) for one in await refunds(sandbox) if one.status in counted]


async def captures(sandbox: SandboxClient) -> list[CaptureFact]:
    return list((await sandbox.effects()).captures)
