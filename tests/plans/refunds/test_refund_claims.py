"""What somebody says of a refund is a claim: the gateway itself is asked before money is believed to have moved or
failed, and a word about a refund that nobody knows moves nothing (REF-7)."""

from typing import Any

import pytest

from models.records import Opening
from models.refunds import RefundState
from tests.plans.refunds.story import (
    IDENT,
    RefundStory,
    direct,
    duplicate,
    pending,
    refused,
    request,
    reserved,
    says,
)
from tests.plans.rig import Troubled

LOOKS = "look:"


def looks(story: RefundStory) -> int:
    return sum(key.startswith(LOOKS) for key in story.keys)


# ---- a pending refund ----


@pytest.mark.parametrize("status", ["succeeded", "failed", "pending"])
def test_REF_7_whatever_is_said_of_a_pending_refund_the_gateway_is_asked(status: str) -> None:
    """ "succeeded" was once believed without asking."""
    story = pending()
    story.claim(status)
    story.settle()
    assert (looks(story), story.stage, story.facts.state) == (1, "pending", RefundState.PENDING)


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_REF_7_a_wrong_word_about_a_pending_refund_is_answered_and_changes_nothing(status: str) -> None:
    story = pending()
    event_id = story.claim(status)
    story.rest()
    assert (story.stage, story.facts.state) == ("pending", RefundState.PENDING)
    assert story.rejections == ["the gateway itself says pending (REF-7)"]
    assert story.facts.rejected[0].event_id == event_id


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_REF_7_a_true_word_brings_a_pending_refund_to_its_end(state: str) -> None:
    story = pending(look=says(state, "bank said so"))
    story.claim(state, reason="account closed")
    story.rest()
    assert (story.stage, story.rejections) == (state, [])
    assert story.facts.result.reason == {"failed": "account closed", "succeeded": "bank said so"}[state]


def test_REF_7_failed_and_succeeded_in_one_breath_are_decided_by_the_gateway() -> None:
    story = pending(look=says("succeeded"))
    story.claim("failed")
    story.claim("succeeded")
    story.rest()
    assert (story.stage, looks(story)) == ("succeeded", 1)
    assert story.rejections == ["the gateway itself says succeeded (REF-7)"]


def test_REF_7_pending_that_comes_late_is_no_fault_of_its_sender() -> None:
    story = pending(look=says("succeeded"))
    story.claim("pending")
    story.rest()
    assert (story.stage, story.rejections) == ("succeeded", [])


def test_REF_7_a_thousand_words_in_one_task_cost_one_look() -> None:
    story = pending()
    for _ in range(1000):
        story.claim("succeeded")
    story.rest()
    assert (looks(story), story.facts.rejected_count) == (1, 1000)


def test_REF_7_a_word_that_comes_while_the_gateway_is_asked_is_looked_at_again() -> None:
    """The answer that is on its way may be older than the word."""
    story = pending(look=None)
    story.claim("failed")
    story.rest()
    story.claim("succeeded")
    story.world.look = says("pending")
    story.answer_one()
    assert story.rejections == ["the gateway itself says pending (REF-7)"]
    story.world.look = says("succeeded")
    story.rest()
    assert (story.stage, looks(story)) == ("succeeded", 2)


def test_REF_7_a_word_about_another_refund_is_refused() -> None:
    story = pending()
    story.claim("succeeded", "re_of_another")
    story.rest()
    assert (looks(story), story.rejections) == (0, ["gateway_refund_id is another refund's (REF-7)"])


# ---- before the gateway's number is known ----


@pytest.mark.parametrize("stage", ["reserving", "sending"])
def test_REF_7_a_word_before_the_gateways_number_is_known_waits_for_it(stage: str) -> None:
    story = RefundStory(reservation=None, send=None, look=says("succeeded"))
    if stage == "sending":
        story.world.reservation = reserved()
    story.rest()
    story.claim("succeeded")
    story.claim("succeeded", "re_of_another")
    story.rest()
    assert (looks(story), story.rejections) == (0, [])
    story.world.reservation, story.world.send = reserved(), says("pending")
    story.rest()
    assert (story.stage, looks(story)) == ("succeeded", 1)
    assert story.rejections == ["gateway_refund_id is another refund's (REF-7)"]


def test_REF_7_a_word_that_came_before_a_success_at_once_is_not_looked_at() -> None:
    story = RefundStory(send=None)
    story.rest()
    story.claim("succeeded")
    story.world.send = says("succeeded")
    story.rest()
    assert (story.stage, looks(story), story.rejections) == ("succeeded", 0, [])


def test_REF_11_a_word_about_a_refund_in_doubt_is_looked_at_though_its_number_is_not_known() -> None:
    story = RefundStory(send=says("none"), look=says("none"))
    story.rest()
    story.claim("succeeded")
    story.rest()
    assert story.rejections == ["the gateway itself says none (REF-7)"]
    story.world.look = says("succeeded")
    story.claim("succeeded")
    story.claim("failed", "re_of_another")
    story.rest()
    assert story.stage == "succeeded"
    assert story.rejections[1:] == ["gateway_refund_id is another refund's (REF-7)"]


# ---- a word about a refund that nobody knows ----


def known_only(story: RefundStory) -> bool:
    [reserve] = [one for one in story.begun if one.key == "reserve"]
    return bool(getattr(reserve, "known_only"))  # noqa: B009


@pytest.mark.parametrize("status", ["succeeded", "failed", "pending"])
def test_REF_7_a_word_about_a_refund_that_nobody_knows_moves_nothing(status: str) -> None:
    """It once made that refund, and sent the money."""
    story = RefundStory(by_case=False, reservation=refused("no refund RF-RR-1001-1-B1 is known here"))
    story.claim(status)
    story.rest()
    assert known_only(story)
    assert (story.keys, story.stage, story.saved) == (["reserve"], "refused", None)
    assert story.rejections == ["the refund is refused, and no gateway has it (REF-7)"]


def test_REF_7_a_word_that_comes_before_a_refund_that_its_case_asked_for_is_kept() -> None:
    story = RefundStory(send=says("pending"), look=says("succeeded"))
    story.claim("succeeded")
    story.rest()
    assert (known_only(story), story.stage, story.rejections) == (False, "succeeded", [])


def test_REF_7_a_refund_without_a_word_is_reserved_by_whomever_it_is_started() -> None:
    story = RefundStory(by_case=False)
    story.rest()
    assert (known_only(story), story.stage) == (False, "succeeded")


@pytest.mark.parametrize("status", ["succeeded", "failed", "pending"])
def test_REF_7_a_word_that_comes_before_a_refund_begins_takes_nothing_from_whoever_asked_for_it(
    status: str,
) -> None:
    """A person's refund was once refused because a stray word came first."""
    story = RefundStory(direct(asked_for=True), by_case=False, send=says("pending"), look=says("pending"))
    story.claim(status)
    story.rest()
    assert (known_only(story), story.keys[:2], story.stage) == (False, ["reserve", "send"], "pending")
    story.world.look = says("succeeded")
    story.days(1)
    assert (story.stage, story.keys.count("send")) == ("succeeded", 1)


# ---- an earlier run was terminated ----


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_REF_7_a_word_about_a_terminated_refund_settles_it_as_the_gateway_says(state: str) -> None:
    taken_over = reserved(resumed=True, state=RefundState.PENDING, gateway_refund_id=IDENT)
    story = RefundStory(by_case=False, reservation=taken_over, look=says(state))
    story.claim(state)
    story.rest()
    assert (story.keys, story.stage) == (["reserve", "look:0", "report:end"], state)
    result = story.reports[0].result
    assert (result.state, result.taken_back) == (RefundState(state), False)


def test_REF_6_a_word_about_a_refund_that_was_never_sent_does_not_send_it() -> None:
    story = RefundStory(by_case=False, reservation=reserved(resumed=True), look=says("none"))
    story.claim("failed", "re_of_another")
    story.rest()
    assert story.keys == ["reserve", "look:0"]
    assert story.rejections == ["the gateway itself says none (REF-7)"]
    assert (story.stage, story.waits_for, story.result[0]) == (
        "pending",
        ["staff", "gateway"],
        RefundState.RESERVED,
    )
    story.resolve("not_moved")
    story.rest()
    assert story.stage == "failed"


# ---- a success that is taken back ----


def ended(**more: Any) -> RefundStory:
    """A second run of a refund that had succeeded."""
    return RefundStory(by_case=False, reservation=duplicate(RefundState.SUCCEEDED), **more)


def test_REF_7_a_success_that_failed_days_later_is_refundable_again_and_everybody_is_told() -> None:
    story = ended(look=says("failed"))
    story.claim("failed", reason="account closed")
    story.rest()
    assert story.keys == ["reserve", "look:0", "take-back", "tell-taken-back"]
    assert story.mailed == ["mail:taken-back", "mail:alert-taken-back"]
    assert (story.stage, story.is_over) == ("failed", True)
    assert story.facts.closing_message == "failed after it had succeeded: account closed"
    [told] = story.reports
    assert told.workflow_id == "return-RR-1001-1"
    assert (told.result.state, told.result.amount, told.result.unknown) == (
        RefundState.FAILED,
        story.facts.amount,
        False,
    )
    assert told.result.taken_back, "it had succeeded"
    assert told.reopen is not None, "if the return has ended, it is opened again"
    assert story.saved.state is RefundState.FAILED


@pytest.mark.parametrize("status", ["failed", "succeeded", "pending"])
def test_REF_7_a_word_that_comes_while_the_gateway_is_asked_keeps_no_success_from_being_taken_back(
    status: str,
) -> None:
    story = ended(look=None)
    story.claim("failed")
    story.settle()
    while story.pending and story.answer_one():
        pass
    story.claim(status)
    story.world.look = says("failed")
    story.rest()
    assert (story.keys.count("take-back"), story.stage) == (1, "failed")
    assert len(story.reports) == 1


def test_REF_7_a_success_of_which_the_gateway_says_pending_stays_one() -> None:
    """Its word is older than the success: nothing is given back by it."""
    story = ended(look=says("pending"))
    story.claim("failed")
    story.rest()
    assert (story.stage, story.facts.closing_message) == ("succeeded", "succeeded, and stays so")
    assert "take-back" not in story.keys


def test_REF_7_a_return_that_was_cut_short_is_not_opened_again() -> None:
    story = ended(look=says("failed"), reopen=None)
    story.claim("failed")
    story.rest()
    assert (story.reports, story.stage) == ([], "failed")
    assert story.mailed == ["mail:taken-back", "mail:alert-taken-back"]


def test_REF_7_a_late_word_that_the_gateway_does_not_confirm_gives_nothing_back() -> None:
    story = ended(look=says("succeeded"))
    story.claim("failed")
    story.rest()
    assert (story.stage, story.facts.closing_message) == ("succeeded", "succeeded, and stays so")
    assert story.rejections == ["the gateway itself says succeeded (REF-7)"]
    assert "take-back" not in story.keys


@pytest.mark.parametrize("status", ["succeeded", "pending"])
def test_REF_7_other_late_words_change_nothing_and_cost_no_look(status: str) -> None:
    story = ended()
    story.claim(status)
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], "succeeded")


def test_REF_7_a_late_word_about_another_refund_gives_nothing_back() -> None:
    story = ended()
    story.claim("failed", "re_of_another")
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], "succeeded")
    assert story.rejections == ["gateway_refund_id is another refund's (REF-7)"]


def test_REF_7_the_same_late_word_in_a_third_run_is_answered() -> None:
    story = RefundStory(by_case=False, reservation=duplicate(RefundState.FAILED))
    story.claim("failed")
    story.claim("succeeded")
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], "failed")
    assert story.rejections == ["the refund is failed already"]


def test_REF_7_a_refund_made_elsewhere_is_not_taken_back_by_a_gateway() -> None:
    recorded = reserved(opening=Opening.DUPLICATE, state=RefundState.SUCCEEDED)
    story = RefundStory(request(way="manual"), by_case=False, reservation=recorded)
    story.claim("failed")
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], "succeeded")
    assert story.rejections == ["the refund is succeeded, and no gateway has it (REF-7)"]


def test_REF_7_a_refund_that_fails_while_its_success_is_written_is_taken_back() -> None:
    story = pending(look=says("succeeded"))
    story.claim("succeeded")
    story.rest()
    assert story.stage == "succeeded"
    story.is_over = False  # the save is not done yet
    story.world.look = says("failed")
    story.claim("failed", reason="account closed")
    story.rest()
    assert (story.stage, story.is_over) == ("failed", True)
    assert "take-back" in story.keys
    assert story.facts.closing_message == "failed after it had succeeded: account closed"


def test_REF_7_a_gateway_that_gives_no_answer_to_a_late_word_is_asked_until_it_does() -> None:
    story = ended(look=Troubled("no answer"))
    story.claim("failed")
    story.rest()
    assert (story.stage, story.waits_for, story.result[0]) == ("pending", ["gateway"], RefundState.SUCCEEDED)
    story.world.look = says("failed")
    story.rest()
    assert story.stage == "failed"


def test_REF_7_words_after_a_failure_are_answered_while_it_closes() -> None:
    story = RefundStory(send=says("failed"))
    story.rest()
    story.is_over = False  # the save is not done yet
    story.claim("failed")
    assert story.rejections == ["the refund is failed already"]
