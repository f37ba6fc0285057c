"""A supplier-cost review: which facts, which plan, and how its one effect is done (BAL-2)."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import Ended
    from models.cost_reviews import CostReviewRequest, OpenCostReview
    from models.message import Message
    from workflows.cost_reviews.effects import OpenReview
    from workflows.cost_reviews.events import apply, check
    from workflows.cost_reviews.facts import CostReviewFacts
    from workflows.cost_reviews.plan import plan
    from workflows.cost_reviews.view import facts_in_status, projection, result, view
    from workflows.engine.case import Effect
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued


async def perform(f: CostReviewFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of a review's own."""
    assert isinstance(effect, OpenReview), f"a review does not know the effect {effect.key}"
    message = OpenCostReview(request=f.request, workflow_id=f.case_id, run_id=f.run_id, at=f.done[effect.key])
    return await ask(calls.OPEN_COST_REVIEW, message)


PROCEDURE = Procedure(
    kind=contract.COST_REVIEW_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
)


@workflow.defn(name=contract.COST_REVIEW)
@receives(contract.COST_REVIEW_KIND)
class CostReview:
    """From the seller's request to a person's decision (BAL-2)."""

    @workflow.init
    def __init__(self, request: CostReviewRequest) -> None:
        self.engine = Engine(PROCEDURE, request, fresh_or_continued(CostReviewFacts, request))

    @workflow.run
    async def run(self, request: CostReviewRequest) -> Ended:
        """Takes the request; gives what became of it."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended
