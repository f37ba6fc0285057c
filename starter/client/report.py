"""What integrations do with a word about a case that they can't name, or that is not known here (RET-20)."""

from collections.abc import Mapping
from typing import Any

from temporalio.client import Client

from models.contract import TASK_QUEUE
from models.failures import NotFound
from models.message import Event
from models.orphan_looks import FIRST_PAUSES
from models.orphans import OrphanRequest
from starter.client.send import Delivery, send_event
from starter.client.start import Opened, report_orphan


async def report(
    client: Client,
    source: str,
    event: str,
    said: Event | Mapping[str, Any],
    numbers: tuple[str, ...],
    *,
    seller_id: str | None = None,
    supplier_id: str | None = None,
    look_days: int = 90,
    look_pauses_minutes: tuple[int, ...] = FIRST_PAUSES,
    task_queue: str = TASK_QUEUE,
) -> Opened:
    """Keep what `source` said, with every number by which its case may be found (RET-17).

    It is given to its case as soon as exactly one fits; said twice it is kept once. `already`: it was said before.
    Raises InvalidInput for what its case could not read, PartnerUnavailable when Temporal does not answer.
    """
    data = said.model_dump(mode="json", exclude_none=True) if isinstance(said, Event) else said
    looks = {"look_days": look_days, "look_pauses_minutes": list(look_pauses_minutes)}
    more = {"numbers": list(numbers), "seller_id": seller_id, "supplier_id": supplier_id, **looks}
    request = OrphanRequest.of(source, event, data, **{name: one for name, one in more.items() if one is not None})
    return await report_orphan(client, request, task_queue=task_queue)


async def send_or_report(
    client: Client,
    workflow_id: str,
    event: str,
    said: Event,
    *,
    source: str,
    numbers: tuple[str, ...],
    task_queue: str = TASK_QUEUE,
) -> Delivery | Opened:
    """Send the event to this case; when there is no such case (yet), keep what was said.

    Raises as `send_event`, but for NotFound, and as `report`.
    """
    try:
        return await send_event(client, workflow_id, event, said)
    except NotFound:
        return await report(client, source, event, said, numbers, task_queue=task_queue)
