"""PostgreSQL for tests, where BACKHAUL_TEST_POSTGRES_URL names a server (`.ci/with-postgres` starts one).

The URL's user must be allowed to create databases.
"""

import os
from uuid import uuid4

from sqlalchemy import create_engine, make_url, text

POSTGRES_URL = os.environ.get("BACKHAUL_TEST_POSTGRES_URL")


class EmptyPostgres:
    """A new PostgreSQL database, dropped in the end; or one like `template`, to which nobody may be connected."""

    def __init__(self, template: str = "") -> None:
        assert POSTGRES_URL is not None
        self.like = f" TEMPLATE {make_url(template).database}" if template else ""
        self.name = f"books_{uuid4().hex}"
        self.server = create_engine(make_url(POSTGRES_URL), isolation_level="AUTOCOMMIT")

    def __enter__(self) -> str:
        with self.server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self.name}{self.like}"))
        return self.server.url.set(database=self.name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        with self.server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {self.name} WITH (FORCE)"))
        self.server.dispose()
