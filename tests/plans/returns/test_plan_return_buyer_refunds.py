"""The buyer's refund by a click, a setting, or the marketplace, on the plan (RET-14, RET-18, REF-1, 3, 4)."""

from decimal import Decimal

import pytest

from tests.plans.returns.return_rig import awaiting_click, completed, in_transit, requested
from workflows.refunds.attempts import BUYER, MakeRefund


def test_RET_14_REF_1_nobody_but_a_person_refunds_the_buyer() -> None:
    story = awaiting_click()
    assert (story.money, story.waits) == (("0.00", "63.00"), [("awaiting_buyer_refund", "seller")])


def test_RET_14_the_seller_is_reminded_of_the_click() -> None:
    story = awaiting_click(buyer_refund_reminder_days=[3, 10]).days(10)
    said = [mail.facts for mail in story.letters("buyer_refund_needed")]
    assert [(one["reminder"], one["reminders"], one["amount"]) for one in said] == [
        ("1", "2", "100.00"),
        ("2", "2", "100.00"),
    ]


def test_RET_14_a_return_ends_when_seller_and_buyer_are_refunded() -> None:
    story = completed()
    assert (story.stage, story.money, story.is_over) == ("completed", ("100.00", "63.00"), True)
    assert story.facts.closing_message == "completed: seller refunded 63.00 USD; buyer refunded 100.00 USD"
    assert [one[0] for one in story.asked] == ["RF-RR-1-S1", "RF-RR-1-B1"]


def test_RET_14_the_click_may_name_some_units_or_an_amount() -> None:
    by_units = in_transit().clicked(lines=[{"sku": "A", "quantity": 1}])
    assert by_units.money == ("50.00", "0.00")
    by_amount = in_transit().clicked(amount="12.34").clicked(amount="0.66")
    assert by_amount.money == ("13.00", "0.00")
    assert [one[0] for one in by_amount.asked] == ["RF-RR-1-B1", "RF-RR-1-B2"]


def test_RET_14_units_that_the_return_does_not_have_are_refused() -> None:
    story = in_transit()
    assert "3 of A: the return has 2" in story.refuses("buyer_refund", lines=[{"sku": "A", "quantity": 3}])
    assert "there is no line B, only line A (2 x A)" in story.refuses(
        "buyer_refund", lines=[{"sku": "B", "quantity": 1}]
    )


def test_RET_14_a_refused_refund_leaves_the_return_open_for_another_click() -> None:
    story = awaiting_click().clicked(amount="100.01")
    assert (story.waits, story.declined) == ([("awaiting_buyer_refund", "seller")], ["e5"])
    assert (
        "refund RF-RR-1-B1 refused: more than is still refundable"
        in story.letters("refund_failed")[0].facts["reason"]
        or story.steps[-1]
    )
    assert story.clicked().money == ("100.00", "63.00")


def test_REF_3_an_amount_finer_than_the_currency_is_refused() -> None:
    assert "finer than the smallest unit of USD" in in_transit().refuses("buyer_refund", amount="0.001")


def test_REF_4_after_fees_and_refunds_nothing_is_left_to_click_for() -> None:
    story = requested().approved(return_fee="10.00").sent().clicked()
    assert "after fees of 10.00 and refunds of 90.00 USD nothing is left" in story.refuses("buyer_refund")


def test_REF_4_fees_that_take_all_settle_the_buyers_side() -> None:
    story = requested().approved(return_fee="100.00").sent()
    assert "the fees take all of it: 100.00 USD; nothing is refunded" in story.steps
    story.received().credited()
    assert (story.stage, story.money) == ("completed", ("0.00", "63.00"))


def test_REF_4_a_click_is_judged_again_when_its_turn_comes() -> None:
    story = in_transit()
    for _ in range(2):
        assert story.hear(story.event("buyer_refund"))
    story.rest()
    assert (story.money, story.declined) == (("100.00", "0.00"), ["e4"])
    assert story.letters("refund_failed")
    assert story.steps[-1].startswith("buyer not refunded: ")


@pytest.mark.parametrize("returnless", [True, False])
def test_REF_1_a_seller_may_automate_the_review(returnless: bool) -> None:
    story = requested(auto_refund_buyer=True).approved(returnless=returnless)
    if not returnless:
        story.sent()
        assert story.money == ("0.00", "0.00"), "not before the goods are accepted"
        story.received()
    assert story.money == ("100.00", "0.00")
    assert story.facts.refunds[-1].automatic


def test_REF_1_only_accepted_units_are_refunded_automatically() -> None:
    assert in_transit(auto_refund_buyer=True).received(quantity=1).money == ("50.00", "0.00")
    rejected = in_transit(auto_refund_buyer=True).received("rejected")
    assert (rejected.money, rejected.stage) == (("0.00", "0.00"), "awaiting_buyer_refund")


@pytest.mark.parametrize("fate", ["failed", "refused"])
def test_REF_1_what_fails_automatically_is_left_to_a_person(fate: str) -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = [fate]
    story.received()
    assert (story.money, len(story.asked), story.facts.rejected_count) == (("0.00", "0.00"), 1, 0)
    assert story.clicked().money == ("100.00", "0.00")


def test_REF_1_fees_that_leave_nothing_stop_the_automatic_refund() -> None:
    story = requested(auto_refund_buyer=True).approved(return_fee="60.00").sent().received(quantity=1)
    assert (story.facts.automatic_refund_refused, story.money) == (True, ("0.00", "0.00"))
    assert story.letters("refund_failed")


# ---- the marketplace ----


def test_RET_18_what_the_marketplace_refunded_is_booked_and_not_refunded_again() -> None:
    story = awaiting_click().says("channel_update", status="refunded_by_channel")
    assert (story.stage, story.asked[-1]) == ("completed", ("RF-RR-1-B1", "100.00", False))
    assert story.facts.refunds[-1].way == "marketplace"
    assert "buyer_refunded" not in story.templates
    assert "the marketplace refunded the buyer: not refunded again" in story.steps


def test_RET_18_no_click_after_the_marketplace() -> None:
    story = in_transit().says("channel_update", status="refunded_by_channel", amount="20.00")
    assert "the marketplace refunded the buyer already" in story.refuses("buyer_refund")
    assert story.money == ("20.00", "0.00")


@pytest.mark.parametrize(
    ("amounts", "booked", "is_told"),
    [(["20.00"], "100.00", True), (["20.00", "80.00"], "100.00", False), (["20.00", "90.00"], "100.00", False)],
)
def test_RET_18_an_amount_that_is_said_later_is_no_second_refund(
    amounts: list[str], booked: str, is_told: bool
) -> None:
    story = in_transit().says("channel_update", status="refunded_by_channel")
    for amount in amounts:
        story.says("channel_update", status="refunded_by_channel", amount=amount)
    assert story.money[0] == booked
    assumed = "100.00 USD were recorded as refunded by the marketplace, which had not said how much; now it says"
    told = [one for one in story.alerts if one.startswith(f"{assumed} {sum(map(Decimal, amounts))}")]
    assert bool(told) is is_told


@pytest.mark.parametrize(
    ("amount", "fee", "is_told"), [("20.00", "0", True), ("100.00", "0", False), ("90.00", "10.00", False)]
)
def test_RET_18_the_seller_is_told_of_what_the_marketplace_left(amount: str, fee: str, is_told: bool) -> None:
    story = requested().approved(return_fee=fee).sent().received().credited()
    story.says("channel_update", status="refunded_by_channel", amount=amount)
    assert story.stage == "completed"
    left = f"the marketplace refunded the buyer {amount} of 100.00 USD, and the return refunds no more"
    assert any(one.startswith(left) for one in story.alerts) is is_told


def test_RET_18_a_click_in_one_task_is_dropped_when_the_marketplace_was_quicker() -> None:
    story = awaiting_click()
    story.hear(story.event("buyer_refund"))
    story.hear(story.event("channel_update", status="refunded_by_channel"))
    story.rest()
    assert (story.stage, story.money, story.declined) == ("completed", ("100.00", "63.00"), ["e5"])


def test_RET_18_a_marketplace_that_refunds_after_us_is_told_to_staff() -> None:
    story = (
        in_transit().clicked(amount="40.00").says("channel_update", status="refunded_by_channel", amount="60.00")
    )
    assert "the marketplace and the seller both refunded the buyer" in story.alerts
    assert story.money == ("100.00", "0.00")


def test_RET_18_a_refund_that_cant_be_booked_is_told_to_staff_and_counts_as_done() -> None:
    story = awaiting_click().says("channel_update", status="refunded_by_channel", amount="200.00")
    assert any("the marketplace's refund could not be booked" in one for one in story.alerts)
    assert (story.stage, story.money[0]) == ("completed", "0.00")


def test_RET_18_a_rejected_return_that_the_marketplace_refunded_is_booked() -> None:
    story = requested()
    story.hear(story.event("channel_update", status="refunded_by_channel", amount="30.00"))
    story.hear(story.event("seller_approval", decision="rejected", reason="too late"))
    story.rest()
    assert (story.stage, story.money[0]) == ("rejected", "30.00")


def test_RET_18_a_case_that_the_marketplace_escalates_is_told_to_staff() -> None:
    story = in_transit().says("channel_update", status="escalated")
    assert story.alerts == ["the marketplace says: escalated"]


def test_RET_18_an_early_amount_that_cant_be_booked_is_recorded_and_true_all_the_same() -> None:
    story = requested()
    fine = story.event("channel_update", status="refunded_by_channel", amount="1.005")
    story.facts = story.facts.with_(channel_refunds=(fine,))
    story.rest()
    assert (story.facts.rejected_count, story.facts.refunded_by_channel) == (1, True)
    assert story.facts.refunds == ()
    assert story.world.gave == {} or sum(story.world.gave.values()) == Decimal(0)


def test_RET_18_nothing_is_refunded_by_itself_while_the_marketplaces_own_refund_is_written_down() -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = ["not yet"]
    story.says("channel_update", status="refunded_by_channel", amount="100.00")
    story.received()
    ways = [one.way for one in story.begun if isinstance(one, MakeRefund) and one.direction is BUYER]
    assert ways == ["marketplace"]
    assert not story.facts.automatic_refund_refused
    assert story.letters("refund_failed") == []
