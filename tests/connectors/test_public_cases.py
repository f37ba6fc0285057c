"""Refunds made twice, or not at all, elsewhere; by their names in `tests/money/public_cases.json` (REF-6)."""

from decimal import Decimal

from temporalio.testing import ActivityEnvironment

from activities.connectors.payments import Payments
from starter.sandbox import SandboxClient
from tests.connectors.stripe_calls import lost, paid, refund, refunds


async def test_medusa_16681(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment, retries: ActivityEnvironment
) -> None:
    """The gateway made it, its answer was lost: the retry has the same key, and there is one refund."""
    await paid(sandbox)
    await sandbox.add_fault("gateway", "drop_after", match="POST /v1/refunds")
    await lost(activities, payments.send_refund, refund())
    answer = await retries.run(payments.send_refund, refund())
    (made,) = await refunds(sandbox)
    assert (answer.state, answer.gateway_refund_id, made.amount) == ("succeeded", made.id, Decimal("10.00"))


async def test_saleor_apps_2446(
    payments: Payments, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    """Two refunds of one amount on one charge: both happen, for a key is made of the refund's id."""
    await paid(sandbox)
    for refund_id in ("RF-1001-D1", "RF-1001-D2"):
        assert (await activities.run(payments.send_refund, refund(refund_id))).state == "succeeded"
    assert [one.amount for one in await refunds(sandbox)] == [Decimal("10.00"), Decimal("10.00")]
