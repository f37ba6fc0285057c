"""The mail sink: an SMTP server that keeps every mail and delivers none."""

import asyncio
import secrets
from email import message_from_bytes, message_from_string, policy
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from functools import lru_cache
from typing import Any, Final

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from starter.sandbox.facts import Fault, FaultKind, MailFact, PartnerName, RequestRecord
from starter.sandbox.store import Document, Store
from starter.sandbox.wire import Faults, write_down

# A header is parsed whenever it is looked at, and most are the same in every mail: each is parsed once.
_POLICY: Final = policy.default.clone(header_factory=lru_cache(maxsize=1_000)(HeaderRegistry()))
_CODES = {FaultKind.REFUSE: 550, FaultKind.RATE_LIMIT: 451, FaultKind.ERROR: 451}


class StoredMail(Document):
    kind = "mail"
    fact: MailFact


class MailSink:
    """Mails, and what aiosmtpd asks of its handler."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults
        self.connections: set[asyncio.Transport] = set()

    def hang_up(self) -> None:
        """Cut what is still connected: the sandbox ends."""
        for transport in list(self.connections):
            transport.abort()

    def protocol(self) -> asyncio.BaseProtocol:
        """One SMTP session; any user and password will do."""
        session: asyncio.BaseProtocol = _Session(
            self,
            hostname="sandbox",
            ident="Backhaul sandbox",
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
            authenticator=_anybody,
            auth_require_tls=False,
        )
        return session

    def is_down(self) -> bool:
        """Whether this connection meets a fault of a server that is down: `drop_before` without `match`."""
        fault = self._faults.take(PartnerName.MAIL, "", frozenset({FaultKind.DROP_BEFORE}))
        if fault is not None:
            self._write_down(None, None, fault)
        return fault is not None

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """A mail came in: keep it and say so, or play the fault. Returns the SMTP answer."""
        mail = self._read(envelope, session)
        fault = self._faults.take(PartnerName.MAIL, f"SMTP {', '.join(mail.recipients)}")
        kind = fault.kind if fault else None
        if fault is not None and fault.kind is FaultKind.DELAY:
            await self._faults.delay(fault)
        if fault is not None and fault.kind in _CODES:
            code = fault.status or _CODES[fault.kind]
            self._write_down(mail, code, fault)
            return f"{code} {'5' if code >= 500 else '4'}.3.0 {fault.code or 'refused by the sandbox'}"
        if kind is not FaultKind.DROP_BEFORE:
            self._store.put(StoredMail(id=mail.id, fact=mail))
        cut = kind in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER)
        self._write_down(mail, None if cut else 250, fault)
        if cut and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return f"250 2.0.0 kept as {mail.id}"

    def mails(self, to: str = "", subject: str = "") -> list[MailFact]:
        """Newest first; `to` and `subject` are parts, in any case."""
        found = [stored.fact for stored in reversed(self._store.find(StoredMail))]
        return [
            mail
            for mail in found
            if subject.lower() in mail.subject.lower() and to.lower() in ", ".join(mail.recipients).lower()
        ]

    def mail(self, id: str) -> MailFact | None:
        stored = self._store.get(StoredMail, id)
        return stored.fact if stored else None

    def _read(self, envelope: Envelope, session: Session) -> MailFact:
        raw = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        # With SMTPUTF8 headers are UTF-8 as they stand (RFC 6532); the parser of bytes takes them for ASCII.
        international = getattr(envelope, "smtp_utf8", False)
        message = (
            message_from_string(raw.decode(errors="replace"), policy=_POLICY)
            if international
            else message_from_bytes(raw, policy=_POLICY)
        )
        return MailFact(
            id=secrets.token_hex(8),
            at=self._store.now(),
            login=session.auth_data,
            sender=envelope.mail_from or "",
            recipients=tuple(envelope.rcpt_tos),
            subject=str(message.get("Subject", "")),
            message_id=message.get("Message-ID"),
            headers=tuple((name, str(value)) for name, value in message.items()),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )

    def _write_down(self, mail: MailFact | None, status: int | None, fault: Fault | None) -> None:
        body = None if mail is None else {"from": mail.sender, "to": mail.recipients, "subject": mail.subject}
        worked = status == 250 or (fault is not None and fault.kind is FaultKind.DROP_AFTER)
        write_down(
            self._store,
            RequestRecord(
                id=secrets.token_hex(8),
                at=self._store.now(),
                partner=PartnerName.MAIL,
                method="SMTP",
                path=", ".join(mail.recipients) if mail else "",
                body=body,
                status=status,
                work_done=worked,
                fault=fault.kind if fault else None,
            ),
        )


class _Session(SMTP):
    """One connection; the event handler is the sink."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            self.event_handler.connections.add(transport)
            if self.event_handler.is_down():
                transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.connections.discard(self.transport)
        super().connection_lost(error)


def _anybody(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Lets everybody in, and keeps the name, not the password."""
    name = data.login if isinstance(data, LoginPassword) else b""
    return AuthResult(success=True, auth_data=name.decode(errors="replace"))


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    return None if part is None else str(part.get_content())
