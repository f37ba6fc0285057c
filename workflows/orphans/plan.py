"""What follows from the facts of an orphan: look, give the word to the one case that fits, or wait for people."""

from datetime import datetime

from models.alerts import AlertKind, AlertTopic
from models.case import OrphanStage, Who
from workflows.engine.pieces import alert, in_flight, just, troubles, wait
from workflows.engine.plan import End, Plan
from workflows.orphans.effects import GiveToCase, LookForCase
from workflows.orphans.facts import OrphanFacts


def plan(facts: OrphanFacts, now: datetime) -> Plan:
    """RET-20: it is never guessed among several, and it moves nothing by itself."""
    f = facts.as_of(now)
    if f.outcome is not None:
        return troubles(f) + Plan(end=End(f.outcome, f.closing_message))
    return troubles(f) + (_ended(f) if _has_ended(f) else _looked_for(f))


def _has_ended(f: OrphanFacts) -> bool:
    return f.taken_by is not None or f.dismissal is not None or f.stopped_at is not None


def _ended(f: OrphanFacts) -> Plan:
    if f.taken_by is not None:
        return Plan(end=End(OrphanStage.MATCHED, f"{f.what}: matched to {f.taken_by}"))
    if f.dismissal is not None:
        return Plan(end=End(OrphanStage.DISMISSED, f"{f.what}: dismissed by {f.dismissal.actor}"))
    return Plan(end=End(OrphanStage.STOPPED, "stopped by staff"))


def _looked_for(f: OrphanFacts) -> Plan:
    if f.target is not None:
        return _give(f, f.target)
    return _look(f) if f.now < f.expires_at or f.is_in_flight(LookForCase) else _expire(f)


def _give(f: OrphanFacts, case_id: str) -> Plan:
    decision = f.match.event_id if f.match is not None else None
    again = "" if f.early_look is None else f":{f.looks}"
    give = GiveToCase(
        key=f"give:{decision or case_id}{again}",
        workflow_id=case_id,
        name=f.request.event,
        said=f.request.said,
        decision=decision,
    )
    return just(give) + in_flight(f, OrphanStage.DELIVERING, give)


def _look(f: OrphanFacts) -> Plan:
    """Now, if it is time; meanwhile a person may decide."""
    look = LookForCase(key=f"look:{f.looks + 1}")
    due = f.next_look
    if f.is_called or f.now >= due or look.key in f.done:
        return just(look) + (in_flight(f, OrphanStage.LOOKING, look) if f.looks == 0 else _person(f))
    return _person(f) + Plan(wake_at=min(due, f.expires_at), timer="Look for the case again")


def _person(f: OrphanFacts) -> Plan:
    since = f.created_at
    if f.not_taken:
        last = f.not_taken[-1]
        what = f"{last.workflow_id} did not take it ({last.why}): match it to another case, or dismiss it"
        return _tell(f, f"not-taken-{len(f.not_taken)}", OrphanStage.NOT_TAKEN, what) + wait(
            OrphanStage.NOT_TAKEN, Who.STAFF, what, since, f.expires_at
        )
    if f.is_early:
        which = f.match.case_id if f.match is not None else f.found.fitting[0]
        what = f"match the {f.what} to another case, or dismiss it; {which} is asked again until then"
        return wait(OrphanStage.UNMATCHED, Who.STAFF, what, since, f.expires_at)
    if f.possible:
        what = f"say which case it is ({', '.join(f.possible)}), or dismiss it"
        return _tell(f, "several-fit", OrphanStage.SEVERAL_FIT, what) + wait(
            OrphanStage.SEVERAL_FIT, Who.STAFF, what, since, f.expires_at
        )
    what = f"match the {f.what} to its case, or dismiss it; it is looked for until then"
    return wait(OrphanStage.UNMATCHED, Who.STAFF, what, since, f.expires_at)


def _tell(f: OrphanFacts, key: str, stage: OrphanStage, what: str) -> Plan:
    """Staff are told once in an hour of all orphans that came to this point: there may be thousands (NTF-9)."""
    topic = AlertTopic(kind=AlertKind.ORPHANS, name=stage)
    return just(alert(f, key, f"{f.what}: {what}", Who.STAFF, topic=topic))


def _expire(f: OrphanFacts) -> Plan:
    days = f.request.look_days
    what = f"no case was found in {days} days, and nobody matched it; `backhaul orphan list --all` keeps it"
    return _tell(f, "expired", OrphanStage.EXPIRED, what) + Plan(
        end=End(OrphanStage.EXPIRED, f"no case was found in {days} days")
    )
