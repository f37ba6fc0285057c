"""CSV for spreadsheets: what strangers wrote stays text there, and never becomes a formula."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from io import StringIO
from typing import Final

from models.text import visible

_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """RFC 4180, with a line of names first. Numbers as they are, times in RFC 3339, nothing for none."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case datetime():
            return value.isoformat()
        case StrEnum():
            return value.value
    text = visible(str(value))
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text
