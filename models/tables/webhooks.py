"""The tables of the gateways' webhooks: what was taken, and how often something was refused (REF-7)."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from models.tables.checks import one_of, positive, whole_numbers
from models.tables.columns import UtcTime, Word
from models.webhooks import Refusal, WebhookState


class WebhookRow(SQLModel, table=True):
    """An event of a gateway, however often it was sent. Of what it says nothing is kept: the gateway is asked."""

    __tablename__ = "webhook"
    __table_args__ = (
        whole_numbers("times"),
        one_of("state", WebhookState),
        positive("times"),
        CheckConstraint("(workflow_id IS NULL) = (state = 'ignored')", name="went_to_a_case_or_is_ignored"),
        Index("ix_webhook_received", "received_at", "connection_id", "event_id"),
    )

    connection_id: str = Field(primary_key=True, foreign_key="connection.connection_id")
    event_id: str = Field(primary_key=True)
    type: str
    state: WebhookState = Field(sa_type=Word(WebhookState))
    workflow_id: str | None = None
    """The refund or the orphan that has it."""
    times: int
    received_at: datetime = Field(sa_type=UtcTime)
    last_at: datetime = Field(sa_type=UtcTime)


class WebhookRefusalRow(SQLModel, table=True):
    """How often something was refused at a connection's path on a day (UTC), and why. No more is kept of it."""

    __tablename__ = "webhook_refusal"
    __table_args__ = (whole_numbers("times"), one_of("why", Refusal), positive("times"))

    connection_id: str = Field(primary_key=True, foreign_key="connection.connection_id")
    day: date = Field(primary_key=True)
    why: Refusal = Field(primary_key=True, sa_type=Word(Refusal))
    times: int
    last_at: datetime = Field(sa_type=UtcTime)
