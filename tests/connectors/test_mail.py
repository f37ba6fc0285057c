"""Mail over real SMTP: one per event, in the right name, and no address in any error."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pydantic import SecretStr
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.mail.delivery import Mailer
from models.alerts import AlertKind, AlertTopic, AlertTurn
from models.failures import PartnerUnavailable
from models.links import return_of
from models.partners import Addressee, Contact, Mail
from models.settings import Settings
from starter.ops.ports import free_port
from starter.sandbox import SandboxClient


class AddressBook:
    """One contact for every mail, and the keys that are out."""

    def __init__(self, contact: Contact | None) -> None:
        self.known = contact
        self.out: dict[str, str] = {}

    def addressee(self, mail: Mail) -> Addressee:
        return Addressee(is_sent=mail.key in self.out, contact=self.known)

    def mark_sent(self, key: str, message_id: str) -> None:
        self.out[key] = message_id

    def turn(self, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        return AlertTurn(number=1, cases=7)


def eve(**more: Any) -> Contact:
    return Contact.model_validate(
        {"email": "eve@buyer.example", "name": "Eve Müller", "seller_name": "ACME Parts"}
        | {"reply_to": "shop@acme.example", "facts": {"order_number": "W-77"}}
        | more
    )


def mail(template: str = "rma_for_buyer", to: str = "buyer", key: str = "return-RR-1:rma", **more: Any) -> Mail:
    return Mail.model_validate(
        {"key": key, "template": template, "to": to, "order_id": "1001", "return_id": "RR-1", "seller_id": "acme"}
        | {"facts": {"rma_number": "RMA-7", "return_address": "Dock 4"}}
        | more
    )


def mailer(settings: Settings, book: AddressBook) -> Mailer:
    return Mailer(settings, book, book, book, "acme-live")


async def test_NTF_1_the_buyer_gets_text_and_html_in_the_sellers_name(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    sent = await activities.run(mailer(settings, AddressBook(eve())).send_mail, mail())
    (arrived,) = await sandbox.mails()
    headers = dict(arrived.headers)
    assert (sent.state, sent.message_id) == ("sent", arrived.message_id)
    assert arrived.recipients == ("eve@buyer.example",)
    assert arrived.subject == "How to send back your order W-77"
    assert headers["From"] == "ACME Parts <returns@backhaul.example>"
    assert headers["Reply-To"] == "ACME Parts <shop@acme.example>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert "Eve Müller" in (arrived.text or "")
    assert "RMA-7" in (arrived.html or "")
    assert "backhaul" not in (arrived.text or "").lower() + (arrived.html or "").lower()


async def test_NTF_1_the_seller_is_written_to_in_its_language_by_the_broker(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = AddressBook(eve(language="de", email="shop@acme.example", reply_to=None))
    await activities.run(mailer(settings, book).send_mail, mail("order_shipped", "seller"))
    (arrived,) = await sandbox.mails()
    assert arrived.subject == "Bestellung 1001 ist unterwegs"
    assert dict(arrived.headers)["From"] == "Backhaul <returns@backhaul.example>"
    assert dict(arrived.headers)["Content-Language"] == "de"


async def test_NTF_1_the_same_event_is_told_once(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = AddressBook(eve())
    first = await activities.run(mailer(settings, book).send_mail, mail())
    again = await activities.run(mailer(settings, book).send_mail, mail())
    other = await activities.run(mailer(settings, book).send_mail, mail(key="return-RR-1:reminder"))
    assert [first.state, again.state, other.state] == ["sent", "already", "sent"]
    assert first.message_id == again.message_id != other.message_id
    assert len(await sandbox.mails()) == 2


async def test_NTF_1_a_mail_that_was_sent_but_not_noted_has_the_same_message_id_again(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    for _ in range(2):
        await activities.run(mailer(settings, AddressBook(eve())).send_mail, mail())
    assert len({arrived.message_id for arrived in await sandbox.mails()}) == 1


class BooksAway(AddressBook):
    """Cannot note that a mail is out while it is away."""

    away = True

    def mark_sent(self, key: str, message_id: str) -> None:
        if self.away:
            raise PartnerUnavailable("the books do not answer")
        super().mark_sent(key, message_id)


async def test_NTF_1_a_mail_that_is_out_is_not_sent_again_because_the_books_were_away(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    books = BooksAway(eve())
    same_worker = mailer(settings, books)
    for _ in range(2):
        with pytest.raises(PartnerUnavailable):
            await activities.run(same_worker.send_mail, mail())
    books.away = False
    noted = await activities.run(same_worker.send_mail, mail())
    again = await activities.run(same_worker.send_mail, mail())

    assert [noted.state, again.state] == ["sent", "already"]
    assert len(await sandbox.mails()) == 1
    assert list(books.out) == [mail().key]


async def test_NTF_1_nobody_to_write_to_is_an_answer(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    for known in (None, eve(email=None), eve(email="")):
        sent = await activities.run(mailer(settings, AddressBook(known)).send_mail, mail())
        assert (sent.state, sent.reason) == ("no_address", "no e-mail address is known")
    assert await sandbox.mails() == []


async def test_RET_8_the_supplier_gets_its_link_which_no_history_holds(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = AddressBook(eve(facts={"supplier_order_number": "1001-1"}))
    await activities.run(mailer(settings, book).send_mail, mail("rma_request", "supplier", facts={}))
    (arrived,) = await sandbox.mails()
    link = next(word for word in (arrived.text or "").split() if "/rma/" in word)
    assert link.startswith(str(settings.front_url))
    assert return_of(settings, link.rpartition("/")[2]) == "RR-1"
    assert f'href="{link}"' in (arrived.html or "")


async def test_NTF_1_a_hostile_name_makes_no_header(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    hostile = 'Eve"\r\nBcc: all@x.example\r\n\r\n<b>'
    book = AddressBook(eve(name=hostile, seller_name=hostile))
    await activities.run(mailer(settings, book).send_mail, mail())
    (arrived,) = await sandbox.mails()
    assert arrived.recipients == ("eve@buyer.example",)
    assert "bcc" not in {name.lower() for name, _ in arrived.headers}


async def test_NTF_8_a_mail_that_is_refused_for_good_is_an_answer_that_says_why(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    await sandbox.add_fault("mail", "refuse")
    book = AddressBook(eve())
    refused = await activities.run(mailer(settings, book).send_mail, mail())
    assert (refused.state, refused.reason) == ("undeliverable", "the mail server refused the mail (550)")
    assert book.out == {}


@pytest.mark.parametrize("kind", ["rate_limit", "error", "drop_before"])
async def test_NTF_1_a_mail_server_in_trouble_is_tried_again(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment, kind: str
) -> None:
    await sandbox.add_fault("mail", kind)
    book = AddressBook(eve())
    with pytest.raises(ApplicationError) as raised:
        await activities.run(mailer(settings, book).send_mail, mail())
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)
    assert "eve" not in repr(raised.value).lower() + repr(raised.value.details).lower()
    assert book.out == {}
    assert (await activities.run(mailer(settings, book).send_mail, mail())).state == "sent"


async def test_NTF_1_a_mail_server_that_is_down_is_tried_again(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    down = settings.model_copy(update={"smtp_port": free_port()})
    with pytest.raises(ApplicationError) as raised:
        await activities.run(mailer(down, AddressBook(eve())).send_mail, mail())
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


async def test_NTF_1_a_mail_server_that_can_t_be_reached_is_left_alone_for_a_while(
    settings: Settings, activities: ActivityEnvironment
) -> None:
    tries = 0

    def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        writer.close()

    server = await asyncio.start_server(hangs_up, "127.0.0.1", 0)
    down = settings.model_copy(
        update={"smtp_port": server.sockets[0].getsockname()[1], "partner_longest_pause_seconds": 30.0}
    )
    post = mailer(down, AddressBook(eve()))
    for number in range(12):
        with pytest.raises(ApplicationError) as raised:
            await activities.run(post.send_mail, mail(key=f"return-RR-{number}:rma"))
    server.close()
    assert tries == 5
    assert "is not asked for a while" in raised.value.message
    assert (raised.value.type, raised.value.non_retryable) == ("PartnerUnavailable", False)


@pytest.mark.parametrize(
    ("port", "tls", "use_tls", "start_tls"),
    [(465, True, True, False), (587, True, False, True), (25, False, False, False)],
)
async def test_NTF_1_mail_is_encrypted_as_the_settings_say(
    settings: Settings,
    activities: ActivityEnvironment,
    monkeypatch: pytest.MonkeyPatch,
    port: int,
    tls: bool,
    use_tls: bool,
    start_tls: bool,
) -> None:
    asked: dict[str, Any] = {}

    async def send(message: object, **options: Any) -> None:
        asked.update(options)

    sending: Callable[..., Any] = send
    monkeypatch.setattr(aiosmtplib, "send", sending)
    secure = settings.model_copy(update={"smtp_port": port, "smtp_tls": tls})
    await activities.run(mailer(secure, AddressBook(eve())).send_mail, mail())
    assert (asked["use_tls"], asked["start_tls"]) == (use_tls, start_tls)


@asynccontextmanager
async def mail_server_that_knows(user: bytes, password: bytes) -> AsyncIterator[int]:
    """Lets this user alone log in, and quotes what it refuses; gives its port."""

    class Handler:
        async def handle_DATA(self, *_: object) -> str:
            return "250 OK"

    def let_in(server: SMTP, session: object, envelope: object, mechanism: str, data: LoginPassword) -> AuthResult:
        known = (data.login, data.password) == (user, password)
        refusal = f"535 5.7.8 no {data.login!r} with {data.password!r}"
        return AuthResult(success=known, handled=False, message=None if known else refusal)

    def session() -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = SMTP(Handler(), authenticator=let_in, auth_require_tls=False)
        return protocol

    listener = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def test_NTF_1_the_mailer_logs_in_and_a_wrong_password_is_refused_without_being_shown(
    settings: Settings, activities: ActivityEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with mail_server_that_knows(b"mailer", b"verysecretsmtp") as port:
        ours = settings.model_copy(
            update={"smtp_port": port, "smtp_user": "mailer", "smtp_password": SecretStr("verysecretsmtp")}
        )
        sent = await activities.run(mailer(ours, AddressBook(eve())).send_mail, mail())
        wrong = ours.model_copy(update={"smtp_password": SecretStr("wrongsecretsmtp")})
        with pytest.raises(ApplicationError) as raised:
            await activities.run(mailer(wrong, AddressBook(eve())).send_mail, mail())
    assert sent.state == "sent"
    assert (raised.value.type, raised.value.non_retryable) == ("ConnectionUnusable", True)
    assert "our login (535)" in raised.value.message
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value.details)
    assert "secretsmtp" not in shown
    ours_said = [line.getMessage() for line in caplog.records if not line.name.startswith("mail.log")]
    assert not [line for line in ours_said if "secretsmtp" in line]


# ---- alerts that many cases have in common ----

OUTAGE = AlertTopic(kind=AlertKind.OUTAGE, name="payment gateway")


class Turns(AddressBook):
    """A database that gives turns to whoever comes first, or does not answer at all."""

    def __init__(self, is_away: bool = False) -> None:
        super().__init__(Contact(email="staff@backhaul.example", name="Staff", seller_name=""))
        self.is_away = is_away
        self.taken: dict[str, int] = {}

    def turn(self, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        if self.is_away:
            raise PartnerUnavailable("the database does not answer: OperationalError")
        number = self.taken.setdefault(holder, len(self.taken) + 1)
        return AlertTurn(number=number if number <= most else None, cases=4321)

    def addressee(self, mail: Mail) -> Addressee:
        assert not self.is_away
        return super().addressee(mail)


def about(topic: AlertTopic, number: int) -> Mail:
    facts = {"what": "no answer", "case": f"order-{number}", "since": "2026-03-01T12:00:00Z"}
    outage = topic.kind is AlertKind.OUTAGE
    facts |= {"partner": topic.name} if outage else {"who_acts": "backhaul"}
    template = "partner_outage" if outage else "staff_alert"
    return mail(template, "staff", key=f"order-{number}:told", topic=topic, facts=facts)


async def test_NTF_9_of_ten_cases_one_mail_tells_that_a_partner_is_down_and_how_many_wait(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    post = mailer(settings, Turns())
    states = [(await activities.run(post.send_mail, about(OUTAGE, number))).state for number in range(10)]
    assert states == ["sent", *["already"] * 9]
    (letter,) = await sandbox.mails(to="staff")
    assert letter.subject == "The payment gateway does not answer: 4321 cases wait"
    assert "workflows?query=" in (letter.text or "")


async def test_NTF_9_the_same_fault_of_ours_in_ten_cases_is_told_five_times_the_last_says_how_often(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    post, fault = mailer(settings, Turns()), AlertTopic(kind=AlertKind.FAULT, name="send_refund")
    states = [(await activities.run(post.send_mail, about(fault, number))).state for number in range(10)]
    assert states == [*["sent"] * 5, *["already"] * 5]
    letters = await sandbox.mails(to="staff")
    assert sorted(letter.subject for letter in letters) == [f"order-{number}: no answer" for number in range(5)]
    assert ["4321" in (letter.text or "") for letter in letters].count(True) == 1


@pytest.mark.parametrize(
    ("stage", "in_worklist"), [("several_fit", True), ("not_taken", True), ("expired", False)]
)
async def test_NTF_9_ten_orphans_at_the_same_point_are_told_by_one_mail_with_their_number(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment, stage: str, in_worklist: bool
) -> None:
    post, topic = mailer(settings, Turns()), AlertTopic(kind=AlertKind.ORPHANS, name=stage)
    states = [(await activities.run(post.send_mail, about(topic, number))).state for number in range(10)]
    assert states == ["sent", *["already"] * 9]
    (letter,) = await sandbox.mails(to="staff")
    assert "4321" in (letter.text or "")
    assert ("Work%3D%22orphans%22" in (letter.text or "")) is in_worklist


async def test_NTF_9_staff_are_told_once_that_the_database_does_not_answer(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    post = mailer(settings, Turns(is_away=True))
    database = AlertTopic(kind=AlertKind.OUTAGE, name="database")
    states = [(await activities.run(post.send_mail, about(database, number))).state for number in range(3)]
    assert states == ["sent", "already", "already"]
    (letter,) = await sandbox.mails(to="staff")
    assert letter.subject == "The database does not answer"


async def test_NTF_9_an_alert_about_another_partner_waits_for_the_database(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    with pytest.raises(PartnerUnavailable):
        await activities.run(mailer(settings, Turns(is_away=True)).send_mail, about(OUTAGE, 1))
    assert await sandbox.mails(to="staff") == []
