"""Draft the next migration from the tables: `python -m migrations "<what changes>"`. Read it before use."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from activities.database.engines import make_engine, migrations_config, upgrade, writing


def draft(message: str) -> None:
    """Write the difference between the migrations and `models.tables` as a new migration."""
    with tempfile.TemporaryDirectory() as folder:
        engine = make_engine(f"sqlite:///{Path(folder) / 'books.db'}")
        upgrade(engine)
        with writing(engine).begin() as connection:
            command.revision(migrations_config(connection), message, autogenerate=True)
        engine.dispose()


if __name__ == "__main__":
    draft(sys.argv[1])
