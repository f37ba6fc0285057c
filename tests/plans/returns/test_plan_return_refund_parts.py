"""A refund that no single payment, or charge on the seller, can carry is made in parts (REF-3, ORD-8)."""

from decimal import Decimal
from typing import Any

import pytest

from models.refunds import RefundResult
from tests.plans.divided import divided as divided_as
from tests.plans.returns.return_rig import ReturnStory, awaiting_click, completed, in_transit, requested
from workflows.engine.case import Answered
from workflows.engine.procedure import Reply
from workflows.refunds.attempts import BUYER, MakeRefund, RefundReported
from workflows.returns.refund_requests import under_next_id
from workflows.returns.refund_results import refund_begun
from workflows.returns.replies import reply

WHOLE, NEXT = "RF-RR-1-B1", "RF-RR-1-B2"
FIRST, SECOND = f"{WHOLE}P1", f"{WHOLE}P2"


def begun(story: ReturnStory) -> list[MakeRefund]:
    return [one for one in story.begun if isinstance(one, MakeRefund) and one.refund_id.startswith("RF-RR-1-B")]


def divided(*fates: str, **seller: Any) -> ReturnStory:
    """The seller has its money; a click refunds the buyer, by 60.00 and 40.00."""
    story = awaiting_click(**seller)
    story.world.fates["buyer"] = ["60.00+40.00", *fates]
    return story.clicked()


def test_REF_3_a_click_that_no_single_payment_can_carry_is_made_in_parts_by_itself() -> None:
    story = divided()
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))
    assert [one[:2] for one in story.asked[1:]] == [(WHOLE, "100.00"), (FIRST, "60.00"), (SECOND, "40.00")]
    told = (
        f"no single payment can carry {WHOLE}: asked for in parts, {FIRST} of 60.00 USD and {SECOND} of 40.00 USD"
    )
    assert told in story.steps
    assert story.declined == []
    assert story.facts.closing_message == (
        "completed: seller refunded 63.00 USD; buyer refunded 60.00 USD; buyer refunded 40.00 USD"
    )


def test_REF_3_the_mail_tells_the_sum_and_nobody_is_told_of_a_failure() -> None:
    story = divided()
    (mail,) = story.letters("buyer_refunded")
    assert (mail.facts["amount"], mail.facts["refund_id"]) == ("100.00", f"{FIRST}, {SECOND}")
    assert "less" not in mail.facts
    assert story.letters("refund_failed") == []


def test_REF_6_the_parts_have_the_ids_by_which_they_are_reserved_whatever_came_before() -> None:
    """A reset makes the return ask again: in another order, or beside others, the parts are the same ones."""
    story = awaiting_click()
    story.world.fates["buyer"] = ["failed", "60.00+40.00"]
    story.clicked().clicked()
    asked = [(one.refund_id, one.part_of) for one in begun(story)]
    assert asked == [(WHOLE, None), (NEXT, None), (f"{NEXT}P1", NEXT), (f"{NEXT}P2", NEXT)]


def test_REF_13_the_first_part_names_the_units_so_that_they_are_counted_once() -> None:
    whole, first, second = begun(divided())
    assert first.lines == whole.lines != ()
    assert second.lines == ()


def test_REF_3_both_parts_are_under_way_at_once_and_the_return_waits_for_both() -> None:
    story = divided("pending")
    assert story.states == {"RF-RR-1-S1": "succeeded", WHOLE: "refused", FIRST: "pending", SECOND: "asked"}
    assert [one[0] for one in story.waits] == ["refunding_buyer"] * 2
    story.report(FIRST, "succeeded")
    assert (story.stage, story.letters("buyer_refunded")) == ("refunding_buyer", [])
    story.report(SECOND, "succeeded")
    assert [mail.facts["amount"] for mail in story.letters("buyer_refunded")] == ["100.00"]


@pytest.mark.parametrize("fate", ["failed", "refused"])
@pytest.mark.parametrize("failing", [0, 1])
def test_REF_7_a_part_that_fails_leaves_the_return_open_and_a_click_refunds_what_is_missing(
    fate: str, failing: int
) -> None:
    fates = ["succeeded", "succeeded"]
    fates[failing] = fate
    story = divided(*fates)
    failed, missing = [(FIRST, "60.00"), (SECOND, "40.00")][failing]
    assert story.stage == "awaiting_buyer_refund"
    (told,) = story.letters("refund_failed")
    assert (told.facts["refund_id"], told.facts["amount"]) == (failed, missing)
    made = Decimal(100) - Decimal(missing)
    (mail,) = story.letters("buyer_refunded")
    assert (mail.facts["amount"], "less" in mail.facts) == (f"{made:.2f}", False)
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))
    assert story.asked[-1] == (NEXT, missing, False)
    assert (begun(story)[-1].lines != ()) is (failing == 0), "its units are refunded with it"


@pytest.mark.parametrize("fate", ["failed", "refused"])
def test_REF_13_units_of_which_a_part_moved_are_refunded_by_what_is_missing(fate: str) -> None:
    """The click names the units again; the rest of the return has enough left for all that they are worth."""
    one = [{"sku": "A", "quantity": 1}]
    story = awaiting_click()
    story.world.fates["buyer"] = ["30.00+20.00", fate, "succeeded"]
    story.clicked(lines=one)
    assert (story.stage, story.money[0]) == ("awaiting_buyer_refund", "20.00")
    story.world.fates["buyer"] = ["20.00+10.00", fate, "succeeded"]
    story.clicked(lines=one)
    assert (story.money[0], story.asked[-3][1]) == ("30.00", "30.00")
    story.clicked(lines=one)
    assert (story.stage, story.money[0], story.asked[-1][1]) == ("completed", "50.00", "20.00")


def test_REF_7_what_is_missing_may_fail_again_and_is_owed_still() -> None:
    story = divided("succeeded", "failed")
    story.world.fates["buyer"] = ["failed", "30.00+10.00", "failed", "failed", "30.00+10.00", "failed"]
    for _ in range(2):
        story.clicked()
        assert (story.stage, story.money) == ("awaiting_buyer_refund", ("60.00", "63.00"))
    story.clicked()
    assert (story.stage, story.money) == ("awaiting_buyer_refund", ("70.00", "63.00"))
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


def test_REF_3_where_all_parts_fail_the_whole_is_refundable_again() -> None:
    story = divided("failed", "refused")
    assert story.stage == "awaiting_buyer_refund"
    assert story.clicked().money == ("100.00", "63.00")
    assert story.asked[-1] == (NEXT, "100.00", False)


def test_REF_11_a_part_in_doubt_is_looked_for_by_a_click_under_its_own_id() -> None:
    story = divided("succeeded", "in doubt")
    assert story.stage == "awaiting_buyer_refund"
    story.clicked()
    assert (story.asked[-1], story.stage) == ((SECOND, "40.00", True), "completed")
    assert [mail.facts["amount"] for mail in story.letters("buyer_refunded")] == ["100.00"]


def test_REF_7_a_part_that_fails_afterwards_is_owed_alone() -> None:
    story = divided("succeeded", "pending")
    story.report(SECOND, "succeeded").report(FIRST, "failed")
    story.clicked()
    assert story.asked[-1] == (NEXT, "60.00", False)


def test_REF_6_of_two_parts_whose_ids_belong_to_other_requests_none_is_forgotten() -> None:
    """Both are known to, before the first is asked for under its next id."""
    story = divided()
    first, second = begun(story)[-2:]
    f = story.facts.with_(refunds_to_renumber=(first, second))
    asked = under_next_id(f, BUYER)
    assert asked is not None
    assert refund_begun(f, asked).refunds_to_renumber == (second,)


def test_REF_12_a_second_person_decides_about_each_part() -> None:
    story = divided("to confirm")
    story.report(SECOND, "reserved", to_confirm=True)
    assert (story.states[FIRST], story.states[SECOND]) == ("to_confirm", "to_confirm")
    assert [one for one in story.waits if one[0] == "refunding_buyer"] == [("refunding_buyer", "seller")] * 2
    assert "waits for a second person" in story.refuses("buyer_refund")


def test_REF_1_an_automatic_refund_is_made_in_parts_too() -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = ["60.00+40.00"]
    assert story.received().money == ("100.00", "0.00")
    assert all(one.automatic for one in story.facts.refunds)


def test_REF_1_after_an_automatic_part_failed_a_person_decides() -> None:
    story = in_transit(auto_refund_buyer=True)
    story.world.fates["buyer"] = ["60.00+40.00", "succeeded", "failed"]
    assert (story.received().money, len(story.asked)) == (("60.00", "0.00"), 3)
    assert story.clicked().money == ("100.00", "0.00")


# ---- staff stop it meanwhile ----


def stopped_while_it_is_divided() -> tuple[ReturnStory, RefundResult]:
    """Staff press Cancel while nobody knows yet whether one payment can carry it; what the refund says then."""
    story = awaiting_click()
    story.world.fates["buyer"] = ["not yet"]
    story.clicked()
    (whole,) = begun(story)
    return story, divided_as(whole, "60.00+40.00")


def test_REF_6_RET_15_staff_are_told_that_it_goes_on_and_so_it_does() -> None:
    """It says so while the return still runs: its parts are asked for, and go on by themselves."""
    story, said = stopped_while_it_is_divided()
    story.press_cancel()
    story.take(RefundReported(result=said))
    story.rest()
    (told,) = story.letters("staff_alert")
    assert f"refund {FIRST} goes on by itself; refund {SECOND} goes on by itself" in str(told.facts["what"])
    assert (story.stage, [one.refund_id for one in begun(story)]) == ("stopped", [WHOLE, FIRST, SECOND])


def test_REF_6_what_it_says_before_its_end_is_not_asked_for_again_at_its_end() -> None:
    story, said = stopped_while_it_is_divided()
    story.world.fates["buyer"] = []
    (whole,) = begun(story)
    story.take(RefundReported(result=said))
    story.take(Answered(effect=whole, answer=said))
    story.rest()
    assert [one.refund_id for one in begun(story)] == [WHOLE, FIRST, SECOND]
    assert len([step for step in story.steps if "asked for in parts" in step]) == 1


def test_REF_6_what_was_said_before_a_reset_is_no_fault_of_anybody() -> None:
    """The server gives it to the new run again, before that has asked for the refund."""
    _, said = stopped_while_it_is_divided()
    story = awaiting_click()
    story.take(RefundReported(result=said))
    story.rest()
    assert (begun(story), story.facts.rejected_count) == ([], 0)


def test_REF_6_REF_11_what_was_given_up_as_in_doubt_is_followed_when_it_is_divided_after_all() -> None:
    """It waited long for the seller's balance, and the return no longer waited for it: nobody has to click."""
    story = awaiting_click()
    story.world.fates["buyer"] = ["in doubt"]
    (whole,) = begun(story.clicked())
    assert (story.stage, list(story.facts.refunds_in_doubt)) == ("awaiting_buyer_refund", [WHOLE])
    story.take(RefundReported(result=divided_as(whole, "60.00+40.00")))
    story.rest()
    assert [one.refund_id for one in begun(story)] == [WHOLE, FIRST, SECOND]
    assert (story.stage, story.money, story.facts.refunds_in_doubt) == ("completed", ("100.00", "63.00"), {})
    story.take(RefundReported(result=divided_as(whole, "60.00+40.00")))
    story.rest()
    assert len(begun(story)) == 3


# ---- what the click's sender is told ----


def answered(*fates: str) -> tuple[Reply | None, Reply | None]:
    """Before anything is decided, and afterwards."""
    story = requested().approved().sent().received()
    story.world.fates["buyer"] = list(fates)
    click = story.event("buyer_refund")
    assert story.hear(click)
    story.settle()
    before = reply(story.facts, click)
    story.rest()
    return before, reply(story.facts, click)


def test_REF_3_a_click_is_answered_once_all_parts_are_decided() -> None:
    before, after = answered("60.00+40.00")
    told = f"refund {FIRST} of 60.00 USD: succeeded; refund {SECOND} of 40.00 USD: succeeded"
    assert (before, after) == (None, Reply(accepted=True, message=told))
    assert answered("60.00+40.00", "succeeded", "not yet")[1] is None


def test_REF_3_a_click_of_which_a_part_failed_says_which() -> None:
    after = answered("60.00+40.00", "succeeded", "refused")[1]
    told = (
        f"refund {FIRST} of 60.00 USD: succeeded; refund {SECOND} of 40.00 USD: refused (the gateway says refused)"
    )
    assert after == Reply(accepted=False, message=told)


def test_REF_6_a_click_whose_id_belongs_to_another_request_is_answered_by_what_follows() -> None:
    assert answered("another's")[1] == Reply(accepted=True, message=f"refund {NEXT} of 100.00 USD: succeeded")


# ---- the seller (RET-13) ----


def to_seller(*fates: str, **seller: Any) -> ReturnStory:
    story = in_transit(**seller).received()
    story.world.fates["seller"] = ["40.00+23.00", *fates]
    return story.credited()


def test_RET_13_the_seller_is_refunded_by_all_charges_and_told_the_sum() -> None:
    story = to_seller()
    assert story.money == ("0.00", "63.00")
    (mail,) = story.letters("seller_refunded")
    assert (mail.facts["amount"], mail.facts["refund_id"]) == ("63.00", "RF-RR-1-S1P1, RF-RR-1-S1P2")
    assert story.clicked().stage == "completed"


@pytest.mark.parametrize("fates", [("failed", "succeeded"), ("succeeded", "failed"), ("failed", "failed")])
def test_REF_7_a_part_of_the_sellers_refund_that_fails_is_tried_again_for_its_amount(
    fates: tuple[str, ...],
) -> None:
    story = to_seller(*fates, refund_retry_days=2)
    assert "refunding_seller" in {one[0] for one in story.waits}
    story.clicked()
    assert story.stage != "completed"
    story.world.fates["seller"] = ["failed"]
    story.days(2)
    tries = len(story.asked)
    story.days(1)
    assert len(story.asked) == tries, "not before its time"
    story.days(1)
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


@pytest.mark.parametrize("fates", [("refused", "succeeded"), ("succeeded", "refused")])
def test_RET_13_a_part_of_the_sellers_refund_that_is_refused_is_left_to_staff(fates: tuple[str, ...]) -> None:
    story = to_seller(*fates).clicked()
    assert story.stage == "completed"
    alerts = [mail.facts["what"] for mail in story.letters("staff_alert")]
    assert [what for what in alerts if "did not succeed: the gateway says refused" in what]


def test_RET_13_the_limit_is_kept_only_when_all_parts_are_made() -> None:
    story = to_seller("succeeded", "in doubt")
    assert "refunding_seller" in {one[0] for one in story.waits}
    assert story.letters("seller_refunded") == []


def test_REF_3_a_refund_that_one_payment_carries_is_told_as_ever() -> None:
    assert [mail.facts["refund_id"] for mail in completed().letters("buyer_refunded")] == [WHOLE]


@pytest.mark.parametrize(("click", "computed"), [({}, True), ({"amount": "30.00"}, False)])
def test_REF_13_what_moved_elsewhere_is_taken_off_what_the_return_computes(
    click: dict[str, Any], computed: bool
) -> None:
    story = awaiting_click().clicked(**click)
    assert [one.less_moved for one in begun(story)] == [computed]
