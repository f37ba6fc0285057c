"""A supplier's statement: a CSV file of credit memos, a row for each return that a paper credits (RET-12, RET-28).

Pure. Rows are read one after the other, so a file may be as long as it likes; a bad one stops no other.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from itertools import chain
from typing import Final, NamedTuple

from models.failures import InvalidInput, Problem
from models.message import folded
from models.money import minor_digits
from models.returns import CreditMemo

NEEDED: Final = ("number", "date", "amount", "currency")
NUMBERS: Final = ("rma", "return", "order")
"""Columns that say which return it is for; one of them is enough."""
MAY_BE: Final = ("final", "total")

_PLAIN: Final = re.compile(r"\d{1,15}(?:[.,](?P<decimals>\d+))?")
_GROUPED: Final = re.compile(r"\d{1,3}(?P<group>[.,'])\d{3}(?:(?P=group)\d{3})*(?P<point>[.,])(?P<decimals>\d+)")
_YES: Final = frozenset({"yes", "true", "1", "x", "y", "final"})
_NO: Final = frozenset({"", "no", "false", "0", "n"})


class StatementRow(NamedTuple):
    """What one row credits, and the numbers by which its return is found."""

    line: int
    memo: CreditMemo
    numbers: tuple[str, ...]


class BadRow(NamedTuple):
    """A row that says nothing that can be used: in which line and column, and why."""

    line: int
    column: str
    reason: str


def read_statement(name: str, lines: Iterable[str], supplier_id: str) -> Iterator[StatementRow | BadRow]:
    """The rows after the heading, in their order. Columns may stand in any order; others are passed over.
    Commas or semicolons separate, as the heading has them.

    Raises InvalidInput when the heading lacks a column.
    """
    every = iter(lines)
    heading = next(every, "").removeprefix("\ufeff")
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(chain([heading], every), delimiter=delimiter, strict=True)
    columns = [cell.strip().lower() for cell in next(reader, [])]
    missing = [Problem("line 1", f"there is no column {one}") for one in NEEDED if one not in columns]
    if not set(columns) & set(NUMBERS):
        missing.append(Problem("line 1", f"there is none of the columns {', '.join(NUMBERS)}"))
    if missing:
        raise InvalidInput(name, missing)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield BadRow(reader.line_num, "(row)", f"can't be read: {error}")
            continue
        if cells is None:
            return
        if len(cells) > len(columns):
            why = f"has {len(cells)} cells for {len(columns)} columns: quote what has a {delimiter} in it"
            yield BadRow(reader.line_num, "(row)", why)
        elif any(cell.strip() for cell in cells):
            said = {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}
            yield _row(reader.line_num, said, supplier_id)


def _row(line: int, said: Mapping[str, str], supplier_id: str) -> StatementRow | BadRow:
    for column in NEEDED:
        if not said.get(column):
            return BadRow(line, column, "is empty")
    numbers = tuple(said[column] for column in NUMBERS if said.get(column))
    if not numbers:
        return BadRow(line, "/".join(NUMBERS), "no number says which return it is for")
    data: dict[str, object] = {
        "event_id": event_id(supplier_id, said["number"], numbers),
        "actor": f"supplier:{supplier_id}",
        "number": said["number"],
        "date": said["date"],
        "currency": said["currency"].upper(),
    }
    for column in ("amount", "total"):
        if said.get(column):
            try:
                data[column] = f"{amount_of(said[column], said['currency'].upper()):f}"
            except ValueError as error:
                return BadRow(line, column, str(error))
    if (final := said.get("final", "").lower()) not in _YES | _NO:
        return BadRow(line, "final", "is yes or no")
    try:
        memo = CreditMemo.at_the_door(data | {"final": final in _YES})
    except InvalidInput as error:
        first = error.problems[0]
        return BadRow(line, first.field, first.message)
    return StatementRow(line, memo, numbers)


def event_id(supplier_id: str, number: str, numbers: Iterable[str]) -> str:
    """Of the same row it is the same one: it counts once, however often the file is imported."""
    said = ":".join(folded(one) for one in (supplier_id, number, *numbers))
    return f"statement-{sha256(said.encode()).hexdigest()[:32]}"


def amount_of(text: str, currency: str) -> Decimal:
    """`1234.50`, `1234,50`, `1,234.50` or `1.234,50`. Raises ValueError for what may be read in two ways."""
    said = re.sub(r"[\s\u00a0\u202f]", "", text)
    try:
        digits = minor_digits(currency)
    except ValueError:
        raise ValueError(f"is in {currency}, which is no currency") from None
    for form in (_PLAIN, _GROUPED):
        if (found := form.fullmatch(said)) is not None:
            parts = found.groupdict()
            decimals = parts["decimals"] or ""
            if len(decimals) > digits or parts.get("group", "") == parts.get("point"):
                break
            whole = re.sub(r"\D", "", said[: len(said) - len(decimals)])
            return Decimal(f"{whole}.{decimals}" if decimals else whole)
    raise ValueError(f"is no amount of {currency} that can be read in one way: write it as 1234.50")
