"""How often partners may be asked, kept for all workers together: one atomic statement for each call.

Each call moves the moment at which the operation has rested (`rested_at`) by the time that one call costs; a call
may go while that moment is no further away than a burst lasts (the generic cell rate algorithm). The clock is the
database's: workers whose clocks differ keep one rate.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Engine, Float, and_, case, cast, extract, func, literal, select, update
from sqlmodel import Session, col

from activities.database.transactions import write
from activities.database.upserts import insert_into, table_of
from models.call_rates import CallRate
from models.tables import CallRateRow


class CallRates:
    """Of one database. Raises PartnerUnavailable while it stays away."""

    def __init__(self, engine: Engine, clock: Callable[[], float] | None = None) -> None:
        """`clock`: in place of the database's, in seconds since 1970."""
        self._engine = engine
        self._clock = clock

    def take(self, connection_id: str, operation: str, rate: CallRate) -> float:
        """Take one call, or give for how many seconds there is none: then nothing was taken.

        `rate`: the documented one; where the partner said another per second, that one counts.
        """
        return write(self._engine, lambda session: self._take(session, connection_id, operation, rate))

    def learn(self, connection_id: str, operation: str, per_second: float) -> None:
        """The partner says how often it lets itself be asked now; calls that are not paid off cost that too."""

        def change(session: Session) -> None:
            now, before, rested_at = self._now(session), col(CallRateRow.per_second), col(CallRateRow.rested_at)
            row = update(CallRateRow).where(*_of(connection_id, operation), before != per_second)
            rests = case((rested_at > now, now + (rested_at - now) * before / per_second), else_=rested_at)
            session.execute(row.values(per_second=per_second, rested_at=rests))

        write(self._engine, change)

    def exhaust(self, connection_id: str, operation: str, rate: CallRate, seconds: float | None) -> None:
        """The partner says that it was asked too often, whatever we counted: for the time of one call, or for so
        many seconds, it is not asked."""

        def change(session: Session) -> None:
            per_second = col(CallRateRow.per_second)
            pause = 1.0 / per_second if seconds is None else literal(seconds, Float)
            empty = self._now(session) + (rate.burst - 1) / per_second + pause
            row = update(CallRateRow).where(*_of(connection_id, operation), col(CallRateRow.rested_at) < empty)
            session.execute(row.values(rested_at=empty))

        write(self._engine, change)

    def _take(self, session: Session, connection_id: str, operation: str, rate: CallRate) -> float:
        now = self._now(session)
        table = table_of(CallRateRow)
        known = table.c.per_second
        statement = insert_into(session, CallRateRow).values(
            connection_id=connection_id,
            operation=operation,
            per_second=rate.per_second,
            rested_at=now + 1.0 / rate.per_second,
        )
        statement = statement.on_conflict_do_update(
            index_elements=["connection_id", "operation"],
            set_={"rested_at": case((table.c.rested_at > now, table.c.rested_at), else_=now) + 1.0 / known},
            where=and_(table.c.rested_at <= now + (rate.burst - 1) / known),
        )
        if session.execute(statement.returning(table.c.operation)).first() is not None:
            return 0.0
        due = table.c.rested_at - (rate.burst - 1) / known - now
        return max(float(session.execute(select(due).where(*_of(connection_id, operation))).scalar_one()), 0.001)

    def _now(self, session: Session) -> ColumnElement[float]:
        if self._clock is not None:
            return literal(self._clock(), Float)
        if session.get_bind().dialect.name == "postgresql":
            return cast(extract("epoch", func.clock_timestamp()), Float)
        return (func.julianday("now", type_=Float) - 2440587.5) * 86400.0


def _of(connection_id: str, operation: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return col(CallRateRow.connection_id) == connection_id, col(CallRateRow.operation) == operation
