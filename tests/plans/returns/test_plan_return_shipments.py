"""The parcel back, on the plan alone (RET-10)."""

from datetime import timedelta

import pytest

from tests.plans.returns.return_rig import NOON, requested


def test_RET_10_a_tracking_number_says_that_it_is_on_its_way() -> None:
    story = requested().approved()
    assert story.waits == [("awaiting_tracking", "buyer")]
    assert story.sent().waits == [("in_transit", "supplier"), ("awaiting_buyer_refund", "seller")]


def test_RET_10_without_one_come_reminders_and_then_the_end_without_refund() -> None:
    story = requested(tracking_days=30, tracking_reminder_days=[7, 21, 28], reopen_days=30).approved().days(30)
    assert (len(story.letters("tracking_reminder")), story.waits) == (3, [("expired", "buyer")])
    assert [story.templates.count(one) for one in ("return_expired", "return_expired_buyer")] == [1, 1]
    story.days(30)
    assert (story.stage, story.money, story.is_over) == ("expired", ("0.00", "0.00"), True)


def test_RET_10_a_number_added_later_reopens_it() -> None:
    story = requested().approved().days(40).sent()
    assert (story.stage, "reopened" in story.steps, story.templates.count("return_reopened")) == (
        "in_transit",
        True,
        1,
    )
    assert [one.missed - NOON for one in story.facts.expiries] == [timedelta(days=30)]


def test_RET_10_staff_waive_the_number() -> None:
    assert requested().approved().says("staff_override", waive="tracking").stage == "in_transit"
    refused = requested().approved().refuses("staff_override", waive="tracking", actor="seller:jane")
    assert refused == "only broker or staff may send staff_override, and this is from a seller"


def test_RET_10_more_time_reopens_it_without_repeating_reminders_and_it_may_expire_again() -> None:
    story = requested().approved().days(31)
    until = (NOON + timedelta(days=40)).isoformat()
    story.says("staff_override", extend="tracking_due", until=until)
    assert (story.stage, len(story.letters("tracking_reminder"))) == ("awaiting_tracking", 3)
    story.days(9)
    assert (story.stage, len(story.facts.expiries)) == ("expired", 2)
    assert story.templates.count("return_expired") == 2


def test_RET_10_a_deadline_in_another_zone_is_the_same_moment() -> None:
    story = requested().approved().says("staff_override", extend="tracking_due", until="2026-06-01T23:00:00-05:00")
    assert story.deadlines["tracking_due"].isoformat() == "2026-06-02T04:00:00+00:00"
    assert "tracking due is now 2026-06-02 04:00 UTC: worn" in story.steps


@pytest.mark.parametrize("proof", ["goods", "credit"])
def test_RET_10_what_arrives_proves_more_than_a_number(proof: str) -> None:
    story = requested().approved()
    (story.received() if proof == "goods" else story.credited())
    assert story.stage != "awaiting_tracking"


def test_RET_10_RET_13_nothing_is_due_for_an_expired_return_but_one_reopened_late_is_over_its_limit() -> None:
    story = requested(reopen_days=60).approved().days(65)
    assert (story.stage, story.facts.sla_state, story.letters("refund_overdue")) == ("expired", "on_time", [])
    assert story.sent().facts.sla_state == "breached"


def test_RET_29_the_same_number_again_is_said_to_be_known() -> None:
    story = requested().approved()
    for carrier, number in (("UPS", "1Z AA"), ("ups", "1zaa"), ("UPS", "1ZBB"), ("DHL", "1ZBB")):
        story.says("return_tracking", carrier=carrier, tracking_number=number)
    said = [step for step in story.steps if step.startswith("tracking number")]
    assert said == [
        "tracking number entered: UPS 1Z AA",
        "tracking number ups 1zaa is known already",
        "tracking number entered: UPS 1ZBB",
        "tracking number DHL 1ZBB is known already; its carrier was UPS",
    ]
