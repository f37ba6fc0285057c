"""Calendar days in UTC, the same on SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import Date, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class utc_day(FunctionElement[Any]):
    """The day of a time."""

    type = Date()
    inherit_cache = True


class days_between(FunctionElement[Any]):
    """How many midnights lie between a time and a later one; below zero if it is not later."""

    type = Integer()
    inherit_cache = True


@compiles(utc_day, "sqlite")
def _day_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    return f"date({compiler.process(element.clauses, **more)})"


@compiles(utc_day, "postgresql")
def _day_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    return f"CAST(timezone('UTC', {compiler.process(element.clauses, **more)}) AS DATE)"


@compiles(days_between, "sqlite")
def _days_on_sqlite(element: Any, compiler: Any, **more: Any) -> str:
    first, last = (f"julianday(date({compiler.process(one, **more)}))" for one in element.clauses)
    return f"CAST({last} - {first} AS INTEGER)"


@compiles(days_between, "postgresql")
def _days_on_postgresql(element: Any, compiler: Any, **more: Any) -> str:
    first, last = (f"CAST(timezone('UTC', {compiler.process(one, **more)}) AS DATE)" for one in element.clauses)
    return f"({last} - {first})"
