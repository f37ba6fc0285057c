"""Settlements that are kept here, and what differs in them (AMZ-8)."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, computed_field

from models.amazon.settlement import Component
from models.ids import CaseId
from models.message import Message
from models.money import Amount, Currency

Count = Annotated[int, Field(ge=0)]


class SettlementState(StrEnum):
    """How far a settlement is."""

    HELD = "held"
    """Its sum is not its total, or rows of it could not be taken: nothing is entered in the ledger."""
    BOOKING = "booking"
    BOOKED = "booked"


class SettledOf(Message):
    """What a settlement has of one component."""

    component: Component
    amounts: Count
    amount: Amount


class UnknownWords(Message):
    """Words that are not known here: on an account of their own, until somebody says what they are."""

    transaction_type: str
    amount_type: str
    amount_description: str
    amounts: Count
    amount: Amount


class Difference(Message):
    """What was expected of a settlement, and what came; amounts are positive to the buyer.

    `unexpected`: nobody made it here (RET-18). `moved_though_failed`: it failed here, and the buyer has it.
    `awaited`: of a refund of ours that was made in the settlement's time what stands in none.
    """

    what: Literal["differs", "unexpected", "moved_though_failed", "awaited"]
    transaction_type: str = ""
    """As Amazon wrote it."""
    order_number: str = ""
    """Amazon's."""
    order_id: str | None = None
    order_item_code: str = ""
    refund_id: str | None = None
    return_id: str | None = None
    """The return that was told (RET-18)."""
    expected: Amount | None = None
    came: Amount | None = None
    note: str | None = None


class SettlementReconciled(Message):
    """A settlement against the books."""

    settlement_id: str
    connection_id: CaseId
    seller_id: CaseId
    state: SettlementState
    currency: Currency
    started_at: datetime | None
    ended_at: datetime | None
    paid_out_at: datetime
    total: Amount
    """As it says."""
    came: Amount
    """The sum of its amounts."""
    amounts: Count
    rejected: Count
    import_id: str
    components: tuple[SettledOf, ...]
    confirmed: Count
    """Refunds that came as they were expected."""
    unknown_orders: Count
    """Orders of buyers' money that are not known here."""
    unknown_orders_amount: Amount
    unknown: tuple[UnknownWords, ...]
    differences: tuple[Difference, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def out_of_balance(self) -> Amount:
        """By how much its total is more than its amounts are."""
        return Decimal(self.total - self.came)
