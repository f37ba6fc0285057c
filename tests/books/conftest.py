"""Books for each test: a SQLite file always, PostgreSQL when BACKHAUL_TEST_POSTGRES_URL names a server.

The URL's user must be allowed to create databases.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, make_url, text

from activities.books import upgrade
from activities.books.engine import make_engine
from models.tables import METADATA
from tests.books.story import Story

POSTGRES_URL = os.environ.get("BACKHAUL_TEST_POSTGRES_URL")
KINDS = ["sqlite", *(["postgresql"] if POSTGRES_URL else [])]


class EmptyPostgres:
    """A new PostgreSQL database, dropped in the end."""

    def __init__(self) -> None:
        assert POSTGRES_URL is not None
        self.name = f"books_{uuid4().hex}"
        self.server = create_engine(make_url(POSTGRES_URL), isolation_level="AUTOCOMMIT")

    def __enter__(self) -> str:
        with self.server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self.name}"))
        return self.server.url.set(database=self.name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        with self.server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {self.name} WITH (FORCE)"))
        self.server.dispose()


@pytest.fixture(scope="session", params=KINDS)
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty database of the newest version, which each test finds empty."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'template.db'}"
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
        tables = ", ".join(METADATA.tables)
        engine = make_engine(template)
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {tables}"))
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
    """The books with the seller `acme` and the suppliers `north` and `south`."""
    return Story(engine).with_parties()
