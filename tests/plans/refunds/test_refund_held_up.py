"""A refund that waits for people says for whom and for what, and its case hears it (BAL-1, AMZ-5)."""

import pytest

from models.case import Who
from models.failures import Category
from models.partners import RefundAnswer
from models.refunds import HeldUp, RefundResult, RefundState, Way
from models.worklists import Work
from tests.plans.refunds.story import RefundStory, request, reserved, says
from tests.plans.rig import Troubled
from workflows.engine.worklists import work_of
from workflows.refunds.effects import ReportToCase
from workflows.refunds.view import view

SHORT = "the balance of seller acme does not cover this refund of 40.00 USD: 10.00 is missing (BAL-1)"
NO_WAY = "seller acme has no active payments connection: import one"
PROCESS = HeldUp(
    by="queue", who=Who.SELLER, what="process or reject it: backhaul amazon queue process --select RF-1"
)
INACTIVE = HeldUp(by="queue", who=Who.STAFF, what="amazon-acme is not active")


def told(story: RefundStory) -> list[RefundResult]:
    return [one.result for one in story.begun if isinstance(one, ReportToCase)]


def troubled(category: Category, why: str) -> Troubled:
    return Troubled(f"{category.value}: {why}", category, alert=True)


@pytest.mark.parametrize(
    ("category", "why", "held"),
    [
        (Category.BALANCE_SHORT, SHORT, HeldUp(by="balance", who=Who.SELLER, what=SHORT)),
        (Category.CONNECTION_UNUSABLE, NO_WAY, HeldUp(by="connection", who=Who.STAFF, what=NO_WAY)),
    ],
)
def test_BAL_1_the_case_that_asked_hears_why_a_refund_is_not_reserved_yet(
    category: Category, why: str, held: HeldUp
) -> None:
    story = RefundStory(reservation=troubled(category, why))
    story.rest()
    (result,) = told(story)
    assert (result.state, result.unknown, result.held_up) == (RefundState.RESERVED, False, held)
    story.rest()
    assert len(told(story)) == 1, "none says nothing new"
    story.world.reservation = reserved()
    story.world.send = says("pending")
    story.rest()
    assert [(one.state, one.held_up) for one in told(story)[1:]] == [(RefundState.PENDING, None)]


def test_BAL_1_of_what_is_missing_otherwise_the_case_hears_anew() -> None:
    story = RefundStory(reservation=troubled(Category.BALANCE_SHORT, SHORT))
    story.rest()
    less = SHORT.replace("10.00 is", "2.00 is")
    story.world.reservation = troubled(Category.BALANCE_SHORT, less)
    story.rest()
    assert [one.held_up and one.held_up.what for one in told(story)] == [SHORT, less]


def test_NTF_9_of_an_outage_of_the_database_the_case_hears_nothing() -> None:
    story = RefundStory(reservation=Troubled("no answer", alert=True))
    story.rest()
    assert told(story) == []


def queued(held: HeldUp | None) -> RefundStory:
    through = reserved(way=Way.MARKETPLACE, connection_id="amazon-acme", payment_reference="111-1234567-1234567")
    answer = RefundAnswer(state="pending", gateway_refund_id="RF-1", reason="in the queue", held_up=held)
    story = RefundStory(request(), reservation=through, send=answer, look=answer)
    story.rest()
    return story


def works(story: RefundStory) -> tuple[Work, ...]:
    return work_of(story.facts, view(story.facts, story.plan), story.plan.waits)


@pytest.mark.parametrize(("held", "work"), [(PROCESS, Work.BUYER_TO_REFUND), (INACTIVE, Work.STAFF_TO_ACT)])
def test_AMZ_5_a_refund_in_the_queue_waits_for_whoever_must_act(held: HeldUp, work: Work) -> None:
    story = queued(held)
    (wait,) = story.plan.waits
    assert (wait.stage, wait.who, wait.what) == ("pending", held.who, held.what)
    assert works(story) == (work,)
    assert [(one.state, one.held_up) for one in told(story)] == [(RefundState.PENDING, held)]


def test_AMZ_5_once_amazon_has_it_amazon_is_waited_for() -> None:
    story = queued(PROCESS)
    story.world.look = RefundAnswer(state="pending", gateway_refund_id="RF-1", reason="Amazon has it")
    story.claim("pending", "RF-1", actor="gateway:amazon")
    story.rest()
    (wait,) = story.plan.waits
    assert (wait.who, wait.what) == (Who.SHOP, "say what became of the refund")
    assert works(story) == ()
    assert [one.held_up for one in told(story)] == [PROCESS, None]


def test_REF_11_in_doubt_staff_find_out_whether_the_money_moved() -> None:
    story = queued(PROCESS)
    story.world.look = RefundAnswer(state="none", reason="Amazon may have made it")
    story.claim("pending", "RF-1", actor="gateway:amazon")
    story.rest()
    assert [wait.who for wait in story.plan.waits] == [Who.STAFF, Who.SHOP]
    assert told(story)[-1].unknown
