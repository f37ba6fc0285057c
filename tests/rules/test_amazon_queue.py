"""Refunds of Amazon orders on the running stack: queued, sent in one document, settled one by one (AMZ-5..10)."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.service import RPCError

from activities.account_schedules import QUEUE, AccountSchedules
from models.contract import TASK_QUEUE
from tests.amazon_queue_story import CREATE_FEED, amazon_account, asks_staff, until_states
from tests.eventually import eventually
from tests.world import World

pytestmark = pytest.mark.proof


async def test_AMZ_7_refunds_go_in_one_document_and_each_hears_what_became_of_it(world: World) -> None:
    account = await amazon_account(world)
    order = await account.order()
    first, second = await account.refund(order), await account.refund(order, "7.00")
    assert "in the queue for Amazon" in [step.what for step in (await first.status()).timeline]
    await world.sandbox.amazon_behaves(
        queue_seconds=0,
        progress_seconds=0,
        message_faults=[{"match": f"^{second.id}", "code": 18021, "description": "too much"}],
    )
    batch = await account.process(first, second)
    await account.processed(batch)
    await batch.ends("done")
    await first.ends("succeeded")
    await second.shows(
        "Amazon's reason", lambda seen: any("18021: too much" in step.what for step in seen.timeline)
    )
    assert await account.states() == ["done", "refused"]
    assert [(one.document, one.batch_id) for one in await account.entries()] == [(1, batch.id)] * 2
    told = await world.sandbox.at_amazon()
    (refunded,) = [one for one in told.refunds if one.order_id == order.request.channel_order_id]
    assert (refunded.amount, refunded.adjustment_id) == (Decimal("5.00"), f"{first.id}.1")

    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0)
    early = await account.process(second)
    assert "Amazon may show late what it did" in (await early.ends("refused")).timeline[-1].what
    await account.told_long_ago(second)
    again = await account.process(second)
    await account.processed(again)
    await again.ends("done")
    await second.ends("succeeded")
    assert len(await account.feeds()) == 2


async def test_AMZ_11_what_amazon_refused_and_did_all_the_same_is_not_sent_a_second_time(world: World) -> None:
    account = await amazon_account(world)
    refund = await account.refund(await account.order())
    fault = {"match": f"^{refund.id}", "description": "an internal error", "moved": True}
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0, message_faults=[fault])
    batch = await account.process(refund)
    await account.processed(batch)
    await batch.ends("done")
    assert await account.states() == ["refused"]

    again = await account.process(refund)
    assert "Amazon shows that 1 moved already" in (await again.ends("done")).timeline[-1].what
    await refund.ends("succeeded")
    assert await account.states() == ["done"]
    assert len(await account.feeds()) == 1


async def test_AMZ_5_without_a_queue_it_goes_at_once_and_the_next_when_it_has_ended(world: World) -> None:
    account = await amazon_account(world, queue="false")
    order = await account.order()
    first = await account.refund(order)
    batch = account.batch(f"B-{first.id}")
    await batch.reaches("processing")
    second = await account.refund(order, "7.00")
    await account.processed(batch)
    await first.ends("succeeded")
    following = account.batch(f"B-{first.id}.2")
    await account.processed(following)
    await second.ends("succeeded")
    assert len(await account.feeds()) == 2


async def test_AMZ_7_a_lost_answer_is_looked_for_and_nothing_is_sent_twice(world: World) -> None:
    account = await amazon_account(world)
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0, feeds_name_documents=True)
    refund = await account.refund(await account.order())
    await world.sandbox.add_fault("amazon", "drop_after", CREATE_FEED)
    batch = await account.process(refund)
    await account.processed(batch)
    await refund.ends("succeeded")
    assert len(await account.feeds()) == 1


async def test_AMZ_10_what_did_not_arrive_is_in_doubt_until_a_person_says_so(world: World) -> None:
    account = await amazon_account(world)
    refund = await account.refund(await account.order())
    await world.sandbox.add_fault("amazon", "drop_before", CREATE_FEED)
    batch = await account.process(refund)
    await asks_staff(batch)
    assert (await batch.status()).stage == "in_doubt"
    beside = await account.process(refund)
    assert "is under way" in (await beside.ends("refused")).timeline[-1].what
    assert len(await account.feeds()) == 0
    await batch.handle.terminate("by hand")
    batch = await account.process(refund, batch_id=batch.id)
    await asks_staff(batch)
    assert "an earlier run was cut off" in str((await batch.status()).facts["in_doubt"])
    await batch.update("feed_resolved", outcome="not_handed_in", reason="Seller Central has none")
    await batch.forward(hours=48)
    await account.processed(batch)
    await refund.ends("succeeded")
    assert len(await account.feeds()) == 1
    await until_states(account, "done")


async def test_AMZ_5_a_person_processes_and_rejects_what_waits_on_the_command_line(world: World) -> None:
    """A refund is rejected; a cancellation goes in a document of its own kind."""
    account = await amazon_account(world)
    order = await account.order()
    refund = await account.refund(order)
    await account.cancels(order, "no stock")
    async with world.worker(TASK_QUEUE):
        said = await account.says("reject", "--select", refund.id, "--reason", "refunded there")
        assert said.exit_code == 0, said.output
        assert (await refund.ends("refused")).timeline[-1].what.endswith("rejected by seller:cli: refunded there")
        said = await account.says("process", "--all", "--seller", account.seller.seller_id, "--json")
        assert said.exit_code == 0, said.output
        (begun,) = json.loads(said.stdout)
        assert (begun["kind"], begun["document"], begun["messages"]) == ("cancellation", 1, 1)
        batch = account.batch(begun["batch_id"])
        again = await account.says("process", "--select", f"CX-{order.id}")
        assert (again.exit_code, "is under way" in again.output) == (4, True)
        await account.processed(batch)
        await batch.ends("done")
    told = await world.sandbox.at_amazon()
    (cancel,) = [one for one in told.cancels if one.order_id == order.request.channel_order_id]
    assert (cancel.order_item_id, cancel.reason) == (order.request.lines[0].line_id, "NoInventory")
    assert await account.states() == ["rejected", "done"]


async def test_AMZ_6_with_auto_submit_the_queue_is_sent_by_a_schedule(world: World) -> None:
    """It is made with the setting, and removed with it."""
    account = await amazon_account(world, auto_submit="true")
    refund = await account.refund(await account.order())
    schedules = AccountSchedules(world.client, world.engine, world.task_queue)
    await schedules.keep()
    await schedules.keep()
    handle = world.client.get_schedule_handle(f"{QUEUE}{account.connection_id}-refund-30")
    told = (await handle.describe()).schedule.spec.intervals
    assert [one.every for one in told] == [timedelta(minutes=30)]
    await handle.trigger()
    (entry,) = await eventually(account.entries, lambda seen: seen[0].batch_id is not None, "it is sent")
    await account.processed(account.batch(str(entry.batch_id)))
    await refund.ends("succeeded")
    await account.set(queue="true", auto_submit="false")
    await schedules.keep()
    with pytest.raises(RPCError, match="not found"):
        await handle.describe()


async def test_AMZ_6_what_was_queued_while_the_account_was_inactive_goes_once_it_is_active(world: World) -> None:
    account = await amazon_account(world)
    refund = await account.refund(await account.order())
    await account.set(queue="false")
    await account.is_active(is_so=False)
    schedules = AccountSchedules(world.client, world.engine, world.task_queue)
    await account.waits_since(timedelta(minutes=6))
    await schedules.send_what_waits()
    assert await account.states() == ["queued"], "it is not active yet"
    await account.is_active(is_so=True)
    await schedules.send_what_waits()
    await schedules.send_what_waits()
    (entry,) = await eventually(account.entries, lambda seen: seen[0].batch_id is not None, "it is sent")
    await account.processed(account.batch(str(entry.batch_id)))
    await refund.ends("succeeded")
    assert len(await account.feeds()) == 1
