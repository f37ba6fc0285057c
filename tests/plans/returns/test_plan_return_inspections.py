"""Receiving, inspecting and crediting, on the plan alone (RET-11, RET-12)."""

import pytest

from models.records import CreditMemoBooked
from tests.plans.returns.return_rig import NOON, OUR_FAULT, goods, in_transit, memo, requested, unopened
from tests.plans.rig import Troubled


@pytest.mark.parametrize("reception", ["received", "short", "wrong_item", "lost", "refused"])
@pytest.mark.parametrize(
    ("acceptance", "stage"), [("accepted", "awaiting_credit"), ("rejected", "awaiting_buyer_refund")]
)
def test_RET_11_acceptance_decides_however_it_was_received(reception: str, acceptance: str, stage: str) -> None:
    story = in_transit().received(acceptance, reception)
    assert story.stage == stage
    assert ("goods_rejected" in story.templates) is (acceptance == "rejected")


def test_RET_11_only_accepted_units_are_credited() -> None:
    story = in_transit().received(quantity=1).credited("31.50")
    assert story.money == ("0.00", "31.50")


def test_RET_11_a_person_decides_what_the_inspection_left_open() -> None:
    story = in_transit().received("manual")
    assert story.waits[0] == ("in_transit", "staff")
    assert story.received("accepted").stage == "awaiting_credit"


def test_RET_11_staff_waive_the_inspection() -> None:
    assert in_transit().says("staff_override", waive="inspection").stage == "awaiting_credit"


def test_RET_11_more_units_than_the_return_has_are_refused() -> None:
    assert in_transit().refuses("goods_received", **goods(quantity=3)) == "3 of A: the return has 2 (RET-11)"


def test_RET_11_what_is_overdue_alerts_staff_once() -> None:
    story = in_transit(inspection_days=30).days(31).received().days(20)
    assert [one for one in story.alerts if "in time" in one] == [
        "return RR-1 is not received and inspected in time"
    ]
    credit = in_transit(inspection_days=30).received().days(31)
    assert [one for one in credit.alerts if "in time" in one] == ["return RR-1 is not credited in time"]


def test_RET_12_partial_credits_add_up() -> None:
    story = in_transit().received().credited("31.50", "CM-1")
    assert (story.stage, story.shown["credited"]) == ("awaiting_credit", "31.50")
    story.credited("31.50", "CM-2")
    assert (story.shown["credited"], story.money) == ("63.00", ("0.00", "63.00"))


def test_RET_12_a_credit_over_the_cost_gives_the_seller_what_it_paid() -> None:
    assert in_transit().received().credited("70.00").money == ("0.00", "63.00")


def test_RET_12_a_partial_credit_is_enough_when_staff_waive_the_rest() -> None:
    story = in_transit().received().credited("40.00").says("staff_override", waive="credit_memo")
    assert story.money == ("0.00", "63.00")
    assert "23.00 USD is not credited: refunded at the broker's expense" in story.steps


def test_RET_12_the_same_number_twice_counts_once() -> None:
    story = in_transit().received().credited("31.50").credited("31.50")
    assert (story.shown["credited"], story.steps[-1]) == (
        "31.50",
        "credit memo CM-1 is known already; counted once",
    )


def test_RET_12_a_number_counted_for_another_return_is_refused_and_blocks_no_other() -> None:
    story = in_transit().received()
    story.world.counted_for["CM-1"] = "RR-9"
    story.credited("63.00", "CM-1").credited("63.00", "CM-1")
    assert "counted already, for return RR-9" in story.facts.rejected[-1].reason
    assert (story.facts.rejected_count, story.shown["credited"]) == (2, "0")
    assert story.credited("63.00", "CM-2").shown["credited"] == "63.00"


def test_RET_12_a_credit_in_another_currency_is_refused_early_or_late() -> None:
    assert "the credit memo is in EUR" in in_transit().refuses("credit_memo", **memo(currency="EUR"))
    early = unopened()
    early.hear(early.event("credit_memo", **memo(currency="EUR")))
    early.rest()
    assert (early.facts.rejected_count, early.facts.memos) == (1, ())


def test_RET_12_a_credit_before_the_tracking_number_proves_the_return() -> None:
    story = requested().approved().credited()
    assert (story.money, story.stage) == (("0.00", "63.00"), "awaiting_buyer_refund")


@pytest.mark.parametrize("acceptance", ["accepted", "rejected"])
def test_RET_12_a_credit_that_comes_too_late_is_booked_and_told(acceptance: str) -> None:
    story = in_transit().received(acceptance)
    if acceptance == "accepted":
        story.credited()
    story.days(1).credited("5.00", "LATE")
    assert "credit memo LATE over 5.00 USD came when no more was expected" in story.alerts
    assert story.money[1] == ("63.00" if acceptance == "accepted" else "0.00")


def test_RET_12_a_credit_of_a_return_that_ends_without_money_is_named_to_staff() -> None:
    story = requested().credited("5.00").says("withdrawal")
    assert story.stage == "withdrawn"
    assert "the seller got nothing: CM-1 over 5.00 USD" in story.alerts[-1]


def test_NTF_9_a_credit_memo_that_cant_be_booked_is_told_and_staff_can_still_stop() -> None:
    story = in_transit().received()
    story.world.booking = OUR_FAULT
    story.credited()
    assert "book credit memo CM-1: Internal: an allocation that can't be" in story.alerts
    story.stopped()
    assert (story.stage, story.is_over, story.facts.rejected_count) == ("stopped", True, 1)


def test_RET_12_a_short_outage_is_waited_for_when_staff_stop_it() -> None:
    story = in_transit().received()
    story.world.booking = Troubled("PartnerUnavailable: no answer")
    story.credited().stopped()
    assert not story.is_over
    story.world.booking = None
    story.rest()
    assert (story.stage, story.is_over, story.shown["credited"]) == ("stopped", True, "63.00")


def test_NTF_9_it_goes_on_when_the_fault_is_mended() -> None:
    story = in_transit().received()
    story.world.booking = OUR_FAULT
    story.credited()
    story.world.booking = CreditMemoBooked(state="booked", return_id="RR-1")
    story.rest()
    assert (story.money, story.facts.trouble) == (("0.00", "63.00"), {})
    assert story.facts.created_at == NOON
