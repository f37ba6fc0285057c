"""What a sent mail leads to: the mail that did not arrive (NTF-8), and what its reader does next."""

from temporalio.testing import ActivityEnvironment

from models.partners import Addressee, Contact, Mail
from models.settings import Settings
from starter.sandbox import SandboxClient
from tests.connectors.test_mail import AddressBook, eve, mail, mailer

# ---- NTF-8: a mail about a mail that did not arrive ----


class Book(AddressBook):
    """Another contact for each reader."""

    def __init__(self, **contacts: Contact) -> None:
        super().__init__(None)
        self.contacts = contacts

    def addressee(self, mail: Mail) -> Addressee:
        return Addressee(is_sent=mail.key in self.out, contact=self.contacts.get(mail.to.value))


def undelivered(template: str, to: str, **facts: str) -> Mail:
    quotes = {"template": template, "to": to, "facts": facts, "lines": [{"sku": "A", "quantity": 2}]}
    why = {"why": "the mail server refused the address (550)"}
    return mail("mail_undelivered", "seller", "return-RR-1:undelivered", facts=why, quotes=quotes)


async def test_NTF_8_the_seller_reads_whom_it_did_not_reach_why_and_what_it_said(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    titles = {"A": "Brake disc"}
    book = Book(
        seller=eve(email="shop@acme.example", name="ACME Parts", reply_to=None),
        buyer=eve(language="de", time_zone="Europe/Berlin", titles=titles),
    )
    said = {"rma_number": "RMA-7", "return_address": "Dock 4, Reno", "due": "2026-03-02T14:00:00Z"}
    await activities.run(mailer(settings, book).send_mail, undelivered("rma_for_buyer", "buyer", **said))
    (arrived,) = await sandbox.mails()
    text = (arrived.text or "").replace("\r\n", "\n")
    assert arrived.recipients == ("shop@acme.example",)
    assert arrived.subject == "Return RR-1: our e-mail did not reach the buyer"
    assert "did not reach the buyer, Eve Müller (eve@buyer.example): the mail server refused the address" in text
    assert "So senden Sie Ihre Bestellung W-77 zurück" in text
    assert "> 2 x Brake disc (A)" in text
    assert "> Dock 4\n> Reno" in text
    assert "Montag, 2. März 2026, 15:00 Uhr MEZ" in text
    assert "<blockquote>" in (arrived.html or "")


async def test_NTF_8_RET_8_the_suppliers_link_stays_personal(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = Book(seller=eve(email="shop@acme.example", reply_to=None), supplier=eve(email="s@sup.example"))
    await activities.run(mailer(settings, book).send_mail, undelivered("rma_request", "supplier"))
    (arrived,) = await sandbox.mails()
    assert "did not reach the supplier, Eve Müller: " in (arrived.text or "")
    assert "/rma/" not in (arrived.text or "") + (arrived.html or "")


async def test_NTF_8_a_mail_to_somebody_whom_nobody_knows_is_told_all_the_same(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    book = Book(seller=eve(email="shop@acme.example", reply_to=None))
    sent = await activities.run(mailer(settings, book).send_mail, undelivered("nonsense", "buyer"))
    (arrived,) = await sandbox.mails()
    assert sent.state == "sent"
    assert "did not reach the buyer: the mail server refused" in (arrived.text or "")


# ---- what to do next, and where ----


async def test_NTF_3_staff_are_led_to_the_case_in_the_temporal_ui(
    settings: Settings, sandbox: SandboxClient
) -> None:
    """In its own namespace, whether a worker writes or a command (`backhaul reconcile`)."""
    alert = mail("staff_alert", "staff", "refund-RF-1:alert-x", facts={"what": "look", "case": "refund-RF-1"})
    await mailer(settings, AddressBook(eve())).send_mail(alert)
    (arrived,) = await sandbox.mails()
    page = "http://127.0.0.1:8233/namespaces/acme-live/workflows/refund-RF-1"
    assert page in (arrived.text or "")
    assert f'href="{page}"' in (arrived.html or "")


async def test_NTF_1_a_seller_is_led_to_its_page_or_told_the_command(
    settings: Settings, sandbox: SandboxClient, activities: ActivityEnvironment
) -> None:
    asked = mail("return_requested", "seller", "return-RR-1:requested", facts={})
    await activities.run(mailer(settings, AddressBook(eve())).send_mail, asked)
    (told,) = await sandbox.mails()
    assert "backhaul return approve RR-1 --actor seller:acme" in (told.text or "")
    paged = settings.model_copy(update={"seller_page_url": "https://sellers.example/cases"})
    other = asked.model_copy(update={"key": "return-RR-1:again"})
    await activities.run(mailer(paged, AddressBook(eve())).send_mail, other)
    led = (await sandbox.mails())[0]
    assert "https://sellers.example/cases/return-RR-1" in (led.text or "")
    assert "backhaul return" not in (led.text or "")
