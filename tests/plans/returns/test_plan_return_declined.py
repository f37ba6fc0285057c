"""A return that ends without refunding the buyer, and one that nobody decides (RET-27)."""

from typing import Any

import pytest

from models.contract import RETURN_EVENTS, RETURN_KIND
from models.failures import InvalidInput
from models.senders import NotTheirs
from tests.plans.returns.return_rig import (
    ReturnStory,
    a_record,
    awaiting_click,
    completed,
    failure,
    in_transit,
    requested,
    unopened,
)
from workflows.returns.view import projection

B1 = "RF-RR-1-B1"


def declined(story: ReturnStory, kind: str = "declined", reason: str = "it was used", **more: Any) -> ReturnStory:
    return story.says("refund_declined", kind=kind, reason=reason, **more)


def refused(story: ReturnStory, kind: str = "declined") -> str:
    return story.refuses("refund_declined", kind=kind, reason="it was used")


# ---- it ends ----


def test_RET_27_after_rejected_goods_the_seller_declines_and_the_buyer_is_told() -> None:
    story = declined(in_transit().received("rejected", "wrong_item"))
    assert (story.stage, story.money) == ("completed", ("0.00", "0.00"))
    (told,) = story.letters("refund_declined")
    assert (told.to, told.facts) == ("buyer", {"kind": "declined", "reason": "it was used"})
    assert story.facts.closing_message == (
        "completed: the supplier accepted nothing; buyer not refunded: declined (it was used)"
    )


@pytest.mark.parametrize("kind", ["replaced", "repaired", "refunded_elsewhere"])
def test_RET_27_it_ends_once_the_sellers_side_is_settled(kind: str) -> None:
    story = declined(in_transit(), kind)
    assert (story.stage, "refund_declined" in story.templates) == ("in_transit", True)
    assert ("awaiting_buyer_refund", "seller") not in story.waits
    story.received().credited()
    assert (story.stage, story.money) == ("completed", ("0.00", "63.00"))


def test_RET_27_the_buyer_is_told_before_the_parcel_is_sent() -> None:
    story = declined(requested().approved(), "replaced")
    assert "refund_declined" in story.templates
    assert story.stage == "awaiting_tracking"


def test_RET_27_the_database_says_which_kind() -> None:
    story = declined(in_transit().received("rejected"), "repaired", "the shop mended it", actor="staff:sam")
    kept = projection(story.facts, a_record())
    assert kept is not None
    said = kept[1].model_dump(mode="json")["kept"]
    names = ("refund_declined", "refund_declined_reason", "refund_declined_by")
    assert [said[name] for name in names] == ["repaired", "the shop mended it", "staff:sam"]
    assert story.shown["refund_declined"] == "repaired"


def test_RET_27_no_refund_is_made_by_itself_any_more() -> None:
    story = declined(in_transit(auto_refund_buyer=True), "replaced").received().credited()
    assert (story.stage, story.money) == ("completed", ("0.00", "63.00"))


def test_RET_27_a_returnless_return_can_be_declined_too() -> None:
    assert declined(requested().approved(returnless=True), "replaced").stage == "completed"


# ---- what it excludes, and what excludes it ----


def test_RET_27_a_later_click_is_refused_in_words() -> None:
    story = declined(in_transit(), "replaced", "a new one was sent")
    why = "the seller does not refund this return (replaced: a new one was sent) (RET-27)"
    assert story.refuses("buyer_refund") == why
    assert refused(story) == "the refund is declined already (replaced)"


@pytest.mark.parametrize(
    ("fate", "why"), [("in doubt", "is in doubt, and may have been made"), ("pending", "is under way")]
)
def test_RET_27_money_in_doubt_or_under_way_blocks_it(fate: str, why: str) -> None:
    story = awaiting_click()
    story.world.fates["buyer"] = [fate]
    story.clicked()
    assert why in refused(story)


def test_RET_27_who_has_the_money_cant_be_declined() -> None:
    assert refused(in_transit().received().clicked()) == "the buyer is refunded 100.00 USD already"
    by_channel = in_transit().says("channel_update", status="refunded_by_channel")
    assert "the marketplace refunded the buyer already" in refused(by_channel)


def test_RET_27_what_failed_afterwards_can_be_settled_otherwise() -> None:
    story = completed()
    story.world.gave.pop(B1)
    again = story.opened_again(B1, [failure(B1)])
    declined(again, "refunded_elsewhere", "paid in cash")
    assert (again.stage, again.money) == ("completed", ("0.00", "63.00"))


def test_RET_27_goods_that_nobody_has_seen_are_not_declined() -> None:
    assert "the goods are not inspected yet" in refused(in_transit())
    assert "reject it instead" in refused(requested(), "replaced")
    rejected = requested().says("seller_approval", decision="rejected", reason="electrical part")
    assert refused(rejected) == "the return has ended"


def test_RET_27_a_word_that_comes_before_it_opens_is_judged_then() -> None:
    story = unopened()
    assert story.hear(story.event("refund_declined", kind="replaced", reason="a new one was sent"))
    story.rest()
    assert (story.facts.declined, story.facts.rejected_count) == (None, 1)


def test_RET_27_only_seller_or_staff_say_it_with_a_reason() -> None:
    said = {"event_id": "e", "kind": "declined", "reason": "used"}
    event = RETURN_EVENTS["refund_declined"].at_the_door(said | {"actor": "buyer:bo"})
    with pytest.raises(NotTheirs):
        RETURN_KIND.require_sender("refund_declined", event)
    with pytest.raises(InvalidInput, match="reason"):
        RETURN_EVENTS["refund_declined"].at_the_door({"event_id": "e", "actor": "seller:jo", "kind": "declined"})


# ---- nobody decides ----


def test_RET_27_rejected_goods_that_nobody_decides_about_are_never_silent() -> None:
    story = in_transit().days(15)
    story.received("rejected")
    before = len(story.letters("buyer_refund_needed"))
    story.days(11)
    assert len(story.letters("buyer_refund_needed")) == before + 2, "reminders count from the rejection"
    story.days(200)
    told = [one for one in story.alerts if "neither refunded the buyer nor declined" in one]
    assert len(told) == 7
    assert told[0] == (
        "the goods are rejected, and the seller has neither refunded the buyer nor declined for 30 days"
    )
    declined(story)
    assert story.stage == "completed"


def test_RET_27_staff_are_told_of_every_click_that_does_not_come() -> None:
    story = awaiting_click(buyer_refund_staff_days=20).days(45)
    assert story.alerts == [
        "the seller has neither refunded the buyer nor declined for 20 days",
        "the seller has neither refunded the buyer nor declined for 40 days",
    ]
