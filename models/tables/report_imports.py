"""The tables of imported reports: what is to be imported, and what was not taken (AMZ-1)."""

from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from models.amazon.report_imports import ReportCounted, ReportKind
from models.tables.checks import not_negative, one_of, positive, whole_numbers
from models.tables.columns import Document, Word


class ReportImportRow(SQLModel, table=True):
    """The import of a report, from its file or from Amazon."""

    __tablename__ = "report_import"
    __table_args__ = (one_of("kind", ReportKind),)

    import_id: str = Field(primary_key=True)
    kind: ReportKind = Field(sa_type=Word(ReportKind))
    connection_id: str = Field(foreign_key="connection.connection_id")
    source: str
    counted: ReportCounted = Field(sa_type=Document(ReportCounted))


class ReportedCaseRow(SQLModel, table=True):
    """A return or an order of a report, as it was read: kept until the import is over."""

    __tablename__ = "reported_case"
    __table_args__ = (
        whole_numbers("position"),
        not_negative("position"),
    )

    import_id: str = Field(primary_key=True, foreign_key="report_import.import_id")
    position: int = Field(primary_key=True)
    items: list[Any] = Field(sa_type=JSON)
    """Of a return added up; nothing of the buyer."""


class RejectedRowRow(SQLModel, table=True):
    """A row of a report that was not taken, or was taken otherwise than it says."""

    __tablename__ = "rejected_row"
    __table_args__ = (
        whole_numbers("line"),
        positive("line"),
    )

    import_id: str = Field(primary_key=True, foreign_key="report_import.import_id")
    line: int = Field(primary_key=True)
    """Of the file, from 1."""
    column_name: str = Field(primary_key=True)
    """As Amazon names it; empty: the row as a whole."""
    reason: str
    cells: dict[str, str] = Field(sa_type=JSON)
    """What it says, to be corrected; nothing of the buyer."""
