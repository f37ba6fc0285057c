"""Goods that come back in several parcels and conditions; words that are corrected (RET-25, RET-26, RET-29)."""

from decimal import Decimal
from typing import Any

import pytest

from models.contract import RETURN_EVENTS
from models.failures import InvalidInput
from models.returns import OpenedLine
from tests.plans.returns.return_rig import ReturnStory, goods, in_transit, requested, unopened
from workflows.returns.receipts import groups_of
from workflows.returns.view import view

S1, S2 = "RF-RR-1-S1", "RF-RR-1-S2"


def entries(*said: tuple[int, str], **more: Any) -> dict[str, Any]:
    """Units of A with what the supplier makes of them."""
    lines = [{"sku": "A", "quantity": units, "reception": "received", "acceptance": word} for units, word in said]
    return {"actor": "supplier:sue", "lines": lines, **more}


def arrives(story: ReturnStory, *said: tuple[int, str], **more: Any) -> str:
    """A receipt, as a signal; gives its event_id."""
    story.says("goods_received", **entries(*said, **more))
    return f"e{story.events}"


def refused(story: ReturnStory, *said: tuple[int, str], **more: Any) -> str:
    return story.refuses("goods_received", **entries(*said, **more))


def groups(story: ReturnStory) -> list[tuple[int, str]]:
    return [(one.quantity, one.acceptance.value) for one in groups_of(story.facts.receipts)]


# ---- RET-26: receipts add up ----


def test_RET_26_two_receipts_of_one_unit_make_two_and_the_seller_gets_both() -> None:
    story = in_transit()
    arrives(story, (1, "accepted"))
    assert story.plan.waits[0].what == "receive and inspect the rest: 1 x A"
    story.credited("31.50", "CM-1")
    assert story.stage == "in_transit", "the other unit is still on its way"
    arrives(story, (1, "accepted"))
    story.credited("31.50", "CM-2")
    assert story.money == ("0.00", "63.00")


def test_RET_26_more_than_the_return_has_is_refused_in_words() -> None:
    story = in_transit()
    first = arrives(story, (1, "accepted"))
    why = refused(story, (2, "accepted"))
    assert why == (
        "2 of A: the return has 2, 1 arrived before; say only what arrived this time, or name the receipt that "
        f"this corrects ({first}) (RET-26)"
    )
    assert groups(story) == [(1, "accepted")]


def test_RET_26_a_short_line_awaits_no_more() -> None:
    story = in_transit().received(quantity=1)
    assert story.stage == "awaiting_credit"
    assert story.credited("31.50").money == ("0.00", "31.50")


def test_RET_26_what_was_short_and_comes_later_adds_up() -> None:
    story = in_transit().received(quantity=1)
    arrives(story, (1, "accepted"))
    assert story.credited().money == ("0.00", "63.00")


def test_RET_26_a_correction_replaces_the_receipt_that_it_names() -> None:
    story = in_transit()
    first = arrives(story, (1, "accepted"))
    arrives(story, (1, "rejected"))
    fixed = arrives(story, (1, "rejected"), corrects=first)
    assert groups(story) == [(1, "rejected"), (1, "rejected")]
    assert f"receipt {first} is corrected: 1 x A received, rejected" in story.steps
    why = refused(story, (1, "accepted"), corrects=first)
    assert f"no receipt {first} counts here; those that count are {fixed}" in why


def test_RET_26_a_correction_is_never_more_than_the_return_has() -> None:
    story = in_transit()
    first = arrives(story, (1, "accepted"))
    arrives(story, (1, "accepted"))
    assert "2 of A: the return has 2, 1 arrived before" in refused(story, (2, "accepted"), corrects=first)
    assert groups(story) == [(1, "accepted"), (1, "accepted")]


def test_RET_26_a_receipt_that_was_another_returns_is_taken_back() -> None:
    story = in_transit()
    first = arrives(story, (2, "rejected"))
    arrives(story, corrects=first)
    assert (groups(story), story.stage) == ([], "in_transit")
    assert "those that count" not in refused(story, corrects=first)
    with pytest.raises(InvalidInput, match="a receipt needs lines"):
        RETURN_EVENTS["goods_received"].at_the_door({"event_id": "x", "actor": "supplier:sue"})


def test_RET_26_rejected_first_and_accepted_after_a_second_look_counts() -> None:
    story = in_transit().received("rejected")
    assert story.stage == "awaiting_buyer_refund"
    arrives(story, (2, "accepted"))
    assert story.stage == "awaiting_credit"
    assert story.credited().money == ("0.00", "63.00")
    story.clicked()
    assert (story.stage, story.facts.closing_message) == (
        "completed",
        "completed: seller refunded 63.00 USD; buyer refunded 100.00 USD",
    )


def test_RET_26_a_second_rejection_is_told_again() -> None:
    story = in_transit().received("rejected")
    arrives(story, (2, "accepted"))
    arrives(story, (2, "rejected"))
    assert len(story.letters("goods_rejected")) == 2
    assert story.stage == "awaiting_buyer_refund"


def test_RET_26_a_person_decides_about_the_units_that_were_left_open() -> None:
    story = in_transit()
    arrives(story, (1, "accepted"), (1, "manual"))
    arrives(story, (1, "rejected"))
    assert groups(story) == [(1, "accepted"), (1, "rejected")]
    assert story.credited("31.50").money == ("0.00", "31.50")


def test_RET_26_a_second_look_at_some_of_them_must_say_at_which() -> None:
    story = in_transit()
    first = arrives(story, (1, "accepted"), (1, "rejected"))
    assert f"name the receipt that this corrects ({first})" in refused(story, (1, "accepted"))


# ---- RET-26: after money has moved ----


def half_refunded() -> ReturnStory:
    """One unit accepted, credited and refunded, the other rejected."""
    story = in_transit()
    arrives(story, (1, "accepted"), (1, "rejected"))
    story.credited("31.50")
    assert story.money == ("0.00", "31.50")
    return story


def test_RET_26_more_is_accepted_after_the_refund_another_refund_of_the_seller_is_made_by_itself() -> None:
    story = half_refunded()
    arrives(story, (2, "accepted"))
    assert (story.stage, story.money) == ("awaiting_credit", ("0.00", "31.50"))
    story.credited("31.50", "CM-2")
    assert (story.asked, story.money) == ([(S1, "31.50", False), (S2, "31.50", False)], ("0.00", "63.00"))
    assert story.alerts == [], "the second credit was awaited"
    assert story.clicked().stage == "completed"


def test_RET_26_it_waits_for_no_credit_that_is_waived() -> None:
    story = half_refunded().says("staff_override", waive="credit_memo")
    assert story.money == ("0.00", "31.50"), "what is rejected stays rejected"
    arrives(story, (2, "accepted"))
    assert story.money == ("0.00", "63.00")


def test_RET_26_less_is_accepted_after_the_refund_a_person_is_told() -> None:
    story = in_transit().received().credited()
    arrives(story, (2, "rejected"))
    assert story.money == ("0.00", "63.00")
    assert story.alerts == [
        "the seller was refunded 63.00 USD, and by what was said since only 0.00 is due: "
        "settle 63.00 USD with the seller"
    ]
    assert story.stage == "awaiting_buyer_refund", "it blocks nothing"


def test_RET_26_after_the_refund_a_person_decides_about_what_is_open() -> None:
    story = in_transit()
    arrives(story, (1, "accepted"), (1, "rejected"))
    story.credited("31.50")
    arrives(story, (1, "accepted"), (1, "manual"))
    assert story.waits[0] == ("in_transit", "staff")
    arrives(story, (1, "accepted"))
    assert story.credited("31.50", "CM-2").money == ("0.00", "63.00")


def test_RET_26_a_refund_that_failed_is_made_again_by_the_last_word() -> None:
    story = in_transit()
    story.world.fates["seller"] = ["failed"]
    story.received().credited()
    arrives(story, (1, "accepted"), (1, "rejected"))
    story.days(4)
    assert story.money == ("0.00", "31.50")


def test_RET_26_a_refund_that_failed_is_not_made_again_when_nothing_is_due_any_more() -> None:
    story = in_transit()
    story.world.fates["seller"] = ["failed"]
    story.received().credited()
    arrives(story, (2, "rejected"))
    story.days(4).clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "0.00"))


def test_RET_26_what_was_refunded_to_the_buyer_by_itself_is_no_more_by_itself() -> None:
    story = in_transit(auto_refund_buyer=True)
    arrives(story, (1, "accepted"), (1, "rejected"))
    assert story.money == ("50.00", "0.00")
    arrives(story, (2, "accepted"))
    assert story.money == ("50.00", "0.00")
    assert story.alerts == ["2 units are accepted by now, the buyer was refunded for 1: settle it with the buyer"]


# ---- RET-25: groups of units ----


def test_RET_25_of_one_line_one_unit_is_fine_and_one_is_damaged() -> None:
    story = in_transit(auto_refund_buyer=True)
    said = arrives(story, (1, "accepted"), (1, "rejected"))
    assert story.money == ("50.00", "0.00"), "only the accepted unit is refunded by itself"
    assert story.plan.waits[0].what == "credit 31.50 USD (credited so far: 0)"
    shown = [(one["event_id"], one["quantity"], one["acceptance"]) for one in story.shown["receptions"]]
    assert shown == [(said, 1, "accepted"), (said, 1, "rejected")]


def test_RET_25_groups_are_never_more_than_the_return_has() -> None:
    assert refused(in_transit(), (2, "accepted"), (1, "rejected")) == "3 of A: the return has 2 (RET-11)"


def test_RET_25_the_seller_is_told_of_each_group() -> None:
    story = in_transit()
    lines = [
        {"sku": "A", "quantity": 1, "reception": "wrong_item", "acceptance": "rejected"},
        {"sku": "A", "quantity": 1, "reception": "lost", "acceptance": "rejected"},
    ]
    story.says("goods_received", actor="supplier:sue", lines=lines)
    (told,) = story.letters("goods_rejected")
    assert [(one.quantity, one.remark) for one in told.lines] == [
        (1, "wrong item, rejected"),
        (1, "lost, rejected"),
    ]


def test_NTF_5_goods_of_which_one_of_two_arrived_are_partly_received() -> None:
    story = in_transit()
    arrives(story, (1, "accepted"))
    assert view(story.facts, story.plan).custody == "partly_received"
    arrives(story, (1, "rejected"))
    assert view(story.facts, story.plan).custody == "received"


# ---- RET-29: several parcels ----


def parcel(story: ReturnStory, number: str, carrier: str = "UPS", **more: Any) -> ReturnStory:
    return story.says("return_tracking", carrier=carrier, tracking_number=number, **more)


def test_RET_29_parcels_add_up_and_each_number_finds_the_return() -> None:
    story = requested().approved()
    parcel(parcel(story, "1Z-1"), "9400 2", "USPS")
    shown = [(one["carrier"], one["tracking_number"]) for one in story.shown["parcels"]]
    assert shown == [("UPS", "1Z-1"), ("USPS", "9400 2")]
    assert set(view(story.facts, story.plan).numbers) >= {"1Z-1", "9400 2"}
    assert view(story.facts, story.plan).goods_said == "coming back (UPS 1Z-1, USPS 9400 2)"


def test_RET_29_the_same_number_again_counts_once_however_it_is_written() -> None:
    story = requested().approved()
    parcel(parcel(story, "1Z-1"), "1z 1", "DHL")
    assert [(one.carrier, one.tracking_number) for one in story.facts.parcels] == [("DHL", "1Z-1")]


def test_RET_29_a_parcel_says_what_is_in_it() -> None:
    story = requested().approved()
    parcel(story, "1Z-1", lines=[{"sku": "A", "quantity": 1}])
    parcel(story, "1Z-1")
    assert [(one.sku, one.quantity) for one in story.facts.parcels[0].lines] == [("A", 1)]
    more = {"carrier": "UPS", "tracking_number": "1Z-2", "lines": [{"sku": "A", "quantity": 3}]}
    assert story.refuses("return_tracking", **more) == "3 of A: the return has 2 (RET-29)"
    more["lines"] = [{"sku": "B", "quantity": 1}]
    assert "no line B" in story.refuses("return_tracking", **more)


# ---- nothing to pay, and what is waived ----


def test_ORD_15_accepted_goods_that_were_free_are_no_rejection() -> None:
    story = unopened()
    free = OpenedLine(line_id="A", sku="A", quantity=2, reason="worn", paid=Decimal(100), cost=Decimal(0))
    story.world.lines = (free,)
    story.rest()
    story.approved().sent().received()
    why = "nothing was charged for what is accepted: nothing is to be credited or refunded to the seller"
    assert why in story.steps
    assert "goods_rejected" not in story.templates


def test_RET_13_waiving_the_credit_memo_frees_a_return_on_its_way() -> None:
    story = in_transit().says("staff_override", waive="credit_memo")
    assert story.money == ("0.00", "63.00")
    assert "63.00 USD is not credited: refunded at the broker's expense" in story.steps


def test_RET_13_waiving_the_credit_memo_pays_for_what_is_not_rejected() -> None:
    story = in_transit()
    arrives(story, (1, "rejected"))
    assert story.says("staff_override", waive="credit_memo").money == ("0.00", "31.50")


def test_RET_16_receipts_that_come_before_it_opens_add_up_too() -> None:
    story = unopened()
    for _ in range(2):
        assert story.hear(story.event("goods_received", **goods(quantity=1)))
    story.rest()
    story.approved().sent()
    assert groups(story) == [(1, "accepted"), (1, "accepted")]


def test_RET_10_a_step_that_is_waived_twice_is_waived_since_the_first_time() -> None:
    story = requested({"rma": "manual"}).approved().says("staff_override", waive="rma")
    due = story.deadlines["tracking_due"]
    story.days(31)
    assert story.stage == "expired"
    story.says("staff_override", waive="rma")
    assert (story.stage, story.facts.tracking_due) == ("expired", due)
