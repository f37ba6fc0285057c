"""Webhooks in the database: which refund is meant, what was taken, how often something was refused (REF-7)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from sqlalchemy import Engine, delete
from sqlmodel import Session, col, select

from activities.database.transactions import read, write
from activities.database.upserts import insert_into, written
from models.message import Message
from models.refunds import RefundState
from models.tables import RefundRow, WebhookRefusalRow, WebhookRow
from models.webhooks import RefundWord, Refusal, WebhookEvent, WebhookState


class MeantRefund(NamedTuple):
    """The refund that a webhook speaks of."""

    refund_id: str
    workflow_id: str
    state: RefundState


class WebhookListed(Message):
    """One event of a gateway. `times`: how often it was sent."""

    connection_id: str
    event_id: str
    type: str
    state: WebhookState
    workflow_id: str | None
    times: int
    received_at: datetime
    last_at: datetime


class RefusalListed(Message):
    """How often something was refused at a connection's path on a day (UTC)."""

    connection_id: str
    day: date
    why: Refusal
    times: int
    last_at: datetime


class WebhookRegister:
    """Read and write them. Each call raises as `read` and `write` do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def seen_again(self, connection_id: str, event_id: str) -> bool:
        """Whether this event was taken before; if it was, it is counted."""
        key = (connection_id, event_id)
        if read(self._engine, lambda session: session.get(WebhookRow, key) is None):
            return False

        def count(session: Session) -> None:
            row = session.get_one(WebhookRow, key, with_for_update=True)
            row.times += 1
            row.last_at = datetime.now(UTC)
            session.add(row)

        write(self._engine, count)
        return True

    def meant(self, connection_id: str, word: RefundWord) -> MeantRefund | None:
        """The refund that went through this connection: by the id that we gave it, else by the gateway's. Of other
        connections' refunds nothing is said here, whoever has the secret of this one."""

        def look(session: Session) -> MeantRefund | None:
            of_connection = select(RefundRow).where(RefundRow.connection_id == connection_id)
            row = (
                session.exec(of_connection.where(RefundRow.refund_id == word.our_id)).first()
                or session.exec(of_connection.where(RefundRow.gateway_refund_id == word.gateway_refund_id)).first()
            )
            return None if row is None else MeantRefund(row.refund_id, row.workflow_id, row.state)

        return read(self._engine, look)

    def keep(self, connection_id: str, event: WebhookEvent, state: WebhookState, workflow_id: str | None) -> None:
        """Write down what became of an event. The same one, sent twice at once, is kept once."""
        now = datetime.now(UTC)
        row = {
            "connection_id": connection_id,
            "event_id": event.event_id,
            "type": event.type,
            "state": state,
            "workflow_id": workflow_id,
            "times": 1,
            "received_at": now,
            "last_at": now,
        }

        def add(session: Session) -> None:
            statement = insert_into(session, WebhookRow).on_conflict_do_update(
                index_elements=["connection_id", "event_id"],
                set_={"times": WebhookRow.times + 1, "last_at": now},
            )
            written(session, statement, row)

        write(self._engine, add)

    def count_refusals(self, refusals: Mapping[tuple[str, date, Refusal], int]) -> None:
        """Add these numbers to what was refused by connection, day and reason."""
        now = datetime.now(UTC)

        def add(session: Session) -> None:
            for (connection_id, day, why), times in sorted(refusals.items()):
                row = {"connection_id": connection_id, "day": day, "why": why, "times": times, "last_at": now}
                statement = insert_into(session, WebhookRefusalRow).on_conflict_do_update(
                    index_elements=["connection_id", "day", "why"],
                    set_={"times": WebhookRefusalRow.times + times, "last_at": now},
                )
                written(session, statement, row)

        write(self._engine, add)

    def prune(self, before: datetime) -> int:
        """Forget what came last before this moment. Gives how many rows went."""

        def forget(session: Session) -> int:
            events = delete(WebhookRow).where(col(WebhookRow.last_at) < before)
            days = delete(WebhookRefusalRow).where(col(WebhookRefusalRow.day) < before.date())
            return written(session, events) + written(session, days)

        return write(self._engine, forget)

    def listed(self, state: WebhookState | None, connection_id: str | None, limit: int) -> list[WebhookListed]:
        """The newest first."""

        def look(session: Session) -> list[WebhookListed]:
            rows = select(WebhookRow)
            if state is not None:
                rows = rows.where(WebhookRow.state == state)
            if connection_id is not None:
                rows = rows.where(WebhookRow.connection_id == connection_id)
            newest = rows.order_by(
                col(WebhookRow.received_at).desc(),
                col(WebhookRow.connection_id).desc(),
                col(WebhookRow.event_id).desc(),
            ).limit(limit)
            return [WebhookListed.model_validate(row.model_dump()) for row in session.exec(newest)]

        return read(self._engine, look)

    def refused(self, connection_id: str | None, limit: int) -> list[RefusalListed]:
        """The newest days first."""

        def look(session: Session) -> list[RefusalListed]:
            rows = select(WebhookRefusalRow)
            if connection_id is not None:
                rows = rows.where(WebhookRefusalRow.connection_id == connection_id)
            newest = rows.order_by(
                col(WebhookRefusalRow.day).desc(), col(WebhookRefusalRow.connection_id), col(WebhookRefusalRow.why)
            ).limit(limit)
            return [RefusalListed.model_validate(row.model_dump()) for row in session.exec(newest)]

        return read(self._engine, look)
