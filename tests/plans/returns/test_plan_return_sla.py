"""The broker refunds the seller within 60 days of the request, on the plan alone (RET-13)."""

from datetime import timedelta

import pytest

from tests.plans.returns.return_rig import NOON, completed, in_transit, requested


def test_RET_13_the_limit_counts_from_the_request_not_from_the_approval() -> None:
    story = requested().days(20).approved()
    assert story.deadlines["refund_due"] == NOON + timedelta(days=60)


def test_RET_13_staff_are_reminded_14_7_and_1_day_before_and_alerted_at_the_breach() -> None:
    story = in_transit()
    for days, left in ((46, 14), (7, 7), (6, 1)):
        story.days(days)
        assert (story.letters("refund_due_soon")[-1].facts["days"], story.facts.sla_state) == (
            str(left),
            "at_risk",
        )
    story.days(1)
    assert (len(story.letters("refund_due_soon")), len(story.letters("refund_overdue"))) == (3, 1)
    assert (story.facts.sla_state, story.money) == ("breached", ("0.00", "0.00"))
    assert story.days(30).stage == "in_transit", "it keeps waiting unless said otherwise"


def test_RET_13_reminders_that_were_missed_are_not_made_up_for() -> None:
    story = in_transit()
    story.now += timedelta(days=56)
    story.rest()
    assert [mail.facts["days"] for mail in story.letters("refund_due_soon")] == ["7"]


def test_RET_13_after_the_breach_the_broker_pays_if_the_seller_has_that_setting() -> None:
    story = in_transit(on_refund_breach="refund").days(60)
    assert (story.money, story.stage) == (("0.00", "63.00"), "awaiting_buyer_refund")
    assert "60-day refund SLA breached; the broker pays" in story.steps
    assert "63.00 USD is not credited: refunded at the broker's expense" in story.steps


def test_RET_13_a_refund_in_time_is_the_end_of_reminders() -> None:
    story = completed()
    assert story.days(100).letters("refund_due_soon") == []


@pytest.mark.parametrize("after", [10, 50, 61])
def test_RET_13_staff_move_the_limit_and_its_reminders_begin_anew(after: int) -> None:
    story = in_transit().days(after)
    until = NOON + timedelta(days=90)
    story.says("staff_override", extend="refund_due", until=until.isoformat())
    assert (story.facts.sla_state, story.deadlines["refund_due"]) == ("on_time", until)
    story.days(90 - after)
    assert story.facts.sla_state == "breached"
    assert [one.days_before for one in story.facts.sla_notices if one.due == until] == [14, 7, 1, 0]


def test_RET_13_a_limit_in_the_past_is_refused() -> None:
    refused = in_transit().refuses("staff_override", extend="refund_due", until="2026-03-01T00:00:00Z")
    assert refused == "until lies in the past (RET-13)"


def test_RET_13_the_seller_is_told_of_its_refund() -> None:
    told = {"amount": "63.00", "currency": "USD", "cost": "63.00", "refund_id": "RF-RR-1-S1"}
    assert completed().letters("seller_refunded")[0].facts == told


def test_RET_13_the_seller_is_told_what_the_supplier_did_not_accept() -> None:
    (told,) = in_transit().received(quantity=1).credited("31.50").letters("seller_refunded")
    assert (told.facts["amount"], told.facts["cost"], told.facts["less"]) == ("31.50", "63.00", "31.50")
