"""Workers that dawdle where a refund is put into the queue to Amazon (AMZ-5)."""

from typing import Final

from temporalio import activity

from activities.amazon_batches import AmazonBatches
from models import calls
from models.amazon.queue import QueueRefund
from models.partners import RefundAnswer
from tests.chaos.slow_worker import dawdle


class DawdlesBeforeQueueing(AmazonBatches):
    """It is asked to put a refund there, and has not."""

    @activity.defn(name=calls.QUEUE_REFUND.name)
    async def queue_refund(self, ask: QueueRefund) -> RefundAnswer:
        await dawdle()
        return await super().queue_refund(ask)


class DawdlesAfterQueueing(AmazonBatches):
    """The refund is there, and nobody was told."""

    @activity.defn(name=calls.QUEUE_REFUND.name)
    async def queue_refund(self, ask: QueueRefund) -> RefundAnswer:
        done = await super().queue_refund(ask)
        await dawdle()
        return done


QUEUE_DAWDLERS: Final[tuple[type, ...]] = (DawdlesBeforeQueueing, DawdlesAfterQueueing)
