"""The pieces of every plan: a wait, a moment, an effect, an e-mail, an alert, and what is in trouble."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from models.alerts import AlertKind, AlertTopic
from models.case import Who
from models.failures import Category
from models.partners import MailLine, QuotedMail, Recipient
from workflows.engine.case import CaseFacts, Effect, Note, SendMail, Trouble
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


def notify(
    key: str,
    template: str,
    to: Recipient,
    *,
    lines: Iterable[MailLine] = (),
    quotes: QuotedMail | None = None,
    topic: AlertTopic | None = None,
    **facts: object,
) -> SendMail:
    """An e-mail, once by its key; facts without a value are left out. Moments are told in the reader's zone."""
    said = {name: _said(value) for name, value in facts.items() if value is not None}
    return SendMail(
        key=f"mail:{key}", template=template, to=to, facts=said, lines=tuple(lines), quotes=quotes, topic=topic
    )


def mail_lines(units: Mapping[str, int]) -> tuple[MailLine, ...]:
    """Units by SKU, as mails say them."""
    return tuple(MailLine(sku=sku, quantity=count) for sku, count in units.items())


def _said(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def alert(
    facts: CaseFacts,
    key: str,
    what: str,
    who_acts: Who,
    quotes: QuotedMail | None = None,
    topic: AlertTopic | None = None,
) -> SendMail:
    """Tell staff that somebody must look at this case. `topic`: what other cases may tell them too."""
    return notify(
        f"alert-{key}",
        "staff_alert",
        Recipient.STAFF,
        quotes=quotes,
        topic=topic,
        what=what,
        who_acts=who_acts,
        case=facts.case_id,
        since=facts.now,
    )


def troubles(facts: CaseFacts) -> Plan:
    """Each effect that is not answered for a while is written down once, and staff are told when it lasts; of a
    fault of ours they are told at once (NTF-9). It goes on being tried. Of a partner that does not answer they are
    told for all its cases together; of mail that does not go no mail tells, but the lists do."""
    told = undelivered(facts)
    for key, trouble in facts.trouble.items():
        effect: Effect = facts.in_flight[key]
        who = _who_mends(effect, trouble)
        what = f"{effect.summary}: no success yet ({trouble.reason}); it is tried again"
        told += just(Note(key=f"note:trouble-{key}", what=what, by=who))
        if trouble.alert and not isinstance(effect, SendMail):
            told += tell_staff(facts, key, effect.summary, who, trouble)
    save = facts.save_trouble
    if save is not None and save.alert:
        told += tell_staff(facts, "save", "the database does not keep this case", Who.BOOKS, save)
    return told


GATHERING: Final = timedelta(minutes=1)
"""So long an outage is not told yet, so that its first mail counts the cases that fail in the same minute."""


def tell_staff(facts: CaseFacts, key: str, what: str, who: Who, trouble: Trouble) -> Plan:
    """The alert about one trouble; about an outage one for its partner, in each hour in which it is tried."""
    topic = trouble.topic
    if topic is None or topic.kind is not AlertKind.OUTAGE:
        return just(alert(facts, f"trouble-{key}", f"{what}: {trouble.reason}", who, topic=topic))
    tried_at = trouble.at or trouble.since
    outage = notify(
        f"outage-{topic.name}-{tried_at.isoformat()[:13]}",
        "partner_outage",
        Recipient.STAFF,
        topic=topic,
        partner=topic.name,
        what=f"{what}: {trouble.reason}",
        case=facts.case_id,
        since=trouble.since,
    )
    return at(facts, tried_at + GATHERING, f"Count the cases that the {topic.name} holds up", outage)


NEXT_STEP_HANGS_ON: Final = ("rma_for_buyer", "rma_request", "rma_reminder")
"""Mails without which their reader can't do what the case waits for."""


def undelivered(facts: CaseFacts) -> Plan:
    """NTF-8: the seller is told what did not reach buyer or supplier, and can tell them; staff, what did not reach
    the seller, and what the next step hangs on. What does not reach staff stands in the timeline alone."""
    told = Plan()
    for one in facts.undelivered:
        mail, key = one.mail, f"undelivered-{one.mail.key.removeprefix('mail:')}"
        if mail.to is Recipient.STAFF:
            continue
        quotes = mail.quotes or QuotedMail(template=mail.template, to=mail.to, facts=mail.facts, lines=mail.lines)
        if mail.to is not Recipient.SELLER:
            told += just(notify(key, "mail_undelivered", Recipient.SELLER, quotes=quotes, why=one.reason))
        if mail.to is Recipient.SELLER or mail.template in NEXT_STEP_HANGS_ON:
            which = mail.template.replace("_", " ")
            what = f"the e-mail to the {mail.to} ({which}) did not arrive: {one.reason}; tell it another way"
            told += just(alert(facts, key, what, Who.STAFF, quotes))
    return told


MENDED_BY: Final = {Category.CONNECTION_UNUSABLE: Who.STAFF, Category.BALANCE_SHORT: Who.SELLER}
"""Who must do something before it can work."""


def _who_mends(effect: Effect, trouble: Trouble) -> Who:
    if trouble.category in (Category.INTERNAL, Category.INVALID_INPUT):
        return Who.BACKHAUL
    return MENDED_BY.get(trouble.category, effect.who)


def in_flight(facts: CaseFacts, stage: str, effect: Effect) -> Plan:
    """Wait for the answer of an effect that has begun; for people, where they must mend something first."""
    trouble = facts.trouble.get(effect.key)
    if trouble is not None and (people := MENDED_BY.get(trouble.category)) is not None:
        what = trouble.reason.removeprefix(f"{trouble.category.value}: ")
        return wait(stage, people, what, trouble.since)
    return wait(stage, effect.who, effect.summary, facts.done.get(effect.key, facts.now))
