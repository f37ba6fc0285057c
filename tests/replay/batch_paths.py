"""Paths of a document to Amazon (AMZ-5, AMZ-7, AMZ-10)."""

from tests.amazon_queue_story import CREATE_FEED, amazon_account, asks_staff
from tests.replay.recording import Recorded
from tests.rules.staff_cancel import stopped
from tests.world import World

_DOCUMENTS = r"POST .*/feeds/2021-06-30/documents$"


async def batch_of_two_refunds(world: World) -> list[Recorded]:
    """One is done, one is refused by Amazon and rejected by a person; nothing else waits for the second batch."""
    account = await amazon_account(world)
    order = await account.order()
    first, second = await account.refund(order), await account.refund(order, "7.00")
    fault = {"match": f"^{second.id}", "description": "too much"}
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0, message_faults=[fault])
    batch = await account.process(first, second)
    await account.processed(batch)
    await batch.ends("done")
    await first.ends("succeeded")
    await world.sandbox.amazon_behaves()
    nothing = await account.process(first)
    await nothing.ends("refused")
    return [batch, first, nothing]


async def batch_in_doubt(world: World) -> list[Recorded]:
    """It did not arrive: it is looked for, then a person says so."""
    account = await amazon_account(world)
    refund = await account.refund(await account.order())
    await world.sandbox.add_fault("amazon", "drop_before", CREATE_FEED)
    batch = await account.process(refund)
    await asks_staff(batch)
    await batch.update("feed_resolved", outcome="not_handed_in", reason="Seller Central has none")
    await batch.forward(hours=48)
    await account.processed(batch)
    await batch.ends("done")
    await world.sandbox.amazon_behaves()
    return [batch]


async def batch_stopped(world: World) -> list[Recorded]:
    """Amazon is out of order, and staff stop it: its entries wait again."""
    account = await amazon_account(world)
    refund = await account.refund(await account.order())
    await world.sandbox.add_fault("amazon", "error", _DOCUMENTS, times=None)
    batch = await account.process(refund)
    await batch.shows(
        "that Amazon is out of order", lambda seen: any("no success yet" in step.what for step in seen.timeline)
    )
    await stopped(batch)
    await world.sandbox.clear_faults()
    await world.sandbox.amazon_behaves()
    return [batch]
