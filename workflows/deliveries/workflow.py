"""Writes down that a parcel arrived, of an order that has ended: nobody else could take that word (RET-22)."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.records import NoteDelivery, Saved
    from models.text import summary_of


@workflow.defn(name=contract.DELIVERY)
class Delivery:
    """One word about one parcel, until the database has it."""

    @workflow.run
    async def run(self, request: NoteDelivery) -> Saved:
        """Raises NotFound, by its activity, when the order has no such shipment."""
        saved: Saved = await workflow.execute_activity(
            calls.NOTE_DELIVERY.name,
            request,
            result_type=calls.NOTE_DELIVERY.gives,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5)),
            summary=summary_of(f"Write down the delivery of {request.number}"),
        )
        return saved
