"""Orders and returns that could not be opened: only the Temporal server knows them (NTF-6, NTF-9)."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from models.contract import ORDER_ID, SELLER_ID
from models.message import Message
from models.text import one_line
from starter.cli.output import say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import failure_of
from starter.client.status import ending_of

_RPC: Final = timedelta(seconds=10)


class RefusedCase(Message):
    """A case that was refused when it was to be opened, or failed at the door."""

    workflow_id: str
    order_id: str | None
    seller_id: str | None
    at: datetime
    """When it was started."""
    why: str


async def show_refused(workflow: str, seller: str | None, limit: int, as_json: bool) -> None:
    """The newest first, for as long as the server keeps them. Raises PartnerUnavailable."""
    client = await connect()
    try:
        found = [
            case async for case in client.list_workflows(_query(workflow, seller), limit=limit, rpc_timeout=_RPC)
        ]
    except RPCError as error:
        raise failure_of(error, "refused cases could not be listed") from None
    refused = await asyncio.gather(*(_refused(client, case) for case in found))
    if as_json:
        show_json(refused)
    elif not refused:
        say("nothing found")
    else:
        show_table(
            ("case", "order", "seller", "when (UTC)", "why"),
            ((one.workflow_id, one.order_id, one.seller_id, one.at, one.why) for one in refused),
        )


def _query(workflow: str, seller: str | None) -> str:
    """`seller`: an id, which has no quotes."""
    of_seller = f' AND SellerId="{seller}"' if seller is not None else ""
    return f'(Stage="refused" OR ExecutionStatus="Failed") AND WorkflowType="{workflow}"{of_seller}'


async def _refused(client: Client, case: WorkflowExecution) -> RefusedCase:
    ended = await ending_of(client, case.id)
    labels = case.typed_search_attributes
    return RefusedCase(
        workflow_id=case.id,
        order_id=labels.get(ORDER_ID),
        seller_id=labels.get(SELLER_ID),
        at=case.start_time,
        why=one_line(ended.message) if ended is not None else "look at its history in the Temporal UI",
    )
