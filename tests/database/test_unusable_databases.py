"""A database that can't be used is told in one line: what is wrong with it, and what to do."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner, Result

import worker
from activities.database import open_database, upgrade
from activities.database.engines import make_engine, newest_version
from activities.database.transactions import read, write
from activities.database.unusable import unreachable
from models.failures import BackhaulError, Conflict, PartnerUnavailable, RefusedByPartner
from models.settings import Settings
from starter.cli.assembly import app
from tests.database.conftest import KINDS
from tests.postgres import EmptyPostgres

COMMANDS = [
    ("list", "orders"),
    ("list", "--work", "to_approve"),
    ("refunds", "1"),
    ("return", "find", "1"),
    ("seller", "list"),
    ("supplier", "list"),
    ("connection", "list"),
    ("reason", "list", "--seller", "acme"),
    ("orphan", "list"),
    ("claim", "list"),
    ("cost-review", "list"),
    ("webhook", "list"),
    ("ledger", "check"),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An SQLite database of this version."""
    path = tmp_path / "books.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, file: Path) -> Iterator[str]:
    """A database of this version."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    with EmptyPostgres() as url:
        upgrade(url)
        yield url


def at(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


def changed(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def refused(url: str) -> BackhaulError:
    with pytest.raises(BackhaulError) as failed:
        open_database(at(url))
    assert "\n" not in str(failed.value)
    return failed.value


# ---- tables of another version ----


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (["ALTER TABLE alert RENAME COLUMN holder TO kind"], "alert.holder is missing, alert.kind is"),
        (["ALTER TABLE claim ADD COLUMN colour TEXT"], "claim.colour is unknown"),
        (["DROP TABLE webhook_refusal"], "webhook_refusal.connection_id is missing"),
    ],
)
def test_tables_that_are_not_those_of_this_program_are_told_with_what_to_do(
    url: str, statements: list[str], says: str
) -> None:
    changed(url, *statements)
    failure = refused(url)
    assert isinstance(failure, Conflict)
    assert says in str(failure)
    assert "use the program that made it, or set DATABASE_URL to another one" in str(failure)
    with pytest.raises(Conflict, match="not those of this program"):
        upgrade(url)


def test_tables_of_others_beside_ours_are_theirs(url: str) -> None:
    changed(url, "CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT)")
    open_database(at(url)).dispose()


def test_a_newer_database_wants_the_newer_program(url: str) -> None:
    changed(url, "UPDATE alembic_version SET version_num = '0999'")
    assert f"of version 0999, this program needs {newest_version()}: use the newer program" in str(refused(url))


def test_tables_that_are_changed_under_a_process_are_named_too(url: str) -> None:
    engine = open_database(at(url))
    changed(url, "DROP TABLE webhook_refusal")
    with pytest.raises(
        BackhaulError, match="its tables are not those of this program: use the program that made it"
    ):
        read(engine, lambda session: session.execute(text("SELECT count(*) FROM webhook_refusal")))
    engine.dispose()


# ---- files ----


def test_a_file_that_is_no_database_is_told(file: Path) -> None:
    file.write_bytes(b"this is a letter to the supplier, not a database. " * 100)
    for failure in (refused(f"sqlite:///{file}"), failed_upgrade(file)):
        assert isinstance(failure, PartnerUnavailable)
        assert "the file is no SQLite database: set DATABASE_URL to another one, or restore a backup" in str(
            failure
        )


def failed_upgrade(file: Path) -> BackhaulError:
    with pytest.raises(BackhaulError) as failed:
        upgrade(f"sqlite:///{file}")
    return failed.value


def test_a_damaged_file_is_told(file: Path) -> None:
    with sqlite3.connect(file) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    assert "the file is damaged: restore a backup" in str(refused(f"sqlite:///{file}"))


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert "must be a file that this user may read and write" in str(refused(f"sqlite:///{tmp_path}"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_others_own_is_told(file: Path) -> None:
    file.chmod(0)
    assert "must be a file that this user may read and write" in str(refused(f"sqlite:///{file}"))


def test_a_database_that_another_program_keeps_locked_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.database.engines.BUSY_SECONDS", 0.05)
    engine = open_database(at(f"sqlite:///{file}"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(PartnerUnavailable, match="another program keeps it locked: end that program"):
        write(engine, lambda session: session.execute(text("SELECT 1")))
    other.close()
    engine.dispose()


# ---- PostgreSQL ----


@pytest.mark.parametrize(
    ("said", "category", "says"),
    [
        ('FATAL:  password authentication failed for user "ann"', RefusedByPartner, "mend user, password or name"),
        ('FATAL:  database "books" does not exist', RefusedByPartner, "mend user, password or name"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', RefusedByPartner, "lets nobody in: no pg_hba.conf"),
        ("FATAL:  the database system is starting up", PartnerUnavailable, "does not answer: the database system"),
        ("FATAL:  sorry, too many clients already", PartnerUnavailable, "does not answer: sorry, too many"),
        (
            "Connection refused\n\tIs the server running?",
            PartnerUnavailable,
            "start it, or set DATABASE_URL to where",
        ),
        ("timeout expired", PartnerUnavailable, "start it, or set DATABASE_URL to where it is"),
    ],
)
def test_what_postgresql_says_to_a_connection_is_told_with_what_to_do(
    said: str, category: type[BackhaulError], says: str
) -> None:
    several = (
        "Multiple connection attempts failed. All failures were:\n- host: 'db', port: 5432: connection failed: "
    )
    for before in ("connection failed: ", several):
        orig = psycopg.OperationalError(before + said)
        failure = unreachable("postgresql://ann:***@db/books", OperationalError(None, None, orig))
        assert type(failure) is category
        assert says in str(failure)
        assert "\n" not in str(failure)


# ---- every command, and the worker ----


@pytest.fixture(params=["tables", "no database", "missing"])
def broken(request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The books of all commands; the exit code that says what is wrong with them."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    if request.param == "tables":
        changed(f"sqlite:///{file}", "ALTER TABLE alert RENAME COLUMN holder TO kind")
        return 4
    if request.param == "missing":
        file.unlink()
        return 3
    file.write_bytes(b"no database " * 1000)
    return 7


def test_each_command_says_it_in_one_line(broken: int) -> None:
    for arguments in COMMANDS:
        result: Result = CliRunner().invoke(app, arguments)
        assert result.exit_code == broken, (arguments, result.output)
        assert len(result.stderr.splitlines()) == 1, (arguments, result.stderr)
        assert any(hint in result.stderr for hint in ("DATABASE_URL", "backhaul db upgrade")), (
            arguments,
            result.stderr,
        )


def test_the_worker_says_it_in_one_line(
    broken: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "configure_logs", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == broken
    said = capsys.readouterr().err
    assert said.startswith("backhaul worker: ")
    assert len(said.splitlines()) == 1
