"""Workflows that a case starts and does not own: they go on by themselves when it has ended."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import (
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import RefundStage
    from models.contract import CaseKind
    from models.message import Message, Request
    from models.orders import OrderRequest
    from models.orphans import CaseNumbered, OrphanRequest
    from models.refunds import RefundRequest, RefundResult, RefundState
    from models.returns import ReturnRequest
    from models.text import one_line, summary_of
    from workflows.engine.calls import reason_of
    from workflows.engine.case import CaseFacts
    from workflows.engine.procedure import Ask, CouldNot
    from workflows.refunds.attempts import BUYER, MakeRefund

LOOKS = (timedelta(seconds=2), timedelta(seconds=20), timedelta(minutes=2), timedelta(minutes=20))
"""Pauses between looks at a refund whose workflow another run of this case has started."""


async def make_refund(facts: CaseFacts, effect: MakeRefund, ask: Ask) -> RefundResult:
    """Refund by a workflow of its own, and wait until it succeeded, failed or was refused (REF-6).

    When its workflow says nothing (it exists already, or was ended by staff), the database is asked what became of
    this very request; `unknown` then means that nobody knows yet: it is in doubt (REF-11).
    """
    request = RefundRequest(
        refund_id=effect.refund_id,
        order_id=facts.order_id,
        return_id=facts.return_id,
        direction=effect.direction,
        way=effect.way,
        amount=effect.amount,
        currency=effect.currency,
        reason=one_line(effect.reason)[:500],
        requested_by=effect.requested_by,
        lines=effect.lines,
        less_moved=effect.less_moved,
        part_of=effect.part_of,
    )
    reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE if effect.again else WorkflowIDReusePolicy.REJECT_DUPLICATE
    try:
        return await _refund(facts, request, reuse, ask)
    except WorkflowAlreadyStartedError:
        return await _known_outcome(facts, request, ask)


async def _refund(
    facts: CaseFacts, request: RefundRequest, reuse: WorkflowIDReusePolicy, ask: Ask
) -> RefundResult:
    """Raises WorkflowAlreadyStartedError when its id is in use, or was, where that may not be."""
    whom = "buyer" if request.direction is BUYER else "seller"
    try:
        result: RefundResult = await workflow.execute_child_workflow(
            contract.REFUND,
            request,
            id=contract.REFUND_KIND.workflow_id(request.refund_id),
            result_type=RefundResult,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
            id_reuse_policy=reuse,
            static_summary=f"Refund {request.refund_id} · order {facts.order_id} · to the {whom}",
            search_attributes=_attributes(facts),
        )
    except ChildWorkflowError as error:
        why = f"the refund's workflow ended without an answer: {reason_of(error)}"
        known = await ask(calls.REFUND_OUTCOME, request)
        return known.model_copy(update={"reason": why}) if known.unknown else known
    return result


async def _known_outcome(facts: CaseFacts, request: RefundRequest, ask: Ask) -> RefundResult:
    """Another run of this case asked for it before: what became of it, looked at for a while. Where nothing was
    ever reserved for it, a mere word about it had taken its id (REF-7), and it is asked for now."""
    for pause in (*LOOKS, None):
        result = await ask(calls.REFUND_OUTCOME, request)
        if not result.unknown:
            return result
        if not result.amount:
            try:
                return await _refund(facts, request, WorkflowIDReusePolicy.ALLOW_DUPLICATE, ask)
            except WorkflowAlreadyStartedError:
                pass  # it runs: it will reserve, or end without having reserved anything
        if pause is not None:
            await workflow.sleep(pause, summary=f"Look again how refund {request.refund_id} stands")
    return RefundResult(
        refund_id=request.refund_id,
        state=RefundState.REFUSED,
        amount=request.amount if request.amount is not None else Decimal(0),
        currency=request.currency,
        reason=f"a refund {request.refund_id} exists already, and its end is not known yet",
        direction=request.direction,
        unknown=True,
    )


async def start_refund(facts: CaseFacts, request: RefundRequest, reuse: WorkflowIDReusePolicy) -> None:
    """Start a refund that goes on by itself; one that runs under its id is the same. One that has ended, where
    `reuse` starts it again, moved nothing, or the database knows it."""
    with suppress(WorkflowAlreadyStartedError):
        await workflow.start_child_workflow(
            contract.REFUND,
            request,
            id=contract.REFUND_KIND.workflow_id(request.refund_id),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=reuse,
            static_summary=f"Refund {request.refund_id} · order {facts.order_id} · in part",
            search_attributes=_attributes(facts),
        )


def _attributes(facts: CaseFacts) -> TypedSearchAttributes:
    pairs = [
        SearchAttributePair(contract.STAGE, RefundStage.RESERVING.value),
        SearchAttributePair(contract.ORDER_ID, facts.order_id),
        SearchAttributePair(contract.SELLER_ID, facts.seller_id),
    ]
    if facts.return_id is not None:
        pairs.append(SearchAttributePair(contract.RETURN_ID, facts.return_id))
    return TypedSearchAttributes(pairs)


async def open_return(request: ReturnRequest, summary: str) -> None:
    """Start a return that goes on by itself. Raises CouldNot when one with this id exists already."""
    try:
        await _start(contract.RETURN_KIND, request, summary)
    except WorkflowAlreadyStartedError:
        raise CouldNot(f"return {request.return_id} exists already") from None


async def keep_orphan(request: OrphanRequest) -> None:
    """Start an orphan that goes on by itself; one that is kept already stays as it is."""
    with suppress(WorkflowAlreadyStartedError):
        await _start(contract.ORPHAN_KIND, request, summary_of(request.summary))


async def start_order(request: OrderRequest, summary: str) -> None:
    """Start an order that goes on by itself; one that runs, or ran, under its id is the same."""
    with suppress(WorkflowAlreadyStartedError):
        await _start(contract.ORDER_KIND, request, summary)


async def _start(kind: CaseKind, request: Request, summary: str) -> None:
    """Start a case of its own, once. Raises WorkflowAlreadyStartedError when it runs, or ran, under its id."""
    await workflow.start_child_workflow(
        kind.name,
        request,
        id=kind.workflow_id_of(request),
        parent_close_policy=workflow.ParentClosePolicy.ABANDON,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        static_summary=summary,
    )


async def call_orphans(workflow_ids: Sequence[str], numbered: str) -> None:
    """Let them look for their case: this one can be found by more numbers. One that has ended needs it no more."""

    async def call(orphan: str) -> None:
        with suppress(CouldNot):
            await tell_case(orphan, contract.CASE_NUMBERED, CaseNumbered(workflow_id=numbered))

    await asyncio.gather(*(call(orphan) for orphan in workflow_ids))


async def tell_case(workflow_id: str, name: str, message: Message) -> None:
    """Send another case a signal. Raises CouldNot when it has ended."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(name, message)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        raise CouldNot(f"{workflow_id} has ended") from None
