"""The worklists in which a case stands (NTF-6): those of its kind, and those of every case."""

from collections.abc import Sequence

from models.alerts import WORKLIST_OF, kind_of
from models.case import MoneyState, SlaState, Who
from models.worklists import STAFF_KNOW_WHY, Work
from workflows.engine.case import CaseFacts, Trouble
from workflows.engine.plan import Wait
from workflows.engine.procedure import CaseView


def work_of(facts: CaseFacts, view: CaseView, waits: Sequence[Wait]) -> tuple[Work, ...]:
    """In the order of `Work`. A case that has ended is nobody's work any more.

    An outage counts when staff are told of it, a fault of ours at once (NTF-9). Whatever waits for staff stands
    in a list that is theirs."""
    if facts.outcome is not None:
        return ()
    every = {
        Work.MONEY_IN_DOUBT: view.money is MoneyState.IN_DOUBT,
        **dict.fromkeys((WORKLIST_OF[kind_of(one.category)] for one in _troubles(facts) if one.alert), True),
        Work.PROMISES_AT_RISK: view.sla_state is not SlaState.ON_TIME,
    }
    found = {*view.work, *(work for work, stands_in_it in every.items() if stands_in_it)}
    if any(wait.who is Who.STAFF for wait in waits) and not found & STAFF_KNOW_WHY:
        found.add(Work.STAFF_TO_ACT)
    return tuple(work for work in Work if work in found)


def held_up_by(facts: CaseFacts) -> tuple[str, ...]:
    """The keys of what holds the case up, once staff are told: by them its alert counts the cases (NTF-9)."""
    if facts.outcome is not None:
        return ()
    topics = [trouble.topic for trouble in _troubles(facts) if trouble.alert]
    return tuple(dict.fromkeys(topic.key for topic in topics if topic is not None))


def _troubles(facts: CaseFacts) -> list[Trouble]:
    return [*facts.trouble.values(), *([facts.save_trouble] if facts.save_trouble else [])]
