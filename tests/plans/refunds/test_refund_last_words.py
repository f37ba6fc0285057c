"""A person's last word on money in doubt (REF-11)."""

from decimal import Decimal

import pytest

from models.refunds import RefundState
from tests.plans.refunds.story import (
    OUTAGE,
    RefundStory,
    pending,
    says,
    steps_of,
)
from tests.plans.rig import Troubled

AMOUNT, NOTHING = Decimal("40.00"), Decimal(0)


# ---- the happy path ----


# ---- a person's last word ----


@pytest.mark.parametrize(("outcome", "end"), [("moved", "succeeded"), ("not_moved", "failed")])
@pytest.mark.parametrize("state", ["pending", "none"])
def test_REF_11_a_person_says_what_became_of_a_refund_in_doubt(state: str, outcome: str, end: str) -> None:
    story = RefundStory(send=says(state), look=says(state))
    story.rest()
    story.days(7.5 if state == "pending" else 0)
    story.resolve(outcome)
    story.rest()
    assert (story.stage, story.is_over) == (end, True)
    assert story.facts.result.reason == "recorded by staff:sam: the gateway is gone"
    assert (story.facts.result.unknown, story.saved.state) == (False, RefundState(end))
    assert any("evidence: statement of 2 March" in step for step in story.steps)


@pytest.mark.parametrize("outcome", ["moved", "not_moved"])
@pytest.mark.parametrize("days", [0, 6.5])
def test_REF_11_nobody_says_what_became_of_a_refund_that_is_plainly_pending(days: float, outcome: str) -> None:
    """Its amount would be free while it is on its way, and go out a second time."""
    story = pending()
    story.days(days)
    story.resolve(outcome)
    story.rest()
    assert story.rejections == [
        "the gateway has the refund, and says that it is pending: wait for its word (REF-11)"
    ]
    assert (story.stage, story.result) == ("pending", (RefundState.PENDING, AMOUNT))


def test_REF_11_a_refund_that_is_known_again_is_in_doubt_no_more() -> None:
    story = RefundStory(send=OUTAGE)
    story.rest()
    story.world.send = says("pending")
    story.rest()
    story.resolve("not_moved")
    assert "says that it is pending" in story.rejections[0]


@pytest.mark.parametrize("outcome", ["moved", "not_moved"])
def test_REF_11_a_refund_that_a_dead_gateway_never_answered_is_settled_and_asked_for_no_more(outcome: str) -> None:
    story = RefundStory(send=OUTAGE, look=OUTAGE)
    story.rest()
    story.resolve(outcome)
    story.rest()
    story.rest()
    assert (story.stage, story.is_over, story.pending) == (
        {"moved": "succeeded", "not_moved": "failed"}[outcome],
        True,
        [],
    )


def test_REF_11_the_last_try_to_send_is_looked_for_before_a_persons_word_counts() -> None:
    story = RefundStory(send=OUTAGE, look=says("succeeded"))
    story.rest()
    story.resolve("not_moved")
    story.rest()
    assert story.result == (RefundState.SUCCEEDED, AMOUNT)


def test_REF_11_a_look_without_an_answer_does_not_hold_up_a_persons_word() -> None:
    story = pending()
    story.world.look = Troubled("no answer", alert=True)
    story.days(1)
    story.resolve("moved")
    story.rest()
    assert (story.stage, story.is_over) == ("succeeded", True)


def test_REF_11_the_gateways_own_word_that_comes_with_a_persons_wins() -> None:
    story = pending()
    story.days(7.5)
    story.world.look = None
    story.days(1)
    story.resolve("not_moved")
    story.world.look = says("succeeded")
    story.rest()
    assert story.result == (RefundState.SUCCEEDED, AMOUNT)


@pytest.mark.parametrize("actor", ["seller:jane", "gateway:stripe", "buyer:bob"])
def test_REF_11_only_staff_say_what_became_of_the_money(actor: str) -> None:
    story = pending()
    story.resolve("moved", actor)
    story.rest()
    assert story.stage == "pending"
    assert "only broker or staff" in story.rejections[0]


@pytest.mark.parametrize("state", ["reserving", "sending"])
def test_REF_11_nothing_is_in_doubt_before_it_is_sent(state: str) -> None:
    story = RefundStory(**steps_of(state))
    story.rest()
    story.resolve("moved")
    assert "was not sent yet" in story.rejections[0]


def test_REF_11_a_second_persons_word_is_refused() -> None:
    story = pending()
    story.days(7.5)
    story.resolve("moved")
    story.resolve("not_moved")
    story.rest()
    assert "has recorded" in story.rejections[0]
    assert story.stage == "succeeded"


def test_REF_11_what_has_ended_is_not_resolved() -> None:
    story = RefundStory()
    story.rest()
    story.is_over = False  # the save is not done yet
    story.resolve("not_moved")
    story.rest()
    assert story.stage == "succeeded"
    assert "the refund is succeeded already" in story.rejections[0]
