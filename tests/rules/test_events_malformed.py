"""A wrong event is answered and recorded, and stops nothing; the good one after it counts (RET-16)."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models import contract
from tests.case_story import CaseStory
from tests.malformed import malformed
from tests.senders import sender_of
from tests.world import World

EVENTS = [
    (contract.ORDER, "shipment"),
    (contract.RETURN, "credit_memo"),
    (contract.REFUND, "gateway_update"),
    (contract.ORPHAN, "match"),
]
"""One of each kind of case: the others are read by the same code (`tests/plans/test_malformed_events.py`), and
each is sent in every stage by `tests/races`."""


async def case_for(world: World, kind: str) -> CaseStory:
    """A case that can use the event now."""
    if kind == contract.ORDER:
        order = await world.simple_order()
        await order.reaches("cancel_window")
        return order
    if kind == contract.REFUND:
        order = await world.simple_order(buyer_method="pm_card_pendingRefund")
        await order.reaches("cancel_window")
        refund = await world.refund(order, amount="5.00")
        await refund.reaches("pending")
        return refund
    if kind == contract.ORPHAN:
        orphan = await world.orphan(f"nobody knows {world.tag}")
        await orphan.reaches("unmatched")
        return orphan
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    return case


async def good_fields(world: World, case: CaseStory, name: str) -> dict[str, Any]:
    """The event's own fields, such that the case takes it."""
    line = {"sku": f"SKU-{world.tag}-2", "quantity": 1}
    status = await case.status()
    if "lines" in status.facts:
        line["sku"] = status.facts["lines"][0]["sku"]
    if name == "match":
        order = await world.simple_order()
        await order.shipped()
        back = await world.return_of(order)
        await back.reaches("awaiting_approval")
        return {"case_id": back.handle.id, "reason": "the buyer named it"}
    fields: dict[str, dict[str, Any]] = {
        "shipment": {"shipment_id": "s1", "carrier": "UPS", "tracking_number": "1Z1", "lines": [line]},
        "payment_method_updated": {"payment_method": "pm_card_visa"},
        "return_tracking": {"carrier": "UPS", "tracking_number": "1Z2"},
        "credit_memo": {"number": "CM-1", "date": "2026-03-01", "amount": "31.50", "currency": "USD"},
        "gateway_update": {"status": "pending", "gateway_refund_id": status.facts.get("gateway_refund_id")},
    }
    return fields[name]


@pytest.mark.parametrize(("kind", "name"), EVENTS, ids=[f"{kind}-{name}" for kind, name in EVENTS])
async def test_RET_16_a_malformed_event_is_recorded_and_the_good_one_after_it_counts(
    world: World, kind: str, name: str
) -> None:
    case = await case_for(world, kind)
    good = case.event(**{"actor": sender_of(name)} | await good_fields(world, case, name))
    bad = malformed(name, good)

    for arguments, _ in bad.values():
        await case.handle.signal(name, args=arguments)

    status = await case.shows("every rejection", lambda seen: seen.rejected_count == len(bad))
    for (what, (_, word)), rejected in zip(bad.items(), status.rejected_events, strict=True):
        assert (rejected.name, word in rejected.reason) == (name, True), (what, rejected.reason)
    steps_before = len(status.timeline)

    # The sender mended it and sends it under the same event_id: what was not used was not counted.
    await case.handle.signal(name, good)

    status = await case.shows("the good event", lambda seen: len(seen.timeline) > steps_before)
    assert status.rejected_count == len(bad)


@pytest.mark.parametrize(("kind", "name"), EVENTS, ids=[f"{kind}-{name}" for kind, name in EVENTS])
async def test_RET_16_a_malformed_update_is_refused_with_the_field_and_leaves_no_trace(
    world: World, kind: str, name: str
) -> None:
    case = await case_for(world, kind)
    good = case.event(**{"actor": sender_of(name)} | await good_fields(world, case, name))
    steps_before = len((await case.status()).timeline)

    for what, (arguments, word) in malformed(name, good).items():
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await case.handle.execute_update(name, args=arguments)
        cause = refused.value.cause
        assert isinstance(cause, ApplicationError), what
        assert (cause.type, word in str(cause)) == ("InvalidInput", True), (what, str(cause))

    status = await case.status()
    assert (status.rejected_count, len(status.timeline)) == (0, steps_before)
    answer = await case.update(name, **good)
    assert (answer.accepted, answer.duplicate) == (True, False)


@pytest.mark.proof
@pytest.mark.parametrize("kind", [contract.ORDER, contract.ORPHAN])
async def test_RET_16_an_unknown_event_is_recorded_by_its_name(world: World, kind: str) -> None:
    case = await case_for(world, kind)
    await case.handle.signal("cancel_my_order", {"buyer": "Robin, 12 River Road"})
    status = await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    (rejected,) = status.rejected_events
    assert (rejected.name, "there is no event" in rejected.reason) == ("cancel_my_order", True)
    assert "Robin" not in status.model_dump_json()
    assert await case.attribute(contract.REJECTED_EVENTS) == 1


@pytest.mark.proof
@pytest.mark.parametrize("kind", [contract.RETURN, contract.REFUND])
async def test_RET_16_a_rejection_never_shows_the_senders_data(world: World, kind: str) -> None:
    name = next(iter(contract.EVENTS[kind]))
    case = await case_for(world, kind)
    await case.signal(name, actor="Robin Buyer <robin@buyer.example>", note="x" * 3000, address="12 River Road")
    status = await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    shown = status.model_dump_json()
    assert not [private for private in ("robin@", "River Road", "xxx") if private in shown]


@pytest.mark.parametrize(
    ("kind", "name", "way"),
    [
        (contract.ORDER, "payment_method_updated", "update"),
        (contract.RETURN, "return_tracking", "signal"),
        (contract.REFUND, "gateway_update", "update"),
    ],
)
async def test_RET_16_the_same_event_twice_counts_once(world: World, kind: str, name: str, way: str) -> None:
    case = await case_for(world, kind)
    event = case.event(**{"actor": sender_of(name)} | await good_fields(world, case, name)) | {"event_id": "twice"}
    await case.update(name, **event)
    steps = len((await case.status()).timeline)
    if way == "update":
        # An update's own id would make the server answer by itself: only the event's id must do it.
        again = await case.handle.execute_update(name, event, id="another")
        assert again["duplicate"] is True
    else:
        await case.handle.signal(name, event)
    await case.handle.signal("no_such_event", {})
    status = await case.shows("what came after it", lambda seen: seen.rejected_count == 1)
    assert len(status.timeline) == steps
