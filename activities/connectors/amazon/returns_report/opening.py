"""What only XML can be: Amazon's envelope around returns, or something else (AMZ-1)."""

import re
from typing import Final

from activities.connectors.amazon.returns_report.columns import RETURNS_REPORT
from activities.connectors.amazon.tables import Refusal, require_text
from activities.connectors.amazon.tables.opening import require_no_web_page

_WHAT: Final = RETURNS_REPORT.what
_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.:-]{0,99})[\s>/]")
_MESSAGE_TYPE: Final = re.compile(rb"<MessageType>\s*([\w-]{1,60})\s*<")
_RETURNS: Final = re.compile(rb"<(?:\w+:)?return_details[\s>/]")


def is_xml(head: bytes) -> bool:
    """Whether a returns report that begins so is XML; otherwise it is tab separated.

    Raises Refusal, which says what it seems to be, if it is neither.
    """
    text = require_text(head, _WHAT)
    if text.startswith(b"<"):
        _require_returns_xml(text)
        return True
    return False


def _require_returns_xml(text: bytes) -> None:
    """Raise Refusal unless it is Amazon's envelope around returns, without definitions of its own."""
    require_no_web_page(text, _WHAT)
    if b"<!doctype" in text.lower() or b"<!entity" in text.lower():
        raise Refusal(_WHAT, "has a document type of its own, which no report of Amazon has")
    root = _ROOT.search(text)
    if root is None:
        raise Refusal(_WHAT, "is no returns report: it begins like XML, and no element follows")
    if root[1].rpartition(b":")[2] != b"AmazonEnvelope":
        raise Refusal(_WHAT, f"is no returns report; it seems to be XML of another kind ({_shown(root[1])})")
    kind = _MESSAGE_TYPE.search(text)
    if kind is not None and b"return" not in kind[1].lower() and _RETURNS.search(text) is None:
        seems = f"a message of Amazon of the kind {_shown(kind[1])}"
        raise Refusal(_WHAT, f"is no returns report; it seems to be {seems}")


def _shown(name: bytes) -> str:
    return name.decode("ascii", errors="replace")
