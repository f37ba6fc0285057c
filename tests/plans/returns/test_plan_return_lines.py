"""Lines of a return are named as those of the order; what was free is settled without money (ORD-13 to ORD-15)."""

from decimal import Decimal
from typing import Any

from models.naming import KitPart
from models.returns import OpenedLine
from tests.plans.returns.return_rig import ReturnStory, unopened
from workflows.refunds.attempts import BUYER, MakeRefund
from workflows.returns.receipts import groups_of

SUPPLIER, STAFF = "supplier:sue", "staff:sam"


def line(line_id: str, sku: str = "PAD-1", units: int = 1, paid: str = "10.00", cost: str = "6.00") -> OpenedLine:
    worth = {"paid": Decimal(paid), "cost": Decimal(cost)}
    return OpenedLine(line_id=line_id, sku=sku, quantity=units, reason="worn", **worth)


def in_transit(*lines: OpenedLine, **seller: Any) -> ReturnStory:
    story = unopened(**seller)
    story.world.lines = lines
    story.rest()
    return story.approved().sent()


def goods(*names: dict[str, Any], actor: str = STAFF, **said: str) -> dict[str, Any]:
    found = {"reception": "received", "acceptance": "accepted"} | said
    return {"actor": actor, "lines": [{"quantity": 1} | found | name for name in names]}


def received(story: ReturnStory) -> dict[str, int]:
    return {one.line_id: one.quantity for one in groups_of(story.facts.receipts)}


def refunds(story: ReturnStory) -> list[tuple[str, list[tuple[str | None, int]]]]:
    """Each refund of the buyer with the units that it is for."""
    made = [one for one in story.begun if isinstance(one, MakeRefund) and one.direction is BUYER]
    return [(f"{one.amount}", [(units.line_id, units.quantity) for units in one.lines]) for one in made]


# ---- ORD-13 ----


def test_ORD_13_goods_are_named_by_line_where_one_item_stands_in_two() -> None:
    story = in_transit(line("1"), line("2"))
    why = story.refuses("goods_received", **goods({"sku": "PAD-1"}))
    assert "PAD-1 stands in several lines: line 1 (1 x PAD-1), line 2 (1 x PAD-1)" in why
    story.says("goods_received", **goods({"line_id": "2"}))
    assert received(story) == {"2": 1}


def test_ORD_13_a_supplier_receives_items_and_its_units_are_those_of_the_lines_in_order() -> None:
    story = in_transit(line("1"), line("2"))
    story.says("goods_received", **goods({"sku": "pad 1", "quantity": 2}, actor=SUPPLIER))
    assert received(story) == {"1": 1, "2": 1}


def test_ORD_13_a_line_that_is_named_in_two_ways_is_one_line() -> None:
    story = in_transit(line("1", "A"), line("2", "B"))
    why = story.refuses("goods_received", **goods({"sku": "A"}, {"line_id": "1"}))
    assert "2 of A: the return has 1" in why


def test_ORD_13_a_click_names_lines() -> None:
    story = in_transit(line("1"), line("2", paid="4.00"))
    why = story.refuses("buyer_refund", lines=[{"sku": "PAD-1", "quantity": 1}])
    assert "stands in several lines" in why
    story.clicked(lines=[{"line_id": "2", "quantity": 1}])
    assert refunds(story) == [("4.00", [("2", 1)])]


def test_ORD_14_a_kit_names_all_its_components_of_a_return() -> None:
    kit = {"line_id": "k", "sku": "KIT"}
    pads = line("k.1", "PAD", 4, paid="20.00").model_copy(update={"kit": KitPart(**kit, each=2)})
    disc = line("k.2", "DISC", 2, paid="30.00").model_copy(update={"kit": KitPart(**kit, each=1)})
    story = in_transit(pads, disc)
    story.says("goods_received", **goods({"sku": "KIT", "quantity": 2}))
    assert received(story) == {"k.1": 4, "k.2": 2}
    story.clicked(lines=[{"line_id": "k", "quantity": 1}])
    assert refunds(story) == [("25.00", [("k.1", 2), ("k.2", 1)])]


def test_ORD_14_units_that_are_refunded_one_by_one_add_up_to_what_was_paid_for_them() -> None:
    story = in_transit(line("1", "A", 3, paid="10.00"))
    for _ in range(3):
        story.clicked(lines=[{"sku": "A", "quantity": 1}])
    assert [amount for amount, _ in refunds(story)] == ["3.34", "3.33", "3.33"]


# ---- REF-13 ----


def test_REF_13_a_click_for_all_is_for_the_units_that_no_click_was_for_before() -> None:
    story = in_transit(line("1", "A"), line("2", "B"))
    story.clicked(lines=[{"sku": "A", "quantity": 1}]).clicked()
    assert refunds(story) == [("10.00", [("1", 1)]), ("10.00", [("2", 1)])]


def test_REF_13_a_refund_by_amount_alone_is_for_no_units() -> None:
    story = in_transit(line("1", "A"), line("2", "B"))
    story.clicked(amount="3.00")
    assert refunds(story) == [("3.00", [])]


def told_by_channel(story: ReturnStory, *amounts: str | None) -> list[tuple[str, list[tuple[str | None, int]]]]:
    for amount in amounts:
        story.says("channel_update", status="refunded_by_channel", amount=amount)
    return refunds(story)


def test_REF_13_what_the_marketplace_refunded_whole_is_for_the_units_of_the_return() -> None:
    units = [("1", 1), ("2", 1)]
    assert told_by_channel(in_transit(line("1", "A"), line("2", "B")), None) == [("20.00", units)]
    assert told_by_channel(in_transit(line("1", "A"), line("2", "B")), "20.00") == [("20.00", units)]
    in_parts = told_by_channel(in_transit(line("1", "A"), line("2", "B")), "5.00", "15.00")
    assert in_parts == [("5.00", []), ("15.00", units)]
    story = in_transit(line("1", "A"), line("2", "B")).clicked(lines=[{"sku": "A", "quantity": 1}])
    assert told_by_channel(story, "10.00") == [("10.00", [("1", 1)]), ("10.00", [("2", 1)])]


def test_REF_13_units_that_the_marketplace_refunded_are_not_refunded_a_second_time_by_its_next_word() -> None:
    """It said that it refunded, and later that it was more, with the shipping."""
    assert told_by_channel(in_transit(line("1", "A", 2, "60.00")), None, "66.00") == [
        ("60.00", [("1", 2)]),
        ("6.00", []),
    ]


def test_REF_13_what_could_not_be_booked_of_the_marketplace_took_no_units() -> None:
    story = in_transit(line("1", "A", 2, "60.00"))
    story.world.fates["buyer"] = ["failed"]
    assert told_by_channel(story, "60.00", "60.00") == [("60.00", [("1", 2)]), ("60.00", [("1", 2)])]


def test_REF_13_a_part_that_the_marketplace_refunded_is_for_no_units() -> None:
    assert told_by_channel(in_transit(line("1", "A"), line("2", "B")), "19.99") == [("19.99", [])]


def test_REF_13_RET_5_less_the_fees_it_is_whole_too() -> None:
    story = unopened()
    story.world.lines = (line("1", "A"),)
    story.rest()
    story.approved(return_fee="2.00").sent()
    assert told_by_channel(story, "8.00") == [("8.00", [("1", 1)])]


def test_REF_13_an_automatic_refund_is_for_the_accepted_units() -> None:
    story = in_transit(line("1", "A"), line("2", "B"), auto_refund_buyer=True)
    story.says("goods_received", **goods({"sku": "A"}))
    story.says("goods_received", **goods({"sku": "B"}, acceptance="rejected"))
    assert refunds(story) == [("10.00", [("1", 1)])]


def test_REF_13_a_refund_that_is_made_again_is_for_the_same_units() -> None:
    story = in_transit(line("1", "A"), line("2", "B"))
    story.clicked(lines=[{"sku": "A", "quantity": 1}])
    story.report("RF-RR-1-B1", "failed").clicked()
    assert refunds(story) == [("10.00", [("1", 1)]), ("10.00", [("1", 1)])]


# ---- ORD-15: nothing to pay is told as what it is ----


def test_ORD_15_accepted_goods_that_cost_nothing_are_not_told_as_rejected() -> None:
    story = in_transit(line("1", cost="0.00"))
    story.says("goods_received", **goods({"sku": "PAD-1"})).clicked()
    assert story.facts.outcome == "completed"
    assert "goods_rejected" not in story.templates
    assert story.facts.closing_message == "completed: nothing was due to the seller; buyer refunded 10.00 USD"


def test_ORD_15_a_free_gift_comes_back_without_the_buyers_money_and_says_so() -> None:
    story = in_transit(line("1", paid="0.00"))
    story.says("goods_received", **goods({"sku": "PAD-1"})).credited("6.00")
    assert story.facts.outcome == "completed"
    assert story.facts.closing_message == "completed: seller refunded 6.00 USD; the buyer had paid nothing"
    assert not [step for step in story.steps if "fees" in step]
    assert any("the buyer paid nothing for it" in step for step in story.steps)


def test_ORD_15_a_click_on_a_free_gift_is_refused_in_words() -> None:
    story = unopened()
    story.world.lines = (line("1", paid="0.00"),)
    story.rest()
    assert "the buyer paid nothing for it: there is nothing to refund" in story.refuses("buyer_refund")
