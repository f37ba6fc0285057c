"""Paths of a claim (CLM-1, CLM-2)."""

from tests.replay.recording import Recorded
from tests.rules.staff_cancel import stopped
from tests.world import World

RECEIPT = {"kind": "document", "reference": "s3://acme/receipt.pdf", "sha256": "a" * 64}


async def claim_decided(world: World) -> list[Recorded]:
    """One is approved in part by a person, one by rule once its receipt came, one rejected, one withdrawn; there
    is no unit left for the fifth."""
    order = await world.voided_order(minimum_stock=3)
    asked, ruled, rejected, withdrawn = [await world.claim(order, "20.00") for _ in range(4)]
    for claim in (asked, ruled, rejected, withdrawn):
        await claim.reaches("awaiting_decision")
    too_many = await world.claim(order, "0.01")
    await too_many.ends("refused")
    await asked.update("claim_decision", actor="staff:kim", decision="approved", amount="15.00")
    await ruled.update("receipt_added", reference=RECEIPT["reference"], sha256=RECEIPT["sha256"])
    await rejected.update("claim_decision", actor="staff:kim", decision="rejected", reason="no such dealer")
    await withdrawn.update("claim_withdrawn", reason="the dealer took it back")
    await asked.ends("approved")
    await ruled.ends("approved")
    await rejected.ends("rejected")
    await withdrawn.ends("withdrawn")
    return [asked, ruled, rejected, withdrawn, too_many]


async def claim_approved_by_rule(world: World) -> list[Recorded]:
    claim = await world.claim(await world.voided_order(minimum_stock=3), "100.00", receipt=RECEIPT)
    await claim.ends("approved")
    return [claim]


async def claim_overdue_and_stopped(world: World) -> list[Recorded]:
    """Nobody decides in time: staff are reminded, then told; they stop it."""
    claim = await world.claim(await world.voided_order(), "20.00")
    await claim.reaches("awaiting_decision")
    for days in (14, 11, 5):
        await claim.forward(days=days, minutes=1)
    await claim.shows("that it is overdue", lambda seen: seen.sla_state == "breached")
    await stopped(claim)
    return [claim]
