"""A return shows what holds its refund up, and whose work that is (BAL-1, AMZ-5, NTF-6)."""

from typing import Any

import pytest

from models.case import Who
from models.refunds import HeldUp
from models.worklists import Work
from tests.plans.returns.return_rig import ReturnStory, awaiting_click, in_transit
from workflows.engine.worklists import work_of
from workflows.returns.view import view

S1, B1 = "RF-RR-1-S1", "RF-RR-1-B1"
MISSING = "the balance of seller acme does not cover this refund of 100.00 USD: 40.00 is missing (BAL-1)"
SHORT = HeldUp(by="balance", who=Who.SELLER, what=MISSING)
PROCESS = HeldUp(
    by="queue", who=Who.SELLER, what=f"process or reject it: backhaul amazon queue process --select {B1}"
)
NO_WAY = HeldUp(by="connection", who=Who.STAFF, what="seller acme has no active payments connection: import one")


def refunding(held: HeldUp, state: str = "reserved", refund_id: str = B1) -> ReturnStory:
    """A click asks for it, and it says what holds it up."""
    if refund_id == S1:
        story = in_transit().received()
        story.world.fates["seller"] = ["not yet"]
        return says(story.credited(), held, state, S1)
    story = awaiting_click()
    story.world.fates["buyer"] = ["not yet"]
    return says(story.clicked(), held, state, B1)


def says(story: ReturnStory, held: HeldUp | None, state: str, refund_id: str = B1) -> ReturnStory:
    said: dict[str, Any] = {"amount": "100.00", "held_up": held}
    return story.report(refund_id, state, **said)


def work(story: ReturnStory) -> list[Work]:
    return list(work_of(story.facts, view(story.facts, story.plan), story.plan.waits))


@pytest.mark.parametrize(
    ("held", "state", "works"),
    [
        (SHORT, "reserved", [Work.BALANCE_SHORT]),
        (NO_WAY, "reserved", [Work.STAFF_TO_ACT]),
        (PROCESS, "pending", [Work.BUYER_TO_REFUND]),
    ],
)
def test_BAL_1_a_return_waits_for_whoever_must_act_before_its_refund_goes_on(
    held: HeldUp, state: str, works: list[Work]
) -> None:
    story = refunding(held, state)
    wait = next(one for one in story.plan.waits if one.stage == "refunding_buyer")
    assert (wait.who, wait.what) == (held.who, f"{held.what} (refund {B1} of the buyer)")
    assert work(story) == works
    assert any(MISSING in one or held.what in one for one in story.steps) or state == "pending"


def test_BAL_1_the_sellers_own_refund_shows_it_too() -> None:
    story = refunding(NO_WAY, refund_id=S1)
    wait = next(one for one in story.plan.waits if one.stage == "refunding_seller")
    assert (wait.who, wait.what) == (Who.STAFF, f"{NO_WAY.what} (refund {S1} of the seller)")


def test_BAL_1_what_is_missing_is_told_anew_and_that_it_goes_on() -> None:
    story = refunding(SHORT)
    less = SHORT.model_copy(update={"what": MISSING.replace("40.00", "5.00")})
    for held in (SHORT, less, less, None):
        says(story, held, "reserved")
    told = [one.partition(" waits: ")[2] or one for one in story.steps if one.startswith(f"refund {B1} ")]
    assert told == [SHORT.what, less.what, f"refund {B1} goes on"]
    wait = next(one for one in story.plan.waits if one.stage == "refunding_buyer")
    assert (wait.who, work(story)) == (Who.GATEWAY, [])


def test_BAL_1_once_it_is_made_nothing_is_held_up() -> None:
    story = refunding(SHORT)
    says(story, None, "succeeded")
    assert work(story) == []
    assert story.states[B1] == "succeeded"
    assert [one.held_up for one in story.facts.refunds if one.refund_id == B1] == [None]
