"""A refund that the seller's balance does not cover waits, visibly, and goes on by itself (BAL-1)."""

from datetime import timedelta

import pytest

from models.alerts import topic_of
from models.case import Who
from models.failures import Category
from models.records import Opening, SaveCase, SaveRefund
from models.refunds import RefundState
from models.worklists import WORKLISTS, Work
from tests.plans.refunds.story import OUTAGE, RefundStory, direct, duplicate, refused, reserved
from tests.plans.rig import Troubled
from workflows.engine.calls import DATABASE
from workflows.engine.worklists import held_up_by, work_of
from workflows.refunds.view import view

SHORT = Category.BALANCE_SHORT
WHY = "the balance of seller acme does not cover this refund of 50.00 USD: 10.00 is missing (BAL-1)"


def short() -> RefundStory:
    topic = topic_of(SHORT, "seller:acme", "reserve_refund")
    story = RefundStory(
        direct(), by_case=False, reservation=Troubled(f"{SHORT.value}: {WHY}", SHORT, alert=True, topic=topic)
    )
    story.rest()
    return story


def test_BAL_1_it_waits_for_the_seller_says_why_and_stands_in_its_worklist() -> None:
    story = short()
    (wait,) = story.plan.waits
    assert (wait.stage, wait.who, wait.what) == ("reserving", Who.SELLER, WHY)
    assert "send" not in story.keys, "nothing is sent"
    work = work_of(story.facts, view(story.facts, story.plan), story.plan.waits)
    assert work == (Work.BALANCE_SHORT,), "no partner is to blame, and no fault of ours"
    assert held_up_by(story.facts) == ("balance:seller:acme",)
    assert "reserved funds" in WORKLISTS[Work.BALANCE_SHORT].to_do


def test_NTF_9_lists_have_a_refund_that_is_not_reserved_yet_and_one_that_is_refused_then() -> None:
    story = short()
    assert view(story.facts, story.plan).is_kept
    assert isinstance(story.saved, SaveCase)
    story.world.reservation = refused()
    story.rest()
    assert (story.facts.outcome, isinstance(story.saved, SaveCase)) == ("refused", True)


@pytest.mark.parametrize("category", [Category.INTERNAL, Category.NOT_FOUND, Category.INVALID_INPUT])
def test_NTF_9_lists_have_a_refund_whose_reserving_is_a_fault_of_ours(category: Category) -> None:
    fault = Troubled("KeyError", category, alert=True, topic=topic_of(category, "database", "reserve_refund"))
    story = RefundStory(direct(), by_case=False, reservation=fault)
    story.rest()
    assert view(story.facts, story.plan).is_kept
    assert work_of(story.facts, view(story.facts, story.plan), story.plan.waits) == (Work.FAULTS_OF_OURS,)
    assert (type(story.saved), story.saved.is_opened) == (SaveCase, False), "the id may be another's"
    story.world.reservation = reserved()
    story.rest()
    assert (story.facts.outcome, type(story.saved)) == ("succeeded", SaveRefund)


def test_NTF_9_in_an_outage_nothing_is_written_of_it_the_id_may_be_anothers() -> None:
    story = RefundStory(direct(), by_case=False, reservation=OUTAGE)
    story.rest()
    assert story.facts.trouble
    assert story.saved is None
    story.world.reservation = duplicate(RefundState.SUCCEEDED)
    story.rest()
    assert story.saved is None, "what the first run wrote down stays"


def test_NTF_9_what_is_another_refunds_is_not_written_over() -> None:
    story = short()
    story.world.reservation = reserved(opening=Opening.CONFLICT, state=RefundState.REFUSED, amount=None)
    story.rest()
    assert (story.facts.outcome, story.saved) == ("refused", None)


def test_BAL_1_once_it_is_covered_it_is_sent() -> None:
    story = short()
    story.world.reservation = reserved()
    story.rest()
    assert "send" in story.keys
    assert not story.facts.trouble


def test_BAL_1_the_balance_is_looked_at_every_hour() -> None:
    pauses = [DATABASE.pause_after(rounds, SHORT) for rounds in (0, 1, 2, 50_000)]
    assert pauses == [timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=1)]
