"""Orders of Amazon in a database, and refunds that go back through the seller's account there."""

from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.amazon_queue import queue_refund
from activities.database.amazon_resends import note_findings
from activities.database.transactions import write
from models.amazon.batches import ChannelBatchRequest, OpenBatch, OpenedBatch
from models.amazon.queue import QueueKind, QueueRefund
from models.amazon.resends import Finding
from models.amazon.results import MessageOutcome
from models.cancellations import SplitFrom
from models.partners import RefundAnswer
from models.records import ReservedRefund
from models.splits import SplitOrder
from models.tables import AmazonQueueRow
from tests.amazon_account import amazon
from tests.amazon_orders import FIRST, SECOND, line, order
from tests.database.story import NOON, Story


class AmazonStory:
    """The seller acme with an account at Amazon, and an order of two lines: 2 x 10.00 and 1 x 30.00."""

    def __init__(self, story: Story, engine: Engine, **options: str) -> None:
        self.story, self.engine = story, engine
        story.connections.put([amazon(options=options)])
        self.ordered()

    def ordered(self, order_id: str = "1001", number: str = "111-1234567-1234567", **more: Any) -> None:
        lines = (line(FIRST, "10.00", 2), line(SECOND, "30.00"))
        request = order(*lines, order_id=number, **more).model_copy(update={"order_id": order_id})
        self.story.order_request_opened(request)

    def split(self, order_id: str, line_id: str, quantity: int = 1) -> None:
        """These units move to an order of their own, which is told from now on (CAN-10)."""
        event = {"event_id": order_id, "actor": "buyer:robin", "reason": "changed their mind"}
        told = {"order_id": "1001", "ordinal": int(order_id[-1]), "event": event, "arrived_at": NOON}
        ask = SplitOrder(split_from=SplitFrom.model_validate(told), units={line_id: quantity})
        made = self.story.database.split_order(ask).request
        assert made is not None, "nothing stands against it"
        self.story.order_request_opened(made)

    def reserved(self, refund_id: str, amount: str | None, **more: Any) -> ReservedRefund:
        return self.story.refunding(refund_id, amount, **more)

    def queued(self, refund_id: str, amount: str | None = "10.00", **more: Any) -> RefundAnswer:
        """Reserved, and in the queue."""
        reserved = self.reserved(refund_id, amount, **more)
        assert reserved.connection_id is not None, reserved.reason
        return self.stands(refund_id, only_look=False)

    def stands(self, refund_id: str, *, only_look: bool = True) -> RefundAnswer:
        ask = QueueRefund(refund_id=refund_id, connection_id="amazon-acme", at=NOON, only_look=only_look)
        return write(self.engine, lambda session: queue_refund(session, ask))

    def opened(self, batch_id: str = "B-1", *entries: str, held: tuple[str, ...] = ()) -> OpenedBatch:
        request = ChannelBatchRequest(
            batch_id=batch_id,
            connection_id="amazon-acme",
            kind=QueueKind.REFUND,
            entries=entries,
            requested_by="seller:jane",
        )
        workflow_id = f"batch-{batch_id}"
        ask = OpenBatch(request=request, workflow_id=workflow_id, run_id="run-1", at=NOON, held=held)
        return write(self.engine, lambda session: batches.open_batch(session, ask))

    def examined(self, batch_id: str, entry_id: str) -> None:
        """Amazon shows nothing of it (AMZ-11)."""
        absent = [Finding(entry_id=entry_id, end="absent")]
        write(self.engine, lambda session: note_findings(session, batch_id, [entry_id], absent, NOON))

    def settled(self, outcomes: dict[int, MessageOutcome] | None, batch_id: str = "B-1") -> batches.Settled:
        def settle(session: Session) -> batches.Settled:
            return batches.settle_batch(session, batch_id, outcomes, "1 done", at=NOON)

        return write(self.engine, settle)

    def entry(self, entry_id: str) -> AmazonQueueRow:
        def look(session: Session) -> AmazonQueueRow:
            row = session.get(AmazonQueueRow, entry_id)
            assert row is not None
            return row

        return write(self.engine, look)
