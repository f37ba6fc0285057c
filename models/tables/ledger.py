"""The table of the ledger (BAL-1)."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field, SQLModel

from models.ledger import ACCOUNTS, KINDS, EntryKind
from models.tables.checks import among, currency_code, one_of, positive, whole_numbers
from models.tables.columns import UtcTime, Word


def _is_account(column: str) -> CheckConstraint:
    known = " OR ".join(f"{column} LIKE '{account}'" for account in ACCOUNTS)
    return CheckConstraint(known, name=f"{column}_is_an_account")


class LedgerLineRow(SQLModel, table=True):
    """A line of an entry: one account is debited and another one credited with the same amount. So no entry can be
    written that does not balance, whoever writes it."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        whole_numbers("position", "units"),
        one_of("kind", EntryKind),
        CheckConstraint(
            " OR ".join(f"(movement LIKE '{name}/%' AND {among('kind', kinds)})" for name, kinds in KINDS.items()),
            name="kind_is_one_of_its_movement",
        ),
        positive("position"),
        positive("units"),
        currency_code(),
        _is_account("debit"),
        _is_account("credit"),
        CheckConstraint("debit <> credit", name="accounts_differ"),
        # Reports add up all that ever moved: from this alone.
        Index("ix_ledger_line_sums", "kind", "debit", "credit", "currency", "at", "units"),
    )

    movement: str = Field(primary_key=True)
    kind: EntryKind = Field(primary_key=True, sa_type=Word(EntryKind))
    """A movement has one entry of each kind, whoever enters it again."""
    position: int = Field(primary_key=True)
    order_id: str | None = Field(default=None, foreign_key="orders.order_id", index=True)
    """None: it is of no order that is known here, as fees of a settlement."""
    debit: str = Field(index=True)
    credit: str = Field(index=True)
    units: int = Field(sa_type=BigInteger)
    """Of the currency's smallest unit: the database adds them exactly."""
    currency: str
    at: datetime = Field(sa_type=UtcTime)
