"""Amazon's processing report, read as it streams: what is wrong with it is said, and never guessed."""

from typing import BinaryIO, Final

from lxml import etree

from models.amazon.results import FeedResult, MessageResult, ResultCode
from models.failures import RefusedByPartner

_COUNTS: Final = {
    "MessagesProcessed": "processed",
    "MessagesSuccessful": "successful",
    "MessagesWithError": "with_error",
    "MessagesWithWarning": "with_warning",
}
_LONGEST_WORDS: Final = 1000


def read_processing_report(file: BinaryIO) -> FeedResult:
    """Raises RefusedByPartner, in words, for what is no processing report or breaks off: what became of the feed
    is not known then."""
    counts: dict[str, int] = {}
    results: list[MessageResult] = []
    transaction: str | None = None
    is_report = False
    try:
        for _, element in etree.iterparse(file, events=("end",), resolve_entities=False, no_network=True):
            name = etree.QName(element).localname if isinstance(element.tag, str) else ""
            if name in _COUNTS:
                counts[_COUNTS[name]] = _count(name, element.text)
            elif name == "DocumentTransactionID":
                transaction = _text(element)
            elif name == "Result":
                results.append(_result(element))
                element.clear()
            elif name == "ProcessingReport":
                is_report = True
    except etree.XMLSyntaxError as error:
        raise _unreadable(f"it is no XML, or breaks off at line {error.lineno}") from None
    if not is_report:
        raise _unreadable("it is another document")
    missing = [name for name, field in _COUNTS.items() if field not in counts]
    if missing:
        raise _unreadable(f"{missing[0]} is missing")
    return FeedResult(transaction_id=transaction, results=tuple(results), **counts)


def _result(element: etree._Element) -> MessageResult:
    told = {etree.QName(one).localname: one for one in element if isinstance(one.tag, str)}
    if "MessageID" not in told or "ResultCode" not in told:
        raise _unreadable("a Result has no MessageID or no ResultCode")
    code = _text(told["ResultCode"])
    if code not in set(ResultCode):
        raise _unreadable(f"the ResultCode {code[:40]} is not known")
    return MessageResult(
        message_id=_count("MessageID", told["MessageID"].text),
        result=ResultCode(code),
        code=_text(told["ResultMessageCode"]) if "ResultMessageCode" in told else "",
        words=_text(told["ResultDescription"])[:_LONGEST_WORDS] if "ResultDescription" in told else "",
    )


def _text(element: etree._Element) -> str:
    return " ".join((element.text or "").split())


def _count(name: str, text: str | None) -> int:
    told = (text or "").strip()
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise _unreadable(f"{name} is no number")
    return int(told)


def _unreadable(why: str) -> RefusedByPartner:
    return RefusedByPartner(f"Amazon's processing report can't be read: {why}")
