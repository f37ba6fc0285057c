"""The broker's charge on the seller: by which connection it is made, and what is kept of it (ORD-3)."""

from models.ids import CaseId, DerivedId
from models.message import Message, Number
from models.money import Currency, NonNegativeAmount, PositiveAmount
from models.partners import ChargeState
from models.payments import PaidBy


class ChargeConnection(Message):
    """By which connection the broker charges a seller, and which gateway's amounts it moves (ORD-3, REF-14).

    It is decided once for each order: what was asked of one gateway is never asked of another (REF-6).
    """

    connection_id: CaseId
    provider: PaidBy


class ChooseConnection(Message):
    """By which connection is this order charged, which was opened before there was one?"""

    order_id: CaseId


class ChargeRecord(Message):
    """The broker's charge on the seller, one per attempt (ORD-3)."""

    charge_id: DerivedId
    state: ChargeState
    amount: PositiveAmount
    captured: NonNegativeAmount
    currency: Currency
    gateway_reference: Number | None = None
    connection_id: CaseId
    reason: str | None = None
