"""A refund over the seller's limit needs a second person (REF-12)."""

from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.refunds import BY_SETTING, RefundState, require_right_to_over_refund
from models.worklists import Work
from tests.plans.refunds.story import NOON, OUTAGE, RefundStory, direct, duplicate, request, reserved
from workflows.refunds.view import facts_in_status, view

LIMIT = Decimal("25.00")


def over_limit(**more: Any) -> RefundStory:
    """40.00, which `seller:jane` asked for; the seller's limit is 25.00."""
    story = RefundStory(**{"reservation": reserved(over_limit=LIMIT, confirm_reminder_days=(3, 10)), **more})
    story.rest()
    return story


def work(story: RefundStory) -> tuple[Work, ...]:
    return view(story.facts, story.plan).work


def test_REF_12_nothing_is_sent_before_a_second_person_has_confirmed_it() -> None:
    story = over_limit()
    assert (story.stage, story.waits_for, "send" in story.keys) == ("awaiting_confirmation", ["seller"], False)
    assert (
        story.plan.waits[0].what == "a second person to confirm or reject 40.00 USD, which seller:jane asked for"
    )
    assert work(story) == (Work.REFUND_TO_CONFIRM,)
    assert story.facts.result.state is RefundState.RESERVED, "it counts against the cap meanwhile (REF-3)"
    assert not story.facts.is_settling, "lists show where it waits"

    assert story.confirm("seller:tom")
    story.rest()
    assert story.result == (RefundState.SUCCEEDED, Decimal("40.00"))
    assert story.keys == ["reserve", "report:to-confirm", "write-confirmation", "send"]
    said = facts_in_status(story.facts)
    assert (said["requested_by"], said["confirmed_by"], said["over_limit"]) == (
        "seller:jane",
        "seller:tom",
        "25.00",
    )
    assert work(story) == ()


@pytest.mark.parametrize("same", ["seller:jane", "seller:Jane", "staff:jane", "broker:JANE"])
def test_REF_12_who_asked_is_no_second_person(same: str) -> None:
    story = over_limit()
    assert not story.confirm(same)
    assert "seller:jane asked for this refund: another person must confirm it" in story.rejections[0]
    story.rest()
    assert story.stage == "awaiting_confirmation"


@pytest.mark.parametrize("actor", ["buyer:ann", "script:cron", "supplier:dock", "gateway:stripe"])
def test_REF_12_only_a_person_of_the_seller_or_the_broker_confirms(actor: str) -> None:
    story = over_limit()
    assert not story.confirm(actor)
    assert story.stage == "awaiting_confirmation"


@pytest.mark.parametrize("who", ["seller:tom", "seller:jane"])
def test_REF_12_rejected_it_is_not_made_and_its_amount_is_refundable_again(who: str) -> None:
    """Who asked may take it back."""
    story = over_limit()
    assert story.reject(who)
    story.rest()
    assert (story.stage, story.result[0], "send" in story.keys) == ("refused", RefundState.REFUSED, False)
    assert story.facts.result.reason == f"rejected by {who}: he kept the goods"
    assert story.saved.state is RefundState.REFUSED
    assert not story.confirm("seller:tom"), "it has ended"


def test_REF_12_it_is_decided_once() -> None:
    story = over_limit(written=None)
    assert story.confirm("seller:tom")
    assert not story.reject("seller:sue")
    assert not story.confirm("seller:sue")
    assert story.rejections == ["seller:tom has confirmed it already"] * 2


def test_REF_12_who_confirmed_is_written_down_before_it_is_sent() -> None:
    story = over_limit(written=OUTAGE)
    story.confirm("seller:tom")
    story.rest()
    assert (story.stage, "send" in story.keys) == ("awaiting_confirmation", False)


@pytest.mark.parametrize("confirmed_by", [None, "seller:tom"])
def test_REF_12_a_later_run_knows_whether_it_was_confirmed(confirmed_by: str | None) -> None:
    story = RefundStory(reservation=reserved(over_limit=LIMIT, resumed=True, confirmed_by=confirmed_by))
    story.rest()
    assert (story.stage == "succeeded") is (confirmed_by is not None)


def test_REF_12_a_refund_within_the_limit_needs_nobody_else() -> None:
    story = RefundStory(send=None)
    story.rest()
    assert not story.confirm("seller:tom")
    assert "not over the seller's limit" in story.rejections[0]


@pytest.mark.parametrize("word", ["confirm", "reject"])
@pytest.mark.parametrize("limit", [None, LIMIT])
def test_REF_12_a_word_that_comes_before_the_limit_is_looked_at_is_kept(word: str, limit: Decimal | None) -> None:
    story = RefundStory(reservation=reserved(over_limit=limit))
    assert getattr(story, word)("seller:tom")
    story.rest()
    ends = "refused" if limit is not None and word == "reject" else "succeeded"
    assert (story.stage, len(story.rejections)) == (ends, 0 if limit is not None else 1)


@pytest.mark.parametrize("asks", [direct(), direct(amount=None), request(requested_by=BY_SETTING)])
def test_REF_12_it_holds_for_a_direct_refund_a_full_one_and_an_automatic_one(asks: Any) -> None:
    story = RefundStory(asks, by_case=asks.return_id is not None, reservation=reserved(over_limit=LIMIT))
    story.rest()
    assert story.stage == "awaiting_confirmation"
    assert story.confirm("seller:tom")
    story.rest()
    assert story.stage == "succeeded"


def test_REF_12_the_seller_is_told_and_reminded_until_it_is_decided() -> None:
    story = over_limit()
    assert story.mailed == ["mail:refund-to-confirm-0"]
    story.days(11)
    assert story.mailed == [f"mail:refund-to-confirm-{number}" for number in range(3)]
    assert story.now - NOON == timedelta(days=11)


def test_REF_12_its_return_is_told_for_whom_it_waits() -> None:
    (told,) = over_limit().reports
    assert (told.result.to_confirm, told.result.unknown, told.result.amount) == (True, False, Decimal("40.00"))


def test_REF_12_one_that_has_ended_before_is_nobodys_to_confirm() -> None:
    story = RefundStory(reservation=duplicate(RefundState.SUCCEEDED))
    story.rest()
    assert not story.confirm("seller:tom")


@pytest.mark.parametrize(
    ("by", "named", "may"),
    [
        ("seller:jane", (), True),
        ("staff:sam", (), True),
        ("seller:jane", ("seller:jane",), True),
        ("staff:sam", ("seller:jane",), False),
        (BY_SETTING, (), False),
        ("script:cron", (), False),
        ("channel:ebay", (), False),
    ],
)
def test_REF_5_REF_12_an_over_refund_needs_the_right_to_make_one(
    by: str, named: tuple[str, ...], may: bool
) -> None:
    with nullcontext() if may else pytest.raises(ValueError, match="REF-12"):
        require_right_to_over_refund(by, named)
