"""A mail template that does not work is a fault of the installation: staff are told, nothing is lost, and it goes
on when it is mended (NTF-8, NTF-9)."""

from datetime import datetime
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities.mail.delivery import Mailer
from models.alerts import AlertTopic, AlertTurn
from models.failures import PartnerUnavailable
from models.partners import Addressee, Contact, Mail, Recipient
from models.settings import Settings
from starter.sandbox import SandboxClient
from tests.connectors.test_mail import Turns, eve, mail, mailer


class Books(Turns):
    """Who everybody is, and one turn for each topic. `is_away`: of turns alone."""

    def addressee(self, mail: Mail) -> Addressee:
        staff = Contact(email="staff@backhaul.example", name="Staff", seller_name="")
        return Addressee(is_sent=mail.key in self.out, contact=staff if mail.to is Recipient.STAFF else eve())

    def turn(self, topic: AlertTopic, holder: str, hour: datetime, most: int) -> AlertTurn:
        if self.is_away:
            raise PartnerUnavailable("the database does not answer: OperationalError")
        number = self.taken.setdefault(topic.key, 0) + 1
        self.taken[topic.key] = number
        return AlertTurn(number=number if number <= most else None)


class Installation:
    """A folder of templates, and the mailer that uses it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self.books = Books()
        self.mailer: Mailer = mailer(settings.model_copy(update={"mail_templates": folder}), self.books)

    def template(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.fixture
def shop(settings: Settings, sandbox: SandboxClient, tmp_path: Path) -> Installation:
    return Installation(settings, tmp_path)


async def test_NTF_9_staff_are_told_once_of_a_broken_template_and_every_mail_goes(
    shop: Installation, sandbox: SandboxClient
) -> None:
    shop.template("acme/en/rma_for_buyer.md", "Subject: {{ rma_numbr }}\n")
    states = [(await shop.mailer.send_mail(mail(key=f"return-RR-{n}:rma"))).state for n in range(3)]
    assert states == ["sent"] * 3
    assert {one.subject for one in await sandbox.mails(to="eve")} == {"How to send back your order W-77"}
    (told,) = await sandbox.mails(to="staff")
    assert told.subject == (
        "return-RR-0: the mail template acme/en/rma_for_buyer.md does not work (no mail of this kind has "
        "rma_numbr); the built-in one is sent until it is mended"
    )
    assert "The next mail about it comes after" in (told.text or "")
    assert "worklist" not in (told.text or "")


async def test_NTF_9_each_broken_template_is_told(shop: Installation, sandbox: SandboxClient) -> None:
    shop.template("acme/en/rma_for_buyer.md", "{{")
    shop.template("en/rma_for_seller.md", "no subject")
    await shop.mailer.send_mail(mail())
    await shop.mailer.send_mail(mail("rma_for_seller", "seller", "return-RR-1:rma-seller"))
    told = [one.subject for one in await sandbox.mails(to="staff")]
    assert len(told) == 2
    assert all("does not work" in one for one in told)


async def test_NTF_9_a_broken_template_for_alerts_is_told_by_the_built_in_one(
    shop: Installation, sandbox: SandboxClient
) -> None:
    shop.template("en/staff_alert.md", "{{")
    alert = mail("staff_alert", "staff", facts={"what": "look", "case": "return-RR-1"})
    assert (await shop.mailer.send_mail(alert)).state == "sent"
    told = sorted(one.subject.partition(" (")[0] for one in await sandbox.mails(to="staff"))
    assert told == ["return-RR-1: look", "return-RR-1: the mail template en/staff_alert.md does not work"]


async def test_NTF_9_a_mail_without_a_template_that_works_is_told_and_goes_when_there_is_one(
    shop: Installation, sandbox: SandboxClient
) -> None:
    for _ in range(2):
        with pytest.raises(ApplicationError, match="does not work") as raised:
            await shop.mailer.send_mail(mail("nonsense"))
        assert (raised.value.type, raised.value.non_retryable) == ("Internal", False)
    (told,) = await sandbox.mails(to="staff")
    assert (
        "nonsense.md does not work (there is no nonsense.md); there is no other: such mails wait" in told.subject
    )
    shop.template("en/nonsense.md", "Subject: mended\n")
    assert (await shop.mailer.send_mail(mail("nonsense"))).state == "sent"
    assert [one.subject for one in await sandbox.mails(to="eve")] == ["mended"]


async def test_NTF_9_a_mail_does_not_wait_until_staff_can_be_told_of_its_template(
    shop: Installation, sandbox: SandboxClient
) -> None:
    shop.template("acme/en/rma_for_buyer.md", "{{")
    shop.books.is_away = True
    assert (await shop.mailer.send_mail(mail())).state == "sent"
    assert await sandbox.mails(to="staff") == []
    shop.books.is_away = False
    await shop.mailer.send_mail(mail(key="return-RR-2:rma"))
    assert len(await sandbox.mails(to="staff")) == 1
