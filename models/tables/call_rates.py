"""The table of how often partners were asked, where they count calls per account (Amazon)."""

from typing import ClassVar

from sqlmodel import Field, SQLModel

from models.tables.checks import positive
from models.tables.columns import METADATA


class CallRateRow(SQLModel, table=True):
    """One operation of one connection. Kept here so that all workers together keep the partner's rate."""

    __tablename__ = "call_rate"
    __table_args__ = (positive("per_second"),)
    metadata: ClassVar = METADATA

    connection_id: str = Field(primary_key=True, foreign_key="connection.connection_id")
    operation: str = Field(primary_key=True)
    per_second: float
    """As the partner said last, else as its documentation says."""
    rested_at: float
    """When a whole burst may be asked again, in seconds since 1970 of the database's clock."""
