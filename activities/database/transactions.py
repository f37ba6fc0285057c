"""One transaction on the database: tried again a little where that can help, then told as an outage."""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from activities.database.engines import reading, writing
from activities.database.unusable import SQLITE_OUTAGES, words_of
from models.failures import BackhaulError, Conflict, NotFound, PartnerUnavailable

Answer = TypeVar("Answer")

ATTEMPTS: Final = 4
_FIRST_PAUSE_SECONDS: Final = 0.05
_LAST_TRY_SECONDS: Final = 12.0
"""No try begins later, and each one waits some ten seconds at most: an activity answers before its workflow gives
up on it and starts another, which would take one more thread."""

_POSTGRESQL_OUTAGES: Final = frozenset({"08", "40", "53", "55", "57"})
"""Classes of SQLSTATE: connection, serialization and deadlock, resources, locks, shutdown."""
_UNIQUE: Final = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, "23505")
_FOREIGN_KEY: Final = (sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, "23503")


def write(engine: Engine, work: Callable[[Session], Answer]) -> Answer:
    """Do `work` in one write transaction and give what it gives; all of it is done, or nothing.

    Work must be idempotent: a commit whose answer got lost is done again. Raises PartnerUnavailable when the
    database stays away. When it refuses what is written: Conflict (something else has that number), NotFound
    (what it belongs to is not there), else BackhaulError, a fault of ours.
    """
    return _in_transaction(writing(engine), work)


def read(engine: Engine, work: Callable[[Session], Answer]) -> Answer:
    """Do `work`, which only reads, on the database as it is at one moment. Raises as `write`."""
    return _in_transaction(reading(engine), work)


def _in_transaction(engine: Engine, work: Callable[[Session], Answer]) -> Answer:
    last_try_at = time.monotonic() + _LAST_TRY_SECONDS
    attempt = 1
    while True:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                return work(session)
        except (DBAPIError, PoolTimeout) as error:
            if not _may_help(error) or attempt == ATTEMPTS or time.monotonic() > last_try_at:
                raise _failure(error) from None
            time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
            attempt += 1


def _may_help(error: DBAPIError | PoolTimeout) -> bool:
    """Whether it is worth another try. Of two that write the same at once, the second one finds it then."""
    return _is_outage(error) or _constraint_of(error) in (*_UNIQUE, *_FOREIGN_KEY)


def _constraint_of(error: DBAPIError | PoolTimeout) -> int | str | None:
    """Which kind of constraint refuses it, by the database's own code."""
    if not isinstance(error, IntegrityError):
        return None
    return getattr(error.orig, "sqlite_errorcode", None) or getattr(error.orig, "sqlstate", None)


def _failure(error: DBAPIError | PoolTimeout) -> BackhaulError:
    name = _name_of(error)
    constraint = _constraint_of(error)
    if constraint in _UNIQUE:
        return Conflict(f"the database has something else under this number: {name}")
    if constraint in _FOREIGN_KEY:
        return NotFound(f"the database does not have what this belongs to: {name}")
    words = words_of(error) if isinstance(error, DBAPIError) else None
    if _is_outage(error):
        return PartnerUnavailable(f"the database does not answer: {words or name}")
    return BackhaulError(f"the database refuses this: {words or name}")


def _is_outage(error: DBAPIError | PoolTimeout) -> bool:
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.Error):
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in SQLITE_OUTAGES
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _POSTGRESQL_OUTAGES


def _name_of(error: DBAPIError | PoolTimeout) -> str:
    """The kind of trouble, and where: without the database's own words, which quote rows that may be personal."""
    if not isinstance(error, DBAPIError):
        return type(error).__name__
    if isinstance(error.orig, sqlite3.IntegrityError):
        # SQLite says no more than which constraint, or of which columns: `CHECK constraint failed: <its name>`.
        return f"{type(error.orig).__name__} {str(error.orig).partition(': ')[2]}".strip()
    said = getattr(error.orig, "diag", None)
    where = [getattr(said, name, None) for name in ("table_name", "column_name", "constraint_name")]
    return " ".join([type(error.orig).__name__, *(name for name in where if name)])
