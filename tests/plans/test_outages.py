"""What a case tells staff of a partner that is down: for all cases together, once an hour (NTF-9)."""

from datetime import timedelta

from models.alerts import AlertKind, AlertTopic
from models.failures import Category
from models.partners import Recipient
from models.worklists import Work
from tests.plans.returns.return_rig import ReturnStory, requested
from tests.plans.rig import Troubled
from workflows.engine.case import SendMail
from workflows.engine.pieces import GATHERING
from workflows.engine.worklists import held_up_by, work_of
from workflows.returns.view import view

SERVICE = {"rma": "service"}
BREMBO = AlertTopic(kind=AlertKind.OUTAGE, name="supplier brembo")
DOWN = Troubled("PartnerUnavailable: no answer", alert=True, topic=BREMBO)


def held_up(why: Troubled = DOWN) -> ReturnStory:
    """A return that waits for an RMA number of a supplier whose service is in trouble."""
    story = requested(SERVICE)
    story.world.rma = why
    return story.approved()


def outages(story: ReturnStory) -> list[SendMail]:
    return story.letters("partner_outage")


def test_NTF_9_an_outage_is_told_with_its_partner_once_the_cases_of_a_minute_can_be_counted() -> None:
    story = held_up()
    assert (outages(story), story.alerts) == ([], [])
    assert story.plan.wake_at == story.now + GATHERING
    story.now += GATHERING
    story.settle()
    (mail,) = outages(story)
    assert (mail.to, mail.topic, mail.facts["partner"]) == (Recipient.STAFF, BREMBO, "supplier brembo")
    assert mail.facts["what"].endswith(DOWN.reason)
    assert story.alerts == [], "this case has no mail of its own"
    assert any("no success yet" in step for step in story.steps), "and knows its trouble"


def test_NTF_9_a_partner_that_answers_within_the_minute_is_nobodys_business() -> None:
    story = held_up()
    story.says("supplier_rma", outcome="issued", rma_number="RMA-7", return_address="Dock 4")
    story.now += GATHERING
    story.settle()
    assert outages(story) == []


def test_NTF_9_a_case_asks_for_the_mail_of_each_hour_once() -> None:
    story = held_up()
    for _ in range(8):
        story.clock(timedelta(minutes=15))
    keys = [mail.key for mail in outages(story)]
    assert len(keys) == len(set(keys)) == 2


def test_NTF_9_a_case_says_what_holds_it_up_until_it_goes_on() -> None:
    story = held_up()
    assert held_up_by(story.facts) == ("outage:supplier brembo",)
    assert Work.PARTNER_IN_TROUBLE in work_of(story.facts, view(story.facts, story.plan), story.plan.waits)
    story.says("supplier_rma", outcome="issued", rma_number="RMA-7", return_address="Dock 4")
    assert held_up_by(story.facts) == ()


def test_NTF_9_a_trouble_that_does_not_last_yet_is_not_counted() -> None:
    assert held_up_by(held_up(Troubled("no answer", topic=BREMBO)).facts) == ()


def test_NTF_9_a_fault_of_ours_is_told_by_the_case_at_once_and_says_of_what_kind_it_is() -> None:
    fault = AlertTopic(kind=AlertKind.FAULT, name="request_rma")
    story = held_up(Troubled("Internal: a bug", Category.INTERNAL, alert=True, topic=fault))
    (mail,) = story.letters("staff_alert")
    assert (mail.topic, mail.facts["case"]) == (fault, story.facts.case_id)
