"""What the facts of every kind of case are after what may happen to each of them. Pure."""

from typing import TypeVar

from models.case import Who
from models.message import Message
from workflows.engine.case import (
    STEPS_KEPT,
    Answered,
    CaseEnded,
    CaseFacts,
    Effect,
    EventRejected,
    GivenUp,
    InTrouble,
    Note,
    RejectEvent,
    SaveInTrouble,
    SendMail,
    Started,
    StepsSaved,
    StoppedByStaff,
    Trouble,
    UndeliveredMail,
)

AnyFacts = TypeVar("AnyFacts", bound=CaseFacts)


def apply_common(facts: AnyFacts, fact: Message) -> AnyFacts:
    """What the facts of every kind of case are after this one. Each kind's `apply` falls back on it."""
    match fact:
        case Started():
            return _started(facts.begin(fact.effect), fact.effect)
        case Answered():
            return _answered(facts.finish(fact.effect), fact)
        case GivenUp():
            return facts.finish(fact.effect)
        case InTrouble():
            return _in_trouble(facts, fact)
        case EventRejected():
            return facts.reject(fact.name, fact.reason, fact.event_id)
        case StepsSaved():
            return _steps_saved(facts, fact.count)
        case SaveInTrouble():
            return _save_in_trouble(facts, fact)
        case StoppedByStaff():
            return facts.stop()
        case CaseEnded():
            return facts.end(fact.outcome, fact.message)
    raise AssertionError(f"a case does not know the fact {type(fact).__name__}")


def _started(facts: AnyFacts, effect: Effect) -> AnyFacts:
    match effect:
        case Note():
            return facts.step(effect.what, effect.by)
        case RejectEvent():
            return facts.reject(effect.name, effect.reason, effect.event_id)
    return facts


def _answered(facts: AnyFacts, fact: Answered) -> AnyFacts:
    if isinstance(fact.effect, SendMail) and fact.failure:
        reached_nobody = UndeliveredMail(mail=fact.effect, reason=fact.failure[:300])
        told = facts.with_(undelivered=(*facts.undelivered, reached_nobody))
        return told.step(f"{fact.effect.summary}: could not be sent ({fact.failure})", Who.MAIL)
    return facts


def _in_trouble(facts: AnyFacts, fact: InTrouble) -> AnyFacts:
    key = fact.effect.key
    return facts.with_(trouble=facts.trouble | {key: _trouble(facts, facts.trouble.get(key), fact)})


def _trouble(facts: CaseFacts, before: Trouble | None, fact: InTrouble | SaveInTrouble) -> Trouble:
    return Trouble(
        reason=fact.reason,
        category=fact.category,
        since=before.since if before else facts.now,
        alert=fact.alert or (before is not None and before.alert),
        topic=fact.topic,
        asked=isinstance(fact, SaveInTrouble) or fact.asked,
        at=before.at if before is not None and _is_of_this_hour(facts, before, fact) else facts.now,
    )


def _is_of_this_hour(facts: CaseFacts, before: Trouble, fact: InTrouble | SaveInTrouble) -> bool:
    """The same trouble, which staff are told of once in an hour, was met in this hour before."""
    same = before.alert == fact.alert and before.topic == fact.topic
    return same and before.at is not None and before.at.isoformat()[:13] == facts.now.isoformat()[:13]


def _save_in_trouble(facts: AnyFacts, fact: SaveInTrouble) -> AnyFacts:
    known = facts.save_trouble
    after = facts.with_(save_trouble=_trouble(facts, known, fact))
    if known is not None:
        return after
    return after.step(f"the database does not have this yet ({fact.reason}); it is tried again", Who.BOOKS)


def _steps_saved(facts: AnyFacts, count: int) -> AnyFacts:
    """Older steps than those that people look at stay in the database alone."""
    drop = max(min(count - facts.steps_before, len(facts.timeline) - STEPS_KEPT), 0)
    return facts.with_(
        steps_saved=count,
        timeline=facts.timeline[drop:],
        steps_before=facts.steps_before + drop,
        save_trouble=None,
    )
