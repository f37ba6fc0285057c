"""Whom a mail server's final refusal is about: the reader, or us, by the enhanced status code (NTF-8, NTF-9)."""

import re
from typing import Final, NamedTuple


class OurFault(NamedTuple):
    """What the server refuses of us, and the settings that staff correct."""

    what: str
    settings: str


LOGIN: Final = OurFault("our login", "BACKHAUL_SMTP_USER and BACKHAUL_SMTP_PASSWORD")
SENDER: Final = OurFault("our own address", "BACKHAUL_MAIL_FROM")
ANY_MAIL: Final = OurFault("mail from us", "BACKHAUL_SMTP_HOST and the login, or have it take our mail")

_ABOUT_THE_LOGIN: Final = frozenset((530, 534, 535, 538))
_SENDERS: Final = frozenset(((1, 7), (1, 8), (7, 27)))
"""RFC 3463 and 7505: the address that the mail comes from."""
_LOGINS: Final = frozenset((7, detail) for detail in (8, 9, 11, 12, 13))
"""RFC 4954 and 5248."""
_READERS: Final = frozenset((7, detail) for detail in (2, 17, 18, 124, 133, 134, 135, 136))
"""Policies of the one who is written to: a closed mailing list or group, a mailbox with a new owner (RFC 3463 and
7293; the three digits are of Microsoft Exchange)."""
_POLICY: Final = 7
_ENHANCED: Final = re.compile(r"5\.(\d{1,3})\.(\d{1,3})\b")
_RELAYING: Final = re.compile(r"\brelay(ing)?\b(?![-.\w]*@)", re.IGNORECASE)
"""What servers say that know no enhanced codes."""


def is_final(code: int) -> bool:
    return code >= 500


def our_fault(code: int, said: str) -> OurFault | None:
    """What staff mend, of a final answer to recipient or mail; none: it is about the reader, or this mail alone.

    `said`: the server's words, which begin with its enhanced status code, if it has them.
    """
    if code in _ABOUT_THE_LOGIN:
        return LOGIN
    enhanced = _ENHANCED.match(said.lstrip())
    if enhanced is None:
        return ANY_MAIL if _RELAYING.search(said) else None
    status = (int(enhanced[1]), int(enhanced[2]))
    if status in _SENDERS:
        return SENDER
    if status in _LOGINS:
        return LOGIN
    return ANY_MAIL if status[0] == _POLICY and status not in _READERS else None
