"""Mail by SMTP: one per event, text and HTML, with no address in histories, logs or errors (NTF-1)."""

import asyncio
import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Final, Protocol

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.mail.alerts import SharedAlerts, Turns
from activities.mail.letter import BrokenTemplate, Letter, NoLetter, one_line
from activities.mail.message import NoAddress, address_of, message_of, needs_international_mail
from activities.mail.reader import facts_for
from activities.mail.smtp import MailServer, NeedsInternationalMail, Undeliverable, mail_failure
from models.alerts import AlertKind, AlertTopic
from models.case import Who
from models.failures import BackhaulError, PartnerUnavailable
from models.partners import Addressee, Contact, Mail, MailSent, QuotedMail, Recipient
from models.settings import Settings

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

SENDER: Final = "Backhaul"
"""Who writes to sellers, suppliers and staff. The buyer is written to in the seller's name (ORD-9)."""


class Contacts(Protocol):
    """Who gets a mail; the database knows. Called in a thread."""

    def addressee(self, mail: Mail) -> Addressee:
        """Address, name and language of the recipient, and whether the mail with this key is out."""


class Outbox(Protocol):
    """Which mails are out; the database knows. Called in a thread."""

    def mark_sent(self, key: str, message_id: str) -> None:
        """Note that it is; noting it twice changes nothing."""


class Mailer:
    """The activity that sends mail. `namespace`: in which the cases run; staff are sent links into it."""

    def __init__(
        self, settings: Settings, contacts: Contacts, outbox: Outbox, turns: Turns, namespace: str
    ) -> None:
        self._settings = settings
        self._contacts = contacts
        self._outbox = outbox
        self._alerts = SharedAlerts(settings, turns, namespace)
        self._namespace = namespace
        self._server = MailServer(settings)
        self._out: set[str] = set()
        """Keys of mails that are out and not yet noted, for the books did not answer: noted by the next try."""

    @activity.defn(name="send_mail")
    async def send_mail(self, mail: Mail) -> MailSent:
        """Send one mail, once per `key` (NTF-1). That it can never go is an answer (NTF-8). Of alerts that many
        cases have in common only a few go (NTF-9).

        Raises `PartnerUnavailable` while the mail server is down or says: later; `Internal` while there is no
        template that works: staff are told, and it is tried again.
        """
        if mail.topic is not None:
            try:
                going = await self._alerts.as_it_goes(mail, mail.topic)
            except PartnerUnavailable as outage:
                return await self._tell_of_the_database(mail, outage)
            if going is None:
                return MailSent(state="already", message_id=self._message_id(mail.key))
            mail = going
        message_id = self._message_id(mail.key)
        if mail.key in self._out:
            return await self._note(mail.key, message_id)
        to = await asyncio.to_thread(self._contacts.addressee, mail)
        if to.is_sent:
            return MailSent(state="already", message_id=message_id)
        contact = to.contact
        if contact is None or not contact.email:
            why = "no e-mail address is known"
            return MailSent(state="no_address", message_id=message_id, reason=why)
        sender = one_line(contact.seller_name) if mail.to is Recipient.BUYER else SENDER
        letter = await self._written(mail, contact, sender)
        try:
            await self._deliver(message_id, address_of(contact.name, contact.email), sender, contact, letter)
        except (NoAddress, Undeliverable) as no:
            return MailSent(state="undeliverable", message_id=message_id, reason=str(no))
        return await self._note(mail.key, message_id)

    async def _tell_of_the_database(self, mail: Mail, outage: PartnerUnavailable) -> MailSent:
        message_id = self._message_id(mail.key)
        staff = self._alerts.without_database(mail, outage)
        if staff is None:
            return MailSent(state="already", message_id=message_id)
        letter = await self._written(mail, staff, SENDER)
        await self._deliver(message_id, address_of(staff.name, staff.email or ""), SENDER, staff, letter)
        return MailSent(state="sent", message_id=message_id)

    async def _note(self, key: str, message_id: str) -> MailSent:
        self._out.add(key)
        await asyncio.to_thread(self._outbox.mark_sent, key, message_id)
        self._out.discard(key)
        return MailSent(state="sent", message_id=message_id)

    async def _written(self, mail: Mail, contact: Contact, sender: str) -> Letter:
        """The letter; of a template that does not work staff are told."""
        try:
            letter = await asyncio.to_thread(self._letter, mail, contact, sender)
        except NoLetter as error:
            await self._tell_of_template(
                mail, error.broken, "there is no other: such mails wait until it is mended"
            )
            raise mail_failure(error.category, str(error)) from None
        except BackhaulError as error:
            raise mail_failure(error.category, str(error)) from None
        if letter.instead_of is not None:
            await self._tell_of_template(mail, letter.instead_of, "the built-in one is sent until it is mended")
        return letter

    async def _tell_of_template(self, mail: Mail, broken: BrokenTemplate, meanwhile: str) -> None:
        """Tell staff once in an hour, whichever mails it is for. The mail itself waits for nothing here: if staff
        can't be told now, the next mail of this template tells them."""
        if mail.topic is not None and mail.topic.kind is AlertKind.TEMPLATE:
            return
        topic = AlertTopic(kind=AlertKind.TEMPLATE, name=broken.name.replace(",", " ")[-150:])
        what = f"the mail template {broken.name} does not work ({broken.why}); {meanwhile}"
        facts = {"what": what, "who_acts": Who.STAFF.value, "case": mail.key.partition(":")[0]}
        facts["since"] = datetime.now(UTC).isoformat()
        alert = mail.model_copy(
            update={"key": f"{mail.key}:template", "template": "staff_alert", "to": Recipient.STAFF}
            | {"facts": facts, "lines": (), "quotes": None, "topic": topic}
        )
        try:
            await self.send_mail(alert)
        except (ApplicationError, BackhaulError) as error:
            log.warning("staff are not told of a mail template yet", template=broken.name, error=str(error))

    def _letter(self, mail: Mail, contact: Contact, sender: str) -> Letter:
        """Raises NoLetter."""
        from activities.mail.rendering import letters  # template engine and Markdown: at the first mail

        facts = facts_for(self._settings, self._namespace, mail, contact)
        writer = letters(self._settings.mail_templates)
        if (quoted := mail.quotes) is not None:
            said = {name: getattr(quoted, name) for name in QuotedMail.model_fields}
            original = mail.model_copy(update=said | {"quotes": None})
            facts |= self._quotation(original, contact)
        return writer.write(
            mail.template, mail.seller_id, contact.language, facts, sender, time_zone=contact.time_zone
        )

    def _quotation(self, original: Mail, teller: Contact) -> dict[str, str]:
        """Whom the original did not reach, and what it says; the supplier's link stays personal (RET-8)."""
        from activities.mail.rendering import letters

        found = self._contacts.addressee(original).contact
        reader = found or teller.model_copy(update={"name": "", "email": None})
        known = {"reader": original.to.value, "reader_name": reader.name}
        if reader.email and original.to is Recipient.BUYER:
            known["reader_email"] = reader.email
        facts = facts_for(self._settings, self._namespace, original, reader) | {"link": "(...)"}
        sender = one_line(reader.seller_name) if original.to is Recipient.BUYER else SENDER
        try:
            letter = letters(self._settings.mail_templates).write(
                original.template, original.seller_id, reader.language, facts, sender, time_zone=reader.time_zone
            )
        except NoLetter:
            return known
        return known | {"quoted_subject": letter.subject, "quoted_text": letter.text}

    def _message_id(self, key: str) -> str:
        """The same for each try, so that a mail server or reader can tell a doubled mail."""
        domain = self._sender_address("").domain
        return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>"

    def _sender_address(self, name: str) -> Address:
        return address_of(name, str(self._settings.mail_from))

    async def _deliver(self, message_id: str, to: Address, sender: str, contact: Contact, letter: Letter) -> None:
        """Raises NoAddress or Undeliverable when it can't go for good. An answering address that can't be used is
        left out: better a mail without one than no mail."""
        source = self._sender_address(sender)
        try:
            answers = address_of(sender, contact.reply_to) if contact.reply_to else None
        except NoAddress:
            answers = None
        for reply_to in (None,) if answers is None else (answers, None):
            message = message_of(
                letter, message_id=message_id, sender=source, to=to, reply_to=reply_to, language=contact.language
            )
            try:
                await self._server.deliver(message, source, to, *([reply_to] if reply_to else []))
            except NeedsInternationalMail:
                if reply_to is None or needs_international_mail(source, to):
                    raise
                continue
            return
