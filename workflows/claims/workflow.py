"""A claim: which facts, which plan, and how its one effect is done (CLM-1, CLM-2)."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import Ended
    from models.claims import ClaimRequest, OpenClaim
    from models.message import Message
    from workflows.claims.effects import WriteClaim
    from workflows.claims.events import apply, check
    from workflows.claims.facts import ClaimFacts
    from workflows.claims.plan import plan
    from workflows.claims.view import facts_in_status, projection, result, view
    from workflows.engine.case import Effect
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued


async def perform(f: ClaimFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of a claim's own."""
    assert isinstance(effect, WriteClaim), f"a claim does not know the effect {effect.key}"
    message = OpenClaim(request=f.request, workflow_id=f.case_id, run_id=f.run_id, at=f.done[effect.key])
    return await ask(calls.OPEN_CLAIM, message)


PROCEDURE = Procedure(
    kind=contract.CLAIM_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
)


@workflow.defn(name=contract.CLAIM)
@receives(contract.CLAIM_KIND)
class Claim:
    """From the seller's claim to its decision, by rule or by a person (CLM-1, CLM-2)."""

    @workflow.init
    def __init__(self, request: ClaimRequest) -> None:
        self.engine = Engine(PROCEDURE, request, fresh_or_continued(ClaimFacts, request))

    @workflow.run
    async def run(self, request: ClaimRequest) -> Ended:
        """Takes the request; gives what became of it."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended
