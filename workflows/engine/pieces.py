"""The pieces of every plan: a wait, a moment, an effect, an e-mail, an alert, and what is in trouble."""

from datetime import datetime, timedelta

from models.case import Who
from models.failures import Category
from models.partners import Recipient
from workflows.engine.case import CaseFacts, Effect, Note, SendMail
from workflows.engine.plan import Plan, Wait


def just(*effects: Effect) -> Plan:
    """Effects that are due now."""
    return Plan(effects=effects)


def wait(
    stage: str, who: Who, what: str, since: datetime, due: datetime | None = None, timer: str | None = None
) -> Plan:
    """With `timer`, the time's end changes the plan; without, `due` is only shown."""
    waiting = (Wait(stage, who, what, since, due),)
    return Plan(waits=waiting, wake_at=due if timer else None, timer=timer or "")


def at(facts: CaseFacts, moment: datetime, timer: str, *effects: Effect) -> Plan:
    """Effects that are due at a moment."""
    return Plan(effects=effects) if facts.now >= moment else Plan(wake_at=moment, timer=timer)


def after_days(facts: CaseFacts, since: datetime, days: int, timer: str, *effects: Effect) -> Plan:
    """Effects that are due so many days after a moment."""
    return at(facts, since + timedelta(days=days), timer, *effects)


def notify(key: str, template: str, to: Recipient, **facts: object) -> SendMail:
    """An e-mail, once by its key; facts without a value are left out."""
    said = {name: str(value) for name, value in facts.items() if value is not None}
    return SendMail(key=f"mail:{key}", template=template, to=to, facts=said)


def alert(facts: CaseFacts, key: str, what: str, who_acts: Who) -> SendMail:
    """Tell staff that somebody must look at this case."""
    since = f"{facts.now.isoformat(sep=' ')[:16]} UTC"
    said = {"what": what, "who_acts": str(who_acts), "case": facts.case_id, "since": since}
    return SendMail(key=f"mail:alert-{key}", template="staff_alert", to=Recipient.STAFF, facts=said)


def troubles(facts: CaseFacts) -> Plan:
    """Each effect that is not answered for a while is written down once, and staff are told when it lasts; of a
    fault of ours they are told at once (NTF-9). It goes on being tried."""
    told = Plan()
    for key, trouble in facts.trouble.items():
        effect: Effect = facts.in_flight[key]
        ours = trouble.category in (Category.INTERNAL, Category.INVALID_INPUT)
        who = Who.BACKHAUL if ours else effect.who
        what = f"{effect.summary}: no success yet ({trouble.reason}); it is tried again"
        told += just(Note(key=f"note:trouble-{key}", what=what, by=who))
        if trouble.alert:
            told += just(alert(facts, f"trouble-{key}", f"{effect.summary}: {trouble.reason}", who))
    save = facts.save_trouble
    if save is not None and save.alert:
        told += just(
            alert(facts, "trouble-save", f"the database does not keep this case: {save.reason}", Who.BOOKS)
        )
    return told


def in_flight(facts: CaseFacts, stage: str, effect: Effect) -> Plan:
    """Wait for the answer of an effect that has begun."""
    return wait(stage, effect.who, effect.summary, facts.done.get(effect.key, facts.now))
