"""Refunds that fail, are pending, in doubt, or bear another's id, on the plan alone (REF-6, REF-7, REF-11)."""

from datetime import timedelta
from typing import Any

import pytest

from models.refunds import RefundResult
from tests.plans.returns.return_rig import ReturnStory, awaiting_click, completed, in_transit
from workflows.returns.settled import buyer_settled

S1, S2, B1, B2, B3, B4 = (f"RF-RR-1-{one}" for one in ("S1", "S2", "B1", "B2", "B3", "B4"))


def seller_refund(*fates: str, **seller: Any) -> ReturnStory:
    """The supplier credited; what became of the seller's refund."""
    story = in_transit(**seller).received()
    story.world.fates["seller"] = list(fates)
    return story.credited()


def buyer_refund(*fates: str) -> ReturnStory:
    story = awaiting_click()
    story.world.fates["buyer"] = list(fates)
    return story.clicked()


# ---- failed, refused ----


@pytest.mark.parametrize("days", [3, 5])
def test_REF_7_a_refund_of_the_seller_that_failed_is_made_again_under_a_new_id(days: int) -> None:
    story = seller_refund("failed", refund_retry_days=days)
    assert story.waits[0] == ("refunding_seller", "staff")
    assert story.plan.waits[0].due == story.now + timedelta(days=days)
    assert f"the seller's refund {S1} did not succeed: the gateway says failed" in story.alerts
    story.days(days)
    assert (story.asked, story.money[1]) == ([(S1, "63.00", False), (S2, "63.00", False)], "63.00")


def test_RET_13_a_refund_of_the_seller_that_is_refused_is_left_to_staff() -> None:
    story = seller_refund("refused").clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "0.00"))
    assert "seller not refunded here: the gateway says refused" in story.facts.closing_message
    assert len(story.alerts) == 1


@pytest.mark.parametrize("fate", ["failed", "refused"])
def test_REF_7_a_refund_of_the_buyer_that_fails_is_told_and_may_be_clicked_again(fate: str) -> None:
    story = buyer_refund(fate)
    assert (story.waits, story.declined) == ([("awaiting_buyer_refund", "seller")], ["e5"])
    assert story.letters("refund_failed")[0].facts["reason"] == f"the gateway says {fate}"
    assert story.clicked().states == {S1: "succeeded", B1: fate, B2: "succeeded"}
    assert story.stage == "completed"


# ---- pending ----


@pytest.mark.parametrize("whom", ["seller", "buyer"])
@pytest.mark.parametrize("becomes", ["succeeded", "failed"])
def test_REF_7_a_pending_refund_is_waited_for_as_long_as_it_takes(whom: str, becomes: str) -> None:
    story = seller_refund("pending") if whom == "seller" else buyer_refund("pending")
    refund_id = S1 if whom == "seller" else B1
    assert (story.states[refund_id], story.facts.is_settling) == ("pending", False)
    assert any(stage == f"refunding_{whom}" for stage, _ in story.waits)
    assert any(f"refund {refund_id} of" in one and one.endswith("is pending") for one in story.steps)
    story.days(30)
    assert len([one for one in story.asked if one[0] == refund_id]) == 1
    story.world.fates[whom] = [becomes]
    story.rest()
    assert story.states[refund_id] == becomes


def test_REF_7_what_it_reports_itself_counts_before_its_end_and_once() -> None:
    story = buyer_refund("not yet").report(B1, "succeeded")
    assert (story.states[B1], story.stage) == ("succeeded", "refunding_buyer")
    story.world.fates["buyer"] = []
    story.rest()
    assert (story.steps.count("buyer refunded 100.00 USD"), story.stage) == (1, "completed")


# ---- failed afterwards ----


def test_REF_7_a_buyers_refund_that_fails_afterwards_is_clicked_again_for_its_amount() -> None:
    story = in_transit().clicked(amount="40.00").report(B1, "failed")
    assert (story.states, story.money) == ({B1: "failed_afterwards"}, ("0.00", "0.00"))
    assert f"refund {B1} of 40.00 USD failed after it had succeeded: account closed" in story.steps
    assert story.clicked().asked[-1] == (B2, "40.00", False)
    assert story.facts.buyer_owed == []


def test_REF_7_a_sellers_refund_that_fails_afterwards_is_made_again_by_itself_once() -> None:
    story = awaiting_click().report(S1, "failed").report(S1, "failed")
    assert story.waits[0] == ("refunding_seller", "staff")
    story.days(3)
    assert (story.money[1], [one[0] for one in story.asked]) == ("63.00", [S1, S2])
    assert story.clicked().stage == "completed"


def test_REF_7_the_setting_does_not_refund_again_what_failed_afterwards() -> None:
    story = in_transit(auto_refund_buyer=True).received().report(B1, "failed").days(20)
    assert (len(story.asked), story.waits[-1]) == (1, ("awaiting_buyer_refund", "seller"))


def test_REF_7_a_return_that_sends_its_last_mails_opens_again() -> None:
    story = awaiting_click()
    story.world.mail = None
    story.hear(story.event("buyer_refund"))
    story.settle()
    while story.stage != "completed":
        assert story.answer_one()
    assert not story.is_over, "the buyer's mail is on its way"
    story.report(B1, "failed")
    assert (story.waits, story.facts.times_opened) == ([("awaiting_buyer_refund", "seller")], 2)
    assert story.letters("return_reopened")[0].facts["reason"] == f"refund {B1} failed"
    assert story.refuses("withdrawal").startswith("the return was completed; it is open again only to refund")
    assert story.clicked().stage == "completed"


@pytest.mark.parametrize("state", ["failed", "succeeded", "pending"])
def test_REF_7_a_word_about_a_refund_that_the_return_never_made_moves_nothing(state: str) -> None:
    story = awaiting_click()
    before = story.asked
    story.report("RF-RR-1-B9", state).days(10)
    assert (story.asked, story.money, story.facts.rejected_count) == (before, ("0.00", "63.00"), 1)


def test_REF_7_a_success_of_a_refund_that_was_refused_is_not_believed() -> None:
    story = buyer_refund("refused").report(B1, "succeeded")
    assert (story.states[B1], story.stage) == ("refused", "awaiting_buyer_refund")


# ---- in doubt (REF-11) ----


def test_REF_11_doubt_about_the_sellers_money_blocks_completion_and_it_is_asked_for_under_its_own_id() -> None:
    story = seller_refund("in doubt", "succeeded").clicked()
    assert story.waits == [("refunding_seller", "staff")]
    assert story.states[S1] == "in_doubt"
    assert f"the seller's refund {S1} is in doubt: the gateway says in doubt" in story.alerts
    story.days(3)
    assert [one for one in story.asked if one[0] == S1] == [(S1, "63.00", False), (S1, "63.00", True)]
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


def test_REF_11_doubt_lasts_until_it_is_known() -> None:
    story = seller_refund("in doubt", "in doubt", "in doubt", "failed").days(6)
    assert (story.states, len(story.asked)) == ({S1: "in_doubt"}, 3)
    story.days(3)
    assert story.states == {S1: "failed"}
    assert story.days(3).states == {S1: "failed", S2: "succeeded"}


def test_REF_11_doubt_about_the_buyers_money_blocks_completion_and_the_next_click_asks_for_that_refund() -> None:
    story = in_transit().clicked(amount="10.00").received().credited("1.00")
    story.world.fates["buyer"] = ["in doubt"]
    story.clicked(amount="20.00").credited("62.00", "CM-2")
    assert (story.stage, story.states[B2]) == ("awaiting_buyer_refund", "in_doubt")
    assert "click again to have it looked for" in story.facts.rejected[-1].reason
    assert story.plan.waits[0].what.startswith(f"refund {B2} is in doubt")
    assert any(f"refund {B2} is in doubt" in one for one in story.alerts)
    story.clicked(reason="another word", amount="99.00")
    first, second = [one for one in story.begun if getattr(one, "refund_id", "") == B2]
    same = {"key": second.key, "asked_by": second.asked_by, "again": True}  # type: ignore[attr-defined]
    assert first.model_copy(update=same) == second, "asked for with the very same words"
    assert (story.stage, story.money[0]) == ("completed", "30.00")


@pytest.mark.parametrize("whom", ["seller", "buyer"])
def test_REF_11_a_refund_that_the_gateway_does_not_answer_is_shown_in_doubt_and_not_asked_for_again(
    whom: str,
) -> None:
    story = seller_refund("no answer") if whom == "seller" else buyer_refund("no answer")
    refund_id, amount = (S1, "63.00") if whom == "seller" else (B1, "100.00")
    assert (story.states[refund_id], story.facts.is_settling) == ("in_doubt", False)
    assert (f"refunding_{whom}", "gateway") in story.waits, "what depends on it is blocked"
    assert str(story.facts.attempt(refund_id).amount) == amount, "never 0.00"  # type: ignore[union-attr]
    assert any(step.startswith(f"refund {refund_id} of {amount} USD is in doubt") for step in story.steps)
    assert (story.letters("refund_failed"), story.alerts) == ([], []), "its own workflow tells staff"
    if whom == "buyer":
        assert story.hear(story.event("buyer_refund", amount="10.00"))
    story.days(30)
    assert [one[0] for one in story.asked].count(refund_id) == 1
    assert story.outcome is None
    story.world.fates[whom] = ["succeeded"]
    story.rest()
    assert (story.states[refund_id], story.money[whom == "seller"]) == ("succeeded", amount)


@pytest.mark.parametrize("state", ["pending", "succeeded", "failed"])
def test_REF_11_a_refund_of_which_its_workflow_hears_at_last_is_in_doubt_no_more(state: str) -> None:
    story = buyer_refund("no answer").report(B1, state)
    assert story.states[B1] == state
    assert f"refund {B1}, which was in doubt, is {state} after all" in story.steps
    assert story.facts.attempt(B1).awaited is False  # type: ignore[union-attr]


def test_REF_11_a_refund_whose_workflow_is_ended_while_it_is_in_doubt_is_asked_for_again_by_a_click() -> None:
    story = buyer_refund("no answer")
    story.world.fates["buyer"] = ["in doubt"]
    story.rest()
    assert (story.states[B1], story.stage) == ("in_doubt", "awaiting_buyer_refund")
    assert len(story.letters("refund_failed")) == 1
    assert story.clicked().asked[-1] == (B1, "100.00", True)


def test_REF_11_the_marketplaces_refund_does_not_complete_what_is_in_doubt() -> None:
    story = buyer_refund("in doubt").says("channel_update", status="refunded_by_channel", amount="50.00")
    assert story.waits == [("awaiting_buyer_refund", "staff")]
    assert "refunded the buyer already" in story.refuses("buyer_refund")
    assert story.report(B1, "failed").stage == "completed"


@pytest.mark.parametrize(("state", "stage"), [("succeeded", "completed"), ("failed", "awaiting_buyer_refund")])
def test_REF_11_what_is_known_after_all_settles_it(state: str, stage: str) -> None:
    story = buyer_refund("in doubt").report(B1, state)
    assert f"refund {B1}, which was in doubt, is {state} after all" in story.steps
    assert (story.stage, story.facts.refunds_in_doubt) == (stage, {})


def test_REF_11_an_automatic_refund_in_doubt_is_not_made_again_by_itself() -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = ["in doubt"]
    story.received().days(20)
    assert len(story.asked) == 1


# ---- an id that belongs to another request ----


def test_REF_6_an_id_that_belongs_to_another_request_is_left_for_the_next_one() -> None:
    story = buyer_refund("another's", "another's")
    assert (story.stage, story.states) == (
        "completed",
        {S1: "succeeded", B1: "refused", B2: "refused", B3: "succeeded"},
    )
    assert (story.money, story.facts.rejected_count, story.letters("refund_failed")) == (
        ("100.00", "63.00"),
        0,
        [],
    )
    assert f"refund {B1} is another request's: asked for under the next number" in story.steps
    assert story.facts.closing_message == "completed: seller refunded 63.00 USD; buyer refunded 100.00 USD"


def test_REF_6_after_three_in_a_row_staff_look_at_it() -> None:
    story = buyer_refund("another's", "another's", "another's")
    assert (story.waits, story.declined) == ([("awaiting_buyer_refund", "seller")], ["e5"])
    assert (len(story.letters("refund_failed")), len(story.asked)) == (1, 4)
    seller = seller_refund("another's", "another's", "another's")
    assert (len(seller.asked), len(seller.alerts), seller.states[f"RF-RR-1-S{3}"]) == (3, 1, "refused")
    assert story.clicked().asked[-1] == (B4, "100.00", False)


def test_REF_6_the_marketplaces_refund_takes_the_next_id_too() -> None:
    story = awaiting_click()
    story.world.fates["buyer"] = ["another's"]
    story.says("channel_update", status="refunded_by_channel")
    assert (story.stage, story.states, story.money[0]) == (
        "completed",
        {S1: "succeeded", B1: "refused", B2: "succeeded"},
        "100.00",
    )


def test_REF_6_equal_amounts_are_different_refunds() -> None:
    story = in_transit().clicked(amount="10.00").clicked(amount="10.00")
    assert story.money[0] == "20.00"


def test_REF_6_a_restart_in_the_middle_moves_money_once() -> None:
    story = in_transit().received()
    story.world.fates["seller"] = ["not yet"]
    story.credited()
    story.restart()
    story.world.fates["seller"] = []
    story.rest()
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


def test_REF_7_a_success_taken_back_in_one_task_with_the_childs_end() -> None:
    story = buyer_refund("not yet")
    effect = next(one for one in story.pending if getattr(one, "refund_id", "") == B1)
    story.world.fates["buyer"] = []
    given = story.world.refund(effect, story.facts)  # type: ignore[arg-type]
    assert isinstance(given, RefundResult)
    story.report(B1, "failed", taken_back=True)
    assert (story.states[B1], buyer_settled(story.facts)) == ("failed_afterwards", False)
    assert story.clicked().asked[-1] == (B2, "100.00", False)


@pytest.mark.parametrize("fate", ["not yet", "pending", "no answer"])
def test_REF_7_a_failure_that_is_heard_before_the_childs_end_is_no_success_that_was_taken_back(fate: str) -> None:
    story = buyer_refund(fate).report(B1, "failed")
    assert (story.states[B1], story.declined) == ("failed", ["e5"])
    assert not any("after it had succeeded" in step for step in story.steps)
    story.world.fates["buyer"] = ["failed"]
    story.rest()
    assert (story.states[B1], story.letters("refund_failed")[1:]) == ("failed", [])


def test_REF_7_a_refund_in_doubt_that_had_succeeded_and_was_taken_back_failed_afterwards() -> None:
    story = in_transit()
    story.world.fates["buyer"] = ["in doubt"]
    story.clicked(amount="40.00").report(B1, "failed", taken_back=True)
    assert (story.states[B1], story.facts.refunds_in_doubt) == ("failed_afterwards", {})
    assert story.clicked().asked[-1] == (B2, "40.00", False)


def test_REF_7_completed_returns_say_what_became_of_each() -> None:
    story = completed()
    assert [(one["refund_id"], one["state"]) for one in story.shown["refunds"]] == [
        (S1, "succeeded"),
        (B1, "succeeded"),
    ]
    assert [one["amount"] for one in story.shown["buyer_refunds"]] == ["100.00"]
