"""Scenes of what is said about cases that are not known here, and about parcels after the end (RET-20, RET-22,
ORD-20)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from models import calls
from models.order_events import Delivered, ShipmentCorrected
from starter.client.corrections import correct_after_end
from starter.client.deliveries import note_delivery
from tests.case_story import CaseStory
from tests.chaos.crash_coverage import AtWorker, Spot, during
from tests.chaos.stories import Story, patiently, stands_at, tell


async def unmatched(story: Story) -> CaseStory:
    """An orphan whose case is not there."""
    world = story.world
    said = world.tracking_word() | {"event_id": f"o{next(world.numbers)}-{world.tag}"}
    case = await patiently(lambda: world.orphan(f"nobody knows {said['event_id']}", said=said))
    await stands_at(case, "unmatched")
    return case


@during(calls.SAVE_ORPHAN)
async def saving_an_orphan(story: Story) -> AsyncIterator[Spot]:
    case = await unmatched(story)
    yield AtWorker(case)
    await tell(case, "dismiss", actor="staff:kim", reason="another seller's")
    yield AtWorker(case)
    await stands_at(case, "dismissed")
    story.ends(case, "dismissed")


@during(calls.FIND_CASES)
async def looking_for_a_case(story: Story) -> AsyncIterator[Spot]:
    world = story.world
    said = world.tracking_word() | {"event_id": f"o{next(world.numbers)}-{world.tag}"}
    numbers = f"nobody knows {said['event_id']}"
    request = world.orphan_request(numbers, said=said)
    spot = AtWorker(world.orphan_story(request.orphan_id))
    yield spot
    case = await patiently(lambda: world.orphan(numbers, said=said))
    yield spot
    await stands_at(case, "unmatched")
    await tell(case, "dismiss", actor="staff:kim", reason="another seller's")
    await stands_at(case, "dismissed")
    story.ends(case, "dismissed")


@during(calls.DELIVER_EVENT)
async def giving_an_event_to_its_case(story: Story) -> AsyncIterator[Spot]:
    """A named person matches it to a return that takes it: once, whatever breaks."""
    order = await story.order(rma="manual")
    await story.shipped(order)
    back = await story.open_return(order)
    case = await unmatched(story)
    yield AtWorker(case)
    await tell(case, "match", actor="staff:kim", case_id=back.handle.id, reason="the buyer named it")
    yield AtWorker(case)
    await stands_at(case, "matched")
    story.ends(case, "matched")
    await tell(back, "withdrawal", reason="keeps it")
    await stands_at(back, "withdrawn")
    story.ends(back, "withdrawn")


@during(calls.NOTE_DELIVERY)
async def noting_a_delivery(story: Story) -> AsyncIterator[Spot]:
    """The order has ended when its parcel arrives."""
    order = await story.order()
    await story.shipped(order)
    shipment = (await patiently(order.books)).shipments[0].shipment_id
    yield AtWorker(order)
    arrived = {"event_id": "arrived", "actor": "carrier:ups", "shipment_id": shipment}
    said = Delivered.model_validate(arrived | {"at": datetime.now(UTC).isoformat()})

    noting = asyncio.create_task(
        patiently(lambda: note_delivery(story.world.client, order.handle.id, said, timedelta(seconds=240)))
    )
    yield AtWorker(order)
    assert await noting


@during(calls.NOTE_CORRECTION)
async def noting_a_correction(story: Story) -> AsyncIterator[Spot]:
    """The order has ended when the label of its parcel is replaced: the shop gets the last number."""
    order = await story.order()
    await story.shipped(order)
    shipment = (await patiently(order.books)).shipments[0].shipment_id
    yield AtWorker(order)
    said = {"event_id": "new label", "actor": "supplier:dock", "shipment_id": shipment, "carrier": "DHL"}
    event = ShipmentCorrected.model_validate(said | {"tracking_number": f"D{order.id}"})
    within = timedelta(seconds=240)
    correcting = asyncio.create_task(
        patiently(lambda: correct_after_end(story.world.client, order.handle.id, event, within))
    )
    yield AtWorker(order)
    answer = await correcting
    assert answer is not None
    assert answer.accepted
