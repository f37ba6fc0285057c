"""What the sandbox remembers: documents in one SQLite file. A restart loses nothing."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import BaseModel

from activities.private_files import private_file
from models.failures import InvalidInput, Problem

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    space TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (kind, space, id)
);
CREATE INDEX IF NOT EXISTS documents_by_owner ON documents (kind, owner, position);
CREATE INDEX IF NOT EXISTS documents_by_id ON documents (kind, id);
"""


class Document(BaseModel):
    """Something a partner keeps. Its id is unique within its kind and space (an account at the gateway)."""

    kind: ClassVar[str]
    id: str
    space: str = ""

    @property
    def owner(self) -> str:
        """What it is listed by: a refund by its payment intent, stock by its SKU."""
        return ""


D = TypeVar("D", bound=Document)


class _ClockSetting(Document):
    kind = "clock"
    ahead_seconds: float = 0.0


class Store:
    """Documents by kind, space, id and owner, and the sandbox's clock. For one event loop.

    Raises InvalidInput when the file can't be used.
    """

    def __init__(self, path: Path) -> None:
        self.watchers: list[Callable[[Document], None]] = []
        """Told of each document that is written, in its transaction."""
        try:
            self._database = sqlite3.connect(private_file(path), isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            problem = Problem("database", f"{path} can't be used: {why}; give another file")
            raise InvalidInput("sandbox", [problem]) from None

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Nothing may be awaited inside: the connection is shared."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def put(self, document: Document) -> None:
        """Write it, or write it anew; its place in lists stays where it first was."""
        self._database.execute(
            "INSERT INTO documents (kind, space, id, owner, body) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (kind, space, id) DO UPDATE SET owner = excluded.owner, body = excluded.body",
            (document.kind, document.space, document.id, document.owner, document.model_dump_json()),
        )
        for watcher in self.watchers:
            watcher(document)

    def get(self, model: type[D], id: str, space: str = "") -> D | None:
        row = self._database.execute(
            "SELECT body FROM documents WHERE kind = ? AND space = ? AND id = ?", (model.kind, space, id)
        ).fetchone()
        return None if row is None else model.model_validate_json(row[0])

    def find(
        self, model: type[D], *, id: str | None = None, owner: str | None = None, space: str | None = None
    ) -> list[D]:
        """All that match, oldest first."""
        where, values = ["kind = ?"], [model.kind]
        for column, value in (("id", id), ("owner", owner), ("space", space)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        rows = self._database.execute(
            f"SELECT body FROM documents WHERE {' AND '.join(where)} ORDER BY position", values
        )
        return [model.model_validate_json(body) for (body,) in rows]

    def count(self, model: type[Document]) -> int:
        (count,) = self._database.execute(
            "SELECT count(*) FROM documents WHERE kind = ?", (model.kind,)
        ).fetchone()
        return int(count)

    def remove(self, document: Document) -> None:
        self._database.execute(
            "DELETE FROM documents WHERE kind = ? AND space = ? AND id = ?",
            (document.kind, document.space, document.id),
        )

    def forget(self, model: type[Document]) -> None:
        """Remove all of one kind."""
        self._database.execute("DELETE FROM documents WHERE kind = ?", (model.kind,))

    def clear(self) -> None:
        """Remove everything; the clock goes back to real time."""
        self._database.execute("DELETE FROM documents")

    # ---- the clock ----

    def now(self) -> datetime:
        """The sandbox's time: real time plus what it was told to advance."""
        clock = self.get(_ClockSetting, "clock")
        return datetime.now(UTC) + timedelta(seconds=clock.ahead_seconds if clock else 0.0)

    def timestamp(self) -> int:
        """`now` in whole seconds since 1970."""
        return int(self.now().timestamp())

    def advance(self, seconds: float) -> None:
        clock = self.get(_ClockSetting, "clock") or _ClockSetting(id="clock")
        self.put(clock.model_copy(update={"ahead_seconds": clock.ahead_seconds + seconds}))
