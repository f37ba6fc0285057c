"""Which alerts about many cases may go, and how many cases there are (NTF-9)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Engine, exists, func, or_, select, text, update
from sqlmodel import Session, col

from activities.database.transactions import read, write
from activities.database.upserts import add_new, written
from models.alerts import WORKLIST_OF, AlertKind, AlertTopic, AlertTurn, alert_key
from models.case import OrphanStage
from models.tables import AlertRow, CaseRow, MailRow, stands_in
from models.tables.orphans import OrphanRow

LEASE: Final = timedelta(minutes=5)
"""After so long without its mail another case may send the alert: a sending takes a minute at most."""


class Alerts:
    """Gives turns: in each hour so many alerts of a topic, whichever of the cases ask."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def turn(self, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        """The turn of this mail (`holder`: its key) among the `most` of this topic and hour; it keeps the one that
        it had. Its number is none when staff know enough. Raises BackhaulError as each write does."""
        keys = [alert_key(topic.key, hour, number) for number in range(1, most + 1)]
        # Of thousands of cases that ask, few need to write.
        if read(self._engine, lambda session: _sent(session, keys)) == most:
            return AlertTurn(number=None)
        return write(self._engine, lambda session: self._turn(session, topic, holder, hour, most))

    def _turn(self, session: Session, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        now = datetime.now(UTC)
        this_hour = (col(AlertRow.topic) == topic.key, col(AlertRow.hour) == hour)
        number = (
            self._own(session, holder, *this_hour)
            or self._new(session, topic.key, holder, hour, most, now)
            or self._abandoned(session, holder, now, *this_hour)
        )
        return AlertTurn(number=number, cases=0 if number is None else _cases(session, topic, hour))

    def _own(self, session: Session, holder: str, *this_hour: ColumnElement[bool]) -> int | None:
        return session.scalar(select(col(AlertRow.number)).where(*this_hour, col(AlertRow.holder) == holder))

    def _new(
        self, session: Session, topic: str, holder: str, hour: datetime, most: int, now: datetime
    ) -> int | None:
        taken = session.scalar(
            select(func.count()).where(col(AlertRow.topic) == topic, col(AlertRow.hour) == hour)
        )
        for number in range((taken or 0) + 1, most + 1):
            row = {"topic": topic, "hour": hour, "number": number, "holder": holder, "claimed_at": now}
            if add_new(session, AlertRow, [row]):
                return number
        return None

    def _abandoned(
        self, session: Session, holder: str, now: datetime, *this_hour: ColumnElement[bool]
    ) -> int | None:
        """The turn of a case that took it and sent nothing."""
        rows = session.execute(
            select(col(AlertRow.topic), col(AlertRow.number), col(AlertRow.hour)).where(
                *this_hour, col(AlertRow.claimed_at) < now - LEASE
            )
        ).all()
        for row in rows:
            is_sent = exists().where(col(MailRow.key) == alert_key(row.topic, row.hour, row.number))
            taken_over = update(AlertRow).where(
                *this_hour, col(AlertRow.number) == row.number, col(AlertRow.claimed_at) < now - LEASE, ~is_sent
            )
            if written(session, taken_over.values(holder=holder, claimed_at=now)):
                number: int = row.number
                return number
        return None


def _sent(session: Session, keys: list[str]) -> int:
    return session.scalar(select(func.count()).select_from(MailRow).where(col(MailRow.key).in_(keys))) or 0


def _cases(session: Session, topic: AlertTopic, hour: datetime) -> int:
    """How many open cases this holds up; of orphans, how many came to this point."""
    if topic.kind is AlertKind.ORPHANS:
        return _orphans(session, topic.name, hour)
    held = col(CaseRow.held_up_by).contains(f",{topic.key},", autoescape=True)
    listed = text(stands_in(WORKLIST_OF[topic.kind]))
    return session.scalar(select(func.count()).select_from(CaseRow).where(listed, held)) or 0


def _orphans(session: Session, stage: str, hour: datetime) -> int:
    """Those that stand there now; of those that expire, all of this hour, also those whose turn comes yet."""
    if stage != OrphanStage.EXPIRED:
        there = (col(CaseRow.kind) == "orphan", col(CaseRow.stage) == stage)
        return session.scalar(select(func.count()).select_from(CaseRow).where(*there)) or 0
    expiring = (
        select(func.count())
        .select_from(OrphanRow)
        .join(CaseRow, col(CaseRow.workflow_id) == col(OrphanRow.workflow_id))
        .where(col(OrphanRow.expires_at).between(hour, hour + timedelta(hours=1)))
        .where(or_(col(CaseRow.stage) == stage, col(CaseRow.ended).is_(False)))
    )
    return session.scalar(expiring) or 0
