"""The refunds of an order among Amazon's transactions (AMZ-11)."""

from collections.abc import Sequence

from activities.connectors.amazon.wire import Transaction
from models.amazon.resends import ShownRefund


def shown_refunds(transactions: Sequence[Transaction]) -> list[ShownRefund]:
    """Other movements of an order (its sale, a claim, a fee) are none."""
    return [_shown(one) for one in transactions if (one.kind or "").casefold() == "refund"]


def _shown(one: Transaction) -> ShownRefund:
    named = [identifier.value for identifier in one.identifiers]
    named += [identifier.value for item in one.items for identifier in item.identifiers]
    amount = one.total.amount if one.total is not None else None
    return ShownRefund(
        transaction_id=(one.transaction_id or "without number")[:100],
        keys=frozenset(value for value in named if value),
        amount=abs(amount) if amount is not None else None,
        currency=one.total.currency if one.total is not None else None,
        is_deferred=(one.status or "").casefold() == "deferred",
    )
