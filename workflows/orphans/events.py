"""What events and answers make of the facts of an orphan, and which events a rule refuses (RET-20)."""

from models.failures import Conflict, InvalidInput, Problem, RefusedByRule
from models.ids import case_of
from models.message import Event, Message
from models.orphans import CaseNumbered, Dismiss, EventDelivered, FoundCases, Match
from workflows.engine.case import Answered
from workflows.engine.common_facts import apply_common
from workflows.engine.procedure import Reply
from workflows.orphans.effects import GiveToCase, LookForCase
from workflows.orphans.facts import NotTaken, OrphanFacts

NOBODY_NAMED = ("cli", "temporal", "ui", "script", "system", "staff", "broker")
"""Names of programs and rooms, not of persons."""


def check(f: OrphanFacts, event: Event) -> None:
    """Raises RefusedByRule, Conflict or InvalidInput when the event can't be used now."""
    if not isinstance(event, Match | Dismiss):
        return
    if event.actor.partition(":")[2].strip().casefold() in NOBODY_NAMED:
        raise RefusedByRule("RET-20", "a named person decides: say who you are, such as --actor staff:kim")
    if f.taken_by is not None:
        raise Conflict(f"it went to {f.taken_by} already")
    if f.dismissal is not None:
        raise Conflict(f"{f.dismissal.actor} dismissed it already")
    if f.target is not None:
        raise Conflict(f"it is being given to {f.target} right now; look again")
    if isinstance(event, Match):
        _require_case(f, event)


def _require_case(f: OrphanFacts, event: Match) -> None:
    about = f.request.about
    example = f"{about}-..."
    try:
        kind, _ = case_of(event.case_id)
    except ValueError:
        raise InvalidInput("match", [Problem("case_id", f"is a workflow id, such as {example}")]) from None
    if kind != about:
        what = f.request.event
        why = f"a {kind} takes no {what}: give the workflow id of the {about} ({example})"
        raise InvalidInput("match", [Problem("case_id", why)])


def apply(f: OrphanFacts, fact: Message) -> OrphanFacts:
    """The facts after this one."""
    match fact:
        case Match():
            return f.with_(match=fact, early_look=None).step(
                f"matched to {fact.case_id}: {fact.reason}", fact.actor
            )
        case Dismiss():
            return f.with_(dismissal=fact).step(f"dismissed: {fact.reason}", fact.actor)
        case CaseNumbered():
            return f.with_(called_after=f.looks + f.is_in_flight(LookForCase))
        case Answered(effect=LookForCase()):
            return _looked(f.finish(fact.effect), fact.answer)
        case Answered(effect=GiveToCase()):
            return _given(f.finish(fact.effect), fact.effect, fact.answer)
    return apply_common(f, fact)


def _looked(f: OrphanFacts, found: FoundCases) -> OrphanFacts:
    """A look that finds what the one before it found is no news."""
    after = f.with_(looks=f.looks + 1, looked_at=f.now, found=found)
    if f.looks and found == f.found:
        return after
    if len(found.fitting) == 1:
        return after.step(f"exactly one case fits: {found.fitting[0]}")
    if after.possible:
        return after.step(f"several cases fit, or none has all numbers: {', '.join(after.possible)}")
    return after.step("no case has these numbers yet")


def _given(f: OrphanFacts, effect: GiveToCase, answer: EventDelivered) -> OrphanFacts:
    if answer.state == "taken":
        told = f.with_(taken_by=effect.workflow_id, answer=answer.message)
        return told.step(f"{effect.workflow_id} has it: {answer.message}")
    if answer.state == "early":
        told = f.step(f"{effect.workflow_id}: {answer.message}; it is asked again")
        return (told if f.early_look is None else f).with_(early_look=f.looks)
    refusal = NotTaken(workflow_id=effect.workflow_id, why=answer.message, decision=effect.decision)
    return f.with_(not_taken=(*f.not_taken, refusal)).step(
        f"{effect.workflow_id} did not take it: {answer.message}"
    )


def reply(f: OrphanFacts, event: Event) -> Reply | None:
    """A match is answered when the case has answered."""
    if not isinstance(event, Match):
        return Reply(accepted=True, message="")
    for one in f.not_taken:
        if one.decision == event.event_id:
            return Reply(accepted=False, message=f"{one.workflow_id} did not take it: {one.why}")
    if f.is_early and f.match == event:
        return Reply(accepted=True, message=f"{event.case_id} can't take it yet, and is asked again")
    if f.taken_by == event.case_id:
        return Reply(accepted=True, message=f"matched to {event.case_id}: {f.answer}")
    return None
