"""Events come early, late, twice, in any order, or wrong; none stops a return (RET-16)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.case_story import Refused
from tests.return_story import Money, ReturnStory, returning
from tests.world import World

pytestmark = pytest.mark.proof

BOTH = Money(buyer=Decimal("100.00"), seller=Decimal("63.00"))


def events_of(case: ReturnStory) -> dict[str, dict[str, Any]]:
    """Each event that brings a return to its end."""
    accepted = {"sku": case.sku, "quantity": 2, "reception": "received", "acceptance": "accepted"}
    memo = {"number": f"CM-{case.id}", "date": "2026-03-01", "amount": "63.00", "currency": "USD"}
    return {
        "supplier_rma": {"actor": "supplier:dock", "outcome": "issued", "rma_number": f"RMA-{case.id}"},
        "return_tracking": {"actor": "buyer:robin", "carrier": "UPS", "tracking_number": "1ZBACK"},
        "goods_received": {"actor": "supplier:dock", "lines": [accepted]},
        "credit_memo": {"actor": "supplier:office", **memo},
        "buyer_refund": {"reason": "returned"},
        "seller_approval": {"decision": "approved"},
    }


async def manual_return(world: World) -> ReturnStory:
    case = await returning(world, supplier=await world.supplier(rma="manual"))
    await case.reaches("awaiting_approval")
    return case


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_RET_16_each_event_does_the_same_as_signal_and_as_update(world: World, way: str) -> None:
    case = await manual_return(world)
    events = events_of(case)

    for name, stage in (
        ("seller_approval", "awaiting_rma"),
        ("supplier_rma", "awaiting_tracking"),
        ("return_tracking", "in_transit"),
        ("goods_received", "awaiting_credit"),
    ):
        await case.send(way, name, **events[name])
        await case.reaches(stage)
    await case.send(way, "channel_update", actor="channel:ebay", status="escalated")
    await case.send(way, "staff_override", actor="staff:sam", waive="inspection", reason="seen on a photo")
    await case.send(way, "credit_memo", **events["credit_memo"])
    await case.reaches("awaiting_buyer_refund")
    await case.send(way, "buyer_refund", **events["buyer_refund"])

    status = await case.ends("completed")
    assert await case.money() == BOTH
    assert status.rejected_count == 0


@pytest.mark.parametrize("way", ["signal", "update"])
async def test_RET_16_a_withdrawal_does_the_same_as_signal_and_as_update(world: World, way: str) -> None:
    case = await manual_return(world)

    await case.send(way, "withdrawal", reason="keeps it")

    await case.ends("withdrawn")


async def test_RET_16_events_that_come_before_the_approval_are_kept(world: World) -> None:
    case = await manual_return(world)
    events = events_of(case)

    for name in ("credit_memo", "supplier_rma", "return_tracking", "goods_received", "buyer_refund"):
        await case.update(name, **events[name])
    assert (await case.status()).stage == "awaiting_approval"
    await case.approve()

    status = await case.ends("completed")
    assert await case.money() == BOTH
    assert (status.facts["rma_number"], status.facts["tracking_number"]) == (f"RMA-{case.id}", "1ZBACK")


async def test_RET_16_the_order_of_events_does_not_matter(world: World) -> None:
    case = await manual_return(world)
    events = events_of(case)

    for name in reversed(list(events)):
        await case.signal(name, **events[name])

    await case.ends("completed")
    assert await case.money() == BOTH


async def test_RET_16_each_event_twice_counts_once(world: World) -> None:
    case = await manual_return(world)

    for name, fields in events_of(case).items():
        sent = await case.signal(name, **fields)
        await case.signal(name, **sent)

    status = await case.ends("completed")
    assert await case.money() == BOTH
    assert status.rejected_count == 0
    assert len(status.facts["credit_memos"]) == 1


WRONG: list[tuple[str, list[Any]]] = [
    ("seller_approval", [{"event_id": "w1", "actor": "seller:jane", "decision": "perhaps"}]),
    ("credit_memo", [{"event_id": "w2", "actor": "supplier:x", "number": "1", "amount": 63.0, "currency": "USD"}]),
    ("return_tracking", []),
    ("goods_received", [{"event_id": "w4"}, {"event_id": "w4"}]),
    ("return_traking", [{"event_id": "w5"}]),
    ("buyer_refund", ["just do it"]),
]


@pytest.mark.parametrize("stage", ["awaiting_approval", "awaiting_rma", "awaiting_tracking", "in_transit"])
async def test_RET_16_wrong_events_are_recorded_in_any_stage_and_the_return_goes_on(
    world: World, stage: str
) -> None:
    case = await manual_return(world)
    events = events_of(case)
    steps = ["seller_approval", "supplier_rma", "return_tracking", "goods_received", "credit_memo", "buyer_refund"]
    stages = ["awaiting_approval", "awaiting_rma", "awaiting_tracking", "in_transit"]
    for name, reached in zip(steps, stages[1 : stages.index(stage) + 1], strict=False):
        await case.update(name, **events[name])
        await case.reaches(reached)

    for name, payload in WRONG:
        await case.handle.signal(name, args=payload)
    await case.shows("all are recorded", lambda seen: seen.rejected_count == len(WRONG))
    for name in steps[stages.index(stage) :]:
        await case.update(name, **events[name])

    status = await case.ends("completed")
    assert [event.name for event in status.rejected_events] == [name for name, _ in WRONG]
    assert await case.money() == BOTH


async def test_RET_16_a_wrong_update_says_which_field_and_changes_nothing(world: World) -> None:
    case = await manual_return(world)

    with pytest.raises(Refused, match="decision") as refusal:
        await case.update("seller_approval", decision="perhaps")

    assert refusal.value.type == "InvalidInput"
    assert refusal.value.details[0]["field"] == "decision"
    assert (await case.status()).rejected_count == 0


async def test_RET_16_events_after_the_end_are_answered(world: World) -> None:
    case = await manual_return(world)
    await case.withdraw()
    await case.ends("withdrawn")

    with pytest.raises(Exception, match="already completed"):
        await case.track()
