"""What strangers write: refused at the door, cleaned where it is taken, escaped where it is shown.

Three things can go wrong with a text that is not ours. It may command a terminal (escape sequences), turn around
what stands beside it (overrides of the direction of writing), or become markup (Markdown). Each has one cure here
and one place where it is used: `models.message` at the door, `models.partners.Said` for what partners answer,
`starter.cli.output` on the terminal, `workflows.engine.details` and the summaries in the Temporal UI.
"""

import json
import re
from typing import Final

DEEPEST: Final = 64
"""How deep what comes from outside may be nested."""

_CONTROLS: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""C0 but tab and the ends of lines, DEL, and C1."""
_TURNING: Final = "\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates of the direction of writing. The marks (U+200E, U+200F, U+061C) are no danger
at the door: people who write Arabic or Hebrew need them."""
_UNFIT: Final = re.compile(f"[{_CONTROLS}{_TURNING}\ud800-\udfff]|\r(?!\n)")
_LINE_ENDS: Final = re.compile("[\r\n\u0085\u2028\u2029]|\t")
_SHOWN_AS_CODE: Final = re.compile(
    f"[{_CONTROLS}{_TURNING}\r\u200e\u200f\u061c\u2028\u2029\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_SPACES: Final = re.compile("[ \t\n]+")
_MARKS: Final = re.compile(r"[\\`*_\[\]<>~|&$]")
_AT_THE_START: Final = re.compile(r"^(?:[-+=:#]|\d{1,9}(?=[.)]))")
_LINKS_ITSELF: Final = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)|(?<=mailto:)|(?<=xmpp:)", re.IGNORECASE)
_JOINER: Final = "\u2060"
"""A character without width: behind it a renderer no longer sees an address to make a link of."""


def unfit(text: str) -> str | None:
    """The first character that no text may hold, for people (`U+001B`); none: it is fit."""
    found = _UNFIT.search(text)
    return f"U+{ord(found.group()):04X}" if found else None


def on_one_line(text: str) -> str:
    """The same text; raises ValueError when it holds the end of a line or a tab."""
    if _LINE_ENDS.search(text):
        raise ValueError("stands on one line, without tabs")
    return text


def cleaned(text: str) -> str:
    """Without what no text may hold. For what partners answer: there nobody is left who could write it anew."""
    return _UNFIT.sub("", text)


def one_line(text: str) -> str:
    """On one line, each run of white space one space, and without what no text may hold."""
    return " ".join(cleaned(text).split())


def visible(text: str) -> str:
    """As a terminal may get it: what would command it, or turn the line around, stands there as its code.

    Tabs and ends of lines stay.
    """
    return _SHOWN_AS_CODE.sub(_code, text.replace("\r\n", "\n"))


def visible_json(document: str) -> str:
    """The same JSON, which means the same, as a terminal may get it."""
    return _SHOWN_AS_CODE.sub(lambda found: json.dumps(found.group())[1:-1], document)


def as_markdown(text: str) -> str:
    """One line of Markdown that shows this text and nothing else: no link, image, HTML, emphasis or heading."""
    line = _SPACES.sub(" ", visible(text)).strip(" ")
    line = _MARKS.sub(lambda mark: f"\\{mark.group()}", line)
    line = _AT_THE_START.sub(lambda start: _escaped_start(start.group()), line)
    return _LINKS_ITSELF.sub(_JOINER, line)


def summary_of(text: str, most: int = 200) -> str:
    """The text as a summary in the Temporal UI: one line of Markdown, at most so many bytes as it is kept."""
    shown, left = as_markdown(text[:most]), text[:most]
    while kept_size(shown) > most or (len(text) > most and len(left) == most):
        left = left[:-1]
        shown = f"{as_markdown(left)}…"
    return shown


def kept_size(text: str) -> int:
    """Bytes of the text in a payload."""
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", errors="replace"))


def _code(found: re.Match[str]) -> str:
    number = ord(found.group())
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _escaped_start(start: str) -> str:
    return f"{start}\\" if start.isdigit() else f"\\{start}"


_PLAIN: Final = (
    (re.compile(r"^(Value|Assertion) error, "), ""),
    (re.compile(r"^Input should be "), "must be "),
    (re.compile(r", unable to (parse|interpret) .*$"), ""),
    (re.compile(r"^Field required$"), "is missing"),
    (re.compile(r"^Extra inputs are not permitted$"), "is not known here"),
)


def in_plain_words(message: str) -> str:
    """What pydantic says is wrong with a value, as people say it."""
    for theirs, ours in _PLAIN:
        message = theirs.sub(ours, message)
    return message


def counted(number: int, what: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
