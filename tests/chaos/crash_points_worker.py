"""Scenes at the worker: what it asks the server, what it only reads, what it seldom writes."""

import asyncio
from collections.abc import AsyncIterator

from models import calls
from models.ids import order_workflow_id, replacement_order_id
from tests.case_story import CaseStory
from tests.chaos.crash_coverage import AtWorker, Spot, during
from tests.chaos.rig import eventually
from tests.chaos.staff import reset_before_refund
from tests.chaos.stories import Story, credit, pass_by, pass_window, patiently, ship, stands_at, tell
from tests.chaos.story_parts import awaiting_credit, in_its_window


@during(calls.EVENT_ARRIVAL)
async def asking_when(story: Story) -> AsyncIterator[Spot]:
    """The window closes and a late cancel comes while the worker is away: it asks which came first (CAN-3)."""
    order = await in_its_window(story)
    closes = (await order.books()).cancel_until
    assert closes is not None, "it is in its window"
    spot = AtWorker(order)
    yield spot
    passing = asyncio.create_task(pass_by(order, minutes=31))

    async def is_over() -> bool:
        return await patiently(order.now) > closes

    await eventually(is_over, "the window closes")
    await tell(order, "cancel_request", reason="changed their mind")
    yield spot
    await passing
    await story.shipped(order)


@during(calls.REFUND_OUTCOME)
async def looking_for_a_refund_that_is_made(story: Story) -> AsyncIterator[Spot]:
    """Staff reset the return to before the buyer's refund: the refund has its workflow, and is not made again."""
    _, case = await awaiting_credit(story)
    await credit(case)
    await stands_at(case, "awaiting_buyer_refund")
    await tell(case, "buyer_refund", reason="reviewed")
    await patiently(case.handle.result)
    yield AtWorker(case)
    await patiently(lambda: reset_before_refund(case, f"RF-{case.id}-B1"))
    yield AtWorker(case)
    await patiently(case.handle.result)
    story.ends(case, "completed")


@during(calls.CHOOSE_CONNECTION)
async def choosing_a_connection(story: Story) -> AsyncIterator[Spot]:
    """It came before its broker could charge: once by one connection, whatever comes after (REF-6)."""
    world = story.world
    supplier, seller, sku = await world.supplier(), await world.seller(), world.sku()
    await world.stock(sku, 10, supplier)
    order_id = f"{world.tag}-E{next(world.numbers)}"
    spot = AtWorker(CaseStory(world, world.client.get_workflow_handle(order_workflow_id(order_id)), order_id))
    yield spot
    order = await patiently(lambda: world.order(seller, {"sku": sku, "quantity": 2}, order_id=order_id))
    yield spot
    await story.shipped(order)


@during(calls.PREPARE_REPLACEMENT)
async def ordering_a_replacement(story: Story) -> AsyncIterator[Spot]:
    """RET-24: ordered once; the buyer keeps the goods after all while its window is open."""
    order = await story.order(replacement_sent="at_once")
    await story.shipped(order)
    case = await story.open_return(order)
    yield AtWorker(case)
    await tell(case, "seller_approval", decision="approved", resolution="replacement")
    yield AtWorker(case)
    number = replacement_order_id(case.id)
    instead = CaseStory(story.world, story.world.client.get_workflow_handle(order_workflow_id(number)), number)
    await stands_at(instead, "cancel_window")
    await tell(case, "withdrawal", actor="buyer:robin", reason="keeps it")
    await stands_at(instead, "cancelled")
    await stands_at(case, "withdrawn")
    story.ends(case, "withdrawn")


@during(calls.CHECK_SPECIAL_ORDER)
async def letting_the_buyer_wait(story: Story) -> AsyncIterator[Spot]:
    """ORD-8: nobody has it, the buyer waits, and what arrives is charged and sent once."""
    world = story.world
    supplier, sku = await patiently(world.supplier), world.sku()
    seller = await patiently(lambda: world.seller(choice_days=7))
    order = await patiently(lambda: world.order(seller, {"sku": sku, "quantity": 2}))
    await stands_at(order, "cancel_window")
    await pass_window(order)
    await stands_at(order, "awaiting_choice")
    yield AtWorker(order)
    await tell(order, "choice_after_void", choice="special_order")
    yield AtWorker(order)
    await stands_at(order, "awaiting_stock")
    await patiently(lambda: world.stock(sku, 10, supplier))
    await tell(order, "stock_arrived", actor="broker:stock")
    await stands_at(order, "awaiting_shipment")
    await ship(order)
    await stands_at(order, "shipped")
    story.ends(order, "shipped")


@during(calls.SAVE_CASE)
async def saving_an_order_that_is_not_taken(story: Story) -> AsyncIterator[Spot]:
    """A worker with a fault can't write the order down, and so writes down where it stands; a mended one can."""
    world = story.world
    supplier, seller, sku = await world.supplier(), await world.seller(), world.sku()
    await world.stock(sku, 10, supplier)
    order_id = f"{world.tag}-N{next(world.numbers)}"
    spot = AtWorker(CaseStory(world, world.client.get_workflow_handle(f"order-{order_id}"), order_id))
    yield spot
    order = await patiently(lambda: world.order(seller, {"sku": sku, "quantity": 2}, order_id=order_id))
    yield spot
    await story.shipped(order)
