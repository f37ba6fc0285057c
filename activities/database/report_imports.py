"""Imports of reports in the database: returns and orders to be imported, rows that were not taken (AMZ-1)."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Engine, delete, tuple_
from sqlmodel import Session, col, select

from activities.database import cases
from activities.database.transactions import read, write
from activities.database.upserts import upsert, written
from models.amazon.ordered_items import OrderedItem
from models.amazon.report_imports import ReportCounted, ReportKind, SaveReportImport
from models.amazon.returned_items import RejectedRow, ReturnedUnits
from models.contract import REPORT_IMPORT_KIND
from models.ids import CaseId
from models.message import Message
from models.records import Saved
from models.tables import CaseRow, RejectedRowRow, ReportedCaseRow, ReportImportRow

ReportedReturn = tuple[ReturnedUnits, ...]
ReportedOrder = tuple[OrderedItem, ...]
_PAGE: Final = 500
_RETURN: Final[TypeAdapter[ReportedReturn]] = TypeAdapter(ReportedReturn)
_ORDER: Final[TypeAdapter[ReportedOrder]] = TypeAdapter(ReportedOrder)
Items = TypeVar("Items")


class ImportListed(Message):
    """An import; `stage`: where it stands, none before it began."""

    import_id: str
    kind: ReportKind
    connection_id: CaseId
    source: str
    stage: str | None
    counted: ReportCounted


class RejectedListed(Message):
    """A row that was not taken, with what it says, to be corrected."""

    line: int
    column: str
    reason: str
    cells: dict[str, str]


class ReportRegister:
    """Read and write them. Each call raises as `read` and `write` do."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, import_id: str, kind: ReportKind, connection_id: str, source: str) -> None:
        """Room for the rows of an import; those of an earlier try, which broke off, are forgotten."""
        row = {
            "import_id": import_id,
            "kind": kind,
            "connection_id": connection_id,
            "source": source,
            "counted": ReportCounted(),
        }

        def make(session: Session) -> None:
            _forget(session, import_id)
            upsert(session, ReportImportRow, [row])

        write(self._engine, make)

    def add_returns(self, import_id: str, start: int, returns: Sequence[ReportedReturn]) -> None:
        """Those from this position on."""
        self._add(import_id, start, [_RETURN.dump_python(one, mode="json") for one in returns])

    def add_orders(self, import_id: str, start: int, orders: Sequence[ReportedOrder]) -> None:
        """Those from this position on."""
        self._add(import_id, start, [_ORDER.dump_python(one, mode="json") for one in orders])

    def _add(self, import_id: str, start: int, said: Sequence[object]) -> None:
        rows = [
            {"import_id": import_id, "position": position, "items": items}
            for position, items in enumerate(said, start=start)
        ]
        write(self._engine, lambda session: upsert(session, ReportedCaseRow, rows))

    def reject(self, import_id: str, rows: Sequence[RejectedRow]) -> None:
        """Keep rows that were not taken; a row and column is kept once, with the last reason."""
        kept = {
            (one.line, one.column): {
                "import_id": import_id,
                "line": one.line,
                "column_name": one.column,
                "reason": one.reason,
                "cells": dict(one.cells),
            }
            for one in rows
        }
        write(self._engine, lambda session: upsert(session, RejectedRowRow, list(kept.values())))

    def returns(self, import_id: str, start: int, most: int) -> list[ReportedReturn]:
        """So many from this position on."""
        return self._cases(_RETURN, import_id, start, most)

    def orders(self, import_id: str, start: int, most: int) -> list[ReportedOrder]:
        """So many from this position on."""
        return self._cases(_ORDER, import_id, start, most)

    def _cases(self, read_items: TypeAdapter[Items], import_id: str, start: int, most: int) -> list[Items]:
        def look(session: Session) -> list[Items]:
            rows = (
                select(ReportedCaseRow.items)
                .where(
                    ReportedCaseRow.import_id == import_id,
                    col(ReportedCaseRow.position).between(start, start + most - 1),
                )
                .order_by(col(ReportedCaseRow.position))
            )
            return [read_items.validate_python(items) for items in session.exec(rows)]

        return read(self._engine, look)

    def every_rejected(self, import_id: str) -> Iterator[RejectedListed]:
        """All of them, a page in memory at a time."""
        last = (0, "")
        while page := self.rejected(import_id, _PAGE, last):
            yield from page
            last = (page[-1].line, page[-1].column)

    def rejected(self, import_id: str, limit: int, after: tuple[int, str] = (0, "")) -> list[RejectedListed]:
        """By line and column, behind this one."""
        place = tuple_(col(RejectedRowRow.line), col(RejectedRowRow.column_name))

        def look(session: Session) -> list[RejectedListed]:
            rows = (
                select(RejectedRowRow)
                .where(RejectedRowRow.import_id == import_id, place > after)
                .order_by(col(RejectedRowRow.line), col(RejectedRowRow.column_name))
                .limit(limit)
            )
            return [
                RejectedListed(line=row.line, column=row.column_name, reason=row.reason, cells=row.cells)
                for row in session.exec(rows)
            ]

        return read(self._engine, look)

    def begun(self, import_ids: Sequence[str]) -> set[str]:
        """Those of them that are here, however far they are."""
        rows = select(ReportImportRow.import_id).where(col(ReportImportRow.import_id).in_(import_ids))
        return read(self._engine, lambda session: set(session.exec(rows)))

    def find(self, import_id: str) -> ImportListed | None:
        """One import."""
        return next(iter(self._listed(import_id, 1)), None)

    def latest(self, limit: int) -> list[ImportListed]:
        """The newest first."""
        return self._listed(None, limit)

    def _listed(self, import_id: str | None, limit: int) -> list[ImportListed]:
        def look(session: Session) -> list[ImportListed]:
            case = (col(CaseRow.workflow_id) == REPORT_IMPORT_KIND.prefix + col(ReportImportRow.import_id),)
            rows = select(ReportImportRow, CaseRow).outerjoin(CaseRow, *case)
            if import_id is not None:
                rows = rows.where(ReportImportRow.import_id == import_id)
            found = rows.order_by(col(CaseRow.newness), col(ReportImportRow.import_id)).limit(limit)
            return [
                ImportListed(
                    import_id=row.import_id,
                    kind=row.kind,
                    connection_id=row.connection_id,
                    source=row.source,
                    stage=standing.stage if standing is not None else None,
                    counted=row.counted,
                )
                for row, standing in session.execute(found)
            ]

        return read(self._engine, look)


def save_report_import(session: Session, ask: SaveReportImport) -> Saved:
    """Keep an import up to date; when it is over, its rows are forgotten. An attempt that comes late changes
    nothing."""
    row = {
        "import_id": ask.import_id,
        "kind": ask.kind,
        "connection_id": ask.connection_id,
        "source": ask.source,
        "counted": ask.counted,
    }
    is_newest = cases.write_case(session, ask.record)
    if is_newest:
        upsert(session, ReportImportRow, [row])
        if ask.record.ended:
            written(session, delete(ReportedCaseRow).where(col(ReportedCaseRow.import_id) == ask.import_id))
    return Saved(is_newest=is_newest)


def _forget(session: Session, import_id: str) -> None:
    for table in (ReportedCaseRow, RejectedRowRow):
        written(session, delete(table).where(col(table.import_id) == import_id))
