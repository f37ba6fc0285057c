"""What a mail says, texts that fit into one line of it, and templates that do not work."""

import re
from typing import Final, NamedTuple

from models.failures import BackhaulError

_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


class BrokenTemplate(NamedTuple):
    """A template that does not work: `acme/en/order_shipped.md`, and why, without anything of the mail."""

    name: str
    why: str


class Letter(NamedTuple):
    """A mail's content. `subject` is one line. `instead_of`: the installation's template that does not work, where
    the built-in one was taken."""

    subject: str
    text: str
    html: str
    instead_of: BrokenTemplate | None = None


class NoLetter(BackhaulError):
    """No template works: a fault of ours or of the installation, and tried again until it is mended (NTF-9)."""

    def __init__(self, broken: BrokenTemplate) -> None:
        self.broken = broken
        super().__init__(f"the mail template {broken.name} does not work: {broken.why}")


def one_line(value: str) -> str:
    """A value without line breaks or invisible characters: fit for a header."""
    return " ".join(_INVISIBLE.sub("", value).split())
