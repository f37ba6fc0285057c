"""How each effect of a refund is done."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.message import Message
    from models.partners import SendRefund
    from models.records import RefundTakenBack, ReservedRefund, ReserveRefund, SettleRefund
    from models.refunds import RefundResult, RefundState
    from models.returns import ReturnRequest
    from workflows.engine.case import Effect
    from workflows.engine.procedure import Ask, CouldNot
    from workflows.refunds.effects import LookUp, ReportToCase, Reserve, Send, TakeBack
    from workflows.refunds.facts import RefundFacts


async def perform(f: RefundFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do it; gives the answer. Raises CouldNot when the case that was to be told does not run."""
    match effect:
        case Reserve():
            return await _reserve(f, effect, ask)
        case Send():
            return await ask(calls.SEND_REFUND, _to_gateway(f, again=effect.again))
        case LookUp():
            return await ask(calls.LOOK_UP_REFUND, _to_gateway(f, again=True))
        case TakeBack():
            return await _take_back(f, ask)
        case ReportToCase():
            await _report(effect)
            return None
    raise AssertionError(f"a refund does not know the effect {effect.key}")


async def _reserve(f: RefundFacts, effect: Reserve, ask: Ask) -> ReservedRefund:
    message = ReserveRefund(
        request=f.request,
        workflow_id=f.case_id,
        run_id=f.run_id,
        at=f.done[effect.key],
        known_only=effect.known_only,
    )
    return await ask(calls.RESERVE_REFUND, message)


def _to_gateway(f: RefundFacts, *, again: bool) -> SendRefund:
    reserved = f.reservation
    assert reserved is not None, "it is reserved"
    assert reserved.amount is not None, "it is reserved"
    assert reserved.payment_reference is not None, "it goes by the gateway"
    return SendRefund(
        refund_id=f.refund_id,
        order_id=f.order_id,
        direction=f.request.direction,
        payment_reference=reserved.payment_reference,
        amount=reserved.amount,
        currency=f.request.currency,
        gateway_account=reserved.gateway_account,
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
