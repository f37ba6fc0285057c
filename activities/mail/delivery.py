"""Mail by SMTP: one per event, text and HTML, with no address in histories, logs or errors (NTF-1)."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Protocol

import aiosmtplib
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.connection import retry_delay
from activities.connectors.http import Trouble, failure
from activities.mail.letter import Letter, one_line
from models.failures import HANDLING, BackhaulError, Category
from models.links import rma_link
from models.partners import Addressee, Contact, Mail, MailSent, Recipient
from models.settings import Settings

SENDER: Final = "Backhaul"
"""Who writes to sellers, suppliers and staff. The buyer is written to in the seller's name (ORD-9)."""

FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(minutes=30)

_WHAT: Final = "send a mail"
_SMTPS_PORT: Final = 465


class Contacts(Protocol):
    """Who gets a mail; the database knows. Called in a thread."""

    def addressee(self, mail: Mail) -> Addressee:
        """Address, name and language of the recipient, and whether the mail with this key is out."""


class Outbox(Protocol):
    """Which mails are out; the database knows. Called in a thread."""

    def mark_sent(self, key: str, message_id: str) -> None:
        """Note that it is; noting it twice changes nothing."""


class Mailer:
    """The activity that sends mail."""

    def __init__(self, settings: Settings, contacts: Contacts, outbox: Outbox) -> None:
        self._settings = settings
        self._contacts = contacts
        self._outbox = outbox
        self._out: set[str] = set()
        """Keys of mails that are out and not yet noted, for the books did not answer: noted by the next try."""

    @activity.defn(name="send_mail")
    async def send_mail(self, mail: Mail) -> MailSent:
        """Send one mail, once per `key` (NTF-1).

        `no_address`: the books have none for this recipient. Raises `PartnerUnavailable` while the mail
        server is down or says: later; `RefusedByPartner` when it refuses the recipient for good;
        `InvalidInput` for a template that does not exist.
        """
        message_id = self._message_id(mail.key)
        if mail.key in self._out:
            return await self._note(mail.key, message_id)
        to = await asyncio.to_thread(self._contacts.addressee, mail)
        if to.is_sent:
            return MailSent(state="already", message_id=message_id)
        contact = to.contact
        if contact is None:
            return MailSent(state="no_address", message_id=message_id)
        sender = one_line(contact.seller_name) if mail.to is Recipient.BUYER else SENDER
        try:
            letter = await asyncio.to_thread(self._letter, mail, contact, sender)
        except BackhaulError as error:
            raise _failure(error.category, str(error)) from None
        await self._deliver(self._message(message_id, contact, sender, letter))
        return await self._note(mail.key, message_id)

    async def _note(self, key: str, message_id: str) -> MailSent:
        self._out.add(key)
        await asyncio.to_thread(self._outbox.mark_sent, key, message_id)
        self._out.discard(key)
        return MailSent(state="sent", message_id=message_id)

    def _letter(self, mail: Mail, contact: Contact, sender: str) -> Letter:
        """Raises NoLetter."""
        from activities.mail.rendering import letters  # template engine and Markdown: at the first mail

        facts = self._facts(mail, contact)
        return letters(self._settings.mail_templates).write(
            mail.template, mail.seller_id, contact.language, facts, sender
        )

    def _facts(self, mail: Mail, contact: Contact) -> dict[str, str]:
        """What the template may show: the books' facts, who and what it is about, and the mail's own facts."""
        facts = {
            "order_number": mail.order_id,
            **contact.facts,
            "order_id": mail.order_id,
            "seller_id": mail.seller_id,
            "name": contact.name,
            "seller_name": contact.seller_name,
        }
        if contact.buyer_name:
            facts["buyer_name"] = contact.buyer_name
        if mail.supplier_id:
            facts["supplier_id"] = mail.supplier_id
        if mail.return_id:
            facts["return_id"] = mail.return_id
            if mail.to is Recipient.SUPPLIER:
                # Made here: a link in a history would be a key left in the door (RET-8).
                facts["link"] = rma_link(self._settings, mail.return_id)
        return facts | mail.facts

    def _message_id(self, key: str) -> str:
        """The same for each try, so that a mail server or reader can tell a doubled mail."""
        domain = str(self._settings.mail_from).rpartition("@")[2]
        return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"

    def _message(self, message_id: str, contact: Contact, sender: str, letter: Letter) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = Address(sender, addr_spec=str(self._settings.mail_from))
            message["To"] = Address(one_line(contact.name), addr_spec=contact.email)
            if contact.reply_to:
                message["Reply-To"] = Address(sender, addr_spec=contact.reply_to)
        except (ValueError, HeaderParseError, IndexError):
            raise _failure(Category.INVALID_INPUT, "the recipient's address is not one") from None
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = message_id
        # No out-of-office answers, please.
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        message["Content-Language"] = contact.language  # last: a new body takes earlier `Content-` fields away
        return message

    async def _deliver(self, message: EmailMessage) -> None:
        settings = self._settings
        smtps = settings.smtp_tls and settings.smtp_port == _SMTPS_PORT
        try:
            await aiosmtplib.send(
                message,
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                username=settings.smtp_user,
                password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
                timeout=settings.partner_timeout_seconds,
                use_tls=smtps,
                start_tls=settings.smtp_tls and not smtps,
                local_hostname=str(settings.mail_from).rpartition("@")[2],
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _smtp_failure(error) from None


def _smtp_failure(error: Exception) -> ApplicationError:
    """5xx is final, everything else is tried again. The server's words may quote the address: not kept."""
    codes = [getattr(one, "code", None) for one in _parts(error)]
    numbers = [code for code in codes if isinstance(code, int)]
    if isinstance(error, aiosmtplib.SMTPNotSupported) or (numbers and all(number >= 500 for number in numbers)):
        answer = f" ({numbers[0]})" if numbers else ""
        return _failure(Category.REFUSED_BY_PARTNER, f"the mail server refused the mail{answer}", numbers)
    answer = f"answered {numbers[0]}" if numbers else f"can't be reached ({type(error).__name__})"
    return _failure(Category.PARTNER_UNAVAILABLE, f"the mail server {answer}: {_WHAT}", numbers)


def _parts(error: Exception) -> list[Exception]:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return list(error.recipients)
    return [error]


def _failure(category: Category, message: str, numbers: list[int] | None = None) -> ApplicationError:
    trouble = Trouble(
        who_acts=HANDLING[category].who_acts,
        partner="mail server",
        call=_WHAT,
        status=numbers[0] if numbers else None,
    )
    unavailable = category is Category.PARTNER_UNAVAILABLE
    attempt = activity.info().attempt if activity.in_activity() else 1
    pause = retry_delay(attempt, FIRST_RETRY, LONGEST_RETRY) if unavailable else None
    return failure(category, message, trouble, next_retry_delay=pause)
