"""A claim on the real server: the seller's balance is credited, once (CLM-1)."""

from decimal import Decimal

from activities.database.ledger import Ledger
from models.contract import WORK
from tests.world import World


async def test_CLM_1_a_claim_is_approved_by_rule_once_its_receipt_is_there(world: World) -> None:
    order = await world.voided_order(quantity=2, minimum_stock=3)
    claim = await world.claim(order, "80.00")
    status = await claim.reaches("awaiting_decision")
    assert status.facts["why_a_person"] == ["no receipt is attached"]
    assert await claim.attribute(WORK) == ["to_decide"]

    await claim.update("receipt_added", reference="s3://acme/receipt.pdf", sha256="a" * 64)
    await claim.ends("approved")

    entries = Ledger(world.engine).entries(order_id=order.id)
    (credited,) = [one for one in entries if one.movement == f"claim/{claim.id}"]
    assert (credited.credit, credited.amount) == (f"seller/{order.request.seller_id}/available", Decimal("80.00"))
    assert world.reading.claim(claim.id).decided_by == "system:rule"
    assert len(await claim.mails(f"Claim {claim.id} is approved")) == 1
    lines = [{"sku": order.request.lines[0].sku, "quantity": 2}]
    again = await world.claim(order, "10.00", lines=lines)
    assert "2 voided, 1 claimed already" in (await again.ends("refused")).timeline[-1].what
