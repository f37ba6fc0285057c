"""The documents that are handed in at Amazon."""

from enum import StrEnum
from typing import Final

MOST_BYTES: Final = 10 * 1024 * 1024
"""A feed is smaller than this."""


class FeedType(StrEnum):
    """One in flight per account and type at a time (AMZ-10)."""

    REFUNDS = "POST_PAYMENT_ADJUSTMENT_DATA"
    """Refunds, and cancellations of part of a quantity: OrderAdjustment."""
    CANCELLATIONS = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
    """Cancellations of order items: OrderAcknowledgement."""
