"""Opening, upgrading and losing the database."""

import inspect
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import CheckConstraint, Engine, create_engine, text
from sqlalchemy import inspect as inspect_database
from sqlalchemy.exc import OperationalError
from sqlmodel import Session
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.database import Database, Parties, open_database, orders, upgrade
from activities.database.engines import UPGRADE_LOCK, make_engine, migrations_config, newest_version, writing
from activities.database.transactions import write
from activities.private_files import private_file
from models import calls
from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, PartnerUnavailable
from models.records import OpenedOrder, Opening, OpenOrder
from models.settings import Settings
from models.tables import METADATA, CreditMemoRow, MailRow
from tests.database.conftest import KINDS
from tests.database.story import NOON, Story, order_request
from tests.postgres import POSTGRES_URL, EmptyPostgres

DATABASE_CALLS = [
    calls.OPEN_ORDER,
    calls.SAVE_ORDER,
    calls.OPEN_RETURN,
    calls.SAVE_RETURN,
    calls.REOPEN_RETURN,
    calls.BOOK_CREDIT_MEMO,
    calls.RESERVE_REFUND,
    calls.TAKE_BACK_REFUND,
    calls.SAVE_REFUND,
    calls.REFUND_OUTCOME,
    calls.SAVE_CASE,
]


def at(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


@pytest.fixture(params=KINDS)
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'not' / 'there' / 'books.db'}"
        return
    with EmptyPostgres() as url:
        yield url


def test_the_database_is_created_with_its_folder_and_opens(fresh_url: str) -> None:
    upgrade(fresh_url)
    open_database(at(fresh_url)).dispose()


def test_upgrading_again_and_by_many_at_once_is_harmless(fresh_url: str) -> None:
    with ThreadPoolExecutor(4) as people:
        assert list(people.map(upgrade, [fresh_url] * 4)) == [None] * 4
    upgrade(fresh_url)
    engine = open_database(at(fresh_url))
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    engine.dispose()
    assert versions == [newest_version()]


def test_to_see_that_the_database_is_there_loses_nothing_of_what_is_written(tmp_path: Path) -> None:
    """SQLite's locks are the process's: to close the file anywhere in it gives them all free, and then another
    process takes itself for the last one and removes the log that is written to."""
    file = tmp_path / "books.db"
    upgrade(f"sqlite:///{file}")
    writer = sqlite3.connect(file, isolation_level=None)
    add = "INSERT INTO mail_sent VALUES (?, 'm', '2026-03-01')"
    writer.execute(add, ("before",))
    assert private_file(file) == file
    look = (
        "import sqlite3, sys; base = sqlite3.connect(sys.argv[1]); "
        "print([key for key, in base.execute('SELECT key FROM mail_sent ORDER BY key')]); base.close()"
    )
    seen = [sys.executable, "-c", look, str(file)]
    assert subprocess.run(seen, capture_output=True, text=True, check=True).stdout == "['before']\n"
    writer.execute(add, ("then",))
    assert subprocess.run(seen, capture_output=True, text=True, check=True).stdout == "['before', 'then']\n"
    writer.close()


def test_two_processes_that_upgrade_at_once_do_it_once_and_keep_what_is_there(fresh_url: str) -> None:
    program = (
        "import sys\n"
        "from activities.database import upgrade\n"
        "for _ in sys.stdin: print(upgrade(sys.argv[1]), flush=True)"
    )
    people = [
        subprocess.Popen(
            [sys.executable, "-c", program, fresh_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    all_upgrade(people)
    engine = open_database(at(fresh_url))
    Story(engine).with_parties()
    all_upgrade(people)
    with engine.connect() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert versions == [newest_version()]
    assert [seller.seller_id for seller in Parties(engine).sellers()] == ["acme"]
    engine.dispose()
    for person in people:
        person.communicate(timeout=20)
        assert person.returncode == 0


def all_upgrade(people: list[subprocess.Popen[str]]) -> None:
    """At one word; each says when it is done."""
    for person in people:
        assert person.stdin is not None
        person.stdin.write("go\n")
        person.stdin.flush()
    for person in people:
        assert person.stdout is not None
        assert person.stdout.readline() == "None\n"


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_the_checks_of_the_tables_are_in_the_database(engine: Engine) -> None:
    found = {
        str(check["name"])
        for table in inspect_database(engine).get_table_names()
        for check in inspect_database(engine).get_check_constraints(table)
    }
    assert found == {
        str(check.name)
        for table in METADATA.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }


def test_the_migrations_go_back_to_nothing(fresh_url: str) -> None:
    upgrade(fresh_url)
    engine = make_engine(fresh_url)
    with writing(engine).begin() as connection:
        command.downgrade(migrations_config(connection), "base")
    with engine.connect() as connection:
        assert inspect_database(connection).get_table_names() == ["alembic_version"]
    upgrade(engine)
    engine.dispose()


def test_a_database_of_an_unknown_version_is_not_upgraded(database_url: str, engine: Engine) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
    try:
        with pytest.raises(Conflict, match="a version that this program does not know"):
            upgrade(engine)
    finally:
        with writing(engine).begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newest_version()})


def test_the_migrations_do_not_depend_on_the_working_directory(tmp_path: Path) -> None:
    program = "from activities.database import upgrade; upgrade('sqlite:///here/books.db')"
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    open_database(at(f"sqlite:///{tmp_path}/here/books.db")).dispose()


def test_a_database_without_tables_says_what_to_do(fresh_url: str) -> None:
    with pytest.raises(NotFound, match="run `backhaul db upgrade`"):
        open_database(at(fresh_url))


def test_looking_for_a_database_does_not_create_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_database(at(f"sqlite:///{tmp_path / 'books.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_version_says_so(database_url: str, engine: Engine) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    try:
        with pytest.raises(Conflict, match=f"is of version older, this program needs {newest_version()}"):
            open_database(at(database_url))
    finally:
        with writing(engine).begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": newest_version()})


@pytest.mark.parametrize(
    ("url", "failure", "message"),
    [
        ("mysql://host/books", InvalidInput, "mysql is not spoken"),
        ("books.db", InvalidInput, "it is no database URL"),
        ("sqlite://", InvalidInput, "needs a file"),
        ("postgresql://ann:secret@127.0.0.1:1/books", PartnerUnavailable, "does not answer"),
        ("sqlite:////proc/books/books.db", NotFound, "there is no database at /proc/books/books.db yet"),
        ("sqlite:///not/there.db", NotFound, "there is no database at /.*/not/there.db yet.*DATABASE_URL"),
    ],
)
def test_a_wrong_or_unreachable_database_is_one_clear_line_without_the_password(
    url: str, failure: type[BackhaulError], message: str
) -> None:
    with pytest.raises(failure, match=message) as failed:
        open_database(at(url))
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
    assert said == ["wal", 1, 1, 10_000]


def test_a_database_that_stays_away_is_an_outage_that_is_tried_again_and_tells_nothing_personal() -> None:
    engine = create_engine("postgresql+psycopg://127.0.0.1:1/books", connect_args={"connect_timeout": 1})
    ask = OpenOrder(
        request=order_request(("A", 1, "10.00")), workflow_id="order-1001", run_id="run-1", received_at=NOON
    )
    with pytest.raises(ApplicationError) as failed:
        Database(engine).open_order(ask)
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


def test_what_the_database_refuses_is_told_without_the_row(engine: Engine) -> None:
    def write_nonsense(session: Session) -> None:
        session.add(MailRow(key="robin@buyer.example", message_id=None, at=NOON))  # type: ignore[arg-type]

    with pytest.raises(BackhaulError, match="the database refuses this") as failed:
        write(engine, write_nonsense)
    assert "robin" not in "".join(traceback.format_exception(failed.value))


@pytest.mark.skipif(POSTGRES_URL is None, reason="needs PostgreSQL: `.ci/with-postgres make test`")
class TestPatience:
    """How long a connection to PostgreSQL waits: no thread hangs for ever."""

    @pytest.fixture
    def url(self) -> Iterator[str]:
        with EmptyPostgres() as url:
            yield url

    def test_locks_statements_and_silence_come_to_an_end(self, url: str) -> None:
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        assert shown(url, *names) == ["5s", "10s", "30s"]

    def test_what_the_url_says_counts(self, url: str) -> None:
        assert shown(f"{url}?options=-c%20lock_timeout%3D7s", "lock_timeout", "statement_timeout") == ["7s", "0"]

    def test_a_worker_that_falls_silent_with_a_lock_loses_it(self, url: str) -> None:
        upgrade(url)
        impatient = make_engine(f"{url}?options=-c%20idle_in_transaction_session_timeout%3D300ms")
        story = Story(impatient).with_parties()
        story.delivered(("A", 1, "50.00"))
        with impatient.connect() as silent:
            silent.execute(text("SELECT 1 FROM orders FOR UPDATE"))
            assert story.refunding("RF-1", "10.00").opening is Opening.OPENED
            silent.invalidate()
        impatient.dispose()

    def test_an_upgrade_waits_for_another_for_as_long_as_it_takes(self, url: str) -> None:
        engine = make_engine(f"{url}?options=-c%20lock_timeout%3D100ms%20-c%20statement_timeout%3D100ms")
        with engine.connect() as other, ThreadPoolExecutor(1) as people:
            other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
            upgrading = people.submit(upgrade, engine)
            with pytest.raises(TimeoutError):
                upgrading.result(timeout=0.5)
            other.rollback()
            upgrading.result(timeout=20)
        engine.dispose()


def shown(url: str, *names: str) -> list[str]:
    engine = make_engine(url)
    with engine.connect() as connection:
        values = [str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in names]
    engine.dispose()
    return values


@pytest.mark.parametrize("call", DATABASE_CALLS, ids=lambda call: call.name)
def test_each_activity_has_the_name_and_the_models_of_the_contract(call: calls.Call) -> None:  # type: ignore[type-arg]
    method = getattr(Database, call.name)
    assert method.__temporal_activity_definition.name == call.name
    hints = get_type_hints(method)
    assert hints == {"ask": call.asks, "return": call.gives}
    assert not inspect.iscoroutinefunction(method)


def test_an_activity_of_the_database_runs_as_one(story: Story) -> None:
    ask = OpenOrder(
        request=order_request(("A", 1, "10.00")), workflow_id="order-1001", run_id="run-1", received_at=NOON
    )
    answer = ActivityEnvironment().run(story.database.open_order, ask)
    assert answer.opening == "opened"


def test_a_fault_of_ours_is_tried_again_and_quotes_nothing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_session: Session, ask: OpenOrder) -> OpenedOrder:
        raise KeyError(ask.request.buyer.email)

    monkeypatch.setattr(orders, "open_order", stumble)
    with pytest.raises(ApplicationError, match="a fault of ours: KeyError in stumble, line") as failed:
        story.ordered(("A", 1, "10.00"))
    assert (failed.value.type, failed.value.non_retryable) == ("Internal", False)
    assert "buyer.example" not in "".join(traceback.format_exception(failed.value))


def test_a_number_that_is_taken_is_a_conflict_for_good(story: Story, engine: Engine) -> None:
    story.ordered(("A", 1, "10.00"))
    ask = OpenOrder(
        request=order_request(("A", 1, "10.00"), order_id="1002"),
        workflow_id="order-1001",  # unique, and order 1001 has it
        run_id="run-1",
        received_at=NOON,
    )
    with pytest.raises(ApplicationError, match="the database has something else under this number") as refused:
        story.database.open_order(ask)
    assert (refused.value.type, refused.value.non_retryable) == ("Conflict", True)


def test_a_row_without_what_it_belongs_to_is_not_found_for_good(engine: Engine) -> None:
    memo: dict[str, Any] = {
        "supplier_id": "north",
        "number": "CM-1",
        "number_folded": "cm1",
        "return_id": "RR-9",
        "date": NOON.date(),
        "amount": Decimal("1.00"),
        "currency": "USD",
        "actor": "supplier:north",
        "at": NOON,
    }

    def orphan(session: Session) -> None:
        session.add(CreditMemoRow(**memo))

    with pytest.raises(NotFound, match="does not have what this belongs to"):
        write(engine, orphan)
