"""Supplier-cost reviews in the database: once, and within what the buyer got back (BAL-1, BAL-2)."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from temporalio.exceptions import ApplicationError

from activities.database.ledger import Ledger
from models.cost_reviews import (
    CostReviewRequest,
    OpenCostReview,
    OpenedCostReview,
    ReviewState,
    SaveCostReview,
)
from models.ids import cost_review_workflow_id
from models.refunds import RefundState
from tests.database.story import NOON, Story, case_record, seller


@pytest.fixture
def refunded(story: Story) -> Story:
    """An order of 100.00 USD; the buyer has 60.00 of it back, 40.00 by return RR-1."""
    story.delivered(("A", 2, "50.00"))
    story.returned("RR-1", A=1)
    for refund_id, amount, return_id in (("RF-1", "40.00", "RR-1"), ("RF-2", "20.00", None)):
        story.refunding(refund_id, amount, return_id=return_id)
        story.settled(refund_id, RefundState.SUCCEEDED, f"re_{refund_id}")
    return story


def asking(story: Story, review_id: str, amount: str, run: str = "run-1", **fields: Any) -> OpenedCostReview:
    given = {"order_id": "1001", "currency": "USD", "notes": "wrong part", "requested_by": "seller:jane"}
    request = CostReviewRequest.at_the_door({"review_id": review_id, "amount": amount, **given, **fields})
    return story.database.open_cost_review(
        OpenCostReview(request=request, workflow_id=cost_review_workflow_id(review_id), run_id=run, at=NOON)
    )


def saving(story: Story, review_id: str, state: ReviewState, approved: str | None = None, **more: Any) -> None:
    stage = "awaiting_decision" if state is ReviewState.OPEN else state.value
    ended = state is not ReviewState.OPEN
    record = case_record(cost_review_workflow_id(review_id), stage, ended=ended)
    story.database.save_cost_review(
        SaveCostReview(
            record=record,
            review_id=review_id,
            state=state,
            approved=Decimal(approved) if approved else None,
            decided_by="staff:kim" if ended else None,
            at=NOON,
            **more,
        )
    )


def credited(engine: Engine) -> list[tuple[str, Decimal, str]]:
    entries = Ledger(engine).entries()
    return [(one.credit, one.amount, one.debit) for one in entries if one.movement.startswith("cost_review/")]


def test_BAL_2_it_is_written_down_with_the_settings_of_the_seller(refunded: Story) -> None:
    refunded.parties.put_seller(seller(review_days=12, review_reminder_days=[5]))
    opened = asking(refunded, "CR-1", "30.00")
    assert (opened.reason, opened.refunded, opened.review_days) == (None, Decimal("60.00"), 12)
    (listed,) = refunded.reading.find_cost_reviews(seller="acme")
    assert (listed.amount, listed.state, listed.requested_by) == (Decimal("30.00"), "open", "seller:jane")
    assert asking(refunded, "CR-1", "30.00") == opened, "asked twice it is the same"


@pytest.mark.parametrize(
    ("amount", "fields", "why"),
    [
        ("60.01", {}, "60.01 USD is more than the 60.00"),
        ("40.01", {"return_id": "RR-1"}, "40.01 USD is more than the 40.00"),
        ("1.00", {"currency": "EUR"}, "refunded in USD, the review is in EUR"),
        ("1.00", {"return_id": "RR-9"}, "no return RR-9"),
        ("1.00", {"order_id": "9"}, "no order 9"),
    ],
)
def test_BAL_2_what_the_buyer_did_not_get_is_not_reviewed(
    refunded: Story, amount: str, fields: dict[str, str], why: str
) -> None:
    opened = asking(refunded, "CR-1", amount, **fields)
    assert opened.reason is not None
    assert why in opened.reason
    assert refunded.reading.find_cost_reviews() == []


def test_BAL_2_a_buyer_who_was_not_refunded_costs_nothing_yet(story: Story) -> None:
    story.delivered(("A", 2, "50.00"))
    story.refunding("RF-1", "40.00")
    assert asking(story, "CR-1", "1.00").reason == "the buyer was not refunded: there is no cost to review yet"


def test_BAL_2_reviews_of_an_order_add_up_to_no_more_than_the_buyer_got(refunded: Story) -> None:
    assert asking(refunded, "CR-1", "50.00").reason is None
    assert asking(refunded, "CR-2", "10.01").reason is not None
    saving(refunded, "CR-1", ReviewState.APPROVED, "20.00")
    assert asking(refunded, "CR-2", "40.00").reason is None
    saving(refunded, "CR-2", ReviewState.REJECTED)
    assert asking(refunded, "CR-3", "40.00").reason is None


def test_BAL_2_another_runs_number_is_not_taken_over(refunded: Story) -> None:
    asking(refunded, "CR-1", "10.00")
    assert asking(refunded, "CR-1", "10.00", run="run-2").reason == "review CR-1 exists already"


def test_BAL_1_BAL_2_an_approval_is_credited_once_in_the_same_transaction(refunded: Story, engine: Engine) -> None:
    asking(refunded, "CR-1", "30.00")
    saving(refunded, "CR-1", ReviewState.OPEN)
    assert credited(engine) == []
    for _ in range(2):
        saving(refunded, "CR-1", ReviewState.APPROVED, "25.00")
    assert credited(engine) == [("seller/acme/available", Decimal("25.00"), "broker/expense")]
    listed = refunded.reading.cost_review("CR-1")
    assert (listed.approved, listed.decided_by, listed.state) == (Decimal("25.00"), "staff:kim", "approved")
    _, faults = Ledger(engine).faults()
    assert [one for one in faults if one.movement.startswith("cost_review/")] == []


@pytest.mark.parametrize("state", [ReviewState.REJECTED, ReviewState.WITHDRAWN, ReviewState.STOPPED])
def test_BAL_2_what_is_not_approved_credits_nothing(refunded: Story, engine: Engine, state: ReviewState) -> None:
    asking(refunded, "CR-1", "30.00")
    saving(refunded, "CR-1", state)
    assert credited(engine) == []


def test_BAL_2_what_was_decided_stays_so(refunded: Story, engine: Engine) -> None:
    asking(refunded, "CR-1", "30.00")
    saving(refunded, "CR-1", ReviewState.REJECTED)
    saving(refunded, "CR-1", ReviewState.APPROVED, "30.00")
    assert (refunded.reading.cost_review("CR-1").state, credited(engine)) == ("rejected", [])


def test_BAL_1_the_ledger_says_when_a_review_is_not_entered(refunded: Story, engine: Engine) -> None:
    asking(refunded, "CR-1", "30.00")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE cost_review SET state = 'approved', approved = '30.00', settled_at = requested_at")
        )
    _, faults = Ledger(engine).faults()
    assert [one.movement for one in faults if one.movement.startswith("cost_review/")] == ["cost_review/CR-1"]
    Ledger(engine).backfill()
    assert credited(engine) == [("seller/acme/available", Decimal("30.00"), "broker/expense")]


def test_BAL_2_a_review_of_nobody_is_not_saved(refunded: Story) -> None:
    with pytest.raises(ApplicationError, match="no cost review CR-9"):
        saving(refunded, "CR-9", ReviewState.APPROVED, "1.00")


def test_BAL_2_the_database_refuses_more_than_was_asked_for(refunded: Story, engine: Engine) -> None:
    asking(refunded, "CR-1", "30.00")
    wrong = "UPDATE cost_review SET state = 'approved', settled_at = requested_at, approved = '30.01'"
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(wrong))
