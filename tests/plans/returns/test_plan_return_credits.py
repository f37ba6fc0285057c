"""Credits that are final below the cost, and papers that credit several returns (RET-28, ORD-21)."""

import pytest

from models.contract import RETURN_EVENTS
from models.failures import InvalidInput
from models.records import CreditMemoBooked
from tests.plans.returns.return_rig import in_transit, memo, requested


def test_RET_28_a_final_credit_below_the_cost_gives_the_seller_what_was_credited() -> None:
    story = in_transit().received().credited("53.55", final=True)
    assert story.money == ("0.00", "53.55")
    assert (
        "the supplier's credit is final, 9.45 USD below the cost: the seller gets what was credited" in story.steps
    )
    (told,) = story.letters("seller_refunded")
    assert (told.facts["amount"], told.facts["less"]) == ("53.55", "9.45")
    assert story.clicked().stage == "completed"


def test_RET_28_or_what_was_agreed_by_the_sellers_setting() -> None:
    story = in_transit(final_credit="agreed").received().credited("53.55", final=True)
    assert story.money == ("0.00", "63.00")
    assert "9.45 USD is not credited: refunded at the broker's expense" in story.steps


def test_RET_28_credits_before_a_final_one_add_up() -> None:
    story = in_transit().received().credited("30.00", "CM-1")
    assert story.stage == "awaiting_credit"
    assert story.credited("23.55", "CM-2", final=True).money == ("0.00", "53.55")


def test_RET_28_a_final_credit_needs_no_word_of_the_goods() -> None:
    story = requested().approved().credited("53.55", final=True)
    assert (story.money, story.stage) == (("0.00", "53.55"), "awaiting_buyer_refund")


def test_RET_28_staff_waive_what_a_final_credit_lacks() -> None:
    story = in_transit().says("staff_override", waive="inspection").says("staff_override", waive="credit_memo")
    assert story.money == ("0.00", "63.00")
    story = in_transit()
    story.hear(story.event("credit_memo", **memo("53.55", final=True)))
    story.hear(story.event("staff_override", waive="credit_memo"))
    story.rest()
    assert story.money == ("0.00", "63.00")


def test_RET_28_a_credit_that_comes_after_a_final_one_all_the_same_goes_to_the_seller() -> None:
    story = in_transit().received().credited("53.55", final=True).days(1).credited("9.45", "CM-2")
    assert (story.money, story.alerts) == (("0.00", "63.00"), [])
    assert [amount for _, amount, _ in story.asked] == ["53.55", "9.45"]


def test_RET_28_a_part_of_a_paper_says_so() -> None:
    story = in_transit().received().credited("63.00", total="120.00")
    assert "credit memo CM-1: 63.00 USD (a part of 120.00)" in story.steps
    assert story.shown["credit_memos"][0]["total"] == "120.00"
    with pytest.raises(InvalidInput, match="more than the total of the paper"):
        RETURN_EVENTS["credit_memo"].at_the_door({"event_id": "e", **memo("63.00", total="60.00")})


def test_RET_28_parts_that_are_more_than_the_paper_are_refused_in_words() -> None:
    story = in_transit().received()
    why = "the paper is over 100.00 USD, and credits 63.00 for return RR-9 and 63.00 here"
    story.world.booking = CreditMemoBooked(state="over_total", return_id="RR-1", reason=why)
    story.credited()
    assert story.facts.rejected[-1].reason == f"credit memo CM-1: {why} (RET-28)"
    assert (story.stage, story.shown["credited"]) == ("awaiting_credit", "0")


@pytest.mark.parametrize("again", ["cm ab 77", "CM/AB/77", "Cm.Ab-77"])
def test_ORD_21_a_number_that_is_written_otherwise_is_the_same_paper(again: str) -> None:
    story = in_transit().received().credited("31.50", "CM-ab-77").credited("31.50", again)
    assert (story.shown["credited"], story.steps[-1]) == (
        "31.50",
        f"credit memo {again} is known already; counted once",
    )
