"""RET-20 on the running stack: what is said too early is kept and reaches its case; the rest is for a person."""

from hashlib import sha256

import pytest
from temporalio.service import RPCError

from models.failures import Conflict
from models.orphans import kept_word
from models.returns import ReturnRequest, ReturnTracking, SellerApproval
from starter.client.report import report, send_or_report
from starter.client.send import Delivery, record_event, send_event
from starter.client.start import Opened, open_return, report_orphan
from tests.world import World


async def test_RET_20_what_is_said_too_early_reaches_its_return_once(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    early = await world.orphan(f"# rr_{order.id}_1")
    await early.reaches("unmatched")
    assert [one.orphan_id for one in world.reading.find_orphans(limit=1000)].count(early.id) == 1
    case = await world.return_of(order, return_id=f"RR-{order.id}-1")
    await early.reaches("matched")  # at once, not at its next look
    status = await case.shows("the tracking number", lambda seen: bool(seen.facts["tracking_number"]))
    assert status.facts["tracking_number"] == f"1Z-{world.tag}"
    again = await case.update("return_tracking", **world.tracking_word())
    assert again.duplicate, "it has the event's own id"


async def test_RET_20_a_named_person_matches_it_and_is_answered_by_the_case(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    early = await world.orphan(f"nobody knows {world.tag}")
    await early.reaches("unmatched")
    answer = await early.update("match", actor="staff:kim", case_id=case.handle.id, reason="the buyer named it")
    assert answer.accepted
    await early.ends("matched")
    assert (await case.status()).facts["tracking_number"] == f"1Z-{world.tag}"


async def test_RET_20_a_case_that_is_over_does_not_take_it(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    said = {"event_id": f"c-{world.tag}", "actor": "channel:ebay", "reason": "too late"}
    late = await world.orphan(order.id, event="cancel_request", said=said)
    await late.reaches("not_taken")
    answer = await late.update("dismiss", actor="staff:kim", reason="it is shipped")
    assert answer.accepted
    await late.ends("dismissed")


async def test_RET_20_integrations_report_what_has_no_case_here(world: World) -> None:
    said = ReturnTracking.model_validate(world.tracking_word())
    kept = await send_or_report(
        world.client,
        f"return-RR-{world.tag}",
        "return_tracking",
        said,
        source="ebay",
        numbers=(f"RR-{world.tag}",),
        task_queue=world.task_queue,
    )
    assert isinstance(kept, Opened)
    assert not kept.already
    again = await report(
        world.client, "ebay", "return_tracking", said, (f"RR-{world.tag}",), task_queue=world.task_queue
    )
    assert again.already, "said twice it is one"
    order = await world.simple_order()
    await order.shipped()
    case = await world.return_of(order)
    sent = await send_or_report(
        world.client, case.handle.id, "return_tracking", said, source="ebay", numbers=("1",)
    )
    assert isinstance(sent, Delivery)


async def test_RET_16_what_is_said_to_a_return_that_waits_for_its_order_reaches_it_when_it_starts(
    world: World,
) -> None:
    supplier, sku, number = await world.supplier(), world.sku(), f"13-{world.tag}"
    await world.stock(sku, 10, supplier)
    asked = ReturnRequest.at_the_door(
        {
            "return_id": f"RR-{world.tag}-W",
            "order_id": number,
            "source": "ebay_return",
            "requested_by": "channel:ebay",
            "lines": [{"sku": sku, "quantity": 1, "reason": "NOT_AS_DESCRIBED"}],
        }
    )
    sooner = world.tracking_word() | {"event_id": f"s-{world.tag}", "tracking_number": "1Z sooner"}
    before = kept_word(f"return-{asked.return_id}", "return_tracking", ReturnTracking.model_validate(sooner))
    await report_orphan(world.client, before, task_queue=world.task_queue)
    await world.orphan_story(before.orphan_id).reaches("unmatched")  # though the return is not even asked for
    await open_return(world.client, asked, task_queue=world.task_queue)
    back = world.return_story(asked.return_id)
    orphan = world.orphan_story((await back.ends("refused")).facts["orphan"])
    said = ReturnTracking.model_validate(world.tracking_word() | {"actor": "buyer:robin"})
    for send, known in ((send_event, False), (record_event, True)):
        kept = await send(world.client, back.handle.id, "return_tracking", said)
        assert kept.answer is not None
        assert (kept.answer.accepted, kept.answer.duplicate) == (True, known)
    word = world.orphan_story(kept_word(back.handle.id, "return_tracking", said).orphan_id)
    await word.reaches("unmatched")
    raw = {"event_id": f"raw-{world.tag}", "actor": "carrier:ups", "carrier": "UPS", "tracking_number": "1Z raw"}
    with pytest.raises(RPCError, match="already completed"):  # over HTTP nobody keeps it (docs/orphans.md)
        await back.handle.signal("return_tracking", raw)
    by_hand = "\n".join(("ups", raw["event_id"], back.handle.id, "return_tracking"))
    orphan_id = f"ups-{sha256(by_hand.encode()).hexdigest()[:16]}"
    reported = {"orphan_id": orphan_id, "source": "ups", "event": "return_tracking", "said": raw}
    await world.client.start_workflow(
        "Orphan",
        reported | {"numbers": [asked.return_id], "sent_to": back.handle.id},
        id=f"orphan-{orphan_id}",
        task_queue=world.task_queue,
    )
    approval = SellerApproval(event_id="a1", actor="seller:jane", decision="approved")
    with pytest.raises(Conflict, match="nothing to decide before it is"):
        await send_event(world.client, back.handle.id, "seller_approval", approval)
    order = await world.order(
        await world.seller(), {"sku": sku, "quantity": 2}, channel="ebay", channel_order_id=number
    )
    await order.shipped()
    await orphan.ends("matched")  # at once, not at their next looks
    await word.ends("matched")
    await world.orphan_story(orphan_id).ends("matched")
    await world.orphan_story(before.orphan_id).ends("matched")
    back_again = await back.status()
    assert {one["tracking_number"] for one in back_again.facts["parcels"]} == {
        said.tracking_number,
        "1Z raw",
        "1Z sooner",
    }


async def test_RET_20_a_marketplaces_return_of_an_order_that_comes_later_starts_once(world: World) -> None:
    supplier, sku, number = await world.supplier(), world.sku(), f"12-{world.tag}"
    await world.stock(sku, 10, supplier)
    request = {
        "return_id": f"RR-{world.tag}-E",
        "order_id": number,
        "source": "ebay_return",
        "requested_by": "channel:ebay",
        "ebay_return_id": f"50-{world.tag}",
        "lines": [{"sku": sku, "quantity": 1, "reason": "NOT_AS_DESCRIBED"}],
    }
    for _ in range(2):  # as its list is read again
        asked = ReturnRequest.at_the_door(request)
        await open_return(world.client, asked, task_queue=world.task_queue)
        back = world.return_story(asked.return_id)
        refused = await back.ends("refused")
    kept = world.orphan_story(refused.facts["orphan"])
    await kept.reaches("unmatched")
    (listed,) = [one for one in world.reading.find_orphans(limit=1000) if one.orphan_id == kept.id]
    assert listed.numbers == (number, asked.return_id, f"50-{world.tag}")
    order = await world.order(
        await world.seller(), {"sku": sku, "quantity": 2}, channel="ebay", channel_order_id=number
    )
    await order.placed()
    await kept.shows(
        "its order", lambda seen: any("nothing has shipped yet" in step.what for step in seen.timeline)
    )
    await order.ship_all()
    await kept.ends("matched")
    status = await back.reaches("awaiting_approval")
    assert (status.facts["order_id"], status.facts["source"]) == (order.id, "ebay_return")
    assert [one.return_id for one in world.reading.find_return(order.id)] == [asked.return_id]
    again = await open_return(world.client, asked, task_queue=world.task_queue)
    assert again.already
