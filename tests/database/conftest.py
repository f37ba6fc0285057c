"""A database for each test: a SQLite file, or PostgreSQL when BACKHAUL_TEST_POSTGRES_URL names a server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url, text

from activities.database import transactions, upgrade
from activities.database.engines import make_engine
from models.tables import METADATA
from tests.database.full_database import full_database
from tests.database.story import Story
from tests.postgres import POSTGRES_URL, EmptyPostgres

KINDS = ["postgresql" if POSTGRES_URL else "sqlite"]


@pytest.fixture(scope="session", params=KINDS)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database of the newest version, which each test finds empty."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'template.db'}"
        upgrade(url)
        yield url
        return
    with EmptyPostgres() as url:
        upgrade(url)
        yield url


@pytest.fixture
def database_url(template: str, tmp_path: Path) -> Iterator[str]:
    if template.startswith("postgresql"):
        yield template
        engine = make_engine(template)
        with engine.begin() as connection:  # a third of what TRUNCATE takes, which makes new files for each table
            connection.execute(text("SET LOCAL session_replication_role = replica"))  # without triggers
            connection.execute(text("; ".join(f"DELETE FROM {table}" for table in METADATA.tables)))
        engine.dispose()
        return
    copy = tmp_path / "books.db"
    shutil.copy(str(make_url(template).database), copy)
    yield f"sqlite:///{copy}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def story(engine: Engine) -> Story:
    """The database with the seller `acme` and the suppliers `north` and `south`."""
    return Story(engine).with_parties()


@pytest.fixture
def kept(used: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A database with something in every table, whose refusals come at once."""
    monkeypatch.setattr(transactions, "_FIRST_PAUSE_SECONDS", 0)
    return used


@pytest.fixture(scope="session", params=KINDS)
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with something in every table, to which nobody is connected."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('full') / 'books.db'}"
        for _ in full_database(url):
            pass
        yield url
        return
    with EmptyPostgres() as url:
        for _ in full_database(url):
            pass
        yield url


@pytest.fixture(scope="module")
def used(full: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A copy of it for one file. What is refused changes nothing: one is enough."""
    if full.startswith("postgresql"):
        with EmptyPostgres(template=full) as url:
            engine = make_engine(url)
            yield engine
            engine.dispose()
        return
    copy = tmp_path_factory.mktemp("used") / "books.db"
    shutil.copy(str(make_url(full).database), copy)
    engine = make_engine(f"sqlite:///{copy}")
    yield engine
    engine.dispose()
