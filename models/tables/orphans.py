"""The numbers by which cases are found (RET-17), and what was said about cases that are not known (RET-20)."""

from datetime import datetime
from typing import get_args

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from models.ids import KindName
from models.orphans import REPORTABLE, OrphanRequest
from models.tables.checks import one_of
from models.tables.columns import Document, UtcTime


class CaseNumberRow(SQLModel, table=True):
    """A number by which a case is found (RET-17). `folded`: without case, blanks and punctuation (ORD-21)."""

    __tablename__ = "case_number"
    __table_args__ = (Index("ix_case_number_folded", "folded", "workflow_id"),)

    workflow_id: str = Field(primary_key=True)
    folded: str = Field(primary_key=True)
    number: str
    """As it was typed."""


class OrphanRow(SQLModel, table=True):
    """An orphan with all its numbers, the event as it was said, and what became of it."""

    __tablename__ = "orphan"
    __table_args__ = (one_of("about", get_args(KindName)), one_of("event", REPORTABLE))

    orphan_id: str = Field(primary_key=True)
    workflow_id: str = Field(unique=True)
    source: str
    about: str
    event: str
    seller_id: str | None = None
    supplier_id: str | None = None
    numbers: list[str] = Field(sa_type=JSON)
    reported_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    candidates: list[str] = Field(sa_type=JSON)
    """The cases among which a person decides."""
    matched_to: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    # Last, so that lists read nothing of it.
    request: OrphanRequest = Field(sa_type=Document(OrphanRequest))
