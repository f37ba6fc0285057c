"""Authorize.Net's wire: JSON on XML, so the order of the elements counts; answers begin with a BOM."""

import json
from typing import Any, Final
from xml.etree import ElementTree

BOM: Final = b"\xef\xbb\xbf"
NAMESPACE: Final = "AnetApi/xml/v1/schema/AnetApiSchema.xsd"

_COMMON: Final = ("merchantAuthentication", "clientId", "refId")
REQUESTS: Final = {
    "authenticateTestRequest": _COMMON,
    "createTransactionRequest": (*_COMMON, "transactionRequest"),
    "getTransactionDetailsRequest": (*_COMMON, "transId"),
    "getUnsettledTransactionListRequest": (*_COMMON, "status", "sorting", "paging"),
    "getTransactionListForCustomerRequest": (
        *_COMMON,
        "customerProfileId",
        "customerPaymentProfileId",
        "sorting",
        "paging",
    ),
    "getSettledBatchListRequest": (*_COMMON, "includeStatistics", "firstSettlementDate", "lastSettlementDate"),
    "getTransactionListRequest": (*_COMMON, "batchId", "sorting", "paging"),
}
"""Each request with its elements, in the order that the schema gives."""

_ORDER: Final = {
    "merchantAuthentication": ("name", "transactionKey"),
    "transactionRequest": (
        "transactionType",
        "amount",
        "currencyCode",
        "payment",
        "profile",
        "refTransId",
        "order",
        "customer",
        "transactionSettings",
        "userFields",
    ),
    "payment": ("creditCard",),
    "creditCard": ("cardNumber", "expirationDate", "cardCode"),
    "profile": ("createProfile", "customerProfileId", "paymentProfile"),
    "paymentProfile": ("paymentProfileId", "cardCode"),
    "order": ("invoiceNumber", "description"),
    "transactionSettings": ("setting",),
    "setting": ("settingName", "settingValue"),
    "userFields": ("userField",),
    "userField": ("name", "value"),
    "sorting": ("orderBy", "orderDescending"),
    "paging": ("limit", "offset"),
}
_LONGEST: Final = {"refId": 20, "invoiceNumber": 20, "description": 255, "name": 25, "transactionKey": 16}
_WRAPPED: Final = {"messages": "message", "errors": "error", "transactions": "transaction", "batchList": "batch"}
"""Lists that JSON shows flat, and XML within an element of their own."""


class NotOfTheSchema(Exception):
    """What the schema refuses (E00003), in its words."""


def read_request(raw: bytes) -> tuple[str, dict[str, Any], bool]:
    """The request's name, its content, and whether it is XML. Raises NotOfTheSchema."""
    text = raw.removeprefix(BOM).strip()
    is_xml = text.startswith(b"<")
    try:
        whole = _of_xml(text) if is_xml else json.loads(text)
    except (ValueError, ElementTree.ParseError):
        raise NotOfTheSchema("The request can't be read.") from None
    if not isinstance(whole, dict) or len(whole) != 1:
        raise NotOfTheSchema("Root element is missing.")
    ((name, content),) = whole.items()
    if name not in REQUESTS or not isinstance(content, dict):
        raise NotOfTheSchema(f"The '{NAMESPACE}:{name}' element is not declared.")
    _check(name, content, REQUESTS[name])
    return name, content, is_xml


def _check(name: str, content: dict[str, Any], order: tuple[str, ...]) -> None:
    """The elements in their order, none too long, and so within each."""
    at = 0
    for child, value in content.items():
        if child not in order[at:]:
            expected = ", ".join(order[at:])
            raise NotOfTheSchema(
                f"The element '{name}' in namespace '{NAMESPACE}' has invalid child element '{child}' "
                f"in namespace '{NAMESPACE}'. List of possible elements expected: '{expected}'."
            )
        at = order.index(child)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                _check(child, one, _ORDER.get(child, ()))
            elif child in _LONGEST and len(str(one)) > _LONGEST[child] and name != "userField":
                raise NotOfTheSchema(
                    f"The '{NAMESPACE}:{child}' element is invalid - The actual length is greater than the "
                    "MaxLength value."
                )


def _of_xml(text: bytes) -> dict[str, Any]:
    if b"<!" in text:
        raise ValueError("no document types")
    root = ElementTree.fromstring(text)
    return {_local(root.tag): _value(root)}


def _value(element: ElementTree.Element) -> Any:
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        name, value = _local(child.tag), _value(child)
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            value = [*before, value]
        found[name] = value
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def written(answer: str, content: dict[str, Any], tail: dict[str, Any], *, as_xml: bool) -> bytes:
    """The answer's bytes. `tail`: refId and messages, which JSON has last and XML first."""
    if not as_xml:
        return BOM + json.dumps({**content, **tail}).encode()
    root = ElementTree.Element(answer, {"xmlns": NAMESPACE})
    _fill(root, {**tail, **content})
    return BOM + b'<?xml version="1.0" encoding="utf-8"?>' + ElementTree.tostring(root)


def _fill(parent: ElementTree.Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        if isinstance(value, list):
            wrapper = _WRAPPED.get(name)
            within = ElementTree.SubElement(parent, name) if wrapper else parent
            for one in value:
                _fill(ElementTree.SubElement(within, wrapper or name), one)
        elif isinstance(value, dict):
            _fill(ElementTree.SubElement(parent, name), value)
        else:
            ElementTree.SubElement(parent, name).text = (
                str(value).lower() if isinstance(value, bool) else str(value)
            )
