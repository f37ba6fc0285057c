"""A case starts a refund of its own workflow, and waits for what becomes of it (REF-6)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import contract, ids
    from models.case import Who
    from models.failures import BackhaulError, InvalidInput, Problem
    from models.message import Event, Quantity
    from models.refunds import Direction, RefundRequest, RefundResult, RefundState, Way
    from workflows.asking import reason_of
    from workflows.case import Case


class RefundingCase(Case):
    """A case that refunds. A refund that succeeded may fail days later, and then tells the case so (REF-7)."""

    def __init__(
        self, events: dict[str, type[Event]], *, seller_id: str, order_id: str, stages: type[StrEnum]
    ) -> None:
        super().__init__(events, seller_id=seller_id, order_id=order_id, stages=stages)
        self.refund_results: dict[str, RefundResult] = {}
        """What refunds said after they had succeeded, by their id."""
        self.refunds_awaited: set[str] = set()
        self.refunds_made: dict[str, RefundResult] = {}
        """Those of this case that succeeded, by their id."""
        self.refunds_unknown: set[str] = set()
        """Those that were stopped, and may have been made."""
        self.refunds_under_way: set[str] = set()
        """Refunds whose end this case does not know: when it is stopped, they go on by themselves."""

    def refund_taken_back(self, failed: RefundResult) -> None:
        """A refund that had succeeded failed afterwards: its amount is refundable again (REF-7)."""
        self.step(
            f"refund {failed.refund_id} of {failed.amount} {failed.currency} failed after it had succeeded: "
            f"{failed.reason}",
            Who.GATEWAY,
        )

    def refund_ended_after_all(self, result: RefundResult) -> None:
        """A refund that staff had stopped went on, and has come to its end."""
        self.step(f"refund {result.refund_id}, which was stopped, is {result.state.value} after all", Who.GATEWAY)

    @workflow.signal(name=contract.REFUND_TAKEN_BACK, description="A refund of this case failed after all")
    def hear_refund_taken_back(self, *payload: Any) -> None:
        try:
            if len(payload) != 1:
                raise InvalidInput(contract.REFUND_TAKEN_BACK, [Problem("(message)", "is one JSON object")])
            result = RefundResult.at_the_door(payload[0])
        except BackhaulError as error:
            self.inbox.reject(contract.REFUND_TAKEN_BACK, str(error), None)
            return
        if result.refund_id in self.refunds_unknown:
            self.refunds_unknown.discard(result.refund_id)
            self.refund_ended_after_all(result)
            return
        if result.state is RefundState.SUCCEEDED or result.refund_id in self.refund_results:
            return  # told already
        self.refund_results[result.refund_id] = result
        if result.refund_id not in self.refunds_awaited:
            self.refund_taken_back(result)


async def refund(
    case: RefundingCase,
    *,
    refund_id: str,
    direction: Direction,
    amount: Decimal | None,
    currency: str,
    reason: str,
    requested_by: str,
    stage: str,
    return_id: str | None = None,
    lines: tuple[Quantity, ...] = (),
    way: Way = Way.GATEWAY,
) -> RefundResult:
    """Refund `amount` (none: all that is left) and wait until it succeeded, failed or was refused.

    One that succeeded may fail afterwards: then the case hears `refund_taken_back` (REF-7). The refund goes
    on by itself when the case is stopped: money that is on its way is not called back. If staff stopped the refund
    itself the result is `unknown`; asked for again under its own id, it looks before it sends (REF-6).
    """
    request = RefundRequest(
        refund_id=refund_id,
        order_id=case.order_id,
        return_id=return_id,
        direction=direction,
        way=way,
        amount=amount,
        currency=currency,
        reason=reason[:500],
        requested_by=requested_by,
        lines=lines,
    )
    whom = "buyer" if direction is Direction.SELLER_TO_BUYER else "seller"
    with case.waiting(stage, Who.GATEWAY, f"refund the {whom} ({refund_id})"):
        await case.show()
        case.refunds_awaited.add(refund_id)
        again = refund_id in case.refunds_unknown
        case.refunds_unknown.discard(refund_id)
        case.refunds_under_way.add(refund_id)
        try:
            result: RefundResult = await workflow.execute_child_workflow(
                contract.REFUND,
                request,
                id=ids.refund_workflow_id(refund_id),
                result_type=RefundResult,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
                # What has come to its end meanwhile says how it ended; it is not made again.
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE
                if again
                else WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Refund {refund_id} · order {case.order_id} · to the {whom}",
            )
        except WorkflowAlreadyStartedError:
            result = _unknown(request, f"a refund {refund_id} exists already; look at it")
        except ChildWorkflowError as error:
            if is_cancelled_exception(error):
                case.stop_if_cancelled()
            result = _unknown(request, f"the refund's workflow ended without an answer: {reason_of(error)}")
        finally:
            case.refunds_awaited.discard(refund_id)
    if result.unknown:
        case.refunds_unknown.add(refund_id)
    elif result.state is RefundState.SUCCEEDED:
        case.refunds_made[refund_id] = result
    case.stop_if_cancelled()
    case.refunds_under_way.discard(refund_id)
    return case.refund_results.get(refund_id, result)


def _unknown(request: RefundRequest, reason: str) -> RefundResult:
    return RefundResult(
        refund_id=request.refund_id,
        state=RefundState.REFUSED,
        amount=Decimal(0),
        currency=request.currency,
        reason=reason,
        unknown=True,
    )


def text_of(moment: datetime | None) -> str:
    """A time as evidence keeps it: RFC 3339, or that it is not known."""
    return moment.isoformat() if moment else "unknown"
