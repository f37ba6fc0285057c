"""How often the gateway is asked: once by a first try, however much it knows of others (REF-6)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from temporalio.testing import ActivityEnvironment

from activities.connectors.payments import Payments
from models.partners import AuthorizeCharge, CaptureCharge, ChargeState, SendRefund, VoidCharge
from models.refunds import Direction
from starter.ops.local_connections import STRIPE
from starter.sandbox import SandboxClient, running_sandbox
from starter.sandbox.store import Store
from starter.sandbox.stripe_objects import Intent
from tests.connections import OF_ACME, connections

FOREIGN = 10_000
DAY = 86_400


class Busy(NamedTuple):
    """A gateway that a broker with ten thousand charges a day uses, and what counts its requests."""

    payments: Payments
    sandbox: SandboxClient

    async def calls(self) -> list[str]:
        """What was asked since the last look."""
        asked = [f"{one.method} {one.path}" for one in await self.sandbox.requests("gateway")]
        await self.sandbox.clear_requests()
        return asked


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sandbox whose gateway made ten thousand charges in the last day."""
    path = tmp_path_factory.mktemp("busy") / "sandbox.db"
    store = Store(path)
    now = int(datetime.now(UTC).timestamp())
    with store.transaction():
        for number in range(FOREIGN):
            store.put(
                Intent(
                    id=f"pi_foreign{number}",
                    amount=1000,
                    currency="usd",
                    capture_method="manual",
                    status="requires_capture",
                    created=now - DAY + number * DAY // FOREIGN,
                    customer="cus_other" if number % 2 else "cus_acme",
                    metadata={"backhaul_id": f"CH-{number}-1"},
                )
            )
    store.close()
    return path


@pytest.fixture(scope="module")
async def busy(crowded: Path) -> AsyncIterator[Busy]:
    """One for all tests of this file: those that move its clock stand last."""
    async with running_sandbox(database=crowded) as running, SandboxClient(running.http_url) as sandbox:
        partners = connections(sandbox_url=running.http_url)
        payments = Payments(partners)
        yield Busy(payments, sandbox)
        await partners.aclose()


@pytest.fixture(autouse=True)
async def unasked(busy: Busy) -> AsyncIterator[None]:
    """Each test begins and ends without faults and requests."""
    await busy.sandbox.clear_requests()
    yield
    await busy.sandbox.clear_faults()


def charge(charge_id: str, customer: str | None = None) -> AuthorizeCharge:
    return AuthorizeCharge(
        charge_id=charge_id,
        order_id="1001",
        amount=Decimal(100),
        currency="USD",
        payment_method="pm_card_visa",
        gateway_customer=customer,
        connection_id=STRIPE,
    )


async def test_REF_6_the_first_try_of_a_charge_a_capture_and_a_refund_is_one_call(
    busy: Busy, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(busy.payments.authorize_charge, charge("CH-first-1"))
    assert await busy.calls() == ["POST /v1/payment_intents"]
    reference = authorized.gateway_reference or ""

    ask = CaptureCharge(
        charge_id="CH-first-1",
        gateway_reference=reference,
        amount=Decimal(100),
        currency="USD",
        connection_id=STRIPE,
    )
    await activities.run(busy.payments.capture_charge, ask)
    assert await busy.calls() == [f"POST /v1/payment_intents/{reference}/capture"]

    refund = refund_of(reference, Direction.BROKER_TO_SELLER)
    assert (await activities.run(busy.payments.send_refund, refund)).state == "succeeded"
    assert await busy.calls() == ["POST /v1/refunds"]


async def test_REF_9_the_first_try_of_a_buyers_refund_looks_only_at_the_payments_currency(
    busy: Busy, activities: ActivityEnvironment
) -> None:
    authorized = await activities.run(busy.payments.authorize_charge, charge("CH-buyer-1"))
    reference = authorized.gateway_reference or ""
    await busy.calls()
    await activities.run(busy.payments.send_refund, refund_of(reference, Direction.SELLER_TO_BUYER))
    assert await busy.calls() == [f"GET /v1/payment_intents/{reference}", "POST /v1/refunds"]


def refund_of(payment: str, direction: Direction) -> SendRefund:
    return SendRefund(
        refund_id=f"RF-{payment}",
        order_id="1001",
        direction=direction,
        payment_reference=payment,
        amount=Decimal(10),
        currency="USD",
        connection_id=OF_ACME if direction is Direction.SELLER_TO_BUYER else STRIPE,
    )


async def test_CAN_1_a_charge_whose_answer_was_never_heard_is_voided_at_once(
    busy: Busy, activities: ActivityEnvironment
) -> None:
    """The search does not show it yet; the list of the last hour does."""
    await busy.sandbox.add_fault("gateway", "drop_after", match="POST /v1/payment_intents")
    with pytest.raises(Exception, match="can't be reached"):
        await activities.run(busy.payments.authorize_charge, charge("CH-unheard-1"))
    await busy.calls()
    answer = await activities.run(
        busy.payments.void_charge, VoidCharge(charge_id="CH-unheard-1", connection_id=STRIPE)
    )
    assert answer.state is ChargeState.VOIDED
    asked = await busy.calls()
    assert asked[:2] == ["GET /v1/payment_intents/search", "GET /v1/payment_intents"]
    assert len(asked) <= 8


async def test_CAN_1_a_known_charge_is_voided_by_one_call(busy: Busy, activities: ActivityEnvironment) -> None:
    authorized = await activities.run(busy.payments.authorize_charge, charge("CH-known-1"))
    await busy.calls()
    ask = VoidCharge(charge_id="CH-known-1", gateway_reference=authorized.gateway_reference, connection_id=STRIPE)
    assert (await activities.run(busy.payments.void_charge, ask)).state is ChargeState.VOIDED
    assert len(await busy.calls()) == 1


async def test_REF_6_a_list_without_end_is_no_place_to_look(retries: ActivityEnvironment) -> None:
    asked = 0

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        refund = {"id": f"re_{asked}", "status": "succeeded", "currency": "usd", "amount": 1}
        return httpx.Response(200, json={"data": [refund], "has_more": True})

    payments = Payments(connections(httpx.MockTransport(respond)))
    with pytest.raises(Exception, match="has too many payments or refunds to look through"):
        await retries.run(payments.send_refund, refund_of("pi_1", Direction.BROKER_TO_SELLER))
    assert asked == 50


@pytest.mark.parametrize(
    ("fault", "customer", "later"),
    [
        ("drop_before", None, 0),
        ("drop_after", "cus_acme", 0),
        ("drop_after", None, 3600),
        ("drop_before", "cus_acme", 2 * DAY),
        ("drop_after", None, 2 * DAY),
    ],
)
async def test_REF_6_a_retry_among_ten_thousand_foreign_charges_is_three_calls_at_most(
    busy: Busy,
    activities: ActivityEnvironment,
    retries: ActivityEnvironment,
    fault: str,
    customer: str | None,
    later: int,
) -> None:
    ask = charge(f"CH-{fault}-{customer}-{later}", customer)
    await busy.sandbox.add_fault("gateway", fault, match="POST /v1/payment_intents")
    with pytest.raises(Exception, match="can't be reached"):
        await activities.run(busy.payments.authorize_charge, ask)
    await busy.sandbox.advance_clock(later)
    await busy.calls()
    answer = await retries.run(busy.payments.authorize_charge, ask)
    assert answer.state is ChargeState.AUTHORIZED
    assert len(await busy.calls()) <= 3
    made = [
        one
        for one in (await busy.sandbox.effects()).payment_intents
        if one.metadata["backhaul_id"] == ask.charge_id
    ]
    assert [one.id for one in made] == [answer.gateway_reference]
