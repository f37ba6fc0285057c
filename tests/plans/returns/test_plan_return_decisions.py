"""The request, the seller's decision, and withdrawals, on the plan alone (RET-1, 2, 4, 5, 6, 15, 17)."""

import pytest

from models.records import Opening, ReturnOpening
from tests.plans.returns.return_rig import NOON, a_request, awaiting_click, goods, in_transit, requested, unopened
from tests.plans.rig import Failed


@pytest.mark.parametrize("source", ["seller", "buyer", "ebay_return", "ebay_case", "amazon_report", "manual"])
def test_RET_1_each_source_makes_the_same_return_and_is_kept(source: str) -> None:
    story = requested(request={"source": source, "requested_by": "seller:jane"})
    assert story.waits == [("awaiting_approval", "seller")]
    assert (story.steps, story.facts.timeline[0].who) == (
        [f"return requested by {source}: 2 x A (worn)"],
        "seller:jane",
    )
    assert story.shown["source"] == source


@pytest.mark.parametrize("opening", [Opening.REFUSED, Opening.DUPLICATE, Opening.CONFLICT])
def test_RET_2_what_the_database_refuses_ends_refused_and_keeps_nothing(opening: Opening) -> None:
    story = unopened()
    story.world.open = ReturnOpening(opening=opening, reason="3 of A: 2 were shipped")
    story.says("credit_memo", number="1", date="2026-03-01", amount="1.00", currency="USD")
    assert (story.stage, story.facts.closing_message, story.is_over) == ("refused", "3 of A: 2 were shipped", True)
    assert (story.facts.rejected_count, story.templates) == (1, [])


@pytest.mark.parametrize("exists", [False, True])
def test_RET_2_lines_of_other_suppliers_are_returns_of_their_own(exists: bool) -> None:
    story = unopened()
    story.world.siblings = (a_request(return_id="RR-1.2"), a_request(return_id="RR-1.3"))
    story.world.split = Failed("exists") if exists else None
    story.rest()
    said = "return RR-1.2 exists already" if exists else "the lines of another supplier are return RR-1.2"
    assert said in story.steps
    assert [effect.key for effect in story.begun if effect.key.startswith("split")] == [
        "split:RR-1.2",
        "split:RR-1.3",
    ]
    assert story.stage == "awaiting_approval"


def test_RET_4_a_rejection_is_told_to_the_buyer_with_its_reason() -> None:
    story = requested().says("seller_approval", decision="rejected", reason="electrical part")
    assert (story.stage, story.facts.closing_message) == ("rejected", "rejected by the seller: electrical part")
    assert story.letters("return_rejected")[0].facts["reason"] == "electrical part"
    assert story.shown["decision_reason"] == "electrical part"
    assert story.is_over


def test_RET_4_a_second_decision_does_not_replace_the_first() -> None:
    story = requested().approved()
    assert story.refuses("seller_approval", decision="rejected") == "the return is approved already"
    assert not story.facts.is_rejected


def test_RET_4_a_seller_who_does_not_decide_is_reminded_and_at_last_staff_are_alerted() -> None:
    story = requested(approval_reminder_days=[2, 5])
    assert story.plan.wake_at is not None
    assert (story.plan.wake_at - NOON).days == 2
    story.days(5)
    assert len(story.letters("approval_reminder")) == 2
    story.days(55)
    assert "return RR-1 is neither approved nor rejected" in story.alerts
    assert story.stage == "awaiting_approval"
    assert story.plan.wake_at is None


@pytest.mark.parametrize(
    ("fees", "refunded"),
    [
        ({"return_fee": "10.00"}, "90.00"),
        ({"restocking_fee": "12.50"}, "87.50"),
        ({"restocking_percent": "20"}, "80.00"),
        ({"return_fee": "10.00", "restocking_percent": "33.333"}, "56.67"),
    ],
)
def test_RET_5_fees_are_deducted_from_the_buyers_refund(fees: dict[str, str], refunded: str) -> None:
    story = requested().approved(**fees).sent().clicked()
    assert story.money == (refunded, "0.00")


def test_RET_5_REF_4_fees_never_exceed_what_is_refundable() -> None:
    story = requested()
    assert "higher than the refundable 100.00 USD" in story.refuses(
        "seller_approval", decision="approved", return_fee="100.01"
    )
    assert story.stage == "awaiting_approval"


def test_RET_5_label_and_carrier_are_told_to_the_buyer() -> None:
    story = requested().approved(label_url="https://labels.example/1", carrier="UPS", label_paid_by="seller")
    told = story.letters("rma_for_buyer")[0].facts
    assert (told["label_url"], told["carrier"], told["label_paid_by"]) == (
        "https://labels.example/1",
        "UPS",
        "seller",
    )


def test_RET_5_returnless_needs_no_parcel_and_only_the_buyer_is_refunded() -> None:
    story = requested().approved(returnless=True)
    assert story.waits == [("awaiting_buyer_refund", "seller")]
    story.clicked()
    assert (story.stage, story.money, list(story.deadlines)) == ("completed", ("100.00", "0.00"), [])
    assert "returnless_refund" in story.templates


@pytest.mark.parametrize(("fulfilment", "opened"), [("broker", True), ("direct", False)])
def test_RET_6_a_matching_return_opens_in_the_sellers_account_at_the_broker(fulfilment: str, opened: bool) -> None:
    story = requested({"fulfilment": fulfilment}).approved()
    assert ("return BR-RR-1 opened in the seller's account at the broker" in story.steps) is opened
    assert (story.shown["broker_return_number"] == "BR-RR-1") is opened


def test_RET_6_the_supplier_is_told_of_the_return() -> None:
    assert requested().approved().letters("return_announced")[0].facts["rma_number"] == "1001-1"


def test_RET_15_a_return_is_withdrawn_before_it_is_received() -> None:
    for story in (requested(), requested().approved(), in_transit(), requested().approved().days(31)):
        story.says("withdrawal", actor="buyer:bob")
        assert (story.stage, story.money, story.is_over) == ("withdrawn", ("0.00", "0.00"), True)
        assert "withdrawn" in story.templates


def test_RET_15_what_was_received_or_paid_is_not_withdrawn() -> None:
    assert "goods are received" in in_transit().received("manual").refuses("withdrawal")
    assert "money was refunded" in in_transit().clicked(amount="1.00").refuses("withdrawal")
    assert "money was refunded" in in_transit().says("staff_override", waive="inspection").says(
        "staff_override", waive="credit_memo"
    ).refuses("withdrawal")


def test_RET_15_a_click_in_one_task_with_a_withdrawal_moves_no_money() -> None:
    story = in_transit()
    for event in (story.event("withdrawal"), story.event("buyer_refund")):
        assert story.hear(event)
    story.rest()
    assert (story.stage, story.money, story.facts.rejected_count) == ("withdrawn", ("0.00", "0.00"), 1)


def test_RET_15_nothing_is_heard_after_the_end() -> None:
    story = requested().says("withdrawal")
    assert not story.hear(story.event("goods_received", **goods()))


def test_RET_17_the_numbers_of_a_return_are_shown() -> None:
    story = awaiting_click()
    shown = story.shown
    assert (shown["return_id"], shown["order_id"], shown["rma_number"], shown["tracking_number"]) == (
        "RR-1",
        "1001",
        "1001-1",
        "1Z",
    )
