"""Workflows that only tests of the worker run."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.buyers import Address
    from models.partners import FindSources, OrderQuantity, RequestRma


@workflow.defn
class ManySupplierCalls:
    """Asks suppliers so many times at once, on this task queue, and waits for none of them for long."""

    @workflow.run
    async def run(self, task_queue: str, times: int) -> None:
        nowhere = Address(name="Eve", line1="1 Main St", city="Reno", postal_code="89501", country="US")
        wanted = OrderQuantity.model_validate({"sku": "BRK-100", "quantity": 1, "unit_cost": "1.00"})
        ask = FindSources(wanted=(wanted,), ship_to=nowhere, minimum_stock=2, currency="USD")
        asked = [
            workflow.start_activity(
                calls.FIND_SOURCES.name,
                ask,
                task_queue=task_queue,
                result_type=calls.FIND_SOURCES.gives,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=1)),
            )
            for _ in range(times)
        ]
        await asyncio.wait(asked)


@workflow.defn
class ReadsTheClock:
    """What no workflow may do: a replay reads another time."""

    @workflow.run
    async def run(self, _: dict[str, str]) -> str:
        return datetime.now(UTC).isoformat()


HELD_UP = 2.2
"""Seconds."""


@workflow.defn
class IsHeldUp:
    """Its task takes longer than the SDK likes."""

    @workflow.run
    async def run(self) -> float:
        with workflow.unsafe.sandbox_unrestricted():
            began = time.monotonic()
            time.sleep(HELD_UP)  # noqa: ASYNC251
            return time.monotonic() - began


@workflow.defn
class ManyCallsOfOneSupplier:
    """Asks one supplier for RMA numbers so many times at once, on this task queue, and waits for all of them."""

    @workflow.run
    async def run(self, task_queue: str, times: int, supplier_id: str) -> None:
        asked = [
            workflow.start_activity(
                calls.REQUEST_RMA.name,
                RequestRma(
                    return_id=f"RR-{number}",
                    supplier_id=supplier_id,
                    supplier_order_number=f"{number}-1",
                    lines=(),
                    reasons=(),
                ),
                task_queue=task_queue,
                result_type=calls.REQUEST_RMA.gives,
                start_to_close_timeout=timedelta(seconds=60),
                retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=1)),
            )
            for number in range(times)
        ]
        await asyncio.wait(asked)
