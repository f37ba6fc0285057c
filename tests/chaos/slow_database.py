"""Books that nobody can write for a while, and books that dawdle in the midst of one write."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, text

from models.tables import METADATA

LOCKED_SECONDS: Final = 1.0
"""SQLite does not tell who holds its lock. One that is held so long is held by the write that dawdles: any
other takes milliseconds, and there is no other."""

_KEY: Final = 77_001
_FOR_EVER: Final = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n"


@dataclass(frozen=True)
class Written:
    """Rows of the books by which a write is known: their table, and a condition on the row `NEW`."""

    table: str
    condition: str


@contextmanager
def locked(engine: Engine) -> Iterator[Callable[[], None]]:
    """Nobody can write the books until the given function is called, or the block ends."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            tables = ", ".join(table.name for table in METADATA.sorted_tables)
            connection.execute(text(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE"))
            yield connection.rollback
        return
    with _sqlite(engine, seconds=60) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield lock.rollback


@contextmanager
def dawdling(engine: Engine, written: Written) -> Iterator[Callable[[], bool]]:
    """The write of this row does not come to its end while the block lasts: it is written, not committed.

    The given function tells whether such a write is under way. Who writes must be dead when the block ends.
    """
    if engine.dialect.name == "postgresql":
        with _dawdling_postgresql(engine, written) as is_under_way:
            yield is_under_way
    else:
        with _dawdling_sqlite(engine, written) as is_under_way:
            yield is_under_way


@contextmanager
def _dawdling_postgresql(engine: Engine, written: Written) -> Iterator[Callable[[], bool]]:
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS "
                f"'BEGIN PERFORM pg_advisory_xact_lock({_KEY}); RETURN NULL; END'"
            )
        )
        connection.execute(
            text(
                f"CREATE TRIGGER dawdling AFTER INSERT OR UPDATE ON {written.table} FOR EACH ROW "
                f"WHEN ({written.condition}) EXECUTE FUNCTION dawdle()"
            )
        )

    def is_under_way() -> bool:
        waiting = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = {_KEY} AND NOT granted"
        with engine.connect() as connection:
            return bool(connection.execute(text(waiting)).scalar())

    with engine.connect() as holder:
        holder.execute(text(f"SELECT pg_advisory_lock({_KEY})"))
        try:
            yield is_under_way
        finally:
            holder.execute(text(f"SELECT pg_advisory_unlock({_KEY})"))
            holder.commit()
    with engine.begin() as connection:
        connection.execute(text("DROP FUNCTION dawdle CASCADE"))


@contextmanager
def _dawdling_sqlite(engine: Engine, written: Written) -> Iterator[Callable[[], bool]]:
    with _sqlite(engine, seconds=LOCKED_SECONDS) as connection:
        events = ("INSERT", "UPDATE")
        for event in events:
            connection.execute(
                f"CREATE TRIGGER dawdling_{event} AFTER {event} ON {written.table} WHEN {written.condition} "
                f"BEGIN SELECT count(*) FROM ({_FOR_EVER}); END"
            )

        def is_under_way() -> bool:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            connection.rollback()
            return False

        yield is_under_way
        for event in events:
            connection.execute(f"DROP TRIGGER dawdling_{event}")


@contextmanager
def _sqlite(engine: Engine, *, seconds: float) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(
        str(engine.url.database), timeout=seconds, isolation_level=None, check_same_thread=False
    )
    try:
        yield connection
    finally:
        connection.close()
