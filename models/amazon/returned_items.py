"""What a returns report of Amazon says of one item that comes back (AMZ-1..4, RET-18)."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

APPROVED: Final = "approved"
"""The status, however it is written, whose rows become returns (AMZ-2)."""
RETURNLESS: Final = "returnlessrefund"
"""The resolution by which nothing comes back (AMZ-4)."""
FIRST_SCAN: Final = "refundatfirstscan"
"""The resolution by which Amazon refunds by itself, as soon as the carrier has the parcel (RET-18)."""


class ReturnedItem(NamedTuple):
    """One item of one return, as one row of the report says it; what it does not say is empty or none.

    A tuple, for reports have a million rows. Words that Amazon has open lists of (status, resolution, reason,
    carrier) are as it wrote them.
    """

    line: int
    """Where it stands in the file, from 1."""
    order_id: str
    """`111-1234567-1234567`."""
    amazon_rma_id: str
    status: str
    quantity: int
    sku: str
    """The seller's; may be empty where `asin` or `order_item_id` names the item."""
    asin: str
    order_item_id: str
    reason: str
    """`CR-DEFECTIVE`."""
    resolution: str
    requested_on: date | None
    order_quantity: int | None
    """How many were ordered."""
    a_to_z: bool
    """The buyer has an A-to-Z claim: Amazon has refunded, or will (RET-18)."""
    carrier: str
    tracking_id: str

    @property
    def item(self) -> str:
        """What tells items of one return apart: the order item's id, else the SKU, else the ASIN."""
        return self.order_item_id or self.sku or self.asin

    @property
    def is_approved(self) -> bool:
        """Whether it becomes a return (AMZ-2)."""
        return plain_word(self.status) == APPROVED

    @property
    def is_returnless(self) -> bool:
        """Whether the buyer keeps the goods (AMZ-4)."""
        return plain_word(self.resolution) == RETURNLESS

    @property
    def is_refunded_by_amazon(self) -> bool:
        """Amazon has refunded by itself, or will: nobody refunds a second time (RET-18)."""
        return self.a_to_z or plain_word(self.resolution) == FIRST_SCAN


class RejectedRow(NamedTuple):
    """A row that can't be used, and why; the rest of the file goes on."""

    line: int
    """Where it stands in the file, from 1."""
    column: str
    """As Amazon names it (`Return quantity`); empty: the row as a whole."""
    reason: str
    """Never says what stands in the cell."""
    cells: Mapping[str, str]
    """What the row says in the columns that are known here, to be corrected; never who the buyer is."""

    def __str__(self) -> str:
        where = f"line {self.line}, {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason}"


class ReturnedUnits(NamedTuple):
    """All rows of a return that speak of the same item, added up."""

    said: ReturnedItem
    """The first of the rows."""
    quantity: int
    reported: int
    """What the rows add up to: more than `quantity` if that was more than was ordered."""

    @property
    def note(self) -> str | None:
        """What people are told when the report says more than can be."""
        if self.reported == self.quantity:
            return None
        return f"the report says {self.reported} of {self.said.item}, {self.quantity} were ordered: taken as that"


def plain_word(word: str) -> str:
    """`Refund At First-Scan` -> `refundatfirstscan`: the same word, however it is written."""
    return "".join(character for character in word if character.isalnum()).casefold()
