"""Rows of one case may stand anywhere in a report: they are brought together in bounded memory."""

import pickle
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple, TypeVar

Row = TypeVar("Row", bound=NamedTuple)


def gathered_by(
    rows: Iterable[Row], key: Callable[[Row], tuple[str, str, int]], made: Callable[[Iterable[Any]], Row]
) -> Iterator[Row]:
    """The same rows by `key`, whose last part is the line; `made`: a row of its values. They wait in a file."""
    with (
        NamedTemporaryFile(prefix="report-") as file,
        closing(sqlite3.connect(file.name, check_same_thread=False)) as database,
    ):
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE item (of_order TEXT, within TEXT, line INTEGER, said BLOB)")
        database.executemany(
            "INSERT INTO item VALUES (?, ?, ?, ?)", ((*key(row), pickle.dumps(tuple(row))) for row in rows)
        )
        for (said,) in database.execute("SELECT said FROM item ORDER BY of_order, within, line"):
            yield made(pickle.loads(said))
