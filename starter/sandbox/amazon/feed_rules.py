"""What Amazon makes of an XML feed: rules of the sandbox's own, written from Amazon's descriptions of the
documents and apart from whatever composes them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from lxml import etree

MOST_BYTES: Final = 10 * 1024 * 1024
MALFORMED: Final = 5000

REFUNDS: Final = "POST_PAYMENT_ADJUSTMENT_DATA"
CANCELS: Final = "POST_ORDER_ACKNOWLEDGEMENT_DATA"
_MESSAGE_TYPES: Final = {REFUNDS: "OrderAdjustment", CANCELS: "OrderAcknowledgement"}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ADJUSTMENT_REASONS: Final = _words(
    "NoInventory CustomerReturn GeneralAdjustment CouldNotShip DifferentItem Abandoned CustomerCancel PriceError "
    "ProductOutofStock CustomerAddressIncorrect Exchange Other CarrierCreditDecision "
    "RiskAssessmentInformationNotValid CarrierCoverageFailure TransactionRecord Undeliverable "
    "RefusedDelivery"
)
_CANCEL_REASONS: Final = _words(
    "NoInventory ShippingAddressUndeliverable CustomerExchange BuyerCanceled GeneralAdjustment "
    "CarrierCreditDecision RiskAssessmentInformationNotValid CarrierCoverageFailure CustomerReturn "
    "MerchandiseNotReceived"
)
_COMPONENTS: Final = _words(
    "Principal Shipping Tax ShippingTax RestockingFee RestockingFeeTax GiftWrap GiftWrapTax Surcharge "
    "ReturnShipping Goodwill ExportCharge COD CODTax Other FreeReplacementReturnShipping"
)
_ORDER_ID: Final = re.compile(r"\d{3}-\d{7}-\d{7}")
_ITEM_CODE: Final = re.compile(r"\d{14,15}")
_AMOUNT: Final = re.compile(r"-?\d{1,12}\.\d{2}")
_WHOLE: Final = re.compile(r"[1-9]\d{0,8}")


@dataclass(frozen=True)
class Told:
    """One order item of a message. `components`: type and amount; a cancellation has none."""

    order_item_id: str
    reason: str
    adjustment_id: str | None = None
    currency: str = ""
    components: tuple[tuple[str, Decimal], ...] = ()
    quantity_cancelled: int | None = None
    quantity: int | None = None


@dataclass(frozen=True)
class FeedMessage:
    """A message that can be read. `cancels`: it cancels, otherwise it refunds."""

    message_id: int
    order_id: str
    cancels: bool
    items: tuple[Told, ...]


@dataclass
class ReadFeed:
    """`whole`: what is wrong with the file; `faults`: what is wrong with single messages, by MessageID."""

    messages: list[FeedMessage] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    whole: str | None = None

    @property
    def count(self) -> int:
        return len(self.messages) + len(self.faults)


class _Malformed(Exception):
    pass


def read_feed(content: bytes, feed_type: str, merchant: str | None = None) -> ReadFeed:
    """What of the document can be done. `merchant`: whose account it is, where that is known."""
    found = ReadFeed()
    if len(content) >= MOST_BYTES:
        found.whole = "The file is larger than 10 MiB."
        return found
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(content, parser)
        messages = _envelope(root, _MESSAGE_TYPES.get(feed_type, ""), merchant)
    except etree.XMLSyntaxError as error:
        found.whole = f"XML Parsing Fatal Error at Line {error.lineno}"
        return found
    except _Malformed as wrong:
        found.whole = str(wrong)
        return found
    seen: set[int] = set()
    for message_id, body in messages:
        if message_id in seen:
            return ReadFeed(whole=f"The MessageID {message_id} is not unique in the file.")
        seen.add(message_id)
        try:
            found.messages.append(_message(message_id, body))
        except _Malformed as wrong:
            found.faults[message_id] = str(wrong)
    return found


def _envelope(root: etree._Element, message_type: str, merchant: str | None) -> list[tuple[int, etree._Element]]:
    if root.tag != "AmazonEnvelope":
        raise _Malformed(f"{root.tag} is no AmazonEnvelope.")
    parts = [one for one in root if isinstance(one.tag, str)]
    head = _taken(parts[:2], ("Header", "MessageType"), "AmazonEnvelope")
    said = _texts(head["Header"], ("DocumentVersion", "MerchantIdentifier"))
    if said["DocumentVersion"] != "1.01":
        raise _Malformed("DocumentVersion is 1.01.")
    if merchant is not None and said["MerchantIdentifier"] != merchant:
        raise _Malformed("The MerchantIdentifier is another's.")
    if head["MessageType"].text != message_type:
        raise _Malformed(f"The MessageType of this feed is {message_type}.")
    if len(parts) < 3 or any(one.tag != "Message" for one in parts[2:]):
        raise _Malformed("After the MessageType there are Messages, and nothing else.")
    return [_opened(one, message_type) for one in parts[2:]]


def _opened(message: etree._Element, message_type: str) -> tuple[int, etree._Element]:
    children = list(message)
    if not children or children[0].tag != "MessageID":
        raise _Malformed("A Message begins with its MessageID.")
    number = children[0].text or ""
    if not _WHOLE.fullmatch(number):
        raise _Malformed("A MessageID is a whole number over 0.")
    rest = children[1:]
    if rest and rest[0].tag == "OperationType":
        rest = rest[1:]
    if len(rest) != 1 or rest[0].tag != message_type:
        raise _Malformed(f"Message {number} holds one {message_type}.")
    return int(number), rest[0]


def _message(message_id: int, body: etree._Element) -> FeedMessage:
    if body.tag == "OrderAdjustment":
        return _adjustment(message_id, body)
    return _acknowledgement(message_id, body)


def _adjustment(message_id: int, body: etree._Element) -> FeedMessage:
    names = ("AmazonOrderID", "ActionType?", "AdjustedItem+")
    parts = list(_in_order(body, names))
    order_id = _order_id(parts)
    action = next((one.text for name, one in parts if name == "ActionType"), "Refund")
    if action not in ("Refund", "Cancel"):
        raise _Malformed("ActionType is Refund or Cancel.")
    items = tuple(_adjusted(one, cancels=action == "Cancel") for name, one in parts if name == "AdjustedItem")
    return FeedMessage(message_id, order_id, action == "Cancel", items)


def _adjusted(item: etree._Element, *, cancels: bool) -> Told:
    names = (
        "AmazonOrderItemCode",
        "MerchantAdjustmentItemID?",
        "AdjustmentReason",
        "ItemPriceAdjustments",
        "QuantityCancelled?",
        "Quantity?",
    )
    parts = dict(_in_order(item, names))
    code = _item_code(parts["AmazonOrderItemCode"])
    key = parts.get("MerchantAdjustmentItemID")
    if key is not None and not 1 <= len(key.text or "") <= 50:
        raise _Malformed("A MerchantAdjustmentItemID has 1 to 50 characters.")
    reason = _one_of(parts["AdjustmentReason"], _ADJUSTMENT_REASONS)
    components, currency = _components(parts["ItemPriceAdjustments"])
    cancelled = _count(parts.get("QuantityCancelled"))
    if cancels and cancelled is None:
        raise _Malformed("A cancellation says its QuantityCancelled.")
    if sum((amount for _, amount in components), Decimal(0)) < 0:
        raise _Malformed("The buyer would have to pay.")
    return Told(
        order_item_id=code,
        reason=reason,
        adjustment_id=None if key is None else key.text,
        currency=currency,
        components=tuple(components),
        quantity_cancelled=cancelled,
        quantity=_count(parts.get("Quantity")),
    )


def _components(prices: etree._Element) -> tuple[list[tuple[str, Decimal]], str]:
    found: list[tuple[str, Decimal]] = []
    currencies: set[str] = set()
    for _, one in _in_order(prices, ("Component+",)):
        parts = dict(_in_order(one, ("Type", "Amount")))
        amount = parts["Amount"]
        if not _AMOUNT.fullmatch(amount.text or ""):
            raise _Malformed("An Amount has two fraction digits.")
        currency = amount.get("currency") or ""
        if not re.fullmatch("[A-Z]{3}", currency):
            raise _Malformed("An Amount has a currency.")
        kind = _one_of(parts["Type"], _COMPONENTS)
        if kind == "Tax" and currency == "JPY":
            raise _Malformed("Where prices include tax there is no Tax.")
        currencies.add(currency)
        found.append((kind, Decimal(amount.text)))
    if len(currencies) > 1:
        raise _Malformed("The amounts of an item have one currency.")
    return found, currencies.pop()


def _acknowledgement(message_id: int, body: etree._Element) -> FeedMessage:
    parts = list(_in_order(body, ("AmazonOrderID", "MerchantOrderID?", "StatusCode", "Item*")))
    order_id = _order_id(parts)
    status = next(one.text for name, one in parts if name == "StatusCode")
    if status not in ("Success", "Failure"):
        raise _Malformed("StatusCode is Success or Failure.")
    items = []
    for name, one in parts:
        if name == "Item":
            item = dict(_in_order(one, ("AmazonOrderItemCode", "MerchantOrderItemID?", "CancelReason?")))
            if status == "Failure" and "CancelReason" not in item:
                raise _Malformed("An item that is cancelled has a CancelReason.")
            reason = _one_of(item["CancelReason"], _CANCEL_REASONS) if "CancelReason" in item else ""
            items.append(Told(order_item_id=_item_code(item["AmazonOrderItemCode"]), reason=reason))
    return FeedMessage(message_id, order_id, status == "Failure", tuple(items))


# ---- elements ----


def _in_order(parent: etree._Element, names: Sequence[str]) -> Iterator[tuple[str, etree._Element]]:
    """The children with their names; each where it belongs, as often as it may be there (`?`, `+`, `*`)."""
    children = [one for one in parent if isinstance(one.tag, str)]
    at = 0
    for told in names:
        name, often = told.rstrip("?+*"), told[len(told.rstrip("?+*")) :]
        count = 0
        while at < len(children) and children[at].tag == name and (count == 0 or often in ("+", "*")):
            yield name, children[at]
            at, count = at + 1, count + 1
        if count == 0 and often in ("", "+"):
            raise _Malformed(f"{parent.tag}: {name} is missing, or not where it belongs.")
    if at < len(children):
        raise _Malformed(f"{parent.tag}: {children[at].tag} is not where it belongs.")


def _taken(parts: Sequence[etree._Element], names: Sequence[str], where: str) -> dict[str, etree._Element]:
    if [one.tag for one in parts] != list(names):
        raise _Malformed(f"{where} begins with {', '.join(names)}.")
    return {one.tag: one for one in parts}


def _texts(parent: etree._Element, names: Sequence[str]) -> dict[str, str]:
    return {name: one.text or "" for name, one in _in_order(parent, names)}


def _order_id(parts: Sequence[tuple[str, etree._Element]]) -> str:
    text = parts[0][1].text or ""
    if not _ORDER_ID.fullmatch(text):
        raise _Malformed("AmazonOrderID is no number of an order.")
    return text


def _item_code(element: etree._Element) -> str:
    text = element.text or ""
    if not _ITEM_CODE.fullmatch(text):
        raise _Malformed("AmazonOrderItemCode is no number of an order item.")
    return text


def _one_of(element: etree._Element, words: frozenset[str]) -> str:
    text = element.text or ""
    if text not in words:
        raise _Malformed(f"{element.tag}: {text[:40]} is none of its words.")
    return text


def _count(element: etree._Element | None) -> int | None:
    if element is None:
        return None
    if not _WHOLE.fullmatch(element.text or ""):
        raise _Malformed(f"{element.tag} is a whole number over 0.")
    return int(element.text)
