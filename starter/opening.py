"""Opening cases. The business id is the workflow id, so opening the same case twice opens one."""

from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models.contract import CHANNEL, ORDER, ORDER_ID, REFUND, RETURN, RETURN_ID, SELLER_ID, TASK_QUEUE
from models.failures import BackhaulError, InvalidInput, PartnerUnavailable, Problem
from models.ids import order_workflow_id, refund_workflow_id, return_workflow_id
from models.message import Message, Request
from models.orders import OrderRequest
from models.refunds import RefundRequest
from models.returns import ReturnRequest

_RPC_SECONDS: Final = 10.0


class Opened(Message):
    """`already`: a case with this id runs or ran; nothing was started."""

    workflow_id: str
    already: bool


async def open_order(client: Client, request: OrderRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start an `Order` (ORD-1). Raises PartnerUnavailable when Temporal does not answer."""
    return await _open(
        client,
        ORDER,
        order_workflow_id(request.order_id),
        request,
        f"Order {request.order_id} · {_lines(len(request.lines))} · {request.seller_id}",
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
        f"Return {request.return_id} · order {request.order_id} · {_lines(len(request.lines))}",
        [SearchAttributePair(ORDER_ID, request.order_id), SearchAttributePair(RETURN_ID, request.return_id)],
        task_queue,
    )


async def open_refund(client: Client, request: RefundRequest, *, task_queue: str = TASK_QUEUE) -> Opened:
    """Start a `Refund` (REF-2). Raises PartnerUnavailable when Temporal does not answer."""
    amount = f"{request.amount} {request.currency}" if request.amount is not None else "all that is refundable"
    return await _open(
        client,
        REFUND,
        refund_workflow_id(request.refund_id),
        request,
        f"Refund {request.refund_id} · order {request.order_id} · {amount}",
        [SearchAttributePair(ORDER_ID, request.order_id)],
        task_queue,
    )


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


async def _open(
    client: Client,
    workflow: str,
    workflow_id: str,
    request: Request,
    summary: str,
    attributes: list[SearchAttributePair[str]],
    task_queue: str,
) -> Opened:
    try:
        await client.start_workflow(
            workflow,
            request,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=summary[:200],
            search_attributes=TypedSearchAttributes(attributes),
            rpc_timeout=timedelta(seconds=_RPC_SECONDS),
        )
    except WorkflowAlreadyStartedError:
        return Opened(workflow_id=workflow_id, already=True)
    except RPCError as error:
        raise failure_of(error, f"{workflow_id} could not be started") from None
    return Opened(workflow_id=workflow_id, already=False)


def failure_of(error: RPCError, what: str) -> BackhaulError:
    """What the Temporal server's refusal means for the one who asked."""
    if error.status is RPCStatusCode.INVALID_ARGUMENT:
        hint = "; `backhaul temporal setup` creates it" if "search attribute" in error.message.lower() else ""
        return InvalidInput(what, [Problem("Temporal", f"{error.message}{hint}")])
    return PartnerUnavailable(f"{what}: the Temporal server says {error.status.name}: {error.message}")
