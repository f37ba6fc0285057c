"""Scenes at a write of the books."""

from collections.abc import AsyncIterator

from models import calls
from models.ids import split_order_id
from tests.case_story import CaseStory
from tests.chaos.crash_coverage import InBooks, Spot, during, stage_in_books, standing
from tests.chaos.slow_database import Written
from tests.chaos.stories import Story, credit, pass_by, patiently, stands_at, tell
from tests.chaos.story_parts import (
    awaiting_credit,
    clicked,
    clicked_and_pending,
    credited,
    pending_refund,
    refunded,
    settled,
    taken_back,
)


@during(calls.OPEN_ORDER)
async def opening_an_order(story: Story) -> AsyncIterator[Spot]:
    world = story.world
    supplier, seller, sku = await world.supplier(), await world.seller(), world.sku()
    await world.stock(sku, 10, supplier)
    order_id = f"{world.tag}-N{next(world.numbers)}"
    handle = world.client.get_workflow_handle(f"order-{order_id}")
    row = Written("orders", f"NEW.order_id = '{order_id}'")
    spot = InBooks(CaseStory(world, handle, order_id), row, lambda: bool(world.reading.order_view(order_id)))
    yield spot
    order = await world.order(seller, {"sku": sku, "quantity": 2}, order_id=order_id)
    yield spot
    await story.shipped(order)


@during(calls.SPLIT_ORDER)
async def splitting_an_order(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await stands_at(order, "cancel_window")
    other = story.world.order_story(split_order_id(order.id, 1))
    row = Written("orders", f"NEW.order_id = '{other.id}'")
    spot = InBooks(order, row, lambda: bool(story.world.reading.order_view(other.id)))
    yield spot
    one = [{"sku": order.request.lines[0].sku, "quantity": 1}]
    await tell(order, "cancel_request", reason="one too many", lines=one)
    yield spot
    await stands_at(other, "cancelled")
    story.ends(other, "cancelled")
    await story.placed(order)
    parcel = {"shipment_id": f"s-{order.id}", "carrier": "UPS", "tracking_number": f"1Z{order.id}"}
    await tell(order, "shipment", actor="supplier:dock", lines=one, **parcel)
    await stands_at(order, "shipped")
    story.ends(order, "shipped")


@during(calls.SAVE_ORDER)
async def saving_an_order(story: Story) -> AsyncIterator[Spot]:
    order = await story.order(payment_method="pm_card_chargeDeclined")
    await stands_at(order, "awaiting_payment")
    spot = InBooks(order, standing(order, "cancel_window"), lambda: stage_in_books(order) == "cancel_window")
    yield spot
    await tell(order, "payment_method_updated", payment_method="pm_card_visa")
    yield spot
    await story.shipped(order)


@during(calls.OPEN_RETURN)
async def opening_a_return(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await story.shipped(order)
    case_id = f"RR-{order.id}-1"
    case = story.world.return_story(case_id)
    row = Written("returns", f"NEW.return_id = '{case_id}'")
    spot = InBooks(case, row, lambda: bool(story.world.reading.return_view(case_id)))
    yield spot
    await patiently(lambda: story.world.return_of(order, return_id=case_id))
    yield spot
    await stands_at(case, "awaiting_approval")
    await tell(case, "seller_approval", decision="approved")
    await credited(story, order, case)


@during(calls.SAVE_RETURN)
async def saving_a_return(story: Story) -> AsyncIterator[Spot]:
    order = await story.order(rma="manual")
    await story.shipped(order)
    case = await story.open_return(order)
    spot = InBooks(case, standing(case, "awaiting_rma"), lambda: stage_in_books(case) == "awaiting_rma")
    yield spot
    await tell(case, "seller_approval", decision="approved")
    yield spot
    await stands_at(case, "awaiting_rma")
    await tell(case, "supplier_rma", actor="staff:ann", outcome="issued", rma_number=f"RMA-{case.id}")
    await credited(story, order, case)


@during(calls.BOOK_CREDIT_MEMO)
async def booking_a_credit_memo(story: Story) -> AsyncIterator[Spot]:
    _, case = await awaiting_credit(story)
    row = Written("credit_memo", f"NEW.return_id = '{case.id}'")
    spot = InBooks(case, row, lambda: len(story.world.reading.return_view(case.id).credit_memos) == 1)
    yield spot
    await credit(case, "20.00")
    yield spot
    await credit(case, "43.00", number=2)
    await clicked(story, case)


@during(calls.RESERVE_REFUND)
async def reserving_a_refund(story: Story) -> AsyncIterator[Spot]:
    order = await story.order()
    await story.shipped(order)
    case = story.world.refund_story(f"RF-{order.id}-D1")
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: bool(story.world.reading.refund(case.id)))
    yield spot
    await story.refund(order, 1, "40.00")
    yield spot
    await refunded(story, case)


@during(calls.SAVE_REFUND)
async def settling_a_refund(story: Story) -> AsyncIterator[Spot]:
    case = await pending_refund(story)
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.refund(case.id).state.value == "succeeded")
    yield spot
    await settled(story, case)
    yield spot
    await refunded(story, case)


@during(calls.TAKE_BACK_REFUND)
async def taking_back_a_refund(story: Story) -> AsyncIterator[Spot]:
    """REF-7: it had succeeded, and the gateway says that it failed after all."""
    order = await story.order()
    await story.shipped(order)
    case = await story.refund(order, 1, "40.00")
    await stands_at(case, "succeeded")
    row = Written("refund", f"NEW.refund_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.refund(case.id).state.value == "failed")
    yield spot
    await taken_back(story, case)
    yield spot
    await stands_at(case, "failed")
    story.ends(case, "failed")


@during(calls.REOPEN_RETURN)
async def reopening_a_return(story: Story) -> AsyncIterator[Spot]:
    """REF-7: the return was completed, and the buyer's refund failed after all."""
    order = await story.order()
    await story.shipped(order)
    case = await story.returned(order)
    refund = story.world.refund_story(f"RF-{case.id}-B1")
    await stands_at(refund, "succeeded")
    row = Written("returns", f"NEW.return_id = '{case.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.return_view(case.id).outcome is None)
    yield spot
    await taken_back(story, refund)
    yield spot
    await stands_at(refund, "failed")
    story.ends(refund, "failed")
    await clicked(story, case)


@during(calls.SAVE_REFUND)
async def saving_a_refund(story: Story) -> AsyncIterator[Spot]:
    """The gateway is asked a day later, and the refund waits for another day."""
    case = await pending_refund(story)
    before = story.world.reading.standing(case.handle.id)
    row = Written("case_file", f"NEW.workflow_id = '{case.handle.id}'")
    spot = InBooks(case, row, lambda: story.world.reading.standing(case.handle.id) != before)
    yield spot
    await pass_by(case, days=1, minutes=1)
    yield spot
    await settled(story, case)
    await refunded(story, case)


@during(calls.SAVE_REFUND)
async def settling_a_returns_refund(story: Story) -> AsyncIterator[Spot]:
    """The return waits for it, and goes on."""
    case, refund = await clicked_and_pending(story)
    row = Written("refund", f"NEW.refund_id = '{refund.id}'")
    spot = InBooks(refund, row, lambda: story.world.reading.refund(refund.id).state.value == "succeeded")
    yield spot
    await settled(story, refund)
    yield spot
    await refunded(story, refund)
    await stands_at(case, "completed")
    story.ends(case, "completed")
