"""What a refund does, from its reservation to its end, whatever the gateway says (REF-3, REF-6, REF-11)."""

from decimal import Decimal

import pytest

from models.contract import REFUND_KIND
from models.failures import Category
from models.records import Opening, ReservedRefund
from models.refunds import RefundState
from tests.plans.refunds.story import (
    IDENT,
    OUTAGE,
    RefundStory,
    direct,
    duplicate,
    pending,
    refused,
    request,
    reserved,
    says,
    steps_of,
)
from tests.plans.rig import Troubled
from workflows.refunds.effects import Send

AMOUNT, NOTHING = Decimal("40.00"), Decimal(0)


# ---- the happy path ----


def test_REF_6_a_refund_is_reserved_sent_once_and_saved_once() -> None:
    story = RefundStory()
    story.rest()
    assert story.keys == ["reserve", "send"]
    assert (story.stage, story.is_over, story.result) == ("succeeded", True, (RefundState.SUCCEEDED, AMOUNT))
    assert story.steps == ["reserved 40.00 USD", "succeeded"]
    assert story.plan.wake_at is None, "no timer"
    assert story.reports == [], "its case waits for the result, and needs no more"


def test_REF_6_nothing_is_shown_or_saved_while_an_answer_is_a_matter_of_seconds() -> None:
    story = RefundStory(send=None)
    story.settle()
    assert story.facts.is_settling
    story.rest()
    assert story.facts.is_settling, "it is being sent"
    story.world.send = says("succeeded")
    story.rest()
    assert not story.facts.is_settling


def test_REF_3_what_is_saved_says_state_and_case_in_one_message() -> None:
    story = RefundStory()
    story.rest()
    saved = story.saved
    assert (saved.state, saved.gateway_refund_id, saved.at) == (RefundState.SUCCEEDED, IDENT, story.facts.now)
    assert (saved.record.stage, saved.record.ended) == ("succeeded", True)


@pytest.mark.parametrize("way", ["manual", "marketplace"])
def test_REF_9_a_refund_made_elsewhere_is_recorded_and_never_sent(way: str) -> None:
    story = RefundStory(request(way=way))
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], "succeeded")
    assert story.facts.result.reason == f"recorded as made by {way}"


@pytest.mark.parametrize("state", ["failed", "refused"])
def test_REF_6_the_gateways_no_is_a_result(state: str) -> None:
    story = RefundStory(send=says(state, "account closed"))
    story.rest()
    assert story.stage == state
    assert story.facts.result.reason == "account closed"
    assert story.saved.state == RefundState(state)


# ---- the reservation ----


def test_REF_3_what_the_cap_refuses_moves_nothing_and_is_in_no_database() -> None:
    story = RefundStory(reservation=refused())
    story.rest()
    assert (story.keys, story.stage, story.result) == (["reserve"], "refused", (RefundState.REFUSED, NOTHING))
    assert story.facts.closing_message == "refused: nothing is left to refund"
    assert story.saved is None


def test_REF_6_an_id_of_another_request_is_refused_and_nothing_of_it_is_taken_over() -> None:
    """Order 5001 and return 5001 had both RF-5001-B1: the second was reported as paid, as the first."""
    foreign = reserved(
        opening=Opening.CONFLICT,
        state=RefundState.SUCCEEDED,
        amount=Decimal(99),
        gateway_refund_id="re_9",
        reason="refund RF-RR-1001-1-B1 is another request's",
    )
    story = RefundStory(reservation=foreign)
    story.rest()
    result = story.facts.result
    assert (result.state, result.amount, result.gateway_refund_id) == (RefundState.REFUSED, NOTHING, None)
    assert (result.conflict, result.unknown, story.facts.seller_id) == (True, False, "")
    assert "another request's" in str(result.reason)
    assert story.keys == ["reserve"], "nothing is sent"
    assert story.saved is None, "the row is somebody else's"


@pytest.mark.parametrize("state", [RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED])
def test_REF_6_the_same_refund_once_more_says_how_it_ended(state: RefundState) -> None:
    story = RefundStory(reservation=duplicate(state))
    story.rest()
    result = story.facts.result
    assert (result.state, result.amount, result.gateway_refund_id) == (state, AMOUNT, IDENT)
    assert (result.unknown, result.conflict) == (False, False)
    assert (story.keys, story.stage, story.saved) == (["reserve"], state.value, None)


@pytest.mark.parametrize("state", [RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REFUSED])
def test_REF_6_a_run_that_was_reset_after_its_end_sends_nothing(state: RefundState) -> None:
    """The database knows it as the run that reserved; its amount may be free again."""
    story = RefundStory(reservation=reserved(state=state, resumed=True))
    story.rest()
    assert (story.keys, story.stage) == (["reserve"], state.value)


def test_REF_6_a_run_that_takes_over_looks_before_it_sends() -> None:
    story = RefundStory(reservation=reserved(resumed=True))
    story.rest()
    assert [one.again for one in story.begun if isinstance(one, Send)] == [True]
    assert story.stage == "succeeded"


def test_REF_11_a_run_that_took_over_tells_the_case_that_was_in_doubt_how_it_ended() -> None:
    story = RefundStory(by_case=False, reservation=reserved(resumed=True))
    story.rest()
    [report] = story.reports
    assert (report.workflow_id, report.result.state) == ("return-RR-1001-1", RefundState.SUCCEEDED)
    assert (report.reopen, story.is_over) == (None, True)


def test_REF_11_a_case_that_does_not_run_any_more_keeps_the_refund_from_nothing() -> None:
    story = RefundStory(by_case=False, reservation=reserved(resumed=True), case_runs=False)
    story.rest()
    assert (story.stage, story.is_over) == ("succeeded", True)


def test_REF_2_a_direct_refund_has_no_case_to_tell() -> None:
    story = RefundStory(direct(), by_case=False, reservation=reserved(resumed=True))
    story.rest()
    assert (story.reports, story.stage) == ([], "succeeded")


def test_REF_11_an_orders_own_refund_tells_its_order() -> None:
    own = request(refund_id="RF-1001-OS1", return_id=None, direction="broker_to_seller")
    story = RefundStory(own, send=says("pending"))
    story.rest()
    assert [one.workflow_id for one in story.reports] == ["order-1001"]


# ---- a refund can't be stopped ----


@pytest.mark.parametrize("state", ["reserving", "sending", "pending", "in trouble"])
def test_REF_6_staffs_cancel_is_answered_and_stops_no_refund(state: str) -> None:
    story = RefundStory(**steps_of(state))
    story.rest()
    before = story.stage, story.keys
    story.press_cancel()
    story.rest()
    assert story.facts.timeline[-1].what.startswith("a refund can't be stopped: money may be on its way")
    assert story.facts.timeline[-1].who == "staff:temporal"
    assert (story.stage, story.keys) == before
    story.world.reservation, story.world.send, story.world.look = reserved(), says("succeeded"), says("succeeded")
    story.rest()
    story.days(1)
    assert (story.stage, story.is_over) == ("succeeded", True)
    assert story.keys.count("send") == 1


def test_REF_6_cancel_in_one_task_with_the_gateways_answer_changes_nothing() -> None:
    for cancel_first in (True, False):
        story = RefundStory(send=None)
        story.rest()
        story.world.send = says("succeeded")
        if cancel_first:
            story.press_cancel()
        story.answer(story.pending[0])
        if not cancel_first:
            story.press_cancel()
        story.rest()
        assert (story.stage, story.is_over) == ("succeeded", True)


# ---- trouble and doubt ----


def test_REF_11_a_case_is_told_that_its_refund_is_pending() -> None:
    story = pending()
    assert [(one.result.state, one.result.unknown) for one in story.reports] == [(RefundState.PENDING, False)]
    assert story.saved.state is RefundState.PENDING
    assert story.steps == ["reserved 40.00 USD", "the gateway has it: pending"]
    story.world.look = says("succeeded")
    story.days(1)
    assert len(story.reports) == 1, "its end is the workflow's result"
    assert (story.stage, story.result) == ("succeeded", (RefundState.SUCCEEDED, AMOUNT))


def test_REF_11_a_case_is_told_that_the_gateway_does_not_answer_and_that_it_is_in_doubt() -> None:
    story = RefundStory(send=OUTAGE)
    story.rest()
    story.rest()
    [report] = story.reports
    assert (report.result.state, report.result.unknown) == (RefundState.PENDING, True)
    assert (report.result.amount, report.result.reason) == (AMOUNT, "the gateway gives no answer")
    assert (story.facts.in_doubt, story.saved.state) == (True, RefundState.RESERVED), "it counts against the cap"
    assert (story.stage, story.waits_for, story.facts.is_settling) == ("sending", ["gateway"], False)
    assert any("no success yet" in step for step in story.steps)


def test_REF_11_each_word_to_its_case_says_something_new_and_one_comes_after_the_other() -> None:
    story = RefundStory(send=OUTAGE)
    story.rest()
    story.world.send = says("pending")
    story.settle()
    [send] = [one for one in story.pending if isinstance(one, Send)]
    story.answer(send)
    story.settle()
    assert len(story.reports) == 1, "the first one is on its way"
    story.world.look = says("none")
    story.rest()
    story.days(1)
    story.world.look = says("pending")
    story.days(3)
    story.world.look = says("succeeded")
    story.days(1)
    assert [(one.key, one.result.unknown) for one in story.reports] == [
        ("report:1", True),
        ("report:2", False),
        ("report:3", True),
        ("report:4", False),
    ]
    assert story.stage == "succeeded"


def test_REF_11_one_outage_makes_no_doubt_of_a_refund_that_is_known_to_be_pending() -> None:
    story = pending(look=OUTAGE)
    story.days(1)
    assert (story.facts.in_doubt, len(story.reports)) == (False, 1)
    story.world.look = Troubled("no answer", alert=True)
    story.rest()
    assert (story.facts.in_doubt, [one.result.unknown for one in story.reports]) == (True, [False, True])


def test_NTF_9_a_fault_of_ours_at_the_gateway_is_told_to_staff_at_once() -> None:
    story = RefundStory(send=Troubled("Internal: a bug", Category.INTERNAL, alert=True))
    story.rest()
    assert story.mailed == ["mail:alert-trouble-send"]


def test_REF_7_a_silent_gateway_is_asked_each_day_and_staff_are_told_after_a_week() -> None:
    story = pending()
    story.days(6.5)
    assert (story.mailed, story.facts.in_doubt, story.waits_for) == ([], False, ["gateway"])
    story.days(1)
    assert story.mailed == ["mail:alert-pending"]
    assert (story.facts.in_doubt, story.waits_for) == (True, ["staff", "gateway"])
    story.days(30)
    assert story.mailed == ["mail:alert-pending"], "once"
    assert sum(key.startswith("look:") for key in story.keys) == 37


def test_REF_7_how_often_a_silent_gateway_is_asked_is_the_sellers_setting() -> None:
    story = pending(reservation=reserved(look_again_days=3, looks_before_alert=2))
    story.days(5.5)
    assert (sum(key.startswith("look:") for key in story.keys), story.mailed) == (1, [])
    story.days(1)
    [letter] = story.mails()
    assert "is pending for 6 days" in letter.facts["what"]


def test_REF_11_a_refund_that_was_sent_and_that_the_gateway_never_saw_is_in_doubt() -> None:
    story = RefundStory(send=says("none"), look=says("none"))
    story.rest()
    assert (story.stage, story.waits_for, story.facts.in_doubt) == ("pending", ["staff", "gateway"], True)
    assert story.saved.state is RefundState.PENDING, "it counts against the cap"
    assert [(one.result.state, one.result.unknown) for one in story.reports] == [(RefundState.PENDING, True)]
    story.days(7.5)
    [letter] = story.mails()
    assert "the gateway does not have refund" in letter.facts["what"]
    story.world.look = says("succeeded")
    story.days(1)
    assert story.stage == "succeeded"


# ---- a run that goes on in another one ----


def test_REF_6_facts_go_on_in_a_new_run_at_every_stage() -> None:
    for state in ("reserving", "sending", "pending", "in trouble"):
        story = RefundStory(**steps_of(state))
        story.rest()
        story.claim("failed")
        story.restart()
        story.world.reservation, story.world.send, story.world.look = reserved(), says("pending"), says("pending")
        story.rest()
        story.restart()
        story.world.look = says("succeeded")
        story.days(1)
        assert (story.stage, story.keys.count("send"), story.keys.count("reserve")) == ("succeeded", 1, 1)


def test_the_ends_of_the_contract_are_the_ends_of_the_plan() -> None:
    ends = {stage.value for stage in REFUND_KIND.ends}
    answers: list[ReservedRefund] = [reserved(), refused(), *(duplicate(state) for state in RefundState)]
    for answer in answers:
        story = RefundStory(reservation=answer)
        story.rest()
        assert story.stage in ends
