"""The columns of a returns report that count here, under whatever spelling, and what their cells mean.

Nothing else of a report is looked at: columns with the buyer's name or address are neither kept nor logged, and
what stands in a column that nobody reads rejects no row.
"""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from activities.connectors.amazon.tables import TableForm, Unreadable
from models.amazon.messages import ORDER_ID_FORM
from models.amazon.returned_items import ReturnedItem

NAMES: Final = {
    "order_id": ("Order ID",),
    "amazon_rma_id": ("Amazon RMA ID",),
    "status": ("Return request status",),
    "quantity": ("Return quantity",),
    "sku": ("Merchant SKU",),
    "asin": ("ASIN",),
    "order_item_id": ("Order Item ID",),
    "reason": ("Return Reason", "Return reason code"),
    "resolution": ("Resolution",),
    "requested_on": ("Return request date",),
    "order_quantity": ("Order quantity",),
    "a_to_z": ("A-to-Z Claim",),
    "carrier": ("Return carrier",),
    "tracking_id": ("Tracking ID",),
}
"""Each field of `ReturnedItem` beside its line, in that order, and how Amazon names it in the table, and in
XML where that is another name."""

RETURNS_REPORT: Final = TableForm(
    what="returns report",
    names=NAMES,
    needed=("order_id", "status", "quantity"),
    any_of=("sku", "asin", "order_item_id"),
)
"""One column at least names the item."""

FIELDS: Final = RETURNS_REPORT.fields
POSITION: Final = RETURNS_REPORT.position

MOST_UNITS: Final = 100_000
_once: Final = lru_cache(maxsize=8192)
"""The same words stand in many rows: each is read once."""
_LONGEST_SKU: Final = 100
"""Of SKUs and ids; the least of all limits."""
_LONGEST_NUMBER: Final = 160
_LONGEST: Final = {"amazon_rma_id": _LONGEST_NUMBER, "tracking_id": _LONGEST_NUMBER}

_ORDER_ID: Final = re.compile(ORDER_ID_FORM)
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
_AMAZON_DAY: Final = re.compile(r"([0-9]{1,2})[- ]([A-Za-z]{3})[A-Za-z]*[- ]([0-9]{4})")
_ISO_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]+ ?(?:Z|UTC|GMT|[+-][0-9:]{2,5})?)?")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YES: Final = frozenset(("y", "yes", "true", "1"))
_NO: Final = frozenset(("n", "no", "false", "0"))


def _require_short(cells: Sequence[str]) -> None:
    for field, cell in zip(FIELDS, cells, strict=True):
        longest = _LONGEST.get(field, _LONGEST_SKU)
        if len(cell) > longest:
            raise Unreadable(field, f"is longer than {longest} characters")


@_once
def _whole(word: str) -> int | None:
    if not word:
        return None
    if not _WHOLE.fullmatch(word) or int(word) > MOST_UNITS:
        raise ValueError(f"is no whole number from 0 to {MOST_UNITS}")
    return int(word)


@_once
def _ordered(word: str) -> int | None:
    """None: it is not said, or not as a number; then nothing is capped by it."""
    return int(word) if _WHOLE.fullmatch(word) else None


@_once
def _day(word: str) -> date | None:
    """`10-Jul-2025`, `2025-07-10`, `2025-07-10T08:00:00Z`; none: it is not said, or otherwise."""
    try:
        if found := _AMAZON_DAY.fullmatch(word):
            return date(int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1]))
        if found := _ISO_DAY.fullmatch(word):
            return date.fromisoformat(found[1])
    except ValueError:
        pass
    return None


@_once
def _claim(word: str) -> bool:
    """Whether money moves depends on it: a word that is not known here is for a person (RET-18)."""
    plain = word.casefold()
    if plain and plain not in _YES | _NO:
        raise ValueError("is neither yes nor no: whether Amazon refunds by itself depends on it")
    return plain in _YES


_READ: Final = {"quantity": _whole, "requested_on": _day, "order_quantity": _ordered, "a_to_z": _claim}
"""The fields that are no texts."""
_PLACES: Final = tuple((FIELDS.index(field), read) for field, read in _READ.items())
_REQUESTED_ON: Final = FIELDS.index("requested_on")


def item_of(line: int, cells: Sequence[str]) -> ReturnedItem:
    """The item that these cells say, in the order of `FIELDS`, without blanks around. Raises Unreadable."""
    if max(map(len, cells)) > _LONGEST_SKU:
        _require_short(cells)
    values: list[Any] = [line, *cells]
    try:
        for place, read in _PLACES:
            values[place + 1] = read(cells[place])
    except ValueError as error:
        raise Unreadable(FIELDS[place], str(error)) from None
    item = ReturnedItem._make(values)
    if not _ORDER_ID.fullmatch(item.order_id):
        raise Unreadable("order_id", "is no order id of Amazon, such as 111-1234567-1234567")
    if not item.status:
        raise Unreadable("status", "is missing")
    if not (item.sku or item.asin or item.order_item_id):
        raise Unreadable("sku", "is missing, and no other column says which item it is")
    if not item.quantity:
        raise Unreadable("quantity", "is missing, or nothing")
    if not item.amazon_rma_id and item.requested_on is None and cells[_REQUESTED_ON]:
        raise Unreadable(
            "requested_on", "is no day such as 10-Jul-2025 or 2025-07-10, and no RMA id names the return"
        )
    return item
