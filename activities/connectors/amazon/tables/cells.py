"""Cells of a row: what no text may hold, and what is kept of a row that can't be used."""

from collections.abc import Sequence
from typing import Final

from activities.connectors.amazon.tables.form import TableForm
from models.amazon.returned_items import RejectedRow
from models.text import cleaned, unfit

MOST_KEPT: Final = 500
"""Characters of a cell that are kept of a rejected row."""


class Unreadable(Exception):
    """A cell that can't be used: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(reason)


def rejected(form: TableForm, line: int, cells: Sequence[str], error: Unreadable) -> RejectedRow:
    """The row with all that it says in the columns that count here, to be corrected."""
    said = {
        form.title_of(field): cleaned(cell[:MOST_KEPT])
        for field, cell in zip(form.fields, cells, strict=False)
        if cell
    }
    return RejectedRow(line, form.title_of(error.field), error.reason, said)


def require_fit(form: TableForm, cells: Sequence[str]) -> None:
    """Raise Unreadable for a cell with a character that no text may hold."""
    for field, cell in zip(form.fields, cells, strict=True):
        if found := unfit(cell):
            raise Unreadable(field, f"holds the control character {found}")
