"""The tables of settlements: what Amazon paid out, amount by amount, and which refunds are in it (AMZ-8)."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint
from sqlmodel import Field, SQLModel

from models.amazon.settled_refunds import Verdict
from models.amazon.settlement import Component
from models.amazon.settlements import SettlementState
from models.tables.checks import currency_code, not_negative, one_of, positive, whole_numbers, yes_or_no
from models.tables.columns import UtcTime, Word


class SettlementRow(SQLModel, table=True):
    """A settlement of an account: taken once, whatever its file is named. Units are of the currency's smallest."""

    __tablename__ = "settlement"
    __table_args__ = (
        whole_numbers("total", "came", "amounts", "rejected", "booked_to"),
        one_of("state", SettlementState),
        currency_code(),
        not_negative("amounts"),
        not_negative("rejected"),
        CheckConstraint("booked_to BETWEEN 0 AND amounts", name="no_more_is_booked_than_there_is"),
        CheckConstraint("state <> 'booked' OR booked_to = amounts", name="booked_is_booked_whole"),
    )

    connection_id: str = Field(primary_key=True, foreign_key="connection.connection_id")
    settlement_id: str = Field(primary_key=True, index=True)
    """Amazon's."""
    import_id: str = Field(foreign_key="report_import.import_id", unique=True)
    """Which import its amounts are of."""
    seller_id: str = Field(foreign_key="seller.seller_id")
    digest: str
    """Of all that it says, in whatever order: another one is another settlement."""
    currency: str
    total: int = Field(sa_type=BigInteger)
    """As its first row says."""
    came: int = Field(sa_type=BigInteger)
    """The sum of its amounts."""
    amounts: int
    rejected: int
    """Rows that were not taken."""
    state: SettlementState = Field(sa_type=Word(SettlementState))
    booked_to: int = 0
    """So many amounts are in the ledger."""
    started_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    at: datetime = Field(sa_type=UtcTime)
    """When it was paid out; if that is not said, when it was imported."""


class SettlementAmountRow(SQLModel, table=True):
    """One amount, as one row says it; those of an order stand one after the other."""

    __tablename__ = "settlement_amount"
    __table_args__ = (
        whole_numbers("position", "line", "units"),
        not_negative("position"),
        positive("line"),
        one_of("component", Component),
    )

    import_id: str = Field(primary_key=True, foreign_key="report_import.import_id")
    position: int = Field(primary_key=True)
    line: int
    """Of the file, from 1."""
    number: str
    """Amazon's of the order; empty: of none."""
    order_id: str | None = Field(default=None, foreign_key="orders.order_id", index=True)
    """The one order here that it is of, when it was imported."""
    component: Component = Field(sa_type=Word(Component))
    units: int = Field(sa_type=BigInteger)
    transaction_type: str
    amount_type: str
    amount_description: str
    order_item_code: str
    adjustment_key: str
    adjustment_id: str


class SettledRefundRow(SQLModel, table=True):
    """A refund that a settlement says of one item of an order here, and which of ours it is."""

    __tablename__ = "settled_refund"
    __table_args__ = (
        whole_numbers("position", "came", "expected"),
        not_negative("position"),
        one_of("verdict", Verdict),
        yes_or_no("set_aside"),
        CheckConstraint("(refund_id IS NULL) = (verdict = 'unexpected')", name="what_is_expected_is_ours"),
        CheckConstraint("(refund_id IS NULL) = (expected IS NULL)", name="refund_has_its_amount"),
        ForeignKeyConstraint(
            ["connection_id", "settlement_id"],
            ["settlement.connection_id", "settlement.settlement_id"],
            name="fk_settled_refund_settlement",
        ),
    )

    connection_id: str = Field(primary_key=True)
    settlement_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    """Of its first amount."""
    verdict: Verdict = Field(sa_type=Word(Verdict))
    transaction_type: str
    """As Amazon wrote it."""
    number: str
    """Amazon's of the order."""
    order_id: str = Field(foreign_key="orders.order_id", index=True)
    order_item_code: str
    adjustment_key: str
    """Ours, of the part of our refund that it is; otherwise as it came."""
    came: int = Field(sa_type=BigInteger)
    expected: int | None = Field(default=None, sa_type=BigInteger)
    refund_id: str | None = Field(default=None, foreign_key="refund.refund_id", index=True)
    return_id: str | None = None
    """The return that was told (RET-18)."""
    note: str | None = None
    """Why none was; or what the return had recorded before."""
    set_aside: bool = False
    """None was, for its workflow fails: somebody has to mend it."""
