"""A story of refunds that wait in the queue to Amazon, and of one document that takes some of them there."""

import asyncio
from decimal import Decimal
from typing import Final

from models import ids
from models.amazon.batches import ChannelBatchRequest
from models.amazon.queue import QueueKind
from models.orders import OrderRequest
from models.payments import BuyerPayment, PaidBy
from models.refunds import RefundRequest
from starter.client.start import open_batch, open_refund
from starter.demo.order_requests import line_of, paid_order
from starter.demo.sample_data import AT_AMAZON, BRAKE_PADS, CURRENCY, IN_BOSTON, KEYSTONE, SUMMIT
from starter.demo.story import Story, StoryCase, StoryRun
from starter.sandbox.amazon.facts import AmazonItemSeed, AmazonOrderSeed

_SELLER: Final = "seller:service-desk"
_PROCESSED_SECONDS: Final = 8.0
"""The sandbox's Amazon takes seven for a document."""


async def queued_at_amazon(story: StoryRun) -> None:
    """AMZ-5, AMZ-7: two of five refunds are sent, the others stay in the queue; Amazon does not know one order."""
    await ship_at_amazon(story, order_at_amazon(story, story.order_id))
    unknown = f"{story.order_id}-2"
    await ship_at_amazon(story, order_at_amazon(story, unknown))
    known = order_at_amazon(story, story.order_id)
    await story.environment.sandbox.amazon_order(
        AmazonOrderSeed(
            order_id=known.channel_order_id or "",
            status="SHIPPED",
            items=(
                AmazonItemSeed(
                    order_item_id=known.lines[0].line_id or "", quantity=2, shipped=2, price=BRAKE_PADS.price
                ),
            ),
        )
    )
    refunds = [await _refund(story, story.order_id, number) for number in range(1, 5)]
    refunds.append(await _refund(story, unknown, 1))
    batch = await _process(story, refunds[0], refunds[-1])
    await batch.reaches("processing")
    await asyncio.sleep(_PROCESSED_SECONDS)
    await batch.forward(minutes=5)
    await batch.ends("done")
    await refunds[0].ends("succeeded")
    await refunds[-1].shows(
        "what Amazon says", lambda status: any("order is not found" in step.what for step in status.timeline)
    )
    for refund in refunds[1:]:
        story.note_end(refund.workflow_id, "waits in the queue to Amazon", as_expected=True)


def order_at_amazon(story: StoryRun, order_id: str, quantity: int = 2) -> OrderRequest:
    """Paid at Amazon."""
    line = line_of(BRAKE_PADS, quantity).model_copy(update={"line_id": f"{order_id.replace('-', ''):0>14}"})
    request = paid_order(order_id, SUMMIT, IN_BOSTON, [line], story.payment_reference)
    payment = BuyerPayment(paid_by=PaidBy.MARKETPLACE, amount=request.paid, currency=CURRENCY)
    number = f"111-{order_id.partition('-')[0]:0>7}-{len(order_id):0>7}"
    told = {"channel": "amazon", "channel_order_id": number, "payment": payment}
    return OrderRequest.model_validate(request.model_dump() | told)


async def ship_at_amazon(story: StoryRun, request: OrderRequest) -> None:
    """It arrives, and all of it is shipped."""
    order = await story.arrives(request, SUMMIT)
    await story.placed(order)
    await order.receives(
        "shipment",
        f"supplier:{KEYSTONE.supplier_id}",
        shipment_id=f"{request.order_id}-p1",
        carrier="UPS",
        tracking_number=f"1Z{request.order_id.replace('-', '')}",
        lines=[{"sku": BRAKE_PADS.sku, "quantity": request.lines[0].quantity}],
    )
    await order.ends("shipped")


async def _refund(story: StoryRun, order_id: str, number: int) -> StoryCase:
    request = RefundRequest(
        refund_id=ids.direct_refund_id(order_id, number),
        order_id=order_id,
        amount=Decimal(number),
        currency=CURRENCY,
        reason="better price elsewhere",
        requested_by=_SELLER,
    )
    client, queue = story.environment.skipper.client, story.environment.task_queue
    refund = story.case((await open_refund(client, request, task_queue=queue)).workflow_id)
    await refund.reaches("pending")
    return refund


async def _process(story: StoryRun, *refunds: StoryCase) -> StoryCase:
    request = ChannelBatchRequest(
        batch_id=f"B-{ids.direct_refund_id(story.order_id, 1)}",
        connection_id=AT_AMAZON,
        kind=QueueKind.REFUND,
        entries=tuple(refund.workflow_id.removeprefix("refund-") for refund in refunds),
        requested_by=_SELLER,
    )
    story.step(f"{len(refunds)} refunds are sent in one document")
    client, queue = story.environment.skipper.client, story.environment.task_queue
    opened = await open_batch(client, request, SUMMIT.seller_id, task_queue=queue)
    return story.case(opened.workflow_id)


STORIES: Final = (
    Story("Refunds wait in the queue to Amazon; two go in one document, one is refused", queued_at_amazon),
)
