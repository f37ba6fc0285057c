"""Order reports as Amazon writes them, with columns that nobody needs here, and the buyer in them."""

import io
from collections.abc import Iterable, Sequence

from activities.connectors.amazon.order_report import Row, read_order_report
from models.amazon.ordered_items import OrderedItem
from models.amazon.returned_items import RejectedRow

COLUMNS = (
    "order-id",
    "order-item-id",
    "purchase-date",
    "payments-date",
    "buyer-email",
    "buyer-name",
    "sku",
    "product-name",
    "quantity-purchased",
    "ship-address-1",
    "is-buyer-requested-cancellation",
    "buyer-requested-cancel-reason",
)
BRAKE_PADS = {
    "order-id": "111-1234567-1234567",
    "order-item-id": "10000000000001",
    "purchase-date": "2026-11-28T10:00:00+00:00",
    "payments-date": "2026-11-28T10:00:00+00:00",
    "buyer-email": "x1@marketplace.amazon.com",
    "buyer-name": "Robin Buyer",
    "sku": "BRK-100",
    "product-name": "Brake pads",
    "quantity-purchased": "2",
    "ship-address-1": "12 River Road",
    "is-buyer-requested-cancellation": "false",
    "buyer-requested-cancel-reason": "",
}
WANTED = {"is-buyer-requested-cancellation": "true", "buyer-requested-cancel-reason": "Ordered by mistake"}


def order_report(rows: Iterable[dict[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def read_orders(content: bytes) -> list[Row]:
    return list(read_order_report(io.BytesIO(content)))


def ordered(rows: Iterable[dict[str, str]], columns: Sequence[str] = COLUMNS) -> list[OrderedItem]:
    found = read_orders(order_report([BRAKE_PADS | row for row in rows], columns))
    assert not [one for one in found if isinstance(one, RejectedRow)]
    return [one for one in found if isinstance(one, OrderedItem)]
