"""What many cases may tell staff at once: it is told for all of them, with their number (NTF-9)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from models.failures import Category
from models.message import Message
from models.worklists import Work


class AlertKind(StrEnum):
    """What kind of trouble cases have in common."""

    OUTAGE = "outage"
    """A partner does not answer: one alert for all of its cases."""
    REFUSAL = "refusal"
    """A partner says no for good, or can't be asked: the request, a setting or a connection is wrong."""
    CONNECTION = "connection"
    """A connection can't be used until staff mend it: one alert for all of its cases."""
    BALANCE = "balance"
    """A seller's balance does not cover its refunds: one alert for all of them (BAL-1)."""
    FAULT = "fault"
    """A fault of ours."""
    TEMPLATE = "template"
    """A mail template that does not work: one alert for all of its mails."""
    ORPHANS = "orphans"
    """Orphans that came to the same point: one alert for all of them (RET-20)."""


class AlertTopic(Message):
    """What an alert is about. `name`: the partner (`payment gateway`, `supplier brembo`); the connection's id, or
    whose is missing (`seller:acme`); the seller whose balance is short (`seller:acme`); of a fault of ours the
    call (`send_refund`); the template (`acme/en/order_shipped.md`); of orphans their stage."""

    kind: AlertKind
    name: Annotated[str, Field(min_length=1, max_length=150, pattern="^[^,]+$")]

    @property
    def key(self) -> str:
        """`outage:payment gateway`; without a comma, so that several stand between commas."""
        return f"{self.kind.value}:{self.name}"


WORKLIST_OF: Final[Mapping[AlertKind, Work]] = {
    AlertKind.OUTAGE: Work.PARTNER_IN_TROUBLE,
    AlertKind.REFUSAL: Work.PARTNER_IN_TROUBLE,
    AlertKind.CONNECTION: Work.PARTNER_IN_TROUBLE,
    AlertKind.BALANCE: Work.BALANCE_SHORT,
    AlertKind.FAULT: Work.FAULTS_OF_OURS,
    AlertKind.ORPHANS: Work.ORPHANS,
}
"""Where staff find the cases that an alert is about (NTF-6)."""


def kind_of(category: Category) -> AlertKind:
    """Whose trouble a failure of this category is: a partner's, or ours."""
    match category:
        case Category.PARTNER_UNAVAILABLE:
            return AlertKind.OUTAGE
        case Category.REFUSED_BY_PARTNER:
            return AlertKind.REFUSAL
        case Category.CONNECTION_UNUSABLE:
            return AlertKind.CONNECTION
        case Category.BALANCE_SHORT:
            return AlertKind.BALANCE
    return AlertKind.FAULT


def topic_of(category: Category, partner: str, call: str) -> AlertTopic:
    """What a failure of this category is about: at which partner, in which call (the activity's name)."""
    kind = kind_of(category)
    return AlertTopic(kind=kind, name=_named(call if kind is AlertKind.FAULT else partner))


def _named(name: str) -> str:
    return name.replace(",", " ")[:150] or "unknown"


class AlertTurn(Message):
    """Whether an alert goes: its `number` in this hour, from 1; none: staff know enough. `cases`: how many open
    cases it is about, as far as the database knows."""

    number: int | None
    cases: int = 0


def alert_key(topic: str, hour: datetime, number: int) -> str:
    """The key of the mail that has this turn: `outage:shop:2026-11-28T14:00:00:1`."""
    return f"{topic}:{hour.isoformat()[:19]}:{number}"
