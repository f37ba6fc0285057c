"""What people see: tables, one line per failure, exit codes; colours only on a terminal.

Whatever is printed goes through here, and is text: nothing that strangers wrote reaches a terminal as a command.
"""

import asyncio
import sys
from collections.abc import Coroutine, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.failures import BackhaulError, InvalidInput
from models.money import rounded
from models.text import visible, visible_json

Result = TypeVar("Result")

_PIPE_WIDTH: Final = 200
"""Columns when nobody's terminal says how many: so that nothing is cut in files and pipes."""


def console(*, error: bool = False) -> Console:
    """Where people read: plain text unless it is a terminal."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(stderr=error, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)


def say(line: str, style: str = "") -> None:
    """One line of the answer."""
    console().print(Text(visible(line), style=style))


def remark(line: str) -> None:
    """One line about what is going on, beside the answer."""
    console(error=True).print(Text(visible(line), style="yellow"))


def show_json(value: BaseModel | Sequence[BaseModel]) -> None:
    """The answer for programs."""
    if isinstance(value, BaseModel):
        sys.stdout.write(visible_json(value.model_dump_json(indent=2)) + "\n")
        return
    sys.stdout.write("[" + ",\n ".join(visible_json(item.model_dump_json()) for item in value) + "]\n")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> int:
    """A table; columns in `right` hold numbers. Gives how many rows it has."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(Text(visible(shown(cell))) for cell in row))
        count += 1
    console().print(table, soft_wrap=False)
    return count


def shown(value: object) -> str:
    """A value for people: times to the minute in UTC, nothing for none."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return ", ".join(shown(item) for item in value)
    return str(value)


def money(amount: Decimal, currency: str) -> str:
    """`5 USD` -> `5.00 USD`."""
    return f"{rounded(amount, currency)} {currency}"


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a command's work to its end."""
    return asyncio.run(work)


def failure_lines(error: Exception) -> list[str]:
    """One line per fault: what was wrong and where."""
    if isinstance(error, InvalidInput):
        return [f"{error.what}: {problem}" for problem in error.problems] or [error.what]
    if isinstance(error, BackhaulError):
        return [str(error)]
    # The text of a failure that nobody foresaw may quote personal data.
    return [f"internal error ({type(error).__name__}); BACKHAUL_DEBUG=1 shows where it comes from"]


def show_failure(line: str) -> None:
    """One line about why a command failed."""
    console(error=True).print(Text.assemble(("backhaul: ", "red"), " ".join(visible(line).splitlines())))
