"""What the buyer paid the seller, and by what (ORD-1, ORD-15)."""

from enum import StrEnum
from typing import Final, Self

from pydantic import model_validator

from models.message import Message, Number
from models.money import Currency, NonNegativeAmount


class PaidBy(StrEnum):
    """How the buyer paid the seller (ORD-1)."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    AUTHORIZE_NET = "authorize_net"
    MARKETPLACE = "marketplace"
    BANK_TRANSFER = "bank_transfer"
    GIFT_CARD = "gift_card"
    CASH_ON_DELIVERY = "cash_on_delivery"
    OTHER = "other"


BY_GATEWAY: Final = (PaidBy.STRIPE, PaidBy.PAYPAL, PaidBy.AUTHORIZE_NET)
"""Where money can go back by the payment's reference."""


class BuyerPayment(Message):
    """One payment of the buyer to the seller. An amount of zero is as if there were none (ORD-15)."""

    paid_by: PaidBy
    reference: Number | None = None
    """The gateway's number of the payment; needed where money can go back by it."""
    amount: NonNegativeAmount
    currency: Currency

    @model_validator(mode="after")
    def _can_be_refunded(self) -> Self:
        if self.reference is None and self.amount and self.paid_by in BY_GATEWAY:
            raise ValueError(
                f"a payment by {self.paid_by.value} needs its reference: refunds go back by it (ORD-1)"
            )
        return self
