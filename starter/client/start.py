"""Opening cases. The business id is the workflow id, so opening the same case twice opens one."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models.amazon.batches import ChannelBatchRequest
from models.amazon.report_imports import ReportImportRequest
from models.claims import ClaimRequest
from models.contract import (
    CHANNEL,
    CHANNEL_BATCH,
    CLAIM,
    COST_REVIEW,
    ORDER,
    ORDER_ID,
    ORPHAN,
    REFUND,
    REPORT_IMPORT,
    REPORT_IMPORT_KIND,
    RETURN,
    RETURN_ID,
    SELLER_ID,
    STAGE,
    SUPPLIER_ID,
    TASK_QUEUE,
)
from models.cost_reviews import CostReviewRequest
from models.differences import differences
from models.failures import BackhaulError, InvalidInput, PartnerUnavailable, Problem
from models.ids import (
    batch_workflow_id,
    claim_workflow_id,
    cost_review_workflow_id,
    order_workflow_id,
    orphan_workflow_id,
    refund_workflow_id,
    return_workflow_id,
)
from models.message import Message, Request
from models.orders import OrderRequest
from models.orphans import OrphanRequest
from models.refunds import RefundRequest
from models.returns import ReturnRequest
from models.text import as_markdown, counted

_RPC_SECONDS: Final = 10.0
_SUMMARY_BYTES: Final = 300
_DETAILS_BYTES: Final = 19_700
"""Temporal's limits are 400 and 20,000 bytes as it keeps them: with quotes, encrypted, and with the key's name."""


class Opened(Message):
    """`already`: a case with this id runs or ran; nothing was started. `differs`: in what its request differs from
    this one, by the names of fields; empty when both say the same (ORD-17)."""

    workflow_id: str
    already: bool
    differs: str = ""


async def open_order(client: Client, request: OrderRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start an `Order` (ORD-1). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        ORDER,
        order_workflow_id(request.order_id),
        request,
        f"Order {request.order_id} · {counted(len(request.lines), 'line')} · {request.seller_id}",
        _bullets(f"{line.quantity} x {line.sku}" for line in request.lines),
        [
            SearchAttributePair(ORDER_ID, request.order_id),
            SearchAttributePair(SELLER_ID, request.seller_id),
            SearchAttributePair(CHANNEL, request.channel.value),
        ],
        task_queue,
    )


async def open_return(client: Client, request: ReturnRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start a `Return` (RET-1, RET-2). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        RETURN,
        return_workflow_id(request.return_id),
        request,
        f"Return {request.return_id} · order {request.order_id} · {counted(len(request.lines), 'line')}",
        _bullets(f"{line.quantity} x {line.sku}: {line.reason}" for line in request.lines),
        [SearchAttributePair(ORDER_ID, request.order_id), SearchAttributePair(RETURN_ID, request.return_id)],
        task_queue,
    )


async def open_refund(client: Client, request: RefundRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start a `Refund` (REF-2); one that was terminated goes on. Raises PartnerUnavailable when Temporal does not
    answer."""
    amount = f"{request.amount} {request.currency}" if request.amount is not None else "all that is refundable"
    return await _open(
        client,
        REFUND,
        refund_workflow_id(request.refund_id),
        request.model_copy(update={"asked_for": True}),
        f"Refund {request.refund_id} · order {request.order_id} · {amount}",
        f"{request.direction.value.replace('_', ' ')}: {as_markdown(request.reason)}",
        [SearchAttributePair(ORDER_ID, request.order_id)],
        task_queue,
    )


async def open_cost_review(client: Client, request: CostReviewRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start a `CostReview` (BAL-2). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        COST_REVIEW,
        cost_review_workflow_id(request.review_id),
        request,
        f"Cost review {request.review_id} · order {request.order_id} · {request.amount} {request.currency}",
        as_markdown(request.notes),
        [SearchAttributePair(ORDER_ID, request.order_id)],
        task_queue,
    )


async def open_claim(client: Client, request: ClaimRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start a `Claim` (CLM-1). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        CLAIM,
        claim_workflow_id(request.claim_id),
        request,
        f"Claim {request.claim_id} · order {request.order_id} · {request.amount} {request.currency}",
        as_markdown(request.notes or request.dealer),
        [SearchAttributePair(ORDER_ID, request.order_id)],
        task_queue,
    )


async def open_batch(
    client: Client, request: ChannelBatchRequest, seller_id: str, *, task_queue: str = TASK_QUEUE
) -> Opened:
    """Start a `ChannelBatch` (AMZ-5); one that was cut off goes on. Raises PartnerUnavailable when Temporal does
    not answer."""
    kind = request.kind.value
    chosen = counted(len(request.entries), kind) if request.entries else f"all {kind}s"
    return await _open(
        client,
        CHANNEL_BATCH,
        batch_workflow_id(request.batch_id),
        request,
        f"Batch {request.batch_id} · {chosen} · {request.connection_id}",
        _bullets(request.entries),
        [SearchAttributePair(SELLER_ID, seller_id)],
        task_queue,
    )


async def report_orphan(client: Client, request: OrphanRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Keep what was said about a case that is not known here (RET-20); said twice it is one orphan.

    Raises PartnerUnavailable when Temporal does not answer.
    """
    attributes = {SELLER_ID: request.seller_id, SUPPLIER_ID: request.supplier_id}
    return await _open(
        client,
        ORPHAN,
        orphan_workflow_id(request.orphan_id),
        request,
        request.summary,
        _bullets(f"number {number}" for number in request.every_number),
        [SearchAttributePair(key, value) for key, value in attributes.items() if value is not None],
        task_queue,
    )


async def open_report_import(
    client: Client, request: ReportImportRequest, *, task_queue: str = TASK_QUEUE
) -> Opened:
    """Start a `ReportImport` (AMZ-1). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        REPORT_IMPORT,
        REPORT_IMPORT_KIND.workflow_id_of(request),
        request,
        f"{request.kind.value.capitalize()} of {request.connection_id} · {request.source}",
        "",
        [SearchAttributePair(SELLER_ID, request.seller_id)],
        task_queue,
    )


async def _open(
    client: Client,
    workflow: str,
    workflow_id: str,
    request: Request,
    summary: str,
    details: str,
    attributes: list[SearchAttributePair[str]],
    task_queue: str,
) -> Opened:
    async def start(reuse: WorkflowIDReusePolicy) -> None:
        await client.start_workflow(
            workflow,
            request,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=reuse,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=_cut(summary, _SUMMARY_BYTES),
            static_details=_cut(details, _DETAILS_BYTES),
            search_attributes=TypedSearchAttributes(attributes),
            rpc_timeout=timedelta(seconds=_RPC_SECONDS),
        )

    try:
        try:
            await start(WorkflowIDReusePolicy.REJECT_DUPLICATE)
        except WorkflowAlreadyStartedError:
            if not await _may_start_again(client, workflow, workflow_id):
                return await _already(client, workflow_id, request)
            await start(WorkflowIDReusePolicy.ALLOW_DUPLICATE)
    except WorkflowAlreadyStartedError:
        return await _already(client, workflow_id, request)
    except RPCError as error:
        raise failure_of(error, f"{workflow_id} could not be started") from None
    return Opened(workflow_id=workflow_id, already=False)


async def _already(client: Client, workflow_id: str, request: Request) -> Opened:
    """What is there under this id, compared with what was to be started."""
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        (first,) = await client.data_converter.decode(payloads, [type(request)]) if payloads else (request,)
        if not isinstance(first, Request):
            break
        differs = differences(request, first, leaving_out=_OF_ITS_OWN)
        return Opened(workflow_id=workflow_id, already=True, differs=differs)
    return Opened(workflow_id=workflow_id, already=True)


_OF_ITS_OWN: Final = ("continued", "asked_for", "requested_by", "note")
"""Fields that say how it was asked for, and not what."""


async def _may_start_again(client: Client, workflow: str, workflow_id: str) -> bool:
    """Whether the id was used only by a request that was refused at the door, or is a terminated refund's, or is
    of a settlement that staff stopped halfway."""
    told = await client.get_workflow_handle(workflow_id).describe()
    if told.status is WorkflowExecutionStatus.FAILED:
        return True
    if workflow in (REFUND, CHANNEL_BATCH, REPORT_IMPORT) and was_cut_off(told):
        return True
    over = ("refused", "stopped") if workflow == REPORT_IMPORT else ("refused",)
    return told.status is WorkflowExecutionStatus.COMPLETED and told.typed_search_attributes.get(STAGE) in over


CUT_OFF: Final = (
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.FAILED,
)


def was_cut_off(case: WorkflowExecutionDescription) -> bool:
    """Whether it was ended from outside: nobody can stop a refund, but a workflow can be terminated. The refund
    goes on when it is started again: the database knows what is reserved, the gateway what was sent (REF-6)."""
    return case.status in CUT_OFF


def _bullets(lines: Iterable[str]) -> str:
    """Markdown for the page of a case: at most the first hundred lines."""
    return "\n".join(f"- {as_markdown(line)}" for line in list(lines)[:100])


def _cut(text: str, most: int) -> str:
    """As much of the text as fits in so many bytes of JSON, with a mark where it was cut."""
    if _size(text) <= most:
        return text
    left = most - _size("…")
    for end, character in enumerate(text):
        left -= _size(character)
        if left < 0:
            return text[:end] + "…"
    return text


def _size(text: str) -> int:
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


async def task_queue_of(client: Client, workflow_id: str) -> str:
    """Where its workers are; the usual queue, if the server has forgotten it. Raises RPCError."""
    try:
        case = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=timedelta(seconds=_RPC_SECONDS))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return TASK_QUEUE
    return case.task_queue


def failure_of(error: RPCError, what: str) -> BackhaulError:
    """What the Temporal server's refusal means for the one who asked."""
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        hint = "; `backhaul temporal setup` creates it" if "search attribute" in error.message.lower() else ""
        return InvalidInput(what, [Problem("Temporal", f"{error.message}{hint}")])
    return PartnerUnavailable(f"{what}: the Temporal server says {error.status.name}: {error.message}")
