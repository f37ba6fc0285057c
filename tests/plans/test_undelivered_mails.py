"""A mail that can't go is somebody's business (NTF-8): in every kind of case, told once, and never in a loop."""

from datetime import timedelta
from typing import Any

from models.alerts import AlertKind, AlertTopic
from models.contract import RETURN_KIND
from models.failures import Category
from models.partners import Recipient
from models.refunds import RefundState
from models.worklists import Work
from tests.plans.orders.order_rig import Order
from tests.plans.refunds.story import RefundStory, duplicate, says
from tests.plans.returns.return_rig import ReturnStory, unopened
from tests.plans.rig import Failed, Given, Rig, Troubled
from workflows.engine.case import Effect, SendMail
from workflows.engine.mail import mail_of
from workflows.engine.worklists import held_up_by, work_of
from workflows.returns.view import view

WHY = "the mail server refused the address (550)"


class Unreachable:
    """A world in which mails to some people can't go, for good or for now."""

    def __init__(self, world: Any, whom: tuple[Recipient, ...], why: Given) -> None:
        self._world, self._whom, self._why = world, whom, why

    def answer(self, effect: Effect, facts: Any) -> Given:
        if isinstance(effect, SendMail) and effect.to in self._whom:
            return self._why
        given: Given = self._world.answer(effect, facts)
        return given


def without_reaching(rig: Rig[Any], *whom: Recipient, why: Given = Failed(WHY)) -> None:  # noqa: B008
    rig.world = Unreachable(rig.world, whom, why)


def a_return(*whom: Recipient) -> ReturnStory:
    """A return whose supplier gives its number by e-mail; mails to `whom` can't go."""
    story = unopened({"rma": "email"})
    without_reaching(story, *whom)
    story.rest()
    return story


def with_rma(story: ReturnStory) -> ReturnStory:
    return story.approved().says("supplier_rma", outcome="issued", rma_number="RMA-77", reason=None)


def told(rig: Rig[Any]) -> list[tuple[str, str, str]]:
    """Who is told of which mail that did not arrive, and to whom it was."""
    return [(one.to.value, one.quotes.template, one.quotes.to.value) for one in rig.mails() if one.quotes]


# ---- returns ----


def test_NTF_8_RET_9_number_and_address_that_do_not_reach_the_buyer_are_told_to_seller_and_staff() -> None:
    story = with_rma(a_return(Recipient.BUYER))
    assert told(story) == [("seller", "rma_for_buyer", "buyer"), ("staff", "rma_for_buyer", "buyer")]
    (to_seller,) = story.letters("mail_undelivered")
    assert to_seller.facts == {"why": WHY}
    assert to_seller.quotes is not None
    assert to_seller.quotes.facts["rma_number"] == "RMA-77"
    assert to_seller.quotes.facts["return_address"] == "1 Depot Way, Reno"
    assert f"E-mail buyer: rma for buyer: could not be sent ({WHY})" in story.steps


def test_NTF_8_a_reminder_that_does_not_reach_the_buyer_is_the_sellers_business_alone() -> None:
    story = with_rma(a_return(Recipient.BUYER)).days(8)
    assert told(story)[2:] == [("seller", "tracking_reminder", "buyer")]


def test_NTF_8_RET_8_a_link_that_does_not_reach_the_supplier_is_told_to_staff_too() -> None:
    story = a_return(Recipient.SUPPLIER).approved()
    assert told(story) == [("seller", "rma_request", "supplier"), ("staff", "rma_request", "supplier")]


def test_NTF_8_what_does_not_reach_the_seller_is_told_to_staff_and_the_return_goes_on() -> None:
    story = with_rma(a_return(Recipient.SELLER))
    assert told(story) == [("staff", "return_requested", "seller"), ("staff", "rma_for_seller", "seller")]
    assert story.waits == [("awaiting_tracking", "buyer")]


def test_NTF_8_a_mail_about_an_undeliverable_mail_is_never_a_loop() -> None:
    story = with_rma(a_return(*Recipient)).days(100)
    about_rma = [one for one in story.mails() if one.quotes and one.quotes.template == "rma_for_buyer"]
    assert [(one.key, one.to.value) for one in about_rma] == [
        ("mail:undelivered-rma-buyer", "seller"),
        ("mail:alert-undelivered-rma-buyer", "staff"),
        ("mail:alert-undelivered-undelivered-rma-buyer", "staff"),
    ]
    assert story.is_over


def test_NTF_8_what_did_not_arrive_is_told_though_the_return_has_ended() -> None:
    story = a_return(Recipient.BUYER).says("seller_approval", decision="rejected", reason="too old")
    assert told(story) == [("seller", "return_rejected", "buyer")]
    assert story.is_over


def test_NTF_9_staff_are_told_of_a_return_that_could_not_be_written_down_and_has_no_seller_yet() -> None:
    story = unopened()
    story.world.open = Troubled("Internal: an allocation that can't be", Category.INTERNAL, alert=True)
    story.rest()
    (alert,) = story.letters("staff_alert")
    mail = mail_of(story.facts, alert, RETURN_KIND.workflow_id("RR-1"))
    assert (mail.to, mail.seller_id, mail.return_id) == (Recipient.STAFF, None, "RR-1")


# ---- orders and refunds ----


def test_NTF_8_what_does_not_reach_the_seller_of_an_order_is_told_to_staff() -> None:
    order = Order(auto_release=False)
    without_reaching(order.rig, Recipient.SELLER)
    order.rest()
    assert told(order.rig) == [("staff", "release_needed", "seller")]
    assert order.happens("cancel_request")
    assert told(order.rig)[1:] == [("staff", "order_cancelled", "seller")]
    assert order.rig.is_over


def test_NTF_8_what_does_not_reach_the_buyer_of_an_order_is_told_to_the_seller() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    without_reaching(order.rig, Recipient.BUYER)
    assert order.happens("cancel_request")
    assert told(order.rig) == [("seller", "buyer_refunded", "buyer")]
    assert order.rig.is_over


def test_NTF_8_what_a_refund_says_to_an_unreachable_seller_is_told_to_staff() -> None:
    story = RefundStory(by_case=False, reservation=duplicate(RefundState.SUCCEEDED), look=says("failed"))
    without_reaching(story, Recipient.SELLER)
    story.claim("failed")
    story.rest()
    assert told(story) == [("staff", "refund_failed", "seller")]
    assert story.is_over


# ---- mails that do not go for now ----

MAIL_SERVER = AlertTopic(kind=AlertKind.OUTAGE, name="mail server")
DOWN = Troubled("PartnerUnavailable: the mail server answered 451: send a mail", alert=True, topic=MAIL_SERVER)


def test_NTF_9_a_case_whose_mails_do_not_go_stands_in_the_list_and_no_mail_tells_of_it() -> None:
    story = unopened({"rma": "email"})
    without_reaching(story, *Recipient, why=DOWN)
    story.rest()
    mails = len(list(story.mails()))
    for _ in range(8):
        story.clock(timedelta(minutes=15))

    assert len(list(story.mails())) == mails, "no outage is told by the mail server that is away"
    assert held_up_by(story.facts) == ("outage:mail server",)
    assert Work.PARTNER_IN_TROUBLE in work_of(story.facts, view(story.facts, story.plan), story.plan.waits)
    assert any("no success yet (PartnerUnavailable: the mail server" in step for step in story.steps)
    assert story.stage == "awaiting_approval", "it goes on meanwhile"
