"""A supplier-cost review, on the plan alone: requested, decided by a person in time, credited (BAL-2)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.case import SlaState
from models.contract import COST_REVIEW_EVENTS, COST_REVIEW_KIND
from models.cost_reviews import CostReviewRequest, OpenedCostReview
from models.failures import InvalidInput
from models.message import Event
from models.worklists import Work
from tests.plans.rig import NOT_YET, Given, Pure, Rig
from workflows.cost_reviews.effects import OpenReview
from workflows.cost_reviews.events import apply, check
from workflows.cost_reviews.facts import CostReviewFacts
from workflows.cost_reviews.plan import plan
from workflows.cost_reviews.view import facts_in_status, projection, view
from workflows.engine.case import Effect
from workflows.engine.save import record_of
from workflows.engine.worklists import work_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PHOTO = {"kind": "photo", "reference": "s3://acme/1.jpg", "sha256": "a" * 64}
SENDERS = {"cost_decision": "staff:kim", "review_withdrawn": "seller:jane", "evidence_added": "seller:jane"}


def opened(**fields: Any) -> OpenedCostReview:
    given: dict[str, Any] = {"seller_id": "acme", "refunded": Decimal("100.00"), "review_reminder_days": (14, 25)}
    return OpenedCostReview(**{**given, **fields})


class World:
    """The database, which answers as it is told; mails arrive."""

    def __init__(self, opening: OpenedCostReview | None) -> None:
        self.opening = opening

    def answer(self, effect: Effect, facts: CostReviewFacts) -> Given:
        return (self.opening or NOT_YET) if isinstance(effect, OpenReview) else None


class Review(Rig[CostReviewFacts]):
    """40.00 asked for by the seller; the buyer was refunded 100.00."""

    def __init__(self, opening: OpenedCostReview | None = None, **fields: Any) -> None:
        given = {
            "review_id": "CR-1001-1",
            "order_id": "1001",
            "return_id": "RR-1001-1",
            "amount": "40.00",
            "currency": "USD",
            "notes": "the wrong part was packed",
            "requested_by": "seller:jane",
        }
        request = CostReviewRequest.at_the_door({**given, **fields})
        facts = CostReviewFacts(now=NOON, created_at=NOON, run_id="run-1", request=request)
        super().__init__(Pure(COST_REVIEW_KIND, check, apply, plan), facts, World(opening or opened()))
        self.events = 0
        self.rest()

    def says(self, name: str, **fields: Any) -> bool:
        self.events += 1
        given = {"event_id": f"e{self.events}", "actor": SENDERS[name], **fields}
        event: Event = COST_REVIEW_EVENTS[name].at_the_door(given)
        heard = self.hear(event)
        self.rest()
        return heard

    @property
    def why(self) -> str:
        return self.facts.rejected[-1].reason

    @property
    def mailed(self) -> list[str]:
        return [f"{one.template} to {one.to}" for one in self.mails()]

    @property
    def saved(self) -> Any:
        kept = projection(self.facts, record_of(self.facts, self.plan, view(self.facts, self.plan), "opening"))
        return kept[1] if kept else None


def test_BAL_2_a_request_waits_for_a_person_and_shows_what_is_known() -> None:
    review = Review(evidence=[PHOTO])
    (waiting,) = review.plan.waits
    assert (review.stage, str(waiting.who), waiting.due) == (
        "awaiting_decision",
        "staff",
        NOON + timedelta(days=30),
    )
    assert review.mailed == ["cost_review_requested to seller", "staff_alert to staff"]
    assert work_of(review.facts, view(review.facts, review.plan), review.plan.waits) == (Work.TO_DECIDE,)
    shown = facts_in_status(review.facts)
    assert (shown["requested"], shown["refunded"], shown["approved"], shown["state"]) == (
        "40.00",
        "100.00",
        None,
        "open",
    )
    assert shown["evidence"] == [PHOTO]
    assert review.steps == [
        "review of 40.00 USD requested; the buyer was refunded 100.00: the wrong part was packed"
    ]


@pytest.mark.parametrize(("said", "credited"), [({}, "40.00"), ({"amount": "25.00"}, "25.00")])
def test_BAL_2_approved_the_sellers_balance_is_credited(said: dict[str, str], credited: str) -> None:
    review = Review()
    assert review.says("cost_decision", decision="approved", **said)
    assert review.stage == "approved"
    assert (review.saved.state, review.saved.approved) == ("approved", Decimal(credited))
    assert review.mailed[-1] == "cost_review_decided to seller"
    assert list(review.mails())[-1].facts["approved"] == credited
    assert review.facts.closing_message == f"approved: {credited} USD credited to the seller's balance"


def test_BAL_2_rejected_the_reason_is_shown_and_nothing_is_credited() -> None:
    review = Review()
    assert review.says("cost_decision", decision="rejected", reason="the part was right")
    assert (review.stage, review.saved.approved) == ("rejected", None)
    assert review.facts.closing_message == "rejected: the part was right"
    assert list(review.mails())[-1].facts["reason"] == "the part was right"


@pytest.mark.parametrize(
    "wrong", [{"decision": "rejected"}, {"decision": "rejected", "amount": "1.00", "reason": "x"}]
)
def test_BAL_2_a_rejection_needs_a_reason_and_no_amount(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        Review().says("cost_decision", **wrong)


def test_BAL_2_it_is_decided_once() -> None:
    review = Review()
    assert review.says("cost_decision", decision="approved")
    assert not review.says("cost_decision", decision="rejected", reason="no", actor="staff:sam")
    assert (review.facts.state, review.facts.approved) == ("approved", Decimal("40.00"))


def test_BAL_2_no_more_than_was_asked_for_is_credited() -> None:
    review = Review()
    assert not review.says("cost_decision", decision="approved", amount="40.01")
    assert "more than the 40.00 USD that the seller asked for" in review.why
    assert not review.says("cost_decision", decision="approved", amount="39.999")
    assert review.stage == "awaiting_decision"


@pytest.mark.parametrize("actor", ["seller:tom", "script:cron", "buyer:ann", "staff:jane"])
def test_BAL_2_who_gains_or_asked_does_not_decide(actor: str) -> None:
    review = Review()
    assert not review.says("cost_decision", decision="approved", actor=actor)
    assert review.stage == "awaiting_decision"


def test_BAL_2_the_seller_withdraws_while_it_is_open() -> None:
    review = Review()
    assert review.says("review_withdrawn", reason="settled with the supplier")
    assert (review.stage, review.saved.state) == ("withdrawn", "withdrawn")
    assert not review.says("cost_decision", decision="approved")


def test_BAL_2_what_is_decided_is_withdrawn_no_more() -> None:
    review = Review()
    assert review.says("cost_decision", decision="rejected", reason="the part was right")
    assert not review.says("review_withdrawn", reason="never mind")


def test_BAL_2_evidence_comes_by_reference_and_hash() -> None:
    review = Review(evidence=[PHOTO])
    assert review.says("evidence_added", reference="s3://acme/2.pdf", sha256="b" * 64)
    assert [one.reference for one in review.saved.evidence] == ["s3://acme/1.jpg", "s3://acme/2.pdf"]
    for _ in range(18):
        assert review.says("evidence_added", reference="s3://acme/3.pdf", sha256="c" * 64)
    assert not review.says("evidence_added", reference="s3://acme/4.pdf", sha256="d" * 64)


def test_BAL_2_staff_are_reminded_and_then_it_is_flagged_but_still_taken() -> None:
    review = Review()
    for days, told in ((13, 1), (1, 2), (11, 3), (5, 4)):
        review.clock(timedelta(days=days))
        assert review.mailed.count("staff_alert to staff") == told
    shown = view(review.facts.as_of(review.now), review.plan)
    assert (review.stage, shown.sla_state) == ("awaiting_decision", SlaState.BREACHED)
    assert review.says("cost_decision", decision="approved")
    assert review.stage == "approved"


def test_BAL_2_settings_of_the_seller_say_how_long_it_may_take() -> None:
    review = Review(opened(review_days=5, review_reminder_days=(2, 7)))
    assert review.plan.waits[0].due == NOON + timedelta(days=5)
    review.clock(timedelta(days=6))
    assert review.mailed.count("staff_alert to staff") == 3, "asked, reminded, overdue"


def test_BAL_2_what_the_database_refuses_is_not_kept() -> None:
    review = Review(opened(reason="the buyer was not refunded", refunded=Decimal(0)))
    assert (review.stage, review.saved) == ("refused", None)
    assert review.facts.closing_message == "refused: the buyer was not refunded"
    assert review.mailed == []


def test_BAL_2_a_decision_that_comes_before_it_is_open_is_kept() -> None:
    review = Review.__new__(Review)
    Rig.__init__(review, *_unopened())
    review.events = 0
    assert review.says("cost_decision", decision="approved")
    review.world.opening = opened()  # type: ignore[attr-defined]
    review.rest()
    assert (review.stage, review.facts.approved) == ("approved", Decimal("40.00"))


def _unopened() -> tuple[Any, ...]:
    known = Review().facts
    facts = CostReviewFacts(now=NOON, created_at=NOON, run_id="run-1", request=known.request)
    return Pure(COST_REVIEW_KIND, check, apply, plan), facts, World(None)


def test_BAL_2_stopped_by_staff_nothing_is_credited() -> None:
    review = Review()
    review.press_cancel()
    review.rest()
    assert (review.stage, review.saved.state, review.saved.approved) == ("stopped", "stopped", None)
