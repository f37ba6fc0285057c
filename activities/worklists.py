"""The cases of a worklist: from the database and, where they can say nothing of themselves, from the server.

A case whose own code fails writes nothing down (NTF-9), so that the Temporal server alone knows it.
"""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from activities.database import Reading
from activities.database.views import Standing, WorkListed
from models.case import MoneyState, SlaState, Who
from models.contract import ORDER_ID, SELLER_ID, STAGE
from models.failures import PartnerUnavailable
from models.ids import case_of
from models.worklists import NOT_OVER, WORKLISTS, Work, Worklist

MOST_FAILING: Final = 500
"""So many cases whose code fails are listed; all of them are counted."""
_RPC: Final = timedelta(seconds=10)


async def count_work(client: Client, reading: Reading) -> dict[Work, int]:
    """How many cases stand in each worklist (NTF-6). Raises PartnerUnavailable when the server does not answer,
    and what the database raises."""
    counts = await asyncio.to_thread(reading.count_work)
    try:
        for one in WORKLISTS.values():
            if one.or_where is not None:
                counts[one.work] = (await client.count_workflows(one.query, rpc_timeout=_RPC)).count
    except RPCError as error:
        raise _away(error) from None
    return counts


async def find_work(
    client: Client, reading: Reading, work: Work, *, seller: str | None, limit: int, after: str | None
) -> list[WorkListed]:
    """As `Reading.find_work`, with those that only the server knows; of these first the ones that have never
    written themselves down. Raises PartnerUnavailable when the server does not answer."""
    failing = await _failing(client, WORKLISTS[work])
    find = partial(reading.find_work, work, seller=seller, limit=limit, after=after)
    known = await asyncio.to_thread(find, also=[case.id for case in failing])
    if after is not None:
        return known
    unwritten = [_unwritten(case) for case in failing if reading.standing(case.id) is None]
    mine = [one for one in unwritten if seller is None or one.seller_id == seller]
    return [*mine, *known][:limit]


async def _failing(client: Client, worklist: Worklist) -> list[WorkflowExecution]:
    if worklist.or_where is None:
        return []
    query = f"{worklist.or_where} AND {NOT_OVER}"
    try:
        return [case async for case in client.list_workflows(query, limit=MOST_FAILING, rpc_timeout=_RPC)]
    except RPCError as error:
        raise _away(error) from None


def _unwritten(case: WorkflowExecution) -> WorkListed:
    labels = case.typed_search_attributes
    return WorkListed(
        order_id=labels.get(ORDER_ID) or _number(case.id),
        seller_id=labels.get(SELLER_ID) or "",
        standing=Standing(
            workflow_id=case.id,
            stage=labels.get(STAGE) or "not begun",
            waiting_on=Who.BACKHAUL,
            waiting_for="our own code fails before it wrote anything down",
            waiting_since=case.start_time,
            due_by=None,
            sla_state=SlaState.ON_TIME,
            custody=None,
            money=MoneyState.NONE,
            work=(Work.FAULTS_OF_OURS,),
            ended=False,
            cursor="",
        ),
    )


def _number(workflow_id: str) -> str:
    try:
        return case_of(workflow_id)[1]
    except ValueError:  # the small workflow that notes a delivery is no case
        return workflow_id


def _away(error: RPCError) -> PartnerUnavailable:
    return PartnerUnavailable(f"the Temporal server says {error.status.name}: {error.message}")
