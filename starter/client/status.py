"""Looking at cases: a workflow tells the truth of itself, and for as long as the server keeps it, how it ended."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus, Ended, SlaState, Step, Who
from models.failures import NotFound
from models.ids import case_of
from models.refunds import RefundResult

ASK_WITHIN: Final = timedelta(seconds=5)
_LOOK_AGAIN_SECONDS: Final = 0.1


async def ask_status(client: Client, workflow_id: str, within: timedelta = ASK_WITHIN) -> CaseStatus | None:
    """The case's own answer to the query `status`; none if no worker answers `within` this time.

    Raises NotFound when Temporal knows no such case (any more).
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(within.total_seconds()):
            status: CaseStatus = await handle.query("status", result_type=CaseStatus, rpc_timeout=within)
            return status
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            kind, number = case_of(workflow_id)
            raise NotFound(f"there is no {kind} {number}") from None
        return None
    except (TimeoutError, WorkflowQueryFailedError):
        return None


FAILED: Final = "failed"
"""The outcome of what was started with a message that is no request: it was refused, and nothing was done."""


async def failure_of_case(client: Client, workflow_id: str) -> CaseStatus | None:
    """How a case stands that failed at its door, as a wrong request over HTTP does: no worker can answer for it.
    None if it did not fail, or Temporal does not answer."""
    handle = client.get_workflow_handle(workflow_id)
    try:
        known = await handle.describe(rpc_timeout=ASK_WITHIN)
    except RPCError:
        return None
    if known.status is not WorkflowExecutionStatus.FAILED:
        return None
    ended = await ending_of(client, workflow_id)
    at = known.close_time or known.start_time
    why = f"it failed: {ended.message}" if ended is not None else "it failed"
    return CaseStatus(
        workflow_id=workflow_id,
        stage=FAILED,
        outcome=FAILED,
        waiting_for=None,
        also_waiting_for=(),
        deadlines={},
        sla_state=SlaState.ON_TIME,
        timeline=(Step(at=at, what=why, who=Who.BACKHAUL),),
        rejected_events=(),
        rejected_count=0,
        facts={},
    )


async def until_past(
    client: Client, workflow_id: str, stages: Collection[str], within: timedelta
) -> CaseStatus | None:
    """The status of a case just started, as soon as its stage is none of `stages`; none if that takes longer."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            while True:
                status = await ask_status(client, workflow_id, within)
                if status is not None and status.stage not in stages:
                    return status
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    except TimeoutError:
        return None


async def ending_of(client: Client, workflow_id: str) -> Ended | None:
    """How a case ended, by its result; none if it runs, or the server has forgotten it after its retention."""
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            return await _result_of(client, workflow_id)
    except WorkflowFailureError as error:
        return Ended(workflow_id=workflow_id, outcome=FAILED, message=_reason(error))
    except (RPCError, TimeoutError):
        return None


async def _result_of(client: Client, workflow_id: str) -> Ended:
    kind, _ = case_of(workflow_id)
    if kind != "refund":
        ended: Ended = await client.get_workflow_handle(workflow_id, result_type=Ended).result(
            rpc_timeout=ASK_WITHIN
        )
        return ended
    refund: RefundResult = await client.get_workflow_handle(workflow_id, result_type=RefundResult).result(
        rpc_timeout=ASK_WITHIN
    )
    return Ended(workflow_id=workflow_id, outcome=refund.state.value, message=refund.reason or "")


def _reason(error: WorkflowFailureError) -> str:
    return error.cause.message if isinstance(error.cause, ApplicationError) else type(error.cause).__name__
