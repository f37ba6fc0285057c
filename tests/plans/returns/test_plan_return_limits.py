"""A return whose buyer's refund is over the seller's limit: it waits for a second person (REF-12)."""

from tests.plans.returns.return_rig import ReturnStory, awaiting_click, in_transit
from workflows.returns.replies import reply

B1, B2 = "RF-RR-1-B1", "RF-RR-1-B2"
WAITS = f"a second person to confirm refund {B1} of 100.00 USD (seller:jane asked)"


def over_limit() -> ReturnStory:
    story = awaiting_click()
    story.world.fates["buyer"] = ["to confirm"]
    return story.clicked()


def test_REF_12_the_return_stays_where_it_is_and_says_for_whom_it_waits() -> None:
    story = over_limit()
    assert (story.waits, story.plan.waits[0].what) == ([("refunding_buyer", "seller")], WAITS)
    assert (story.states[B1], story.facts.is_settling, story.money[0]) == ("to_confirm", False, "0.00")
    assert f"waits for {WAITS}" in story.steps
    story.days(60)
    assert story.stage == "refunding_buyer", "it waits as long as it takes"


def test_REF_12_confirmed_it_goes_on_and_says_who_asked_and_who_confirmed() -> None:
    story = over_limit()
    story.world.fates["buyer"] = []
    story.report(B1, "succeeded", confirmed_by="seller:tom")
    assert story.stage == "completed"
    assert "buyer refunded 100.00 USD (seller:jane asked, seller:tom confirmed)" in story.steps
    assert story.facts.refunds[-1].confirmed_by == "seller:tom"


def test_REF_12_rejected_it_waits_for_a_click_again() -> None:
    story = over_limit()
    story.world.fates["buyer"] = ["refused"]
    story.rest()
    assert (story.states[B1], story.stage) == ("refused", "awaiting_buyer_refund")
    assert story.clicked().states[B2] == "succeeded"


def test_REF_12_a_click_meanwhile_asks_for_no_second_refund() -> None:
    story = over_limit()
    assert f"refund {B1} waits for a second person" in story.refuses("buyer_refund")
    assert B2 not in story.states


def test_REF_12_whoever_clicked_is_told_that_it_waits() -> None:
    story = awaiting_click()
    story.world.fates["buyer"] = ["to confirm"]
    click = story.event("buyer_refund", reason="reviewed")
    story.hear(click)
    story.rest()
    told = reply(story.facts, click)
    assert told is not None
    assert told.accepted
    assert told.message == f"refund {B1} of 100.00 USD: over the limit, waits for a second person (REF-12)"


def test_REF_12_an_automated_refund_over_the_limit_waits_for_a_person_too() -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = ["to confirm"]
    story.received().credited()
    assert story.waits == [("refunding_buyer", "seller")]
    assert "(seller:settings asked)" in story.plan.waits[0].what
