"""Scenes of documents to Amazon: each refund reaches it once, whatever breaks (AMZ-7, AMZ-10)."""

from collections.abc import AsyncIterator

from activities.database.amazon_queue import AmazonQueue, QueueFilter
from models import calls
from models.amazon.queue import QueueListed
from starter.sandbox.facts import PartnerName
from tests.amazon_queue_story import CREATE_FEED, REFUSED_AND_MOVED, AmazonAccount, amazon_account
from tests.case_story import CaseStory, OrderStory
from tests.chaos.crash_coverage import AtPartner, InBooks, Spot, during
from tests.chaos.rig import eventually
from tests.chaos.slow_database import Written
from tests.chaos.stories import Story, patiently, stands_at, tell, time_passes


def at_amazon(what: str) -> AtPartner:
    return AtPartner(PartnerName.AMAZON, what, named=False)


async def ordered(account: AmazonAccount) -> OrderStory:
    order = await patiently(account.begin_order)
    await stands_at(order, "cancel_window")
    return order


async def refunded(account: AmazonAccount, order: OrderStory, ending: str = "D1") -> CaseStory:
    """A refund of it waits in the queue, under one number however often it is asked for."""
    refund_id = f"RF-{order.id}-{ending}"
    refund = await patiently(lambda: account.world.refund(order, amount="5.00", refund_id=refund_id))
    await stands_at(refund, "pending")
    return refund


async def queued(story: Story, **options: str) -> tuple[AmazonAccount, CaseStory]:
    """A refund waits in the queue."""
    account = await patiently(lambda: amazon_account(story.world, **options))
    return account, await refunded(account, await ordered(account))


async def settled(account: AmazonAccount, refund: CaseStory, batch: CaseStory) -> None:
    """Amazon has one document, which is done; where its answer was lost for good, a person says so."""

    async def is_over() -> bool:
        status = await patiently(batch.status)
        if status.stage == "in_doubt" and status.waiting_for is not None and status.waiting_for.who == "staff":
            arrived = await account.feeds()
            word = {"outcome": "handed_in", "feed_id": arrived[0]} if arrived else {"outcome": "not_handed_in"}
            await tell(batch, "feed_resolved", **word, reason="looked there")
            if not arrived:
                await time_passes(batch, hours=48)
        if status.stage == "processing":
            await time_passes(batch, seconds=16)
        return status.outcome is not None

    await eventually(is_over, f"{batch.id} is settled")
    await stands_at(refund, "succeeded")
    assert len(await account.feeds()) == 1


async def sending(story: Story, spot: Spot) -> AsyncIterator[Spot]:
    account, refund = await queued(story)
    yield spot
    batch = await patiently(lambda: account.process(refund))
    yield spot
    await settled(account, refund, batch)


@during(calls.UPLOAD_FEED)
async def uploading_a_document(story: Story) -> AsyncIterator[Spot]:
    async for spot in sending(story, at_amazon(r"POST .*/feeds/2021-06-30/documents$")):
        yield spot


@during(calls.CREATE_FEED)
async def handing_in_a_document(story: Story) -> AsyncIterator[Spot]:
    async for spot in sending(story, at_amazon(r"POST .*/feeds/2021-06-30/feeds$")):
        yield spot


@during(calls.FIND_FEED)
async def looking_for_a_document(story: Story) -> AsyncIterator[Spot]:
    """Its answer is lost: nobody else hands one in at that moment."""
    account, refund = await queued(story)
    spot = at_amazon(r"GET .*/feeds/2021-06-30/feeds$")
    yield spot
    await patiently(lambda: story.world.sandbox.add_fault("amazon", "drop_after", CREATE_FEED))
    batch = await patiently(lambda: account.process(refund))
    yield spot
    await settled(account, refund, batch)


@during(calls.LOOK_AT_FEED)
async def asking_how_far_it_is(story: Story) -> AsyncIterator[Spot]:
    async for spot in at_the_end(story, at_amazon(r"GET .*/feeds/2021-06-30/feeds/\d+$")):
        yield spot


@during(calls.READ_FEED)
async def reading_what_became_of_it(story: Story) -> AsyncIterator[Spot]:
    async for spot in at_the_end(story, at_amazon(r"GET .*/feeds/2021-06-30/documents/")):
        yield spot


async def at_the_end(story: Story, spot: Spot) -> AsyncIterator[Spot]:
    """Amazon is asked 15 seconds later, and has done it by then."""
    account, refund = await queued(story)
    yield spot
    batch = await patiently(lambda: account.process(refund))
    await stands_at(batch, "processing", "done")
    await time_passes(batch, seconds=16)
    yield spot
    await settled(account, refund, batch)


@during(calls.LOOK_AT_TRANSACTIONS)
async def looking_at_an_orders_transactions(story: Story) -> AsyncIterator[Spot]:
    """Amazon refused a refund, and did it all the same: it is not sent a second time (AMZ-11)."""
    account = await patiently(lambda: amazon_account(story.world))
    order = await ordered(account)
    refund = await refunded(account, order, REFUSED_AND_MOVED)
    batch = await patiently(lambda: account.process(refund))
    await stands_at(batch, "processing", "done")
    await time_passes(batch, seconds=16)
    await stands_at(batch, "done")
    spot = at_amazon(r"GET .*/finances/2024-06-19/transactions$")
    yield spot
    again = await patiently(lambda: account.process(refund))
    yield spot
    await patiently(again.handle.result)  # it has sent nothing, so the books do not know it
    await stands_at(refund, "succeeded")
    assert len(await account.feeds()) == 1


@during(calls.QUEUE_REFUND)
async def queueing_a_refund(story: Story) -> AsyncIterator[Spot]:
    account = await patiently(lambda: amazon_account(story.world))
    order = await ordered(account)
    refund = story.world.refund_story(f"RF-{order.id}-D1")
    row = Written("amazon_queue", f"NEW.entry_id = '{refund.id}'")
    yield InBooks(refund, row, lambda: bool(asked(account)))
    await patiently(lambda: story.world.refund(order, amount="5.00", refund_id=refund.id))
    yield InBooks(refund, row, lambda: bool(asked(account)))
    await stands_at(refund, "pending")
    await settled(account, refund, await patiently(lambda: account.process(refund)))


@during(calls.OPEN_BATCH)
async def composing_a_document(story: Story) -> AsyncIterator[Spot]:
    account, refund = await queued(story)
    batch = account.batch(f"B-{refund.id}")
    row = Written("amazon_batch", f"NEW.batch_id = '{batch.id}'")
    spot = InBooks(batch, row, lambda: asked(account)[0].batch_id == batch.id)
    yield spot
    await patiently(lambda: account.process(refund, batch_id=batch.id))
    yield spot
    await settled(account, refund, batch)


@during(calls.RETURN_ENTRIES)
async def giving_entries_back(story: Story) -> AsyncIterator[Spot]:
    """The account's key is lost, and staff stop the batch before it is handed in."""
    account, refund = await queued(story)
    account.lose_key()
    batch = await patiently(lambda: account.process(refund))
    await stands_at(batch, "sending")
    row = Written("amazon_batch", f"NEW.batch_id = '{batch.id}' AND NEW.state = 'ended'")
    spot = InBooks(batch, row, lambda: asked(account)[0].batch_id is None)
    yield spot
    await patiently(batch.handle.cancel)
    yield spot
    await stands_at(batch, "stopped")
    account.find_key()
    await settled(account, refund, await patiently(lambda: account.process(refund)))


def asked(account: AmazonAccount) -> list[QueueListed]:
    """What the books have in the queue."""
    wanted = QueueFilter(account.seller.seller_id, every=True)
    return AmazonQueue(account.world.engine).find(wanted)
