"""Opening, upgrading and losing the database of the books."""

import inspect
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_type_hints

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.books import Books, open_books, upgrade
from activities.books.engine import make_engine, newest_version, writing
from activities.books.transaction import write
from models import calls
from models.bookkeeping import OpenOrder
from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, PartnerUnavailable
from models.settings import Settings
from models.tables import METADATA, MailRow
from tests.books.conftest import KINDS
from tests.books.story import NOON, Story, order_request
from tests.postgres import EmptyPostgres

BOOK_CALLS = [
    calls.OPEN_ORDER,
    calls.SAVE_ORDER,
    calls.OPEN_RETURN,
    calls.SAVE_RETURN,
    calls.BOOK_CREDIT_MEMO,
    calls.RESERVE_REFUND,
    calls.SETTLE_REFUND,
    calls.SAVE_CASE,
]


def at(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


@pytest.fixture(params=KINDS)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of books that do not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'not' / 'there' / 'books.db'}"
        return
    with EmptyPostgres() as url:
        yield url


def test_the_books_are_created_with_their_folder_and_open(fresh_url: str) -> None:
    upgrade(fresh_url)
    open_books(at(fresh_url)).dispose()


def test_upgrading_again_and_by_many_at_once_is_harmless(fresh_url: str) -> None:
    with ThreadPoolExecutor(4) as people:
        assert list(people.map(upgrade, [fresh_url] * 4)) == [None] * 4
    upgrade(fresh_url)
    engine = open_books(at(fresh_url))
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    engine.dispose()
    assert versions == [newest_version()]


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_migrations_do_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    program = "from activities.books import upgrade; upgrade('sqlite:///here/books.db')"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    open_books(at(f"sqlite:///{tmp_path}/here/books.db")).dispose()


def test_books_without_tables_say_what_to_do(fresh_url: str) -> None:
    with pytest.raises(NotFound, match="run `backhaul db upgrade`"):
        open_books(at(fresh_url))


def test_looking_for_books_does_not_create_them(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_books(at(f"sqlite:///{tmp_path / 'books.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_books_of_another_version_say_so(database_url: str, engine: Engine) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        with pytest.raises(Conflict, match=f"are of version older, this program needs {newest_version()}"):
            open_books(at(database_url))
    finally:
        with writing(engine).begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newest_version()})


@pytest.mark.parametrize(
    ("url", "failure", "message"),
    [
        ("mysql://host/books", InvalidInput, "mysql is not spoken"),
        ("books.db", InvalidInput, "it is no database URL"),
        ("sqlite://", InvalidInput, "need a file"),
        ("postgresql://ann:secret@127.0.0.1:1/books", PartnerUnavailable, "does not answer"),
        ("sqlite:////proc/books/books.db", NotFound, "no books"),
    ],
)
def test_a_wrong_or_unreachable_database_is_one_clear_line_without_the_password(
    url: str, failure: type[BackhaulError], message: str
) -> None:
    with pytest.raises(failure, match=message) as failed:
        open_books(at(url))
    assert "secret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_folder_that_can_not_be_created_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PartnerUnavailable, match="can't be created"):
        upgrade(f"sqlite:///{tmp_path / 'file' / 'books.db'}")


def test_sqlite_keeps_its_promises(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'books.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        said = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    engine.dispose()
    assert said == ["wal", 1, 1, 30_000]


def test_a_database_that_stays_away_is_an_outage_that_is_tried_again_and_tells_nothing_personal() -> None:
    engine = create_engine("postgresql+psycopg://127.0.0.1:1/books", connect_args={"connect_timeout": 1})
    ask = OpenOrder(
        request=order_request(("A", 1, "10.00")), workflow_id="order-1001", run_id="run-1", received_at=NOON
    )
    with pytest.raises(ApplicationError) as failed:
        Books(engine).open_order(ask)
    assert (failed.value.type, failed.value.non_retryable) == ("PartnerUnavailable", False)
    assert "buyer" not in str(failed.value)


def test_a_lost_connection_is_taken_up_again_and_the_work_done_once(story: Story, engine: Engine) -> None:
    tries: list[int] = []

    def write_and_lose_the_connection_once(session: Session) -> int:
        tries.append(1)
        session.add(MailRow(key=f"mail {len(tries)}", message_id="<1@x>", at=NOON))
        session.flush()
        if len(tries) == 1:
            lose_connection(session)
        return len(tries)

    assert write(engine, write_and_lose_the_connection_once) == 2
    with engine.connect() as connection:
        assert connection.execute(text("SELECT key FROM mail_sent")).scalars().all() == ["mail 2"]


def lose_connection(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return
    busy = sqlite3.OperationalError("database is locked")
    busy.sqlite_errorcode = sqlite3.SQLITE_BUSY
    raise OperationalError("INSERT", {}, busy)


@pytest.mark.parametrize("call", BOOK_CALLS, ids=lambda call: call.name)
def test_each_activity_has_the_name_and_the_models_of_the_contract(call: calls.Call) -> None:  # type: ignore[type-arg]
    method = getattr(Books, call.name)
    assert method.__temporal_activity_definition.name == call.name
    hints = get_type_hints(method)
    assert hints == {"ask": call.asks, "return": call.gives}
    assert not inspect.iscoroutinefunction(method)


def test_an_activity_of_the_books_runs_as_one(story: Story) -> None:
    ask = OpenOrder(
        request=order_request(("A", 1, "10.00")), workflow_id="order-1001", run_id="run-1", received_at=NOON
    )
    answer = ActivityEnvironment().run(story.books.open_order, ask)
    assert answer.opening == "opened"
