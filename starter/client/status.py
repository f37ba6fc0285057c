"""Looking at cases: the workflow tells the truth of a running one, the books know it when nobody answers."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from models.case import CaseStatus, Ended, Wait, Who
from models.failures import NotFound
from models.ids import case_of
from models.refunds import RefundResult

if TYPE_CHECKING:  # the books are slow to load, and `--help` needs none
    from activities.database import Reading

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


async def ending_of(client: Client, reading: "Reading | None", workflow_id: str) -> Ended | None:
    """How a case ended: from its result, else from the books; none if neither knows it as ended."""
    try:
        async with asyncio.timeout(ASK_WITHIN.total_seconds()):
            return await _result_of(client, workflow_id)
    except WorkflowFailureError as error:
        return Ended(workflow_id=workflow_id, outcome="failed", message=_reason(error))
    except (RPCError, TimeoutError):
        pass  # gone after its retention, or still running: the books may know
    if reading is None:
        return None
    standing = await asyncio.to_thread(reading.standing, workflow_id)
    if standing is None or not standing.ended:
        return None
    return Ended(workflow_id=workflow_id, outcome=standing.stage, message="")


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


def status_in_books(reading: "Reading", workflow_id: str) -> CaseStatus | None:
    """What the books say of a case, in the form of its own answer; none if they do not know it.

    Facts leave out the request, which holds the buyer's address. Events that could not be used are known
    only to the case itself.
    """
    standing = reading.standing(workflow_id)
    if standing is None:
        return None
    wait = None
    if standing.waiting_on is not None and standing.waiting_since is not None:
        wait = Wait(
            stage=standing.stage,
            who=Who(standing.waiting_on),
            what=standing.waiting_for or "",
            since=standing.waiting_since,
            due=standing.due_by,
        )
    return CaseStatus(
        workflow_id=workflow_id,
        stage=standing.stage,
        outcome=standing.stage if standing.ended else None,
        waiting_for=wait,
        also_waiting_for=(),
        deadlines={"due": standing.due_by} if standing.due_by is not None else {},
        sla_state=standing.sla_state,
        timeline=reading.timeline(workflow_id),
        rejected_events=(),
        rejected_count=0,
        facts=_facts_in_books(reading, workflow_id),
    )


def _facts_in_books(reading: "Reading", workflow_id: str) -> dict[str, Any]:
    kind, number = case_of(workflow_id)
    left_out = {"request", "timeline", "listed", "standing"}
    try:
        match kind:
            case "order":
                return reading.order_view(number).model_dump(mode="json", exclude=left_out)
            case "return":
                return reading.return_view(number).model_dump(mode="json", exclude=left_out)
            case "refund":
                return reading.refund(number).model_dump(mode="json", exclude=left_out)
    except NotFound:
        return {}  # it was refused before it had facts
