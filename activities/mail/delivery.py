"""Mail by SMTP: one per event, text and HTML, with no address in histories, logs or errors (NTF-1)."""

import asyncio
import hashlib
from email.headerregistry import Address
from typing import Final, Protocol

from temporalio import activity

from activities.mail.alerts import SharedAlerts, Turns
from activities.mail.letter import Letter, one_line
from activities.mail.message import NoAddress, address_of, message_of, needs_international_mail
from activities.mail.reader import facts_for
from activities.mail.smtp import MailServer, NeedsInternationalMail, Undeliverable, mail_failure
from models.failures import BackhaulError, PartnerUnavailable
from models.partners import Addressee, Contact, Mail, MailSent, QuotedMail, Recipient
from models.settings import Settings

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

        Raises `PartnerUnavailable` while the mail server is down or says: later; `InvalidInput` for a template
        that does not exist.
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
        try:
            letter = await asyncio.to_thread(self._letter, mail, contact, sender)
        except BackhaulError as error:
            raise mail_failure(error.category, str(error)) from None
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
        letter = await asyncio.to_thread(self._letter, mail, staff, SENDER)
        await self._deliver(message_id, address_of(staff.name, staff.email or ""), SENDER, staff, letter)
        return MailSent(state="sent", message_id=message_id)

    async def _note(self, key: str, message_id: str) -> MailSent:
        self._out.add(key)
        await asyncio.to_thread(self._outbox.mark_sent, key, message_id)
        self._out.discard(key)
        return MailSent(state="sent", message_id=message_id)

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
        from activities.mail.rendering import NoLetter, letters

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
