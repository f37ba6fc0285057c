"""Whom a mail server's refusal is about: its reader, the mail, or us, which staff mend (NTF-8, NTF-9)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from models.partners import MailSent
from models.settings import Settings
from tests.connectors.test_mail import AddressBook, eve, mail, mailer

ORDINARY = {"EHLO": "250 mail.example", "MAIL": "250 OK", "RCPT": "250 OK", "DATA": "354 go on", ".": "250 OK"}
ADDRESS = "the mail server refused the address"
MAIL = "the mail server refused the mail"
US = "mail from us"
LOGIN = "our login"
SENDER = "our own address"


@asynccontextmanager
async def mail_server(greeting: str = "220 ready", **answers: str) -> AsyncIterator[int]:
    """Says this to each command; gives its port."""
    said = ORDINARY | answers

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting}\r\n".encode())
        in_mail = False
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            while in_mail and line != ".":
                line = (await reader.readline()).decode().rstrip("\r\n")
            answer = said.get(line.partition(" ")[0].upper(), "250 OK")
            in_mail = answer.startswith("354")
            writer.write("".join(f"{part}\r\n" for part in answer.split("|")).encode())
        writer.close()

    listener = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def sent(settings: Settings, activities: ActivityEnvironment, port: int) -> MailSent:
    ours = settings.model_copy(update={"smtp_port": port})
    given: MailSent = await activities.run(mailer(ours, AddressBook(eve())).send_mail, mail())
    return given


@pytest.mark.parametrize(
    ("command", "answer", "about"),
    [
        ("RCPT", "554 5.7.1 <eve@buyer.example>: Relay access denied", US),
        ("RCPT", "550-5.7.1 you are|550 5.7.1 on a list", US),
        ("RCPT", "550 5.7.25 the reverse name of this host is not its own", US),
        ("RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", US),
        ("RCPT", "550 relay not permitted", US),
        ("RCPT", "553 5.7.1 <returns@backhaul.example>: not owned by user backhaul", US),
        ("DATA", "550 5.7.1 sender is not allowed", US),
        (".", "554 5.7.1 message is refused by policy", US),
        (".", "550 5.7.26 unauthenticated mail of this domain is not taken", US),
        ("RCPT", "550 5.1.8 <returns@backhaul.example>: domain not found", SENDER),
        ("RCPT", "550 5.7.27 the sender takes no mail itself", SENDER),
        ("RCPT", "530 5.7.0 log in first", LOGIN),
        ("RCPT", "550 5.7.9 log in another way", LOGIN),
        ("DATA", "535 5.7.8 who are you", LOGIN),
        (".", "550 5.7.13 the account is closed", LOGIN),
    ],
)
async def test_NTF_9_a_server_that_takes_no_mail_from_us_is_ours_to_mend(
    settings: Settings, activities: ActivityEnvironment, command: str, answer: str, about: str
) -> None:
    async with mail_server(**{command: answer}) as port:
        with pytest.raises(ApplicationError) as raised:
            await sent(settings, activities, port)
    assert (raised.value.type, raised.value.non_retryable) == ("ConnectionUnusable", True)
    assert f"{about} ({answer[:3]}" in raised.value.message
    assert "BACKHAUL_" in raised.value.message
    assert not [one for one in ("eve@", "returns@", "list", "policy") if one in raised.value.message]


@pytest.mark.parametrize(
    ("command", "answer", "why"),
    [
        ("RCPT", "550 5.1.1 <eve@buyer.example> unknown", f"{ADDRESS} (550)"),
        ("RCPT", "552 5.2.2 mailbox full", f"{ADDRESS} (552)"),
        ("RCPT", "550 5.2.1 mailbox disabled", f"{ADDRESS} (550)"),
        ("RCPT", "550 5.4.4 no such host", f"{ADDRESS} (550)"),
        ("RCPT", "550 5.7.2 nobody may write to this list", f"{ADDRESS} (550)"),
        ("RCPT", "550 5.7.17 the mailbox has another owner", f"{ADDRESS} (550)"),
        ("RCPT", "550 5.7.133 the group takes mail of its house alone", f"{ADDRESS} (550)"),
        ("RCPT", "550 <relay@buyer.example> unknown", f"{ADDRESS} (550)"),
        (".", "552 5.3.4 too large", f"{MAIL} (552)"),
        (".", "554 5.6.0 not a mail", f"{MAIL} (554)"),
    ],
)
async def test_NTF_8_what_a_reader_or_its_house_refuses_stays_the_readers(
    settings: Settings, activities: ActivityEnvironment, command: str, answer: str, why: str
) -> None:
    async with mail_server(**{command: answer}) as port:
        given = await sent(settings, activities, port)
    assert (given.state, given.reason) == ("undeliverable", why)


@pytest.mark.parametrize("answer", ["450 4.7.1 greylisted", "454 4.7.1 relay access denied for now", "421 busy"])
@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
async def test_NTF_8_a_policy_that_is_for_now_is_tried_again(
    settings: Settings, activities: ActivityEnvironment, command: str, answer: str
) -> None:
    async with mail_server(**{command: answer}) as port:
        with pytest.raises(ApplicationError) as raised:
            await sent(settings, activities, port)
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


@pytest.mark.parametrize(
    ("greeting", "answers"),
    [
        ("554 5.7.1 this host is on a list", {}),
        ("220 ready", {"EHLO": "550 5.7.1 who is that", "HELO": "550 5.7.1 who is that"}),
    ],
)
async def test_NTF_9_a_server_that_turns_us_away_at_its_door_is_ours_to_mend(
    settings: Settings, activities: ActivityEnvironment, greeting: str, answers: dict[str, str]
) -> None:
    async with mail_server(greeting, **answers) as port:
        with pytest.raises(ApplicationError) as raised:
            await sent(settings, activities, port)
    assert (raised.value.type, raised.value.non_retryable) == ("ConnectionUnusable", True)
    assert f"{US} (55" in raised.value.message


@pytest.mark.parametrize("greeting", ["421 4.3.2 shutting down", "gibberish"])
async def test_NTF_8_a_server_that_is_out_of_order_is_tried_again(
    settings: Settings, activities: ActivityEnvironment, greeting: str
) -> None:
    async with mail_server(greeting) as port:
        with pytest.raises(ApplicationError) as raised:
            await sent(settings, activities, port)
    assert raised.value.type == "PartnerUnavailable"


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"smtp_tls": True}, "BACKHAUL_SMTP_TLS"),
        ({"smtp_user": "mailer", "smtp_password": SecretStr("verysecretsmtp")}, "BACKHAUL_SMTP_USER"),
    ],
)
async def test_NTF_9_what_the_server_does_not_offer_is_ours_to_mend(
    settings: Settings, activities: ActivityEnvironment, change: dict[str, object], setting: str
) -> None:
    async with mail_server() as port:
        with pytest.raises(ApplicationError) as raised:
            await sent(settings.model_copy(update=change), activities, port)
    assert (raised.value.type, setting in raised.value.message) == ("ConnectionUnusable", True)
    assert "secret" not in raised.value.message
