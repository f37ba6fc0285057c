"""`docs/database.md` says what the database guards, table by table, and why it does not guard the rest."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Inspector, inspect

from models.tables import METADATA

PAGE = Path(__file__).parents[2] / "docs" / "database.md"
Guards = dict[str, list[str]]


def rows_of(heading: str) -> Iterator[list[str]]:
    """The cells of the table under the line that begins so."""
    _, _, rest = PAGE.read_text().partition(f"\n{heading}")
    table = rest[rest.index("|") :].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def quoted(cell: str) -> list[str]:
    return sorted(re.findall(r"`([^`]+)`", cell))


def triggers_of(engine: Engine, table: str) -> list[str]:
    asked = {
        "sqlite": f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table}'",
        "postgresql": f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND NOT tgisinternal",
    }
    with engine.connect() as connection:
        return [str(row[0]) for row in connection.exec_driver_sql(asked[engine.dialect.name])]


def uniques_of(look: Inspector, table: str) -> list[list[str]]:
    found: list[Any] = [*look.get_unique_constraints(table), *look.get_indexes(table)]
    return [list(one["column_names"]) for one in found if one.get("unique", True)]


def guards_of(engine: Engine, table: str) -> Guards:
    look = inspect(engine)
    return {
        "conditions": sorted(
            str(one["name"]).removeprefix(f"ck_{table}_") for one in look.get_check_constraints(table)
        ),
        "unique": sorted({", ".join(columns) for columns in uniques_of(look, table)}),
        "belongs to": sorted({one["referred_table"] for one in look.get_foreign_keys(table)}),
        "triggers": sorted(name.removeprefix(f"tr_{table}_") for name in triggers_of(engine, table)),
    }


def test_the_page_says_what_each_table_guards(kept: Engine) -> None:
    names = ("conditions", "unique", "belongs to", "triggers")
    said = {
        quoted(table)[0]: dict(zip(names, map(quoted, cells), strict=True))
        for table, *cells in rows_of("## What the database guards")
    }
    assert said == {table: guards_of(kept, table) for table in METADATA.tables}


def test_each_column_is_guarded_or_the_page_says_why_not(kept: Engine) -> None:
    said = [column for cell, _ in rows_of("Nothing but its type guards") for column in quoted(cell)]
    assert len(said) == len(set(said)), "one reason is enough"
    assert set(said) == {one for table in METADATA.tables for one in unguarded(kept, table)}


def unguarded(engine: Engine, table: str) -> set[str]:
    look = inspect(engine)
    guarded = set(look.get_pk_constraint(table)["constrained_columns"])
    guarded.update(name for columns in uniques_of(look, table) for name in columns)
    guarded.update(name for one in look.get_foreign_keys(table) for name in one["constrained_columns"])
    guarded.update(
        name for one in look.get_check_constraints(table) for name in re.findall(r"\w+", one["sqltext"])
    )
    return {f"{table}.{one['name']}" for one in look.get_columns(table) if one["name"] not in guarded}
