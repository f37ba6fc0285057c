"""A return of units for which a direct refund moved money, of which a part failed: what moved so is taken off all
that it asks for, once (REF-13)."""

from decimal import Decimal

from tests.plans.returns.return_rig import ReturnStory, awaiting_click, in_transit

MOVED = Decimal("40.00")
"""Of the 100.00 that both units are worth."""
ONE = [{"sku": "A", "quantity": 1}]


def after_direct(story: ReturnStory) -> ReturnStory:
    story.world.moved_otherwise = MOVED
    return story


def test_REF_4_a_second_click_finds_nothing_left() -> None:
    story = after_direct(in_transit()).clicked()
    assert (story.asked[-1][1], story.money[0]) == ("100.00", "60.00")
    assert "nothing is left to refund" in story.refuses("buyer_refund")
    assert (len(story.asked), story.money[0]) == (1, "60.00"), "what B paid is not A's"


def test_REF_13_unit_by_unit_the_buyer_gets_what_is_missing() -> None:
    story = after_direct(in_transit()).clicked(lines=ONE)
    assert story.money[0] == "30.00"
    story.clicked()
    assert (story.asked[-1][1], story.money[0]) == ("50.00", "60.00")


def test_REF_7_one_that_fails_afterwards_is_made_again_whole() -> None:
    story = after_direct(in_transit()).clicked()
    story.report(story.asked[-1][0], "failed")
    story.clicked()
    assert (story.asked[-1][1], story.money[0]) == ("100.00", "60.00")


def test_REF_7_what_moved_after_it_was_made_is_taken_off_when_it_is_made_again() -> None:
    story = in_transit().clicked()
    assert story.money[0] == "100.00"
    story.report(story.asked[-1][0], "failed")
    after_direct(story).clicked()
    assert (story.asked[-1][1], story.money[0]) == ("100.00", "60.00")


def test_REF_7_a_part_of_it_that_fails_is_made_again_whole() -> None:
    story = after_direct(awaiting_click())
    story.world.fates["buyer"] = ["40.00+20.00", "failed", "succeeded"]
    story.clicked()
    assert (story.stage, story.money[0]) == ("awaiting_buyer_refund", "20.00")
    story.clicked()
    assert (story.stage, story.asked[-1][1], story.money[0]) == ("completed", "80.00", "60.00")


def test_REF_13_what_a_person_named_is_asked_for_again_as_it_was_named() -> None:
    story = after_direct(in_transit()).clicked(amount="70.00")
    story.report(story.asked[-1][0], "failed")
    story.clicked()
    assert (story.asked[-1][1], story.money[0]) == ("70.00", "70.00")


def test_BAL_3_the_buyers_mail_tells_no_deduction_that_is_none() -> None:
    story = after_direct(awaiting_click()).clicked()
    (mail,) = story.letters("buyer_refunded")
    assert (mail.facts["amount"], "less" in mail.facts) == ("60.00", False)
