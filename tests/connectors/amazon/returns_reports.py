"""Returns reports as Amazon writes them, in both forms, from the same rows."""

import io
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from activities.connectors.amazon.returns_report import Row, read_returns_report
from models.amazon.returned_items import RejectedRow, ReturnedItem

COLUMNS = (
    *("Order ID", "Order date", "Return request date", "Return request status", "Amazon RMA ID"),
    *("Merchant RMA ID", "Label type", "Label cost", "Currency code", "Return carrier", "Tracking ID"),
    *("Label to be paid by", "A-to-Z Claim", "Is prime", "ASIN", "Merchant SKU", "Item Name", "Return quantity"),
    *("Return Reason", "In policy", "Return type", "Resolution", "Invoice number", "Return delivery date"),
    *("Order Amount", "Order quantity", "SafeT Action reason", "SafeT claim id", "SafeT claim state"),
    *("SafeT claim creation time", "SafeT claim reimbursement amount", "Refunded Amount"),
)
"""As the flat file has them."""

BRAKE_PADS = {
    "Order ID": "111-1234567-1234567",
    "Order date": "01-Jul-2025",
    "Return request date": "10-Jul-2025",
    "Return request status": "Approved",
    "Amazon RMA ID": "DMrRt4Qn8RRMA",
    "Label cost": "7.55",
    "Currency code": "USD",
    "Return carrier": "USPS",
    "Tracking ID": "9400111899223100001234",
    "Label to be paid by": "Customer",
    "A-to-Z Claim": "N",
    "Is prime": "N",
    "ASIN": "B00EXAMPLE",
    "Merchant SKU": "BRK-100",
    "Item Name": "Brake pads, front",
    "Return quantity": "1",
    "Return Reason": "CR-DEFECTIVE",
    "In policy": "Y",
    "Return type": "C-Returns",
    "Resolution": "StandardRefund",
    "Order Amount": "77.98",
    "Order quantity": "2",
}

_IN_XML = {
    "Return Reason": "return_reason_code",
    "Refunded Amount": "refund_amount",
    "A-to-Z Claim": "a_to_z_claim",
}
_OF_ITEM = (
    *("Item Name", "ASIN", "Return Reason", "Merchant SKU", "In policy", "Return quantity", "Resolution"),
    *("Category", "Refunded Amount"),
)
_OF_LABEL = ("Tracking ID", "Return carrier", "Currency code", "Label cost", "Label type")

Cells = Mapping[str, str]


def tab_separated(
    rows: Iterable[Cells], columns: Sequence[str] = COLUMNS, *, blank: str = " ", end: str = "\r\n"
) -> bytes:
    """The flat file with these columns."""
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") or blank for name in columns) for row in rows)]
    return (end.join(lines) + end).encode()


def xml(returns: Iterable[Sequence[Cells]]) -> bytes:
    """The XML report: of each return its items; what all have in common is taken from the first."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<AmazonEnvelope><Header><DocumentVersion>1.0</DocumentVersion>'
        "</Header>\n<MessageType>Returns-Report</MessageType>\n<Message>\n"
        + "".join(map(_return_details, returns))
        + "</Message></AmazonEnvelope>"
    ).encode()


def _return_details(items: Sequence[Cells]) -> str:
    parts = [f"<item_details>{_elements(item, _OF_ITEM)}</item_details>\n" for item in items]
    others = [name for name in items[0] if name not in _OF_ITEM + _OF_LABEL]
    parts.append(_elements(items[0], others))
    parts.append(f"<label_details>{_elements(items[0], _OF_LABEL)}</label_details>")
    return f"<return_details>\n{''.join(parts)}\n</return_details>\n"


def _elements(cells: Cells, names: Iterable[str]) -> str:
    tags = {name: _IN_XML.get(name, name.lower().replace(" ", "_").replace("-", "_")) for name in names}
    return "".join(f"<{tag}>{escape(cells[name])}</{tag}>" for name, tag in tags.items() if name in cells)


def read(content: bytes) -> list[Row]:
    """All rows of a report."""
    return list(read_returns_report(io.BytesIO(content)))


def items_of(rows: Iterable[Row]) -> list[ReturnedItem]:
    """Those that can be used."""
    return [row for row in rows if isinstance(row, ReturnedItem)]


def rejected_of(rows: Iterable[Row]) -> list[RejectedRow]:
    """Those that can't."""
    return [row for row in rows if isinstance(row, RejectedRow)]
