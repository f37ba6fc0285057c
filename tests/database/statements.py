"""How many statements the database is asked to execute, and which."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event


class Statements:
    """What was executed, without BEGIN and COMMIT; a statement with many rows counts once, as it is sent once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.transactions = 0

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def writes(self) -> list[str]:
        return [text for text in self.texts if text.split()[0] != "SELECT"]


@contextmanager
def counted(engine: Engine) -> Iterator[Statements]:
    """All that this engine executes meanwhile."""
    found = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            found.texts.append(" ".join(statement.split()))

    def begin(_connection: Any) -> None:
        found.transactions += 1

    event.listen(engine, "before_cursor_execute", note)
    event.listen(engine, "begin", begin)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
        event.remove(engine, "begin", begin)
