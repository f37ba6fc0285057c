"""The tables of mails that are out, and of alerts (NTF-1, NTF-9)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.checks import positive, whole_numbers
from models.tables.columns import UtcTime


class MailRow(SQLModel, table=True):
    """A mail that was sent: one per key (NTF-1)."""

    __tablename__ = "mail_sent"

    key: str = Field(primary_key=True)
    message_id: str
    at: datetime = Field(sa_type=UtcTime)


class AlertRow(SQLModel, table=True):
    """The right of one case to tell staff about what many cases may have in common: in each hour as many of a
    topic as there are numbers (NTF-9). Its mail has the key `<topic>:<hour>:<number>`."""

    __tablename__ = "alert"
    __table_args__ = (
        whole_numbers("number"),
        positive("number"),
    )

    topic: str = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=UtcTime)
    number: int = Field(primary_key=True)
    holder: str
    """The key of the mail by which the case asks."""
    claimed_at: datetime = Field(sa_type=UtcTime)
