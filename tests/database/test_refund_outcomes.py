"""What the database has of a refund: whose it is, what became of its money, and which return opens again."""

from datetime import timedelta
from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from models.records import Opening, SettleRefund
from models.refunds import Direction, RefundState
from tests.database.story import NOON, Story


@pytest.fixture
def paid_100(story: Story) -> Story:
    """An order of 100.00 USD, for which the broker took 60.00 USD from the seller."""
    story.delivered(("A", 2, "50.00"))
    return story


# ---- whose refund it is ----


@pytest.mark.parametrize("state", list(RefundState))
def test_REF_6_a_refund_id_that_an_order_and_a_return_share_gives_nothing_away(
    paid_100: Story, state: RefundState
) -> None:
    paid_100.returned("1001", A=1)
    paid_100.refunding("RF-1001-B1", "40.00")
    paid_100.settled("RF-1001-B1", state, "re_1")
    others = paid_100.refunding("RF-1001-B1", "40.00", run="run-2", return_id="1001")
    assert others.opening is Opening.CONFLICT
    assert others.reason is not None
    assert others.reason.endswith("it differs in return_id")
    assert (others.state, others.amount, others.gateway_refund_id) == (RefundState.REFUSED, None, None)
    assert (others.payment_reference, others.seller_id, others.resumed) == (None, None, False)
    outcome = paid_100.outcome("RF-1001-B1", "40.00", return_id="1001")
    assert (outcome.conflict, outcome.unknown, outcome.amount) == (True, False, Decimal(0))
    assert outcome.gateway_refund_id is None


def test_REF_7_a_word_about_a_refund_that_nobody_knows_reserves_nothing(paid_100: Story) -> None:
    refused = paid_100.refunding("RF-1", "40.00", known_only=True)
    assert (refused.opening, refused.state) == (Opening.REFUSED, RefundState.REFUSED)
    assert refused.reason == "no refund RF-1 is known here; nothing was sent"
    assert paid_100.left_for_buyer() == Decimal("100.00")
    paid_100.refunding("RF-1", "40.00")
    assert paid_100.refunding("RF-1", "40.00", run="run-2", known_only=True).opening is Opening.OPENED


# ---- where it stands, and what became of its money ----


def test_REF_11_the_outcome_is_unknown_until_the_refund_is_settled(paid_100: Story) -> None:
    assert paid_100.outcome("RF-1", "40.00").unknown is True
    paid_100.refunding("RF-1", "40.00")
    for state in (RefundState.RESERVED, RefundState.PENDING):
        paid_100.settled("RF-1", state, "re_1")
        outcome = paid_100.outcome("RF-1", "40.00")
        assert (outcome.unknown, outcome.state, outcome.conflict) == (True, state, False)
    paid_100.settled("RF-1", RefundState.SUCCEEDED, "re_1")
    outcome = paid_100.outcome("RF-1", None)
    assert (outcome.unknown, outcome.state, outcome.amount) == (False, RefundState.SUCCEEDED, Decimal("40.00"))
    assert (outcome.gateway_refund_id, outcome.currency) == ("re_1", "USD")


def test_REF_6_where_a_refund_stands_and_its_money_are_written_together(paid_100: Story) -> None:
    paid_100.refunding("RF-1", "40.00")
    paid_100.refund_reaches("RF-1", "pending", RefundState.PENDING, gateway_refund_id="re_1")
    paid_100.refund_reaches("RF-1", "succeeded", RefundState.SUCCEEDED, ended=True)
    kept = paid_100.reading.refund("RF-1")
    assert (kept.state, kept.gateway_refund_id, kept.settled_at) == (
        RefundState.SUCCEEDED,
        "re_1",
        NOON + timedelta(hours=1),
    )
    assert kept.standing is not None
    assert (kept.standing.stage, kept.standing.ended) == ("succeeded", True)
    paid_100.refund_reaches("RF-1", "pending", RefundState.PENDING)
    assert paid_100.reading.refund("RF-1").state is RefundState.SUCCEEDED, "what has ended stays so"
    paid_100.refund_reaches("RF-1", "failed", RefundState.FAILED, reason="account closed")
    kept = paid_100.reading.refund("RF-1")
    assert (kept.state, kept.failure_reason) == (RefundState.FAILED, "account closed")
    assert paid_100.left_for_buyer() == Decimal("100.00")


def test_REF_6_a_refund_that_can_not_be_written_leaves_no_trace_of_where_it_stands(paid_100: Story) -> None:
    with pytest.raises(ApplicationError, match="no refund RF-9") as refused:
        paid_100.refund_reaches("RF-9", "succeeded", RefundState.SUCCEEDED)
    assert (refused.value.type, refused.value.non_retryable) == ("NotFound", True)
    assert paid_100.reading.standing("refund-RF-9") is None


def test_NTF_3_a_refund_that_reserved_nothing_keeps_where_it_stands(paid_100: Story) -> None:
    paid_100.refund_reaches("RF-9", "refused", None, ended=True)
    paid_100.refund_reaches("RF-8", "refused", RefundState.REFUSED, ended=True)
    for refund_id in ("RF-9", "RF-8"):
        standing = paid_100.reading.standing(f"refund-{refund_id}")
        assert standing is not None
        assert (standing.stage, standing.ended) == ("refused", True)


# ---- REF-7: the return of a refund that failed afterwards opens again ----


@pytest.fixture
def completed(paid_100: Story) -> Story:
    """A return that is completed; of its refunds RF-1 failed afterwards, and RF-2 succeeded."""
    paid_100.returned("RR-1", A=1)
    for refund_id in ("RF-1", "RF-2"):
        paid_100.refunding(refund_id, "10.00", return_id="RR-1")
        paid_100.settled(refund_id, RefundState.SUCCEEDED)
    paid_100.return_reaches("RR-1", "completed", ended=True, outcome="completed", facts={"version": 1})
    paid_100.settled("RF-1", RefundState.FAILED)
    return paid_100


def test_REF_7_a_completed_return_opens_again_with_its_last_facts_and_its_failed_refunds(completed: Story) -> None:
    opened = completed.reopening("RR-1", "RF-1")
    assert (opened.opening, opened.facts) == (Opening.OPENED, {"version": 1})
    (failed,) = opened.failed
    assert (failed.refund_id, failed.amount, failed.direction) == (
        "RF-1",
        Decimal("10.00"),
        Direction.SELLER_TO_BUYER,
    )
    assert failed.state is RefundState.FAILED
    standing = completed.reading.standing("return-RR-1")
    assert standing is not None
    assert standing.ended is False


def test_REF_7_all_refunds_of_a_return_that_failed_are_told(completed: Story) -> None:
    completed.settled("RF-2", RefundState.FAILED)
    assert [one.refund_id for one in completed.reopening("RR-1", "RF-2").failed] == ["RF-1", "RF-2"]


def test_REF_7_a_return_that_is_open_or_was_opened_again_answers_the_same_refund_again(completed: Story) -> None:
    first = completed.reopening("RR-1", "RF-1")
    again = completed.reopening("RR-1", "RF-1", run="run-3")
    assert (again.opening, again.facts, again.failed) == (first.opening, first.facts, first.failed)


@pytest.mark.parametrize("stage", ["stopped", "terminated"])
def test_REF_7_a_return_that_staff_cut_short_does_not_open_again(completed: Story, stage: str) -> None:
    completed.return_reaches("RR-1", stage, ended=True, outcome=stage)
    refused = completed.reopening("RR-1", "RF-1")
    assert (refused.opening, refused.failed) == (Opening.REFUSED, ())
    assert refused.reason == "return RR-1 did not end by itself: staff must look at it"


@pytest.mark.parametrize(
    ("return_id", "refund_id", "why"),
    [
        ("RR-9", "RF-1", "no return RR-9"),
        ("RR-1", "RF-9", "no refund RF-9 of return RR-1 has failed"),
        ("RR-1", "RF-2", "no refund RF-2 of return RR-1 has failed"),
    ],
)
def test_REF_7_only_a_failed_refund_of_the_return_itself_opens_it_again(
    completed: Story, return_id: str, refund_id: str, why: str
) -> None:
    refused = completed.reopening(return_id, refund_id)
    assert (refused.opening, refused.reason) == (Opening.REFUSED, why)


def test_REF_7_a_refund_that_is_taken_back_names_the_request_of_its_return_as_it_was(completed: Story) -> None:
    taken_back = SettleRefund(refund_id="RF-2", state=RefundState.FAILED, at=NOON)
    assert completed.database.take_back_refund(taken_back).reopen == completed.return_request("RR-1", A=1)
    of_nobody = SettleRefund(refund_id="RF-9", state=RefundState.FAILED, at=NOON)
    assert completed.database.take_back_refund(of_nobody).reopen is None
