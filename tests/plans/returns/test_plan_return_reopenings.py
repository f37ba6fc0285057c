"""A completed return opens again on its last facts; no amount is believed from who asks (REF-7)."""

from models.records import Opening, ReturnReopened
from tests.plans.returns.return_rig import ReturnStory, completed, failure, memo

S1, S2, B1, B2 = (f"RF-RR-1-{one}" for one in ("S1", "S2", "B1", "B2"))


def failed_later(story: ReturnStory, *refund_ids: str) -> None:
    for refund_id in refund_ids:
        story.world.gave.pop(refund_id)


def test_REF_7_the_buyers_refund_that_failed_is_waited_for_a_click_and_made_under_a_new_id() -> None:
    before = completed().days(30)
    failed_later(before, B1)
    story = before.opened_again(B1, [failure(B1, "999.00")])
    assert story.waits == [("awaiting_buyer_refund", "seller")]
    assert story.letters("return_reopened")[0].facts["reason"] == f"refund {B1} failed"
    assert story.steps == [f"refund {B1} of 100.00 USD failed after it had succeeded: account closed"]
    story.clicked()
    assert (story.asked, story.stage, story.money) == ([(B2, "100.00", False)], "completed", ("100.00", "63.00"))
    assert story.facts.created_at == before.facts.created_at
    assert (story.facts.run_id, story.facts.times_opened) == ("run-2", 2)


def test_REF_7_the_sellers_refund_that_failed_is_made_again_by_itself() -> None:
    before = completed()
    failed_later(before, S1)
    story = before.opened_again(S1, [failure(S1, to="seller")])
    assert story.waits == [("refunding_seller", "staff")]
    assert story.days(3).stage == "completed"
    assert story.asked == [(S2, "63.00", False)]


def test_REF_7_several_that_failed_are_made_again_each() -> None:
    before = completed()
    failed_later(before, S1, B1)
    story = before.opened_again(S1, [failure(S1, to="seller"), failure(B1)]).clicked().days(3)
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


def test_REF_7_a_second_start_by_the_same_refund_pays_nothing() -> None:
    before = completed()
    failed_later(before, S1)
    again = before.opened_again(S1, [failure(S1, to="seller")]).days(3)
    third = again.opened_again(S1, [failure(S1, to="seller")])
    assert (third.stage, third.asked, third.is_over) == ("completed", [], True)
    assert (third.money, third.templates) == (("100.00", "63.00"), [])


def test_REF_7_a_start_by_a_refund_that_the_facts_do_not_know_pays_nothing_and_is_recorded() -> None:
    story = completed().opened_again("RF-RR-1-B7", [failure("RF-RR-1-B7", "500.00")])
    assert (story.stage, story.asked, story.money) == ("completed", [], ("100.00", "63.00"))
    assert story.facts.rejected[0].reason == "the return made no refund RF-RR-1-B7 (REF-7)"


def test_REF_7_a_start_by_a_refund_that_did_not_fail_pays_nothing() -> None:
    story = completed().opened_again(B1)
    assert (story.stage, story.asked) == ("completed", [])


def test_REF_7_what_the_database_refuses_is_refused() -> None:
    before = completed()
    story = ReturnStory(
        before.facts.model_validate(
            {
                "now": before.now,
                "created_at": before.now,
                "request": before.facts.request.model_copy(update={"reopened_by": B1}),
            }
        ),
        before.world,
    )
    before.world.reopen = ReturnReopened(opening=Opening.REFUSED, reason="return RR-1 did not end by itself")
    story.rest()
    assert (story.stage, story.facts.closing_message) == ("refused", "return RR-1 did not end by itself")


def test_REF_7_events_that_come_while_it_opens_are_judged_then_and_doubles_count_once() -> None:
    before = completed()
    seen = before.facts.memos[0].memo
    failed_later(before, B1)
    story = before.opened_again(B1, [failure(B1)])
    assert story.hear(story.event("credit_memo", **memo("5.00", "LATE")))
    story.rest()
    assert story.facts.credited == seen.amount + 5
    assert story.hear(seen)
    assert story.facts.credited == seen.amount + 5


def test_REF_7_a_report_that_comes_while_it_opens_counts() -> None:
    before = completed()
    failed_later(before, S1, B1)
    before.world.reopen = ReturnReopened(
        opening=Opening.OPENED, facts=before.kept_facts(), failed=(failure(S1, to="seller"),)
    )
    request = before.facts.request.model_copy(update={"reopened_by": S1})
    story = ReturnStory(type(before.facts)(now=before.now, created_at=before.now, request=request), before.world)
    story.events = 100
    story.settle()
    story.report(B1, "failed", amount="999.00")
    assert story.states == {S1: "failed_afterwards", B1: "failed_afterwards"}
    assert story.clicked().asked[-1] == (B2, "100.00", False)


def test_REF_7_kept_facts_hold_nothing_that_changes_by_itself() -> None:
    story = completed()
    kept = story.kept_facts()
    assert story.days(50).kept_facts() == kept
    assert {"now", "timeline", "in_flight", "run_id", "request"}.isdisjoint(kept)


def test_REF_7_staff_who_stop_a_return_that_is_open_again_are_told_what_is_left() -> None:
    before = completed()
    failed_later(before, B1)
    story = before.opened_again(B1, [failure(B1)]).stopped()
    assert (story.stage, story.is_over) == ("stopped", True)
    assert story.alerts[-1].endswith(f"nothing was called back; refund {B1} failed and is not made again")
