"""What Amazon answers to a feed: the processing report. Only trouble is listed."""

from collections.abc import Sequence
from typing import NamedTuple

from lxml import etree


class Result(NamedTuple):
    """`message_id` 0: the whole file. `result`: Error or Warning."""

    message_id: int
    result: str
    code: int
    description: str
    order_id: str | None = None


def written(feed_id: str, merchant: str, processed: int, results: Sequence[Result]) -> bytes:
    """As XML, in Amazon's order."""
    errors = {one.message_id for one in results if one.result == "Error"}
    warnings = {one.message_id for one in results if one.result == "Warning"} - errors
    failed = processed if 0 in errors else len(errors)
    root = etree.Element("AmazonEnvelope")
    header = _child(root, "Header")
    _child(header, "DocumentVersion", "1.02")
    _child(header, "MerchantIdentifier", merchant)
    _child(root, "MessageType", "ProcessingReport")
    message = _child(root, "Message")
    _child(message, "MessageID", "1")
    report = _child(message, "ProcessingReport")
    _child(report, "DocumentTransactionID", feed_id)
    _child(report, "StatusCode", "Complete")
    summary = _child(report, "ProcessingSummary")
    _child(summary, "MessagesProcessed", str(processed))
    _child(summary, "MessagesSuccessful", str(processed - failed))
    _child(summary, "MessagesWithError", str(failed))
    _child(summary, "MessagesWithWarning", str(len(warnings)))
    for one in results:
        result = _child(report, "Result")
        _child(result, "MessageID", str(one.message_id))
        _child(result, "ResultCode", one.result)
        _child(result, "ResultMessageCode", str(one.code))
        _child(result, "ResultDescription", one.description)
        if one.order_id is not None:
            _child(_child(result, "AdditionalInfo"), "AmazonOrderID", one.order_id)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def _child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, name)
    child.text = text
    return child
