"""Open the database: a SQLite file, or PostgreSQL by `DATABASE_URL`; and bring their tables up to date."""

import re
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from activities.database.unusable import (
    OTHER_TABLES,
    differences,
    has_tables,
    in_short,
    unreachable,
    words_of_file,
)
from activities.private_files import private_file
from models.failures import Conflict, InvalidInput, NotFound, PartnerUnavailable, Problem
from models.settings import Settings

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"
BUSY_SECONDS: Final = 10
"""How long a write on SQLite waits for the one before it."""
POSTGRESQL_PATIENCE: Final[dict[str, str | int]] = {
    "connect_timeout": 10,
    # A server that is gone without a word (a pulled plug) is noticed within half a minute; one that is there
    # and says nothing, sooner (`activities.database.socket_limits`).
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # A lock that somebody keeps, a statement without an end; and a worker that died while it held a lock.
    "options": "-c lock_timeout=5s -c statement_timeout=10s -c idle_in_transaction_session_timeout=30s",
}
"""How long a connection waits for what, so that no thread hangs for ever; what the URL says counts instead."""
_WRITES: Final = "backhaul_writes"
_POSTGRESQL: Final = "postgresql+psycopg"
_REVISION: Final = re.compile(r"""^revision = ["'](\w+)["']""", re.MULTILINE)
_REVISION_BEFORE: Final = re.compile(r"""^down_revision = ["'](\w+)["']""", re.MULTILINE)
UPGRADE_LOCK: Final = 4_242_202_611
"""Advisory lock on PostgreSQL: one upgrade at a time."""


def make_engine(database_url: str) -> Engine:
    """An engine for this URL; connects to nothing yet. Raises InvalidInput for a URL of another kind.

    Its errors hide the parameters of statements: they are personal data and end in histories and logs.
    """
    url = _url_of(database_url)
    if url.get_backend_name() == "postgresql":
        patience = {name: value for name, value in POSTGRESQL_PATIENCE.items() if name not in url.query}
        engine = create_engine(
            url, pool_pre_ping=True, pool_size=10, max_overflow=10, hide_parameters=True, connect_args=patience
        )
        event.listen(engine, "do_connect", _connect_postgresql)
        return engine
    engine = create_engine(
        url, pool_size=20, max_overflow=20, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_database(settings: Settings) -> Engine:
    """The database of this installation, ready for use.

    Raises InvalidInput (no such kind of database), PartnerUnavailable (it does not answer), RefusedByPartner (it
    lets nobody in), NotFound (it has no tables yet) or Conflict (its tables are not those of this program).
    """
    engine = make_engine(settings.database_url.get_secret_value())
    try:
        _check(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def writing(engine: Engine) -> Engine:
    """The same engine for transactions that write: on SQLite they take the write lock at once."""
    return engine.execution_options(**{_WRITES: True})


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read: all that one reads is of one moment."""
    if engine.dialect.name == "postgresql":
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return engine


def upgrade(database: Engine | str) -> None:
    """Bring the tables to the newest version. Doing it again, or in several processes at once, is harmless.

    Creates the SQLite file and its folder. Raises as `open_database`, but for NotFound.
    """
    from alembic import command
    from alembic.util import CommandError

    if isinstance(database, str):
        engine = make_engine(database)
        try:
            upgrade(engine)
        finally:
            engine.dispose()
        return
    if (path := _file_of(database.url)) is not None:
        _create_file(path)
    try:
        with writing(database).begin() as connection, ExitStack() as stack:
            if database.dialect.name == "postgresql":
                from activities.database.socket_limits import however_long_it_takes

                # It takes as long as it takes, and so does the one before it.
                stack.enter_context(however_long_it_takes(connection))
                connection.execute(text("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"))
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
            command.upgrade(migrations_config(connection), "head")
            _require_same_tables(database.url, connection)
    except CommandError:
        raise Conflict(
            f"the database at {_where(database.url)} is of a version that this program does not know: "
            "use the program that made it, or another DATABASE_URL"
        ) from None
    except DBAPIError as error:
        raise unreachable(_where(database.url), error) from None


def newest_version() -> str:
    """The version of the tables that this program needs: the migration that no other one follows.

    Read from their text: to import Alembic takes a tenth of a process's start.
    """
    (newest,) = _revisions() - set(_REVISION_BEFORE.findall(_migrations()))
    return str(newest)


def _revisions() -> set[str]:
    """The versions that this program knows."""
    return set(_REVISION.findall(_migrations()))


def _migrations() -> str:
    return "\n".join(path.read_text() for path in (MIGRATIONS / "versions").glob("*.py"))


def migrations_config(connection: Connection | None = None) -> Any:
    """Alembic's settings for the migrations of this installation, whatever the working directory."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _check(engine: Engine) -> None:
    path = _file_of(engine.url)
    if path is not None and not path.exists():
        raise NotFound(
            f"there is no database at {path.absolute()} yet: run `backhaul db upgrade` to create it, or set "
            "DATABASE_URL to where it is; a path that is not absolute begins in the current folder"
        )
    try:
        with engine.connect() as connection:
            _require_version(engine.url, _version_of(connection))
            _require_same_tables(engine.url, connection)
    except DBAPIError as error:
        raise unreachable(_where(engine.url), error) from None


def _require_version(url: URL, version: str | None) -> None:
    if version is None:
        raise NotFound(f"the database at {_where(url)} has no tables yet: run `backhaul db upgrade`")
    if version == newest_version():
        return
    known = version in _revisions()
    what_to_do = (
        "run `backhaul db upgrade`" if known else "use the newer program, or set DATABASE_URL to another one"
    )
    raise Conflict(
        f"the database at {_where(url)} is of version {version}, "
        f"this program needs {newest_version()}: {what_to_do}"
    )


def _require_same_tables(url: URL, connection: Connection) -> None:
    """A version that was made while it was not released yet may have other tables."""
    if differing := differences(connection):
        raise Conflict(
            f"the tables of the database at {_where(url)} are not those of this program "
            f"({in_short(differing)}): {OTHER_TABLES}"
        )


def _version_of(connection: Connection) -> str | None:
    """Where Alembic notes the version of the tables; none: there are none."""
    if not has_tables(connection):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _url_of(database_url: str) -> URL:
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):  # ValueError: the port is no number
        raise _wrong_url("it is no database URL") from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername=_POSTGRESQL)
    if url.drivername not in ("sqlite", _POSTGRESQL):
        raise _wrong_url(f"{url.drivername} is not spoken")
    if url.get_backend_name() == "postgresql" and "@" in f"{url.host}{url.database}":
        raise _wrong_url("an @ of its password is written %40")  # what is behind it would be shown as the host
    if url.get_backend_name() == "sqlite" and _file_of(url) is None:
        raise _wrong_url("the database needs a file, not memory: other processes read them too")
    return url


def _wrong_url(why: str) -> InvalidInput:
    hint = "use sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    return InvalidInput("settings", [Problem("DATABASE_URL", f"{why}; {hint}")])


def _where(url: URL) -> str:
    """Without its parameters: a password may stand there too."""
    return url.set(query={}).render_as_string(hide_password=True)


def _file_of(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database))


def _create_file(path: Path) -> None:
    """Create the file, for its owner alone, in WAL mode, which it then keeps: readers and the writer do not wait
    for each other."""
    give_up_at = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            private_file(path)
            _switch_to_wal(path)
            return
        except (OSError, sqlite3.Error) as error:
            # Of two that switch at once SQLite refuses one without waiting.
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up_at:
                raise PartnerUnavailable(
                    f"the database can't be created at {path}: {words_of_file(error) or error}"
                ) from None
        time.sleep(0.05)


def _switch_to_wal(path: Path) -> None:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def _connect_postgresql(_dialect: Any, _record: Any, arguments: list[Any], parameters: dict[str, Any]) -> Any:
    """Its driver is imported only where it is used."""
    from activities.database.socket_limits import connect

    return connect(*arguments, **parameters)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    """A write transaction takes its lock when it begins: asked for later, SQLite may refuse it at once."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
