"""What the sender of a click is told once it is decided: not "accepted", and refused seconds later (REF-3)."""

import pytest

from models.returns import BuyerRefund
from tests.plans.returns.return_rig import ReturnStory, requested
from workflows.engine.procedure import Reply
from workflows.returns.replies import reply

B1 = "RF-RR-1-B1"


def clicked(story: ReturnStory, **fields: object) -> BuyerRefund:
    """A click that was heard; what follows from it has begun, and nobody has answered yet."""
    click: BuyerRefund = story.event("buyer_refund", **fields)
    assert story.hear(click)
    story.settle()
    return click


def received() -> ReturnStory:
    return requested().approved().sent().received()


def test_REF_3_a_click_over_the_cap_is_answered_with_the_refusal() -> None:
    story = received()
    story.world.fates["buyer"] = ["refused"]
    click = clicked(story, amount="5000.00")
    assert reply(story.facts, click) is None, "it is not decided yet"
    story.rest()
    told = reply(story.facts, click)
    assert told is not None
    assert not told.accepted
    assert B1 in told.message


def test_REF_14_a_click_that_succeeds_says_what_was_refunded() -> None:
    story = received()
    click = clicked(story, amount="5.00")
    assert reply(story.facts, click) is None
    story.rest()
    assert reply(story.facts, click) == Reply(accepted=True, message=f"refund {B1} of 5.00 USD: succeeded")


def test_REF_4_a_click_that_a_rule_refuses_at_its_turn_is_answered_so() -> None:
    story = received()
    clicked(story, amount="100.00")
    second = clicked(story)
    assert reply(story.facts, second) is None, "the first one is being made"
    story.rest()
    told = reply(story.facts, second)
    assert told is not None
    assert not told.accepted
    assert "nothing is left to refund" in told.message


def test_RET_16_a_click_before_its_turn_is_kept_and_not_waited_for() -> None:
    story = requested()
    click = clicked(story, amount="5.00")
    assert reply(story.facts, click) == Reply(accepted=True, message="")


@pytest.mark.parametrize("name", ["withdrawal", "staff_override"])
def test_other_events_need_no_decision(name: str) -> None:
    story = requested()
    event = story.event(name, **({"waive": "tracking"} if name == "staff_override" else {}))
    assert story.hear(event)
    assert reply(story.facts, event) == Reply(accepted=True, message="")
