"""How each effect of a refund is done."""

from typing import Final, Literal

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.amazon.queue import QueueRefund
    from models.message import Message
    from models.partners import RefundAnswer, SendRefund
    from models.records import Confirmation, RefundTakenBack, ReservedRefund, ReserveRefund, SettleRefund
    from models.refunds import RefundResult, RefundState
    from models.returns import ReturnRequest
    from workflows.engine.case import Effect
    from workflows.engine.children import start_refund
    from workflows.engine.procedure import Ask, CouldNot
    from workflows.refunds.effects import (
        LookUp,
        ReportToCase,
        Reserve,
        Send,
        StartParts,
        TakeBack,
        WriteConfirmation,
    )
    from workflows.refunds.facts import RefundFacts


_ENDED: Final[dict[RefundState, Literal["succeeded", "failed", "refused"]]] = {
    RefundState.SUCCEEDED: "succeeded",
    RefundState.FAILED: "failed",
    RefundState.REFUSED: "refused",
}


async def perform(f: RefundFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do it; gives the answer. Raises CouldNot when the case that was to be told does not run."""
    match effect:
        case Reserve():
            return await _reserve(f, ask, known_only=effect.known_only)
        case StartParts():
            reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE
            if effect.after_case:
                reuse = WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
            for part in effect.parts:
                await start_refund(f, f.request.of_part(part), reuse)
            return None
        case WriteConfirmation():
            yes = Confirmation(by=effect.by, at=f.done[effect.key])
            return await _reserve(f, ask, known_only=True, confirmation=yes)
        case Send():
            return await _send(f, effect, ask)
        case LookUp():
            if f.goes_by_queue:
                return await ask(calls.QUEUE_REFUND, _to_queue(f, only_look=True))
            return await ask(calls.LOOK_UP_REFUND, _to_gateway(f, again=True))
        case TakeBack():
            return await _take_back(f, ask)
        case ReportToCase():
            await _report(effect)
            return None
    raise AssertionError(f"a refund does not know the effect {effect.key}")


async def _reserve(
    f: RefundFacts, ask: Ask, *, known_only: bool, confirmation: Confirmation | None = None
) -> ReservedRefund:
    message = ReserveRefund(
        request=f.request,
        workflow_id=f.case_id,
        run_id=f.run_id,
        at=f.done["reserve"],
        known_only=known_only,
        confirmation=confirmation,
    )
    return await ask(calls.RESERVE_REFUND, message)


async def _send(f: RefundFacts, effect: Send, ask: Ask) -> RefundAnswer:
    """A run that took over from another one may know less than the database: what has ended there is not sent."""
    info = workflow.info()
    if info.run_id != info.first_execution_run_id:
        known = await _reserve(f, ask, known_only=True)
        if known.state in _ENDED:
            return RefundAnswer(
                state=_ENDED[known.state], gateway_refund_id=known.gateway_refund_id, reason=known.reason
            )
    if f.goes_by_queue:
        return await ask(calls.QUEUE_REFUND, _to_queue(f, only_look=False))
    return await ask(calls.SEND_REFUND, _to_gateway(f, again=effect.again))


def _to_queue(f: RefundFacts, *, only_look: bool) -> QueueRefund:
    """The marketplace that took the payment gives it back: it waits in the queue for that (AMZ-5)."""
    assert f.reservation is not None, "it is reserved"
    assert f.reservation.connection_id is not None, "it goes back the way it came"
    return QueueRefund(
        refund_id=f.refund_id,
        connection_id=f.reservation.connection_id,
        at=f.done["reserve"],
        only_look=only_look,
    )


def _to_gateway(f: RefundFacts, *, again: bool) -> SendRefund:
    reserved = f.reservation
    assert reserved is not None, "it is reserved"
    assert reserved.amount is not None, "it is reserved"
    assert reserved.payment_reference is not None, "it goes by the gateway"
    assert reserved.connection_id is not None, "it goes back the way it came"
    return SendRefund(
        refund_id=f.refund_id,
        order_id=f.order_id,
        direction=f.request.direction,
        payment_reference=reserved.payment_reference,
        amount=reserved.amount,
        currency=f.request.currency,
        connection_id=reserved.connection_id,
        since=None if reserved.resumed else f.done.get("reserve"),
        again=again,
    )


async def _take_back(f: RefundFacts, ask: Ask) -> RefundTakenBack:
    message = SettleRefund(
        refund_id=f.refund_id,
        state=RefundState.FAILED,
        gateway_refund_id=f.gateway_refund_id,
        reason=f.reason,
        at=f.done["take-back"],
    )
    return await ask(calls.TAKE_BACK_REFUND, message)


async def _report(effect: ReportToCase) -> None:
    """By signal; a return that has ended opens again, if it may (REF-7)."""
    while not await _signalled(effect.workflow_id, effect.result):
        if effect.reopen is None:
            raise CouldNot(f"{effect.workflow_id} has ended")
        if await _opened_again(effect.reopen, effect.result):
            return


async def _signalled(workflow_id: str, result: RefundResult) -> bool:
    """Whether the case runs, and so receives it."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(contract.REFUND_TAKEN_BACK, result)
    except FailureError as error:
        if is_cancelled_exception(error):
            raise
        return False
    return True


async def _opened_again(request: ReturnRequest, failed: RefundResult) -> bool:
    """Whether the return was started again here; otherwise another refund did it meanwhile."""
    try:
        await workflow.start_child_workflow(
            contract.RETURN,
            request.model_copy(update={"reopened_by": failed.refund_id}),
            id=contract.RETURN_KIND.workflow_id_of(request),
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Return {request.return_id} · order {request.order_id} · open again",
        )
    except WorkflowAlreadyStartedError:
        return False
    return True
