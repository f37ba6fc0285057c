"""A settlement report: its first row has dates and total, each other one an amount (AMZ-8)."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, Final

from pydantic import TypeAdapter, ValidationError

from activities.connectors.amazon.settlement_report.cells import units_of
from activities.connectors.amazon.settlement_report.dates import Dates
from activities.connectors.amazon.tables import (
    HEAD,
    Refusal,
    TableForm,
    Unreadable,
    opened,
    read_table,
    require_text,
)
from activities.connectors.amazon.tables.opening import require_no_web_page
from models.amazon.returned_items import RejectedRow
from models.amazon.settlement import SettledAmount, SettlementHead
from models.money import Currency

SETTLEMENT_REPORT: Final = TableForm(
    what="settlement report",
    names={
        "settlement_id": ("settlement-id",),
        "started_at": ("settlement-start-date",),
        "ended_at": ("settlement-end-date",),
        "deposited_at": ("deposit-date",),
        "total": ("total-amount",),
        "currency": ("currency",),
        "transaction_type": ("transaction-type",),
        "amount_type": ("amount-type",),
        "amount_description": ("amount-description",),
        "amount": ("amount",),
        "order_id": ("order-id",),
        "order_item_code": ("order-item-code",),
        "adjustment_key": ("merchant-adjustment-item-id",),
        "adjustment_id": ("adjustment-id",),
        "sku": ("sku",),
        "quantity": ("quantity-purchased",),
        "posted_on": ("posted-date",),
        "posted_at": ("posted-date-time",),
    },
    needed=(
        *("settlement_id", "total", "currency", "transaction_type", "amount_type", "amount_description", "amount"),
        *("order_id", "order_item_code", "adjustment_key"),
    ),
)
_PLACE: Final = {field: place for place, field in enumerate(SETTLEMENT_REPORT.fields)}
_SETTLEMENT_ID, _TOTAL, _CURRENCY = (_PLACE[name] for name in ("settlement_id", "total", "currency"))
_AMOUNT, _TRANSACTION = _PLACE["amount"], _PLACE["transaction_type"]
_POSTED_ON, _POSTED_AT = _PLACE["posted_on"], _PLACE["posted_at"]
_WORDS: Final = slice(_PLACE["transaction_type"], _PLACE["amount_description"] + 1)
_NUMBERS: Final = slice(_PLACE["order_id"], _PLACE["quantity"] + 1)
_ORDER_ID: Final = _PLACE["order_id"]
_LONGEST: Final = 160
_NUMBER: Final = re.compile(r"[A-Za-z0-9._-]{0,60}")
"""Of a settlement, or an order: it names entries of the ledger."""
_KNOWN_CURRENCY: Final[TypeAdapter[str]] = TypeAdapter(Currency)
_WHAT: Final = SETTLEMENT_REPORT.what


class SettlementReport:
    """A report that stands at its beginning; `head` is read at once, the rows in bounded memory, once.

    Raises Refusal, an InvalidInput: at once if the file is no settlement report, later if it is damaged further
    down or holds a second settlement.
    """

    def __init__(self, stream: BinaryIO) -> None:
        content = opened(stream, _WHAT)
        text = require_text(content.peek(HEAD), _WHAT)
        require_no_web_page(text, _WHAT)
        if text.startswith(b"<"):
            raise Refusal(_WHAT, "is no settlement report; it seems to be XML")
        self._said: tuple[str, ...] = ()
        """The cells of the head."""
        self._head: SettlementHead | None = None
        self._dates = Dates()
        self._rows = read_table(content, SETTLEMENT_REPORT, self._read)
        first = next(self._rows, None)
        if not isinstance(first, SettlementHead):
            why = f": {first.column} {first.reason}" if isinstance(first, RejectedRow) and first.column else ""
            raise Refusal(_WHAT, f"has no first row with the total of one settlement{why}", 2)
        self.head = first

    def __iter__(self) -> Iterator[SettledAmount | RejectedRow]:
        for row in self._rows:
            if not isinstance(row, SettlementHead):
                yield row

    def _read(self, line: int, cells: Sequence[str]) -> SettledAmount | SettlementHead:
        """Raises Unreadable for a row that can't be used, Refusal for one of another settlement."""
        if max(map(len, cells)) > _LONGEST:
            _require_short(cells)
        if self._head is None:
            self._head = _head(cells, self._dates)
            return self._head
        if cells[_SETTLEMENT_ID] != self._head.settlement_id:
            if not cells[_SETTLEMENT_ID]:
                raise Unreadable("settlement_id", "is missing")
            raise Refusal(_WHAT, "holds a second settlement: give each in a file of its own", line)
        if not cells[_AMOUNT]:
            if cells[_TOTAL] and not cells[_TRANSACTION] and _head(cells, Dates()) == self._head:
                return self._head
            raise Unreadable("amount", "is missing")
        if cells[_CURRENCY] and cells[_CURRENCY] != self._head.currency:
            raise Unreadable("currency", f"is another one than that of the settlement, {self._head.currency}")
        try:
            units = units_of(cells[_AMOUNT], self._head.currency)
        except ValueError as error:
            raise Unreadable("amount", str(error)) from None
        if not _NUMBER.fullmatch(cells[_ORDER_ID]):
            raise Unreadable("order_id", "is no number such as 111-1234567-1234567")
        try:
            posted = self._dates.moment(cells[_POSTED_AT]) or self._dates.moment(cells[_POSTED_ON])
        except ValueError as error:
            raise Refusal(_WHAT, str(error), line) from None
        return SettledAmount._make(chain((line,), cells[_WORDS], (units,), cells[_NUMBERS], (posted,)))


def _head(cells: Sequence[str], dates: Dates) -> SettlementHead:
    """Raises Unreadable."""
    said = dict(zip(SETTLEMENT_REPORT.fields, cells, strict=True))
    for field in ("settlement_id", "total", "currency"):
        if not said[field]:
            raise Unreadable(field, "is missing")
    if not _NUMBER.fullmatch(said["settlement_id"]):
        raise Unreadable("settlement_id", "is no number such as 18000000001")
    try:
        currency = _KNOWN_CURRENCY.validate_python(said["currency"])
    except ValidationError:
        raise Unreadable("currency", "is no currency such as USD") from None
    if said["amount"]:
        raise Unreadable("amount", "stands beside the total, where dates and total stand alone")
    try:
        total = units_of(said["total"], currency)
    except ValueError as error:
        raise Unreadable("total", str(error)) from None
    try:
        started, ended, deposited = dates.of_head(said["started_at"], said["ended_at"], said["deposited_at"])
    except ValueError as error:
        raise Refusal(_WHAT, str(error)) from None
    return SettlementHead(said["settlement_id"], started, ended, deposited, total, currency)


def _require_short(cells: Sequence[str]) -> None:
    for field, cell in zip(SETTLEMENT_REPORT.fields, cells, strict=True):
        if len(cell) > _LONGEST:
            raise Unreadable(field, f"is longer than {_LONGEST} characters")
