"""Addresses beyond ASCII, addresses that are none, and headers as RFC 5322 wants them (NTF-8)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.mail.letter import Letter
from activities.mail.message import NoAddress, address_of, message_of
from models.partners import MailSent
from models.settings import Settings
from starter.sandbox import SandboxClient
from tests.connectors.test_mail import AddressBook, eve, mail, mailer


class Server:
    """A mail server of another house: it may offer SMTPUTF8, refuse senders or recipients, or be full for now."""

    def __init__(self, rcpt: str = "250 OK", sender: str = "250 OK") -> None:
        self.rcpt = rcpt
        self.sender = sender
        self.got: list[Envelope] = []

    async def handle_MAIL(
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self.sender.startswith("250"):
            envelope.mail_from = address
        return self.sender

    async def handle_RCPT(self, server: SMTP, session: object, envelope: Envelope, to: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:
        self.got.append(envelope)
        return "250 OK"


@asynccontextmanager
async def mail_server(handler: Server, *, utf8: bool) -> AsyncIterator[int]:
    """Gives its port."""

    def session() -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = SMTP(handler, enable_SMTPUTF8=utf8)
        return protocol

    listener = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def sent_to(
    settings: Settings, activities: ActivityEnvironment, server: Server, *, utf8: bool, **contact: Any
) -> MailSent:
    async with mail_server(server, utf8=utf8) as port:
        ours = settings.model_copy(update={"smtp_port": port})
        given: MailSent = await activities.run(mailer(ours, AddressBook(eve(**contact))).send_mail, mail())
    return given


async def test_NTF_8_a_buyer_whose_address_is_beyond_ascii_gets_its_mail(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = AddressBook(eve(email="jörg@shop-mail.example", name="Jörg Ünal"))
    sent = await activities.run(mailer(settings, book).send_mail, mail())
    (arrived,) = await sandbox.mails()
    assert sent.state == "sent"
    assert arrived.recipients == ("jörg@shop-mail.example",)
    assert dict(arrived.headers)["To"] == "Jörg Ünal <jörg@shop-mail.example>"
    assert "Jörg Ünal" in (arrived.text or "")


async def test_NTF_8_where_the_server_does_not_offer_smtputf8_it_can_not_go(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    server = Server()
    sent = await sent_to(settings, activities, server, utf8=False, email="jörg@shop-mail.example")
    why = "the address has letters beyond ASCII, and the mail server does not offer SMTPUTF8"
    assert (sent.state, sent.reason, server.got) == ("undeliverable", why, [])


async def test_NTF_8_a_domain_beyond_ascii_needs_no_smtputf8(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    server = Server()
    sent = await sent_to(settings, activities, server, utf8=False, email="bo@bücher.example")
    assert sent.state == "sent"
    assert server.got[0].rcpt_tos == ["bo@xn--bcher-kva.example"]


async def test_NTF_8_a_sellers_address_for_answers_keeps_no_buyer_from_its_mail(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    for utf8, answers in ((True, True), (False, False)):
        server = Server()
        sent = await sent_to(settings, activities, server, utf8=utf8, reply_to="büro@acme.example")
        assert sent.state == "sent"
        assert ("büro@acme.example".encode() in (server.got[0].content or b"")) is answers


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 5.1.1 <eve@buyer.example> unknown", "the mail server refused the address (550)"),
        ("553 5.1.3 no", "the mail server refused the address (553)"),
    ],
)
async def test_NTF_8_an_address_that_is_refused_for_good_is_an_answer_without_the_servers_words(
    settings: Settings, activities: ActivityEnvironment, answer: str, reason: str
) -> None:
    sent = await sent_to(settings, activities, Server(answer), utf8=True)
    assert (sent.state, sent.reason) == ("undeliverable", reason)


@pytest.mark.parametrize("answer", ["450 4.2.1 later", "451 4.7.1 greylisted"])
async def test_NTF_8_what_may_go_later_is_tried_again(
    settings: Settings, activities: ActivityEnvironment, answer: str
) -> None:
    with pytest.raises(ApplicationError) as raised:
        await sent_to(settings, activities, Server(answer), utf8=True)
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)
    assert answer[:3] in raised.value.message


LOG_IN = "our login (530): correct BACKHAUL_SMTP_USER and BACKHAUL_SMTP_PASSWORD,"


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (
            Server(sender="550 5.7.1 <returns@backhaul.example> may not"),
            "our own address (550): correct BACKHAUL_MAIL_FROM,",
        ),
        (
            Server(sender="530 5.7.0 log in first"),
            LOG_IN,
        ),
        (
            Server("530 5.7.0 log in first"),
            LOG_IN,
        ),
    ],
)
async def test_NTF_9_what_is_wrong_with_our_own_settings_is_told_at_once(
    settings: Settings, activities: ActivityEnvironment, server: Server, said: str
) -> None:
    with pytest.raises(ApplicationError) as raised:
        await sent_to(settings, activities, server, utf8=True)
    assert (raised.value.type, raised.value.non_retryable) == ("ConnectionUnusable", True)
    assert said in raised.value.message
    assert "returns@" not in raised.value.message


async def test_NTF_8_a_mail_that_is_too_large_is_refused_alone(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    sent = await sent_to(settings, activities, Server(sender="552 5.3.4 too large"), utf8=True)
    assert (sent.state, sent.reason) == ("undeliverable", "the mail server refused the mail (552)")


@pytest.mark.parametrize(
    "email", ["x", "a b@x.example", "@x.example", "eve@", "eve@b.example\r\nBcc: x@y.example"]
)
async def test_NTF_8_what_is_no_address_is_an_answer(
    settings: Settings, activities: ActivityEnvironment, email: str
) -> None:
    sent = await sent_to(settings, activities, Server(), utf8=True, email=email)
    assert (sent.state, sent.reason) == ("undeliverable", "the address is not one that a mail can go to")


# ---- headers ----


def raw(subject: str, name: str = "Eve", email: str = "eve@buyer.example", domain: str = "b.example") -> bytes:
    message = message_of(
        Letter(subject, "text", "<p>text</p>"),
        message_id=f"<{'a' * 32}@{domain}>",
        sender=address_of("ACME " + "Parts" * 20, f"returns@{domain}"),
        to=address_of(name, email),
        reply_to=None,
        language="en",
    )
    return message.as_bytes()


SUBJECTS = [
    head + "x" * length + tail
    for length in (1, 2, *range(58, 82), 98, 190)
    for head in ("", "Order ", "Rücksendung ")
    for tail in ("", " waits for you", ": é waits", " " + "y" * 70)
]


@pytest.mark.parametrize("email", ["eve@buyer.example", "jörg@buyer.example"])
def test_NTF_1_no_header_begins_with_an_empty_line_and_each_is_read_as_it_was_written(email: str) -> None:
    for subject in SUBJECTS:
        written = raw(subject, email=email, domain="d" * 50 + ".example")
        head = written.partition(b"\r\n\r\n")[0]
        lines = head.split(b"\r\n")
        assert not [line for line in lines if re.fullmatch(rb"[\w-]+:\s*|\s*", line)], (subject, head)
        assert all(len(line) < 998 for line in lines)
        if email.isascii():
            assert message_from_bytes(written, policy=policy.default)["Subject"] == subject


@pytest.mark.parametrize("subject", ["x" * 72 + " waits", "Order " + "1" * 66])
def test_NTF_1_a_folded_subject_keeps_to_78_letters_a_line(subject: str) -> None:
    lines = raw(subject).partition(b"\r\nDate:")[0].partition(b"Subject:")[2].split(b"\r\n")
    assert all(len(line) <= 78 - len("Subject:") for line in lines[:1])
    assert all(len(line) <= 78 for line in lines)


@pytest.mark.parametrize("email", ["nobody", "eve@", "a@b@c d"])
def test_NTF_8_an_impossible_address_says_so(email: str) -> None:
    with pytest.raises(NoAddress, match="not one that a mail can go to"):
        address_of("Eve", email)
