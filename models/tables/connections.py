"""The table of connections: how partners are reached."""

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.connections import ConnectionKind, Provider
from models.tables.checks import one_of, yes_or_no
from models.tables.columns import UtcTime, Word

OWN_OF_A_SUPPLIER = "kind = 'supplier' AND active AND owner <> 'broker'"


class ConnectionRow(SQLModel, table=True):
    """A connection; never deleted: payments, charges, orders to suppliers and refunds name theirs."""

    __tablename__ = "connection"
    __table_args__ = (
        one_of("kind", ConnectionKind),
        one_of("provider", Provider),
        yes_or_no("active"),
        CheckConstraint("secret LIKE 'env:_%' OR secret LIKE 'file:_%'", name="secret_is_a_reference"),
        # Each of them: what begins otherwise would be a secret itself.
        CheckConstraint(
            "(' ' || webhook_secrets LIKE ' env:_%' OR ' ' || webhook_secrets LIKE ' file:_%') "
            "AND replace(replace(' ' || webhook_secrets, ' env:', ''), ' file:', '') NOT LIKE '% %'",
            name="webhook_secrets_are_references",
        ),
        CheckConstraint(
            "owner = 'broker' OR owner LIKE 'seller:_%' OR owner LIKE 'supplier:_%'", name="owner_is_known"
        ),
        Index("ix_connection_owner", "owner", "kind"),
        # A supplier has one: its stock is not counted twice.
        Index(
            "uq_connection_of_a_supplier",
            "owner",
            unique=True,
            sqlite_where=text(OWN_OF_A_SUPPLIER),
            postgresql_where=text(OWN_OF_A_SUPPLIER),
        ),
    )

    connection_id: str = Field(primary_key=True)
    kind: ConnectionKind = Field(sa_type=Word(ConnectionKind))
    provider: Provider = Field(sa_type=Word(Provider))
    owner: str
    base_url: str | None = None
    account: str | None = None
    secret: str | None = None
    """Where the secret stands; never the secret."""
    webhook_secrets: str | None = None
    """Where those of its webhooks stand, with a blank between two."""
    options: dict[str, str] = Field(sa_type=JSON)
    active: bool
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
