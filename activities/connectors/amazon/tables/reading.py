"""A tab separated report: columns in any order and spelling, one row after the other (AMZ-1)."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import BinaryIO, Final, TypeVar

from activities.connectors.amazon.tables.cells import Unreadable, rejected, require_fit
from activities.connectors.amazon.tables.form import TableForm
from activities.connectors.amazon.tables.opening import Refusal, columns_of
from models.amazon.returned_items import RejectedRow

LONGEST_LINE: Final = 64 * 1024
"""Bytes. What is longer is no row."""

Item = TypeVar("Item")


def read_table(
    stream: BinaryIO, form: TableForm, read_row: Callable[[int, Sequence[str]], Item]
) -> Iterator[Item | RejectedRow]:
    """What `read_row` makes of the line and cells of each row, or why it raised Unreadable; blank lines are none.
    Cells stand in the order of the form's fields, without blanks around.

    Raises Refusal if the first line names no such report.
    """
    line, header = _header(stream, form)
    columns = columns_of(header, form)
    pick, width = _picker(columns, form), len(columns)
    while raw := stream.readline(LONGEST_LINE + 1):
        line += 1
        if len(raw) > LONGEST_LINE:
            yield rejected(form, line, (), Unreadable("", f"is longer than {LONGEST_LINE} bytes"))
            _skip_line(stream, raw)
            continue
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            text = raw.decode("cp1252", errors="replace")
        cells = text.rstrip("\r\n").split("\t")
        given = len(cells)
        if given <= width:
            cells += [""] * (width + 1 - given)
        else:
            extra, cells[width:] = cells[width:], [""]
        picked = list(map(str.strip, pick(cells)))
        if '"' in text:
            picked = list(map(_unquoted, picked))
        try:
            if given > width and any(map(str.strip, extra)):
                raise Unreadable("", f"has {given} cells, and the first line names {width}")
            if not "".join(picked).isprintable():
                require_fit(form, picked)
            yield read_row(line, picked)
        except Unreadable as error:
            if any(picked):
                yield rejected(form, line, picked, error)


def _header(stream: BinaryIO, form: TableForm) -> tuple[int, str]:
    """The first line that says something, and its number."""
    line = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        line += 1
        if len(raw) > LONGEST_LINE:
            why = f"is no {form.what}: its first line is longer than {LONGEST_LINE} bytes"
            raise Refusal(form.what, why, line)
        text = raw.decode("utf-8-sig", errors="replace").strip("\r\n")
        if text.strip():
            return line, text
    raise Refusal(form.what, "is empty")


def _picker(columns: tuple[str, ...], form: TableForm) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Takes the cells of a row, and an empty one behind them; gives those of the form's fields."""
    places = [len(columns)] * len(form.fields)
    for place, name in enumerate(columns):
        if name in form.position:
            places[form.position[name]] = place
    return itemgetter(*places)


def _unquoted(cell: str) -> str:
    """Without the quotes that a spreadsheet sets around a cell: `"24"" monitor"` -> `24" monitor`."""
    if len(cell) > 1 and cell.startswith('"') and cell.endswith('"'):
        return cell[1:-1].replace('""', '"').strip()
    return cell


def _skip_line(stream: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(LONGEST_LINE)
