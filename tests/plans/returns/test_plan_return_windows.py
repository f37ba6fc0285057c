"""RET-22: a return that is asked for after its window is marked, and a person or the seller's setting decides."""

from datetime import timedelta
from typing import Any

import pytest

from models.records import ReturnOpening
from models.return_windows import ReturnWindow
from tests.plans.returns.return_rig import NOON, ReturnStory, unopened

DAY = timedelta(days=1)


def asked(days_after: float, *, source: str = "buyer", **seller: Any) -> ReturnStory:
    """A return that was asked for so many days after its window; negative: before its end."""
    story = unopened(request={"source": source, "requested_by": "buyer:bo"}, **seller)
    given = story.world.opening()
    assert isinstance(given, ReturnOpening)
    assert given.opened is not None
    until = NOON - days_after * DAY
    window = ReturnWindow(counts_from=until - 30 * DAY, is_delivery_known=True, days=30, until=until)
    opened = given.opened.model_copy(update={"window": window})
    story.world.open = given.model_copy(update={"opened": opened})
    story.rest()
    return story


@pytest.mark.parametrize("days_after", [-20, -0.001])
def test_RET_22_in_time_nothing_is_marked(days_after: float) -> None:
    story = asked(days_after, outside_window="reject")
    assert (story.stage, story.shown["outside_window"]) == ("awaiting_approval", False)
    (mail,) = story.letters("return_requested")
    assert "window_until" not in mail.facts


@pytest.mark.parametrize("days_after", [0.001, 200])
def test_RET_22_later_it_is_marked_and_a_person_decides(days_after: float) -> None:
    story = asked(days_after)
    assert story.stage == "awaiting_approval"
    assert story.shown["outside_window"]
    (marked,) = [step for step in story.steps if "after the return window" in step]
    assert "30 days from delivery" in marked
    (mail,) = story.letters("return_requested")
    assert mail.facts["window_until"] == (NOON - days_after * DAY).isoformat()
    assert story.approved().stage == "awaiting_tracking"


def test_RET_22_by_setting_it_is_rejected_and_the_buyer_is_told_the_date() -> None:
    story = asked(3, outside_window="reject")
    assert story.is_over
    assert story.stage == "rejected"
    assert "2026-02-27" in story.facts.closing_message
    (mail,) = story.letters("return_too_late")
    assert (mail.to, mail.facts["until"]) == ("buyer", (NOON - 3 * DAY).isoformat())
    assert [letter.to for letter in story.letters("return_rejected_late")] == ["seller"]
    assert story.letters("return_requested") == []


@pytest.mark.parametrize("source", ["ebay_return", "ebay_case", "amazon_report"])
def test_RET_22_what_a_marketplace_opened_is_marked_and_never_rejected_by_itself(source: str) -> None:
    story = asked(3, source=source, outside_window="reject")
    assert story.stage == "awaiting_approval"
    assert story.shown["outside_window"]


def test_RET_22_an_approval_that_came_first_wins() -> None:
    story = unopened(request={"source": "buyer", "requested_by": "buyer:bo"}, outside_window="reject")
    given = story.world.opening()
    assert isinstance(given, ReturnOpening)
    assert given.opened is not None
    window = ReturnWindow(counts_from=NOON - 40 * DAY, is_delivery_known=False, days=30, until=NOON - 10 * DAY)
    story.world.open = given.model_copy(update={"opened": given.opened.model_copy(update={"window": window})})
    story.hear(story.event("seller_approval", decision="approved"))
    story.rest()
    assert story.stage == "awaiting_tracking"
