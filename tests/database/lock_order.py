"""Which rows each transaction locks, in which order; and two that may wait for each other for ever.

What is asked for is looked at, not what a database grants: so it is seen on SQLite too, which has one writer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import combinations
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, Table, event
from sqlalchemy.sql import visitors
from sqlalchemy.sql.dml import Delete, Insert, Update


class Mode(IntEnum):
    """How a row is locked, as PostgreSQL has it; the weakest first."""

    KEY = 1
    """FOR KEY SHARE: by a foreign key, or by whoever says so."""
    WRITE = 2
    """INSERT, or UPDATE of columns that are no key."""
    ALONE = 3
    """FOR UPDATE, DELETE."""

    def excludes(self, other: "Mode") -> bool:
        return self + other > 3  # a key's share goes with itself and with a write


class Row(NamedTuple):
    """One row, by its table and the first column of its key."""

    table: str
    key: str


Locks = dict[Row, Mode]
"""What one transaction locks, in the order in which it comes to it."""


@dataclass
class Recorder:
    """`found`: each order of locks that was seen, and the test that was seen in."""

    found: dict[tuple[tuple[Row, Mode], ...], str] = field(default_factory=dict)
    where: str = "this test"
    _open: dict[int, Locks] = field(default_factory=dict)

    def note(self, connection: Connection, statement: Any, given: Iterable[Mapping[str, Any]]) -> None:
        locks = self._open.setdefault(id(connection), {})
        for row, mode in locks_of(statement, list(given)):
            if locks.get(Row(row.table, "*"), 0) >= mode:
                continue  # found by something else than its key, and locked then
            # What is held is held: a stronger lock on the same row later may wait as well, at the same place.
            locks[row] = max(mode, locks.get(row, mode))

    def ends(self, connection: Connection) -> None:
        locks = self._open.pop(id(connection), {})
        if len(locks) > 1:
            self.found.setdefault(tuple(locks.items()), self.where)

    def inversions(self) -> list[str]:
        """Each pair of transactions that may wait for each other for ever, and in which tests they were seen."""
        told = []
        seen = [(dict(locks), list(dict(locks)), where) for locks, where in self.found.items()]
        for (one, first, here), (other, second, there) in combinations(seen, 2):
            common = [row for row in first if row in other]
            for before, after in combinations(common, 2):
                if second.index(before) < second.index(after):
                    continue
                clash = all(one[row].excludes(other[row]) for row in (before, after))
                if clash and not _guarded(one, first, other, second, (before, after)):
                    told.append(f"{before} before {after} in {here}; the other way round in {there}")
        return told


def _guarded(one: Locks, first: list[Row], other: Locks, second: list[Row], pair: tuple[Row, Row]) -> bool:
    """Whether both wait for the same row before they come to these two: then they never have them at once."""

    def earlier(rows: list[Row]) -> set[Row]:
        return set(rows[: min(rows.index(row) for row in pair)])

    return any(one[row].excludes(other[row]) for row in earlier(first) & earlier(second))


def locks_of(statement: Any, given: list[Mapping[str, Any]]) -> Iterator[tuple[Row, Mode]]:
    """What a statement locks. Foreign keys lock what a new row belongs to."""
    if isinstance(statement, Insert) and isinstance(statement.table, Table):
        for values in _each(statement, given):
            yield from _inserted(statement.table, values)
    elif isinstance(statement, Update | Delete) and isinstance(statement.table, Table):
        for part in visitors.iterate(statement):  # what it waits for in its conditions it has before its own rows
            if isinstance(part, Select):
                yield from locks_of(part, [])
        mode = Mode.WRITE if isinstance(statement, Update) else Mode.ALONE
        for values in _each(statement, given):
            yield Row(statement.table.name, _key(statement.table, values)), mode
    elif isinstance(statement, Select) and (lock := statement._for_update_arg) is not None:
        mode = Mode.KEY if lock.key_share and lock.read else Mode.ALONE
        found = [_table(one) for one in lock.of or statement.get_final_froms()]
        for locked in dict.fromkeys(one for one in found if one is not None):
            for values in _each(statement, given):
                yield Row(locked.name, _key(locked, values)), mode


def _inserted(table: Table, values: Mapping[str, Any]) -> Iterator[tuple[Row, Mode]]:
    for column in table.columns:
        for foreign in column.foreign_keys:
            parent = foreign.column
            of_key = parent is next(iter(parent.table.primary_key))
            if of_key and values.get(column.name) is not None and parent.table is not table:
                yield Row(parent.table.name, str(values[column.name])), Mode.KEY
    yield Row(table.name, _key(table, values)), Mode.WRITE


def _table(said: Any) -> Table | None:
    """Of a FROM or of what FOR UPDATE names."""
    found = getattr(said, "local_table", None)
    if found is None:
        found = getattr(said, "table", said)
    return found if isinstance(found, Table) else None


def _each(statement: Any, given: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The values that it names itself, and those of each row that is given with it."""
    own = {} if isinstance(statement, Insert) else statement.compile().params
    return [{**own, **values} for values in given or [{}]]


def _key(table: Table, values: Mapping[str, Any]) -> str:
    """The first column of the key, whatever SQLAlchemy calls its parameter: `order_id_2`, `pk_1`."""
    name = next(iter(table.primary_key)).name
    called = re.compile(rf"(?:{table.name}_)?{name}(?:_\d+)?|pk_1")
    return next((str(one) for key, one in values.items() if called.fullmatch(key) and one is not None), "*")


@contextmanager
def recorded(engine: Engine) -> Iterator[Recorder]:
    """All that this engine locks meanwhile."""
    recorder = Recorder()

    def executes(connection: Connection, statement: Any, many: Any, one: Any, _options: Any) -> None:
        recorder.note(connection, statement, many or ([one] if one else []))

    def ends(connection: Connection) -> None:
        recorder.ends(connection)

    event.listen(engine, "before_execute", executes)
    event.listen(engine, "commit", ends)
    event.listen(engine, "rollback", ends)
    try:
        yield recorder
    finally:
        event.remove(engine, "before_execute", executes)
        event.remove(engine, "commit", ends)
        event.remove(engine, "rollback", ends)
