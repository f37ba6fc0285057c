"""True facts, for tests that doctor them."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from models.order_events import Delivered
from starter.client.deliveries import note_delivery
from tests.case_story import OrderStory
from tests.chaos.crash_points_orphans import unmatched
from tests.chaos.evidence import Evidence, gather
from tests.chaos.rare_stories import part_of_an_order_is_cancelled
from tests.chaos.stories import Story, an_order_is_cancelled, credit, receive, stands_at, tell
from tests.eventually import eventually
from tests.world import World


@pytest.fixture(scope="session")
def kept() -> dict[str, Evidence]:
    return {}


@pytest.fixture
async def true_facts(world: World, kept: dict[str, Evidence]) -> Evidence:
    """An order that came back to both refunds, its parcel noted as delivered afterwards; one that was cancelled;
    an orphan that the return took, and one that was dismissed; one of two units cancelled and refunded, the other
    one shipped. Played once for all tests."""
    if not kept:
        story = Story(world, random.Random(1))
        order = await story.order()
        await story.shipped(order)
        await returned_by_an_orphans_word(story, order)
        await an_orphan_is_dismissed(story)
        await parcel_arrived(story, order)
        await an_order_is_cancelled(story)
        await part_of_an_order_is_cancelled(story)
        for workflow_id in story.expected:
            await world.client.get_workflow_handle(workflow_id).result()

        async def look() -> Evidence:
            return await gather(world.sandbox, world.engine, world.client, tag=world.tag, expected=story.expected)

        kept["facts"] = await eventually(
            look, lambda seen: len(seen.cases) == 12, "the server lists all twelve cases"
        )
    return kept["facts"]


async def returned_by_an_orphans_word(story: Story, order: OrderStory) -> None:
    """A return whose tracking number the marketplace tells before anybody names the case."""
    case = await story.open_return(order)
    orphan = await story.world.orphan(case.id)
    await stands_at(orphan, "matched")
    story.ends(orphan, "matched")
    await tell(case, "seller_approval", decision="approved")
    await stands_at(case, "in_transit")
    await receive(case, order)
    await stands_at(case, "awaiting_credit")
    await credit(case)
    await stands_at(case, "awaiting_buyer_refund")
    await tell(case, "buyer_refund", reason="reviewed")
    await stands_at(case, "completed")
    story.ends(case, "completed")


async def an_orphan_is_dismissed(story: Story) -> None:
    orphan = await unmatched(story)
    await tell(orphan, "dismiss", actor="staff:kim", reason="another seller's")
    story.ends(orphan, "dismissed")


async def parcel_arrived(story: Story, order: OrderStory) -> None:
    shipment = (await order.books()).shipments[0].shipment_id
    said = {"event_id": "arrived", "actor": "carrier:ups", "shipment_id": shipment}
    word = Delivered.model_validate(said | {"at": datetime.now(UTC).isoformat()})
    assert await note_delivery(story.world.client, order.handle.id, word, timedelta(seconds=60))
