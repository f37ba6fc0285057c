"""What an order report of Amazon says of one item that was ordered (CAN-7, CAN-8)."""

from typing import Final, NamedTuple

from models.amazon.returned_items import plain_word

CANCELLED: Final = frozenset(("cancelled", "canceled"))


class OrderedItem(NamedTuple):
    """One item of one order, as one row of the report says it; what it does not say is empty or none."""

    line: int
    """Where it stands in the file, from 1."""
    order_id: str
    """`111-1234567-1234567`."""
    order_item_id: str
    """The identity of a line: one order may hold an SKU several times."""
    sku: str
    quantity: int | None
    wants_cancel: bool | None
    """The buyer asks to cancel it; none: the report does not say (CAN-7)."""
    cancel_reason: str
    """The buyer's, as Amazon wrote it."""
    status: str
    """Of the order, where the report says it."""
    purchased_on: str

    @property
    def item(self) -> str:
        """What tells items of one order apart."""
        return self.order_item_id or self.sku

    @property
    def is_cancelled(self) -> bool:
        """Amazon has cancelled the order."""
        return plain_word(self.status) in CANCELLED
