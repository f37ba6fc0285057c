"""Amazon's order reports, tab separated: read in one pass, whatever their size (CAN-7).

All kinds of them are read alike: of orders to ship, of those that are not shipped, of all. Most of their columns
are optional, and the buyer's name and address stand in them: neither kept nor logged.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from typing import BinaryIO, Final

from activities.connectors.amazon.tables import (
    HEAD,
    Refusal,
    TableForm,
    Unreadable,
    opened,
    read_table,
    require_text,
)
from activities.connectors.amazon.tables.gathering import gathered_by
from activities.connectors.amazon.tables.opening import require_no_web_page
from models.amazon.messages import ORDER_ID_FORM
from models.amazon.ordered_items import OrderedItem
from models.amazon.returned_items import RejectedRow
from models.text import cleaned

NAMES: Final = {
    "order_id": ("order-id", "amazon-order-id"),
    "order_item_id": ("order-item-id",),
    "sku": ("sku",),
    "quantity": ("quantity-purchased", "quantity"),
    "wants_cancel": ("is-buyer-requested-cancellation",),
    "cancel_reason": ("buyer-requested-cancel-reason",),
    "status": ("order-status",),
    "purchased_on": ("purchase-date",),
}
"""Each field of `OrderedItem` beside its line, in that order, and how Amazon names it."""

ORDER_REPORT: Final = TableForm(
    what="order report", names=NAMES, needed=("order_id", "purchased_on"), any_of=("order_item_id", "sku")
)

_ORDER_ID: Final = re.compile(ORDER_ID_FORM)
_WHOLE: Final = re.compile(r"[0-9]{1,6}")
_YES: Final = frozenset(("y", "yes", "true", "1"))
_NO: Final = frozenset(("n", "no", "false", "0"))
_LONGEST: Final = 160
_LONGEST_REASON: Final = 250


def item_of(line: int, cells: Sequence[str]) -> OrderedItem:
    """The item that these cells say. Raises Unreadable."""
    order_id, order_item_id, sku, quantity, wanted, reason, status, purchased_on = cells
    if not _ORDER_ID.fullmatch(order_id):
        raise Unreadable("order_id", "is no order id of Amazon, such as 111-1234567-1234567")
    for field, cell in zip(NAMES, cells, strict=True):
        if len(cell) > _LONGEST and field != "cancel_reason":
            raise Unreadable(field, f"is longer than {_LONGEST} characters")
    if not (order_item_id or sku):
        raise Unreadable("order_item_id", "is missing, and no other column says which item it is")
    return OrderedItem(
        line,
        order_id,
        order_item_id,
        sku,
        int(quantity) if _WHOLE.fullmatch(quantity) else None,
        _wish(wanted),
        cleaned(reason)[:_LONGEST_REASON] if reason else "",
        status,
        purchased_on,
    )


@lru_cache(maxsize=64)
def _wish(word: str) -> bool | None:
    """Whether an order ships depends on it: a word that is not known here is for a person. None: it is not said,
    and nobody may take it for a no (CAN-7)."""
    plain = word.casefold()
    if not plain:
        return None
    if plain not in _YES | _NO:
        raise Unreadable("wants_cancel", "is neither yes nor no: whether the order ships depends on it")
    return plain in _YES


Row = OrderedItem | RejectedRow


def read_order_report(stream: BinaryIO) -> Iterator[Row]:
    """Each row of a report that stands at its beginning, packed or not, in bounded memory.

    Raises Refusal, an InvalidInput: at once if the file is no order report, later if it is damaged further down.
    """
    what = ORDER_REPORT.what
    content = opened(stream, what)
    text = require_text(content.peek(HEAD), what)
    require_no_web_page(text, what)
    if text.startswith(b"<"):
        raise Refusal(what, "is no order report; it seems to be XML, and order reports are tables")
    yield from read_table(content, ORDER_REPORT, item_of)


def by_order(items: Iterator[OrderedItem]) -> Iterator[tuple[OrderedItem, ...]]:
    """The rows of each order, wherever they stand in the report; a row that stands there twice counts once."""
    rows = gathered_by(items, lambda item: (item.order_id, "", item.line), OrderedItem._make)
    for _, of_order in groupby(rows, lambda item: item.order_id):
        yield tuple({one._replace(line=0): one for one in of_order}.values())
