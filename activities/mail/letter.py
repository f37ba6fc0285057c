"""What a mail says, and texts that fit into one line of it."""

import re
from typing import Final, NamedTuple

_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


class Letter(NamedTuple):
    """A mail's content. `subject` is one line."""

    subject: str
    text: str
    html: str


def one_line(value: str) -> str:
    """A value without line breaks or invisible characters: fit for a header."""
    return " ".join(_INVISIBLE.sub("", value).split())
