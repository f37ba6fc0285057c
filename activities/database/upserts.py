"""Rows written in one statement, whether they are new or not: `INSERT ... ON CONFLICT` on both databases."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, CursorResult, Table, Text, and_, cast, func, inspect, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import Session, SQLModel

from models.failures import Conflict

Values = Mapping[str, Any]
"""A row by the names of its columns."""


def table_of(row: type[SQLModel]) -> Table:
    table = inspect(row).local_table
    assert isinstance(table, Table), "each row class has one table"
    return table


def insert_into(session: Session, row: type[SQLModel]) -> "postgresql.Insert | sqlite.Insert":
    """An INSERT that may say what to do about a key that is there already."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table_of(row))
    return sqlite.insert(table_of(row))


def written(session: Session, statement: UpdateBase, values: Sequence[Values] | Values | None = None) -> int:
    """Execute it, once or for each of these rows, and give how many rows it wrote."""
    given = (
        None if values is None else dict(values) if isinstance(values, Mapping) else [dict(one) for one in values]
    )
    result = session.execute(statement, given, execution_options={"preserve_rowcount": True})
    assert isinstance(result, CursorResult), "a statement that writes"
    return result.rowcount


def add_new(session: Session, row: type[SQLModel], values: Sequence[Values]) -> int:
    """Add the rows whose keys are not there; those that are there stay as they are. Gives how many are new."""
    if not values:
        return 0
    statement = insert_into(session, row).on_conflict_do_nothing()
    return written(session, statement, values)


def upsert(session: Session, row: type[SQLModel], values: Sequence[Values], *, owner: str | None = None) -> None:
    """Add the rows, or bring those that are there up to date; a row that says the same already is not written.

    `owner`: the column that says whose a row is. Raises Conflict for a key that is another's.
    """
    if not values:
        return
    statement = insert_into(session, row)
    table, new = table_of(row), statement.excluded
    keys = [column.name for column in table.primary_key]
    changed = {name: new[name] for name in values[0] if name not in keys and name != owner}
    where: list[ColumnElement[bool]] = [] if owner is None else [table.c[owner] == new[owner]]
    where.append(or_(*(_differs(table.c[name], value) for name, value in changed.items())))
    statement = statement.on_conflict_do_update(index_elements=keys, set_=changed, where=and_(*where))
    count = written(session, statement, values)
    if owner is not None and count < len(values):
        _require_own(session, table, keys[0], values, owner)


def _differs(column: ColumnElement[Any], value: ColumnElement[Any]) -> ColumnElement[bool]:
    """PostgreSQL knows no equality of JSON documents; as text they are the same when they say the same."""
    if isinstance(getattr(column.type, "impl", column.type), JSON):
        return cast(column, Text).is_distinct_from(cast(value, Text))
    return column.is_distinct_from(value)


def _require_own(session: Session, table: Table, key: str, values: Sequence[Values], owner: str) -> None:
    """Some were not written: they said the same already, or are somebody else's."""
    ids = [one[key] for one in values]
    others = select(func.count()).where(table.c[key].in_(ids), table.c[owner] != values[0][owner])
    if session.execute(others).scalar_one():
        raise Conflict(f"a {table.name.replace('_', ' ')} of these numbers belongs to another {owner}")
