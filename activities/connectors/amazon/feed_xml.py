"""Feeds as XML, in the order of elements that Amazon wants, in documents that are smaller than it takes."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from io import BytesIO
from typing import Final, NamedTuple

from lxml import etree

from models.amazon.feeds import MOST_BYTES, FeedType
from models.amazon.messages import AdjustedItem, OrderAcknowledgement, OrderAdjustment
from models.failures import InvalidInput, Problem

Content = OrderAdjustment | OrderAcknowledgement

_VERSION: Final = "1.01"
_TYPES: Final = {FeedType.REFUNDS: "OrderAdjustment", FeedType.CANCELLATIONS: "OrderAcknowledgement"}
_ROOM: Final = 1024
"""Bytes for all that is around the messages."""


class FeedDocument(NamedTuple):
    """`keys`: whose message each is, by MessageID from 1 on."""

    content: bytes
    keys: tuple[str, ...]


def feed_documents(
    feed_type: FeedType, merchant: str, messages: Iterable[tuple[str, Content]], most: int = MOST_BYTES
) -> Iterator[FeedDocument]:
    """One document, or several where one would have `most` bytes or more; one at a time is in memory. `messages`:
    a key of ours with each. Raises InvalidInput for a message that is too large for any document."""
    parts: list[bytes] = []
    keys: list[str] = []
    size = _ROOM
    for key, content in messages:
        part = _message(len(parts) + 1, content)
        if parts and size + len(part) >= most:
            yield FeedDocument(_document(feed_type, merchant, parts), tuple(keys))
            parts, keys, size = [], [], _ROOM
            part = _message(1, content)
        if size + len(part) >= most:
            raise InvalidInput(f"the message of {key}", [Problem("items", "are more than a document can hold")])
        parts.append(part)
        keys.append(key)
        size += len(part)
    if parts:
        yield FeedDocument(_document(feed_type, merchant, parts), tuple(keys))


def _document(feed_type: FeedType, merchant: str, parts: Iterable[bytes]) -> bytes:
    out = BytesIO()
    with etree.xmlfile(out, encoding="UTF-8") as file:
        file.write_declaration()
        with file.element("AmazonEnvelope"):
            with file.element("Header"):
                for name, text in (("DocumentVersion", _VERSION), ("MerchantIdentifier", merchant)):
                    with file.element(name):
                        file.write(text)
            with file.element("MessageType"):
                file.write(_TYPES[feed_type])
            for part in parts:
                file.flush()
                out.write(part)
    return out.getvalue()


def _message(number: int, content: Content) -> bytes:
    message = etree.Element("Message")
    _text(message, "MessageID", str(number))
    if isinstance(content, OrderAdjustment):
        _adjustment(message, content)
    else:
        _acknowledgement(message, content)
    written: bytes = etree.tostring(message)
    return written


def _adjustment(message: etree._Element, content: OrderAdjustment) -> None:
    adjustment = etree.SubElement(message, "OrderAdjustment")
    _text(adjustment, "AmazonOrderID", content.order_id)
    _text(adjustment, "ActionType", "Cancel" if content.cancels else "Refund")
    for one in content.items:
        _adjusted(adjustment, one)


def _adjusted(adjustment: etree._Element, one: AdjustedItem) -> None:
    item = etree.SubElement(adjustment, "AdjustedItem")
    _text(item, "AmazonOrderItemCode", one.order_item_code)
    _text(item, "MerchantAdjustmentItemID", one.adjustment_key)
    _text(item, "AdjustmentReason", one.reason.value)
    prices = etree.SubElement(item, "ItemPriceAdjustments")
    for part in one.components:
        component = etree.SubElement(prices, "Component")
        _text(component, "Type", part.type.value)
        amount = etree.SubElement(component, "Amount", currency=one.currency)
        amount.text = _two_digits(part.amount)
    if one.quantity_cancelled is not None:
        _text(item, "QuantityCancelled", str(one.quantity_cancelled))


def _acknowledgement(message: etree._Element, content: OrderAcknowledgement) -> None:
    acknowledgement = etree.SubElement(message, "OrderAcknowledgement")
    _text(acknowledgement, "AmazonOrderID", content.order_id)
    _text(acknowledgement, "StatusCode", "Failure")
    for one in content.items:
        item = etree.SubElement(acknowledgement, "Item")
        _text(item, "AmazonOrderItemCode", one.order_item_code)
        _text(item, "CancelReason", one.reason.value)


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _two_digits(amount: Decimal) -> str:
    """Always two fraction digits. Raises ValueError for an amount that has more."""
    told = amount.quantize(Decimal("0.01"))
    if told != amount:
        raise ValueError("an amount at Amazon has two fraction digits at most")
    return format(told, "f")
