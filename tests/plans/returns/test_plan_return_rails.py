"""Where a return's goods and its money are, two rails, and whose work it is (NTF-5, NTF-6, NTF-7)."""

from datetime import timedelta

import pytest

from models.case import Custody, MoneyState
from models.worklists import Work
from tests.plans.returns.return_rig import ReturnStory, awaiting_click, completed, failure, in_transit, requested
from tests.plans.rig import Troubled
from workflows.engine.details import current_details
from workflows.engine.save import also_at, record_of, waiting_on
from workflows.engine.worklists import work_of
from workflows.returns.view import view


def work(story: ReturnStory) -> list[Work]:
    return list(work_of(story.facts, view(story.facts, story.plan), story.plan.waits))


def rails(story: ReturnStory) -> tuple[Custody | None, MoneyState]:
    shown = view(story.facts, story.plan)
    return shown.custody, shown.money


def test_NTF_5_goods_and_money_are_shown_apart_on_the_whole_way() -> None:
    story = requested()
    assert rails(story) == ("with_buyer", "none")
    story.approved()
    assert rails(story) == ("with_buyer", "none")
    story.sent()
    assert rails(story) == ("coming_back", "none")
    story.world.fates["seller"] = ["pending"]
    story.received().credited()
    assert rails(story) == ("received", "pending")
    story.report("RF-RR-1-S1", "succeeded")
    assert rails(story) == ("received", "none"), "the buyer has nothing yet"


def test_NTF_5_money_is_confirmed_when_all_that_the_return_owes_has_moved() -> None:
    story = awaiting_click().clicked()
    assert (story.stage, *rails(story)) == ("completed", "received", "confirmed")


def test_NTF_5_returnless_goods_stay_with_the_buyer() -> None:
    assert rails(requested().approved(returnless=True))[0] == "stays_with_buyer"


@pytest.mark.parametrize(
    ("reception", "where"),
    [("received", "received"), ("wrong_item", "received"), ("lost", "coming_back"), ("refused", "coming_back")],
)
def test_NTF_5_what_was_lost_or_refused_did_not_arrive(reception: str, where: str) -> None:
    assert rails(in_transit().received("rejected", reception))[0] == where


def test_REF_11_in_doubt_is_shown_as_such_and_is_somebodys_work() -> None:
    story = awaiting_click()
    story.world.fates["buyer"] = ["in doubt"]
    story.clicked()
    assert rails(story)[1] is MoneyState.IN_DOUBT
    assert Work.MONEY_IN_DOUBT in work(story)


def test_REF_7_a_refund_that_failed_afterwards_is_shown_until_it_is_made_again() -> None:
    story = completed()
    again = story.opened_again("RF-RR-1-B1", [failure("RF-RR-1-B1")])
    story.world.gave.pop("RF-RR-1-B1")
    assert rails(again)[1] is MoneyState.FAILED_AFTERWARDS
    again.clicked()
    assert rails(again)[1] is MoneyState.CONFIRMED


def test_NTF_6_a_return_stands_in_the_list_of_the_one_who_must_act() -> None:
    story = requested()
    assert work(story) == [Work.TO_APPROVE]
    story.approved()
    assert work(story) == [], "the buyer must send it, within its time"
    story = awaiting_click()
    assert work(story) == [Work.BUYER_TO_REFUND]
    story.clicked()
    assert work(story) == []


def test_NTF_6_a_return_that_also_waits_for_the_sellers_click_is_found_by_both() -> None:
    story = in_transit()
    assert waiting_on(story.facts, story.plan) == ["supplier", "seller"]
    assert work(story) == [Work.BUYER_TO_REFUND]
    assert story.waits[0][0] == "in_transit"
    assert also_at(story.facts, story.plan) == ("awaiting_buyer_refund",)
    record = record_of(story.facts, story.plan, view(story.facts, story.plan), "opening")
    assert (record.stage, record.also_at) == ("in_transit", ("awaiting_buyer_refund",))


def test_NTF_6_an_rma_number_that_a_person_must_type() -> None:
    assert work(requested({"rma": "manual"}).approved()) == [Work.RMA_TO_TYPE]
    assert work(requested({"rma": "email"}).approved()) == [], "the supplier types it"
    refused = requested({"rma": "manual"}).approved().says("supplier_rma", outcome="refused", reason="too old")
    assert work(refused) == [Work.RMA_TO_TYPE]


def test_NTF_6_whatever_else_waits_for_staff_stands_in_a_list_too() -> None:
    story = in_transit().received("manual")
    assert story.waits[0] == ("in_transit", "staff")
    assert work(story) == [Work.BUYER_TO_REFUND, Work.STAFF_TO_ACT]
    story.received("accepted")
    assert Work.STAFF_TO_ACT not in work(story)


def test_NTF_7_a_parcel_is_overdue_from_its_deadline_on_and_never_by_age_alone() -> None:
    story = in_transit()
    story.clock(timedelta(days=30) - timedelta(seconds=1))
    assert Work.PARCEL_OVERDUE not in work(story)
    story.clock(timedelta(seconds=1))
    assert Work.PARCEL_OVERDUE in work(story)
    story.received()
    assert Work.PARCEL_OVERDUE not in work(story)
    assert Work.CREDIT_OVERDUE in work(story)
    story.credited()
    assert Work.CREDIT_OVERDUE not in work(story)


def test_NTF_7_a_return_that_waits_forty_days_for_its_parcel_within_its_limits_is_healthy() -> None:
    story = requested(tracking_days=60).approved()
    story.clock(timedelta(days=40))
    assert (story.stage, work(story)) == ("awaiting_tracking", [])


def test_NTF_6_a_promise_is_at_risk_from_its_first_reminder_on() -> None:
    story = in_transit()
    story.clock(timedelta(days=47))
    assert Work.PROMISES_AT_RISK in work(story)


def test_NTF_6_deadlines_that_are_met_are_not_shown_as_due() -> None:
    assert list(requested().deadlines) == ["refund_due"]
    assert list(requested({"rma": "manual"}).approved().deadlines) == ["refund_due", "rma_due"]
    assert list(requested().approved().deadlines) == ["refund_due", "tracking_due"]
    assert list(in_transit().deadlines) == ["refund_due", "inspection_due"]
    assert list(in_transit().received().deadlines) == ["refund_due", "credit_due"]
    assert list(awaiting_click().deadlines) == []
    assert list(awaiting_click().clicked().deadlines) == []


def test_NTF_3_current_details_say_where_goods_and_money_are_and_what_to_do() -> None:
    story = in_transit()
    shown = view(story.facts, story.plan)
    details = current_details(story.facts, story.plan.waits, shown, story.stage)
    head = details.partition("\n\n")[0]
    assert "**Goods**: coming back" in head
    assert "**Money**: broker to seller none, seller to buyer none" in head
    assert "**To do**: the seller reviews and refunds the buyer" in head
    assert head.count("  \n") == len(head.splitlines()) - 1, "each line of the head is a line of the page"


def test_NTF_9_current_details_name_what_has_no_answer_with_the_partners_last_words() -> None:
    story = requested({"rma": "service"})
    story.world.rma = Troubled("503 <b>down</b>")
    story.approved()
    details = current_details(story.facts, story.plan.waits, view(story.facts, story.plan), story.stage)
    assert "**No answer yet**" in details
    assert "503" in details
    assert "<b>" not in details


def test_RET_16_a_gateways_no_is_shown_in_the_timeline_and_counted_as_no_wrong_event() -> None:
    story = awaiting_click()
    story.world.fates["buyer"] = ["refused"]
    story.clicked()
    shown = view(story.facts, story.plan)
    details = current_details(story.facts, story.plan.waits, shown, story.stage)
    assert "could not be used" not in details
    assert "buyer not refunded" in details
    story.refuses("buyer_refund", amount="1.005")
    details = current_details(story.facts, story.plan.waits, shown, story.stage)
    assert "**1 event could not be used**" in details
    assert details.count("| buyer\\_refund") + details.count("| buyer_refund") == 1, "the sender's fault alone"
