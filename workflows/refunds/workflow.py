"""A refund: one movement of money back, exactly once, with the days a gateway may take (REF)."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.ids import refund_workflow_id
    from models.refunds import RefundRequest, RefundResult
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Procedure
    from workflows.engine.run import Engine, fresh_or_continued
    from workflows.refunds.events import apply, check
    from workflows.refunds.facts import RefundFacts
    from workflows.refunds.perform import perform
    from workflows.refunds.plan import plan
    from workflows.refunds.view import facts_in_status, projection, view


def result(f: RefundFacts) -> RefundResult:
    """What became of it. A refusal is a result, not an error."""
    return f.result


PROCEDURE = Procedure(
    kind=contract.REFUND_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
)


@workflow.defn(name=contract.REFUND)
@receives(contract.REFUND_KIND)
class Refund:
    """Reserve under the cap, send, wait until the gateway's word is final, settle (REF-3, REF-6, REF-7)."""

    @workflow.init
    def __init__(self, request: RefundRequest) -> None:
        parent = workflow.info().parent
        # A part of what people asked for is started by the refund that was divided: no case waits for it.
        asked_by_case = parent is not None and not parent.workflow_id.startswith(refund_workflow_id(""))
        facts = fresh_or_continued(RefundFacts, request, started_by_case=asked_by_case)
        # Each run receives staff's Cancel for itself, and answers it: a refund can't be stopped.
        self.engine = Engine(PROCEDURE, request, facts.with_(stopped_at=None))

    @workflow.run
    async def run(self, request: RefundRequest) -> RefundResult:
        """Takes what to refund; gives what became of it.

        Started again together with the gateway's word that it failed after all, it takes the success back (REF-7).
        """
        ended = await self.engine.run()
        assert isinstance(ended, RefundResult), "a refund ends with its result"
        return ended
