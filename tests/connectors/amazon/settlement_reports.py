"""Settlement reports as Amazon writes them."""

import io
from collections.abc import Iterable, Mapping, Sequence

from activities.connectors.amazon.settlement_report import SettlementReport
from models.amazon.returned_items import RejectedRow
from models.amazon.settlement import SettledAmount

COLUMNS = (
    *("settlement-id", "settlement-start-date", "settlement-end-date", "deposit-date", "total-amount", "currency"),
    *("transaction-type", "order-id", "merchant-order-id", "adjustment-id", "shipment-id", "marketplace-name"),
    *("amount-type", "amount-description", "amount", "fulfillment-id", "posted-date", "posted-date-time"),
    *("order-item-code", "merchant-order-item-id", "merchant-adjustment-item-id", "sku", "quantity-purchased"),
    "promotion-id",
)
"""As the flat file V2 has them."""

Cells = Mapping[str, str]

BRAKE_PADS = {
    "transaction-type": "Order",
    "order-id": "111-1234567-1234567",
    "marketplace-name": "Amazon.com",
    "amount-type": "ItemPrice",
    "amount-description": "Principal",
    "amount": "100.00",
    "fulfillment-id": "MFN",
    "posted-date": "2026-03-04",
    "posted-date-time": "2026-03-04 05:23:19 UTC",
    "order-item-code": "12345678901234",
    "sku": "BRK-100",
    "quantity-purchased": "1",
}
COMMISSION = BRAKE_PADS | {"amount-type": "ItemFees", "amount-description": "Commission", "amount": "-15.00"}
REFUNDED = BRAKE_PADS | {"transaction-type": "Refund", "amount": "-100.00", "quantity-purchased": ""}
COMMISSION_RETURNED = COMMISSION | {"transaction-type": "Refund", "amount": "15.00", "quantity-purchased": ""}
ADMINISTRATION_FEE = COMMISSION_RETURNED | {"amount-description": "RefundCommission", "amount": "-3.00"}
SOLD_AND_REFUNDED = (BRAKE_PADS, COMMISSION, REFUNDED, COMMISSION_RETURNED, ADMINISTRATION_FEE)
"""One order: the seller is left with -3.00."""


def head(total: str, currency: str = "USD", **more: str) -> dict[str, str]:
    """The first row. `more`: cells, with underscores for hyphens."""
    return {
        "settlement-start-date": "2026-03-01 00:00:00 UTC",
        "settlement-end-date": "2026-03-15 00:00:00 UTC",
        "deposit-date": "2026-03-17 00:00:00 UTC",
        "total-amount": total,
        "currency": currency,
    } | {name.replace("_", "-"): cell for name, cell in more.items()}


def settlement(
    rows: Iterable[Cells],
    total: str,
    *,
    currency: str = "USD",
    settlement_id: str = "18000000001",
    columns: Sequence[str] = COLUMNS,
    blank: str = "",
    end: str = "\r\n",
) -> bytes:
    """The flat file with these columns, of one settlement."""
    named = {"settlement-id": settlement_id}
    lines = ["\t".join(columns)]
    for row in (head(total, currency), *rows):
        lines.append("\t".join((named | dict(row)).get(name, "") or blank for name in columns))
    return (end.join(lines) + end).encode()


def opened(content: bytes) -> SettlementReport:
    return SettlementReport(io.BytesIO(content))


def amounts_of(content: bytes) -> list[SettledAmount]:
    """The rows of a report without bad ones."""
    rows = list(opened(content))
    assert not [row for row in rows if isinstance(row, RejectedRow)]
    return [row for row in rows if isinstance(row, SettledAmount)]


def rejected_of(content: bytes) -> list[RejectedRow]:
    return [row for row in opened(content) if isinstance(row, RejectedRow)]
