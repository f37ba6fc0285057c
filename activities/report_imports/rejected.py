"""Rows of a report that can't be used, written some at a time (AMZ-1)."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from activities.database.report_imports import ReportRegister
from models.amazon.returned_items import RejectedRow

Item = TypeVar("Item")
_AT_A_TIME: Final = 500


class RejectedRows:
    """Of one import. `count`: how many rows were not taken; notes about rows that were are no such."""

    def __init__(self, register: ReportRegister, import_id: str) -> None:
        self._register, self._import_id = register, import_id
        self._rows: list[RejectedRow] = []
        self.count = 0

    def apart(self, rows: Iterable[Item | RejectedRow]) -> Iterator[Item]:
        """Those that can be used; the others are kept."""
        for row in rows:
            if isinstance(row, RejectedRow):
                self.count += 1
                self.add((row,))
            else:
                yield row

    def add(self, rows: Iterable[RejectedRow]) -> None:
        for row in rows:
            self._rows.append(row)
            if len(self._rows) >= _AT_A_TIME:
                self.flush()

    def flush(self) -> None:
        if self._rows:
            self._register.reject(self._import_id, self._rows)
        self._rows = []
