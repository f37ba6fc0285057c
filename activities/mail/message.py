"""A letter as a message of RFC 5322: addresses, headers, folding."""

import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import Header
from email.headerregistry import Address, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import cache
from typing import Any, Final

import idna

from activities.mail.letter import Letter, one_line

_EMPTY_FIRST_LINE: Final = re.compile(r"^([^:\s]+:)[ \t]*\r?\n[ \t]+")
_LONGEST_ENCODED: Final = 76


class NoAddress(ValueError):
    """What was written down is no address that a mail can go to."""


class _ClassesMadeOnce(HeaderRegistry):
    """Python's own makes a class for each header of each mail."""

    @cache  # noqa: B019  # there is one of it
    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name)


class FoldedWell(EmailPolicy):
    """Headers whose first line says something: some servers take a header for empty that begins on the second."""

    def fold(self, name: str, value: Any) -> str:
        folded: str = super().fold(name, value)
        begins_empty = _EMPTY_FIRST_LINE.match(folded) is not None
        if name.lower() == "subject" and not self.utf8 and (begins_empty or not str(value).isascii()):
            # Encoded as a whole: words that are encoded one by one may come out with another space between them.
            encoded = Header(str(value), "utf-8", maxlinelen=_LONGEST_ENCODED, header_name=name)
            return f"{name}: {encoded.encode(linesep=self.linesep)}{self.linesep}"
        return _EMPTY_FIRST_LINE.sub(r"\1 ", folded)

    def fold_binary(self, name: str, value: Any) -> bytes:
        charset = "utf-8" if self.utf8 else "ascii"
        return self.fold(name, value).encode(charset, "surrogateescape")


PLAIN: Final = FoldedWell(linesep="\r\n", cte_type="7bit", max_line_length=78, header_factory=_ClassesMadeOnce())
INTERNATIONAL: Final = PLAIN.clone(utf8=True)
"""For addresses whose local part is not ASCII (RFC 6532)."""


def address_of(name: str, email: str) -> Address:
    """Who is written to; the domain as DNS has it (IDNA). Raises NoAddress."""
    local, _, domain = one_line(email).rpartition("@")
    try:
        if not domain.isascii():
            domain = idna.encode(domain, uts46=True).decode()
        if not local or not domain or " " in local + domain:
            raise NoAddress
        address = Address(one_line(name), username=local, domain=domain)
        EmailMessage(policy=INTERNATIONAL)["To"] = address
    except (ValueError, IndexError, HeaderParseError):  # idna's errors are ValueErrors
        raise NoAddress("the address is not one that a mail can go to") from None
    return address


def needs_international_mail(*addresses: Address) -> bool:
    """The server must offer SMTPUTF8 for these (RFC 6531)."""
    return not all(one.username.isascii() for one in addresses)


def message_of(
    letter: Letter, *, message_id: str, sender: Address, to: Address, reply_to: Address | None, language: str
) -> EmailMessage:
    """The message as it is sent, with text and HTML."""
    addresses = [sender, to, *([reply_to] if reply_to else [])]
    policy = INTERNATIONAL if needs_international_mail(*addresses) else PLAIN
    message = EmailMessage(policy=policy)
    message["From"] = sender
    message["To"] = to
    if reply_to is not None:
        message["Reply-To"] = reply_to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = message_id
    # No out-of-office answers, please.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    message["Content-Language"] = language  # last: a new body takes earlier `Content-` fields away
    return message
