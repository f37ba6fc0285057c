"""An orphan: which facts, which plan, and how each of its effects is done (RET-20)."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.case import Ended
    from models.ids import case_of
    from models.message import Message
    from models.orphans import CaseNumbered, DeliverEvent, FindCases, FoundCases, OrphanRequest
    from workflows.engine.case import Effect
    from workflows.engine.inbox import receives, take_report
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued
    from workflows.orphans.effects import GiveToCase, LookForCase
    from workflows.orphans.events import apply, check, reply
    from workflows.orphans.facts import OrphanFacts
    from workflows.orphans.plan import plan
    from workflows.orphans.view import facts_in_status, projection, result, view


async def perform(f: OrphanFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of an orphan's own."""
    request = f.request
    match effect:
        case LookForCase() if request.sent_to is not None:
            return await _sent_to(request.sent_to, ask)
        case LookForCase():
            message = FindCases(
                about=request.about,
                numbers=request.known_by,
                seller_id=request.seller_id,
                supplier_id=request.supplier_id,
            )
            return await ask(calls.FIND_CASES, message)
        case GiveToCase():
            given = DeliverEvent(workflow_id=effect.workflow_id, name=effect.name, said=effect.said)
            return await ask(calls.DELIVER_EVENT, given)
    raise AssertionError(f"an orphan does not know the effect {effect.key}")


async def _sent_to(workflow_id: str, ask: Ask) -> FoundCases:
    """That return alone fits, once it is known here."""
    kind, number = case_of(workflow_id)
    found = await ask(calls.FIND_CASES, FindCases(about=kind, numbers=(number,)))
    return FoundCases(fitting=(workflow_id,) if workflow_id in found.candidates else ())


PROCEDURE = Procedure(
    kind=contract.ORPHAN_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
    reply=reply,
)


@workflow.defn(name=contract.ORPHAN)
@receives(contract.ORPHAN_KIND)
class Orphan:
    """What was said about a case that is not known here, from that word until its case has it (RET-20)."""

    @workflow.init
    def __init__(self, request: OrphanRequest) -> None:
        self.engine = Engine(PROCEDURE, request, fresh_or_continued(OrphanFacts, request))

    @workflow.run
    async def run(self, request: OrphanRequest) -> Ended:
        """Takes the report; gives what became of it."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended

    @workflow.signal(name=contract.CASE_NUMBERED, description="A case can be found by one of its numbers now")
    def case_numbered(self, *payload: Any) -> None:
        take_report(self.engine, contract.CASE_NUMBERED, payload, CaseNumbered.at_the_door)
