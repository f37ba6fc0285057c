"""What `return start` does: give the return a number, and open it."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client

from models.case import CaseStatus, ReturnStage
from models.failures import Category, NotFound
from models.ids import return_id as numbered_return
from models.marketplace_returns import OPENED_BY_MARKETPLACES
from models.returns import ReturnRequest, Source
from starter.cli.case_lookup import books
from starter.cli.opened_cases import require_same
from starter.cli.output import remark, say
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import open_return
from starter.client.status import ending_of, until_past

_OPENS_WITHIN: Final = timedelta(seconds=10)
_MOST_RETURNS: Final = 200


def next_return_id(order: str, source: Source) -> str:
    """The order's next free RR number. Raises NotFound when the books know no such order; what a marketplace
    opened is kept until they do, under the first one (RET-20)."""
    with books() as reading:
        try:
            reading.order_view(order)
        except NotFound:
            if source not in OPENED_BY_MARKETPLACES:
                raise
            return numbered_return(order, 1)
        return reading.next_return_id(order)


async def start_return(request: ReturnRequest, *, may_renumber: bool) -> None:
    """Open it, and say what became of it. Raises EventRefused (RET-2), PartnerUnavailable."""
    client = await connect()
    opened = await open_return(client, request)
    ordinal = 1
    while opened.already and may_renumber and ordinal < _MOST_RETURNS:
        # Somebody else took that number since the books were asked.
        request = request.model_copy(update={"return_id": numbered_return(request.order_id, ordinal)})
        opened = await open_return(client, request)
        ordinal += 1
    require_same(opened, f"return {request.return_id}")
    if opened.already:
        say(f"return {request.return_id} already exists; not repeated")
        return
    status = await until_past(client, opened.workflow_id, {ReturnStage.OPENING}, _OPENS_WITHIN)
    if status is None:
        remark(f"no worker answered within {_OPENS_WITHIN.total_seconds():g} seconds")
        say(f"return {request.return_id} is recorded and opens when a worker runs")
        return
    await _report(client, request.return_id, status)


async def _report(client: Client, return_id: str, status: CaseStatus) -> None:
    if (orphan := status.facts.get("orphan")) is not None:
        say(f"return {return_id}: its order is not known here; kept as orphan {orphan}, and opened when it is")
        return
    if status.stage == ReturnStage.REFUSED:
        ended = await ending_of(client, status.workflow_id)
        raise EventRefused(
            f"return {return_id} is refused: {ended.message if ended else 'see `backhaul status`'}",
            Category.REFUSED_BY_RULE,
        )
    facts = status.facts
    items = ", ".join(f"{line['quantity']} x {line['sku']}" for line in facts.get("lines", []))
    say(f"return {return_id}: {items}, to {facts.get('supplier_id')}")
    for sibling in facts.get("siblings", []):
        say(f"return {sibling}: what comes from another supplier (RET-2)")
    if status.waiting_for is not None:
        say(f"waiting for {status.waiting_for.who}: {status.waiting_for.what}")
