"""Our reasons in Amazon's words, as a table; a seller may change it with the options `refund_reasons` and
`cancel_reasons` of its connection. What is not in it takes the default way (RET-21)."""

from collections.abc import Mapping
from typing import Final

from models.amazon.messages import AdjustmentReason, CancelReason
from models.message import folded
from models.reasons import reason_meant

REFUND_REASONS: Final[Mapping[str, AdjustmentReason]] = {
    "damaged": AdjustmentReason.CUSTOMER_RETURN,
    "defective": AdjustmentReason.CUSTOMER_RETURN,
    "not_as_described": AdjustmentReason.CUSTOMER_RETURN,
    "wrong_item": AdjustmentReason.DIFFERENT_ITEM,
    "missing_parts": AdjustmentReason.CUSTOMER_RETURN,
    "does_not_fit": AdjustmentReason.CUSTOMER_RETURN,
    "no_longer_needed": AdjustmentReason.CUSTOMER_RETURN,
    "ordered_by_mistake": AdjustmentReason.CUSTOMER_RETURN,
    "better_price": AdjustmentReason.CUSTOMER_RETURN,
    "arrived_late": AdjustmentReason.CUSTOMER_RETURN,
    "never_arrived": AdjustmentReason.UNDELIVERABLE,
    "withdrawal_by_law": AdjustmentReason.CUSTOMER_RETURN,
    "refused_delivery": AdjustmentReason.REFUSED_DELIVERY,
    "no_stock": AdjustmentReason.NO_INVENTORY,
    "price_error": AdjustmentReason.PRICE_ERROR,
}
CANCEL_REASONS: Final[Mapping[str, CancelReason]] = {
    "no_stock": CancelReason.NO_INVENTORY,
    "buyer_request": CancelReason.BUYER_CANCELED,
    "no_longer_needed": CancelReason.BUYER_CANCELED,
    "ordered_by_mistake": CancelReason.BUYER_CANCELED,
    "address": CancelReason.ADDRESS_UNDELIVERABLE,
    "never_arrived": CancelReason.MERCHANDISE_NOT_RECEIVED,
}
_OF_CANCELLED_PART: Final = {
    CancelReason.NO_INVENTORY: AdjustmentReason.NO_INVENTORY,
    CancelReason.BUYER_CANCELED: AdjustmentReason.CUSTOMER_CANCEL,
    CancelReason.ADDRESS_UNDELIVERABLE: AdjustmentReason.CUSTOMER_ADDRESS_INCORRECT,
    CancelReason.CUSTOMER_EXCHANGE: AdjustmentReason.EXCHANGE,
    CancelReason.CUSTOMER_RETURN: AdjustmentReason.CUSTOMER_RETURN,
}


def refund_reason(said: str, own: Mapping[str, AdjustmentReason] | None = None) -> AdjustmentReason:
    """Of a refund: by the reason's handle or words, else as Amazon's own word, else GeneralAdjustment."""
    table = {folded(handle): reason for handle, reason in {**REFUND_REASONS, **(own or {})}.items()}
    theirs = {folded(one.value): one for one in AdjustmentReason}
    plain = _plain(said)
    return table.get(plain) or theirs.get(plain) or AdjustmentReason.GENERAL_ADJUSTMENT


def cancel_reason(said: str, own: Mapping[str, CancelReason] | None = None) -> CancelReason:
    """Of a cancellation, likewise."""
    table = {folded(handle): reason for handle, reason in {**CANCEL_REASONS, **(own or {})}.items()}
    theirs = {folded(one.value): one for one in CancelReason}
    plain = _plain(said)
    return table.get(plain) or theirs.get(plain) or CancelReason.GENERAL_ADJUSTMENT


def reason_of_part(reason: CancelReason) -> AdjustmentReason:
    """The same, where only part of a quantity is cancelled and another document says so."""
    return _OF_CANCELLED_PART.get(reason, AdjustmentReason.GENERAL_ADJUSTMENT)


def _plain(said: str) -> str:
    meant = reason_meant(said, ())
    return folded(said if meant is None else meant.handle)
