"""The mail sink takes mails over SMTP, keeps them and shows them."""

import re
from email.message import EmailMessage
from html import unescape
from typing import Any

import aiosmtplib
import httpx
import pytest

from starter.sandbox import RunningSandbox, SandboxClient


def letter(to: str = "buyer@example.com", subject: str = "Your RMA – RR-1001-1") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "returns@backhaul.example"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@backhaul.example>"
    message.set_content("Write RMA-7 on the parcel: <b>Grüße</b>")
    message.add_alternative("<p>RMA-7</p><script>alert(1)</script>", subtype="html")
    return message


async def send(running: RunningSandbox, message: EmailMessage) -> None:
    await aiosmtplib.send(message, hostname=running.smtp_host, port=running.smtp_port, timeout=5)


async def test_NTF_1_a_mail_is_kept_with_text_and_html(running: RunningSandbox, sandbox: SandboxClient) -> None:
    await send(running, letter())
    await send(running, letter("seller@example.com", "Out of stock"))
    (mail,) = await sandbox.mails(to="buyer@", subject="rma")
    assert mail.subject == "Your RMA – RR-1001-1"
    assert (mail.recipients, mail.message_id) == (("buyer@example.com",), "<1@backhaul.example>")
    assert mail.text is not None
    assert "Grüße" in mail.text
    assert mail.html is not None
    assert "<p>RMA-7</p>" in mail.html
    assert len((await sandbox.effects()).mails) == 2
    assert [one.status for one in await sandbox.requests("mail")] == [250, 250]


async def test_NTF_1_the_mail_server_lets_everybody_in_and_keeps_who_it_was_without_the_password(
    running: RunningSandbox, sandbox: SandboxClient
) -> None:
    server: dict[str, Any] = {"hostname": running.smtp_host, "port": running.smtp_port, "timeout": 5}
    await aiosmtplib.send(letter(), username="mailer", password="verysecretsmtp", **server)
    await aiosmtplib.send(letter(), **server)
    anonymous, known = await sandbox.mails()
    assert (known.login, anonymous.login) == ("mailer", None)
    assert "verysecretsmtp" not in f"{await sandbox.mails()} {await sandbox.requests('mail')}"


async def test_NTF_1_the_page_shows_mails_and_never_runs_what_is_in_them(
    running: RunningSandbox, sandbox: SandboxClient
) -> None:
    await send(running, letter())
    (mail,) = await sandbox.mails()
    async with httpx.AsyncClient(base_url=running.http_url) as browser:
        listed = (await browser.get("/mail", params={"to": "buyer"})).text
        assert f"/mail/{mail.id}" in listed
        assert "/mail/" + mail.id not in (await browser.get("/mail", params={"to": "nobody"})).text
        page = await browser.get(f"/mail/{mail.id}")
        assert (await browser.get("/mail/none")).status_code == 404
    assert "Write RMA-7 on the parcel: &lt;b&gt;Grüße&lt;/b&gt;" in page.text
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<html><HEAD lang="en"><title>x</title></HEAD>', '<html><HEAD lang="en"><base target="_blank"><title>x'),
        ("<p>no head</p><header>", '<base target="_blank"><p>no head</p><header>'),
    ],
)
async def test_NTF_2_a_link_of_a_mail_opens_in_a_tab_of_its_own(
    running: RunningSandbox, sandbox: SandboxClient, html: str, shown: str
) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "RMA number", "a@x.example", "supplier@x.example"
    message.set_content("Please open http://127.0.0.1:8252/rma/abc?<x>\n")
    message.add_alternative(html, subtype="html")
    await aiosmtplib.send(message, hostname=running.smtp_host, port=running.smtp_port)
    (mail,) = await sandbox.mails()
    async with httpx.AsyncClient(base_url=running.http_url) as browser:
        page = await browser.get(f"/mail/{mail.id}")
    framed = re.search(r'srcdoc="([^"]*)"', page.text)
    assert framed is not None
    assert unescape(framed.group(1)).startswith(shown)
    link = r'<a href="http://127.0.0.1:8252/rma/abc[^"]*" rel="noopener noreferrer" target="_blank">'
    assert re.search(link, page.text)
    assert "<x>" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(("status", "code"), [(None, 550), (452, 452)])
async def test_NTF_1_the_mail_server_can_refuse(
    running: RunningSandbox, sandbox: SandboxClient, status: int | None, code: int
) -> None:
    await sandbox.add_fault("mail", "refuse", "buyer@", status=status)
    await send(running, letter("seller@example.com"))
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(running, letter())
    assert refused.value.code == code
    await send(running, letter())
    assert len(await sandbox.mails(to="buyer@")) == 1


async def test_NTF_1_the_mail_server_can_be_down(running: RunningSandbox, sandbox: SandboxClient) -> None:
    await sandbox.add_fault("mail", "drop_before", times=None)
    for _ in range(2):
        with pytest.raises((aiosmtplib.SMTPException, OSError)):
            await send(running, letter())
    await sandbox.clear_faults()
    await send(running, letter())
    assert len(await sandbox.mails()) == 1


async def test_NTF_1_a_mail_may_have_arrived_although_nobody_said_so(
    running: RunningSandbox, sandbox: SandboxClient
) -> None:
    await sandbox.add_fault("mail", "drop_after")
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await send(running, letter())
    assert len(await sandbox.mails()) == 1
    (asked,) = await sandbox.requests("mail")
    assert (asked.status, asked.work_done, asked.fault) == (None, True, "drop_after")
