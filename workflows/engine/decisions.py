"""What sellers ask for and a person decides within a time: who is told when, and what a decision may say. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from models.case import Who
from models.failures import Conflict, RefusedByRule
from models.message import Event
from models.money import require_whole
from models.refunds import person_of
from models.text import counted
from workflows.engine.case import CaseFacts, Note
from workflows.engine.pieces import alert, at, just, wait
from workflows.engine.plan import Plan


class Asked(Protocol):
    """What is asked for, and by whom."""

    @property
    def amount(self) -> Decimal: ...

    @property
    def currency(self) -> str: ...

    @property
    def requested_by(self) -> str: ...


class Decision(Protocol):
    """A person's word: approved, all of it or a part, or rejected."""

    @property
    def actor(self) -> str: ...

    @property
    def decision(self) -> str: ...

    @property
    def amount(self) -> Decimal | None: ...


def awaiting_decision(
    f: CaseFacts,
    stage: str,
    noun: str,
    what: str,
    why: str,
    *,
    since: datetime,
    due: datetime,
    reminder_days: Iterable[int],
) -> Plan:
    """Staff are told what is to be decided, and why; they are reminded, and told when the time is over. A decision
    is still taken then. `noun`: the case, in its own word."""
    plan = just(alert(f, "requested", f"{what}: {why}", Who.STAFF)) + wait(stage, Who.STAFF, what, since, due)
    for days in reminder_days:
        moment = since + timedelta(days=days)
        if moment < due:
            left = f"{what}: due in {counted((due - moment).days, 'day')}"
            plan += at(f, moment, f"Reminder: decide the {noun}", alert(f, f"due-{days}", left, Who.STAFF))
    late = alert(f, "overdue", f"{what}: it is overdue", Who.STAFF)
    note = Note(key="note:overdue", what="nobody has decided in time")
    return plan + at(f, due, f"The {noun} is overdue", note, late)


def require_undecided(f: CaseFacts, noun: str, decision: Decision | None, withdrawal: Event | None) -> None:
    """The first word counts. Raises Conflict."""
    if f.outcome is not None:
        raise Conflict(f"the {noun} is {f.outcome} already")
    if decision is not None:
        raise Conflict(f"{decision.actor} has {decision.decision} it already")
    if withdrawal is not None:
        raise Conflict(f"{withdrawal.actor} has withdrawn it already")


def check_decision(rule: str, request: Asked, event: Decision, *, asks: str, wants: str) -> None:
    """Another person decides than who asked, and approves no more than was asked for. `asks`, `wants`: what the
    seller does, and did, in the words of the case. Raises RefusedByRule."""
    if person_of(event.actor) == person_of(request.requested_by):
        raise RefusedByRule(rule, f"{request.requested_by} {asks}: another person decides")
    if event.amount is None:
        return
    try:
        require_whole(event.amount, request.currency, "amount")
    except ValueError as error:
        raise RefusedByRule(rule, str(error)) from None
    if event.amount > request.amount:
        asked = f"{request.amount} {request.currency}"
        raise RefusedByRule(rule, f"{event.amount} is more than the {asked} that the seller {wants}")
