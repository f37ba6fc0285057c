"""A database that can't be used: what is wrong with it and what to do, in one line."""

import sqlite3
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from models.failures import BackhaulError, PartnerUnavailable, RefusedByPartner

NAMES_SHOWN: Final = 3
"""So many of the columns that differ are named."""
OTHER_TABLES: Final = (
    "use the program that made it, or set DATABASE_URL to another one; where nothing in it is needed any more, "
    "remove it and run `backhaul db upgrade`"
)

_LOCKED: Final = "another program keeps it locked: end that program, and try again"
_CLOSED: Final = "it can't be opened: it must be a file that this user may read and write, as its folder"
_SQLITE_WORDS: Final = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_CANTOPEN: _CLOSED,
    sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_READONLY: "it can't be written: give this user the right to write the file and its folder",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database: set DATABASE_URL to another one, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore a backup, or try sqlite3's `.recover`",
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_IOERR: "the disk fails: look at it, and at the system's log",
}
SQLITE_OUTAGES: Final = frozenset(_SQLITE_WORDS)
"""What people mend beside the program: meanwhile every case waits for the database."""

_LATER: Final = ("starting up", "shutting down", "recovery", "too many", "not yet accepting", "terminating")
_UNDEFINED: Final = ("42P01", "42703")
"""SQLSTATE of a table and of a column that are not there."""


def unreachable(where: str, error: DBAPIError) -> BackhaulError:
    """Why no connection comes about. RefusedByPartner: PostgreSQL lets nobody in by this URL."""
    if isinstance(error.orig, sqlite3.Error):
        words = words_of(error) or _first_line(error)
        return PartnerUnavailable(f"the database at {where} does not answer: {words}")
    said = str(error.orig).strip().splitlines()
    fatal = next((line.partition("FATAL:")[2].strip() for line in said if "FATAL:" in line), None)
    if fatal is None or any(word in fatal for word in _LATER):
        why = fatal or _first_line(error)
        return PartnerUnavailable(
            f"the database at {where} does not answer: {why}: start it, or set DATABASE_URL to where it is"
        )
    return RefusedByPartner(
        f"the database at {where} lets nobody in: {fatal}: mend user, password or name in DATABASE_URL"
    )


def words_of(error: DBAPIError) -> str | None:
    """What is wrong with a database that was opened before, without its own words, which may quote rows; none:
    it has no more to say than the name of its error."""
    if isinstance(error.orig, sqlite3.Error):
        if str(error.orig).startswith(("no such table", "no such column", "table ")):
            return f"its tables are not those of this program: {OTHER_TABLES}"
        return words_of_file(error.orig)
    if getattr(error.orig, "sqlstate", None) in _UNDEFINED:
        return f"its tables are not those of this program: {OTHER_TABLES}"
    return None


def words_of_file(error: Exception) -> str | None:
    """What is wrong with an SQLite file; none: it has no more to say than its error."""
    return _SQLITE_WORDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


def differences(connection: Connection) -> list[str]:
    """In which columns its tables are not those of this program: `refund.over_limit is missing`. Tables of others
    are theirs."""
    from models.tables import METADATA

    needed = {(table.name, column.name) for table in METADATA.tables.values() for column in table.columns}
    names = {name for name, _ in needed}
    found = {one for one in _columns(connection) if one[0] in names}
    missing = [f"{table}.{column} is missing" for table, column in sorted(needed - found)]
    return missing + [f"{table}.{column} is unknown" for table, column in sorted(found - needed)]


def in_short(differing: list[str]) -> str:
    """`refund.over_limit is missing and 3 more`."""
    more = len(differing) - NAMES_SHOWN
    return ", ".join(differing[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _columns(connection: Connection) -> set[tuple[str, str]]:
    """Of all its tables, in one statement."""
    if connection.dialect.name == "sqlite":
        found = (
            "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        )
    else:
        found = (
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        )
    return {(table, column) for table, column in connection.execute(text(found))}


def has_tables(connection: Connection) -> bool:
    """Whether Alembic has noted a version of them."""
    return bool(inspect(connection).has_table("alembic_version"))


def _first_line(error: DBAPIError) -> str:
    said = str(error.orig).strip().splitlines()
    return said[0] if said else repr(error.orig)
