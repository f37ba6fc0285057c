"""Alerts that many cases have in common: one mail about a partner and hour, with the number of cases (NTF-9)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from models.alerts import WORKLIST_OF, AlertKind, AlertTopic, AlertTurn, alert_key
from models.case import OrphanStage
from models.failures import PartnerUnavailable
from models.partners import Contact, Mail
from models.settings import Settings
from models.worklists import WORKLISTS

DATABASE: Final = AlertTopic(kind=AlertKind.OUTAGE, name="database")
EXPIRED_ORPHANS: Final = AlertTopic(kind=AlertKind.ORPHANS, name=OrphanStage.EXPIRED)
"""They have ended, and stand in no worklist."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Turns(Protocol):
    """Who tells staff; the database knows. Called in a thread."""

    def turn(self, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        """The turn of this mail (`holder`: its key) among the `most` of this topic and hour."""


class SharedAlerts:
    """Which of them go, and with what they say of all cases."""

    def __init__(self, settings: Settings, turns: Turns, namespace: str) -> None:
        self._settings = settings
        self._turns = turns
        self._namespace = namespace
        self._told_at: datetime | None = None
        """The hour in which this process told staff that the database does not answer."""

    async def as_it_goes(self, mail: Mail, topic: AlertTopic) -> Mail | None:
        """The mail with the key of its turn and the number of cases; none: staff know enough.

        Raises PartnerUnavailable while the database does not answer.
        """
        hour = self._hour(datetime.now(UTC))
        each_tells = topic.kind in (AlertKind.REFUSAL, AlertKind.FAULT)
        most = self._settings.alerts_per_fault if each_tells else 1
        turn = await asyncio.to_thread(self._turns.turn, topic, mail.key, hour, most)
        if turn.number is None:
            return None
        facts = {}
        if topic.kind is not AlertKind.TEMPLATE:  # it holds up no case, or each tells its own trouble
            facts["cases"] = str(max(turn.cases, 1))
        if (work := WORKLIST_OF.get(topic.kind)) is not None and topic != EXPIRED_ORPHANS:
            facts["worklist"] = WORKLISTS[work].link(str(self._settings.temporal_ui_url), self._namespace)
        if turn.number == most:
            facts["silent_until"] = (hour + timedelta(seconds=self._settings.alert_seconds)).isoformat()
        return mail.model_copy(
            update={"key": alert_key(topic.key, hour, turn.number), "facts": mail.facts | facts}
        )

    def without_database(self, mail: Mail, outage: PartnerUnavailable) -> Contact | None:
        """Whom to tell that the database does not answer, once by each worker process and hour; none: it has.

        Raises the outage for every other mail: it waits for the database.
        """
        if mail.topic != DATABASE:
            raise outage
        hour = self._hour(datetime.now(UTC))
        if self._told_at == hour:
            return None
        self._told_at = hour
        zone = self._settings.mail_staff_time_zone
        return Contact(email=str(self._settings.mail_staff), name="Staff", time_zone=zone, seller_name="")

    def _hour(self, now: datetime) -> datetime:
        length = timedelta(seconds=self._settings.alert_seconds)
        return now - (now - _EPOCH) % length
