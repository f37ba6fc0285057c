"""Refunds of a return in amounts that the gateway can move: computed ones are made so, asked ones refused."""

from decimal import Decimal

from models.payments import PaidBy
from models.records import ReturnOpening
from models.returns import OpenedLine
from tests.plans.returns.return_rig import ReturnStory, unopened


def in_kuwait(gateway: PaidBy | None = PaidBy.STRIPE) -> ReturnStory:
    """Two units for 100.000 KWD, that cost 63.005: fees by percent, and costs, make amounts that end in no 0.
    Seller and broker are paid by this gateway."""
    story = unopened()
    story.world.lines = (
        OpenedLine(
            line_id="A", sku="A", quantity=2, reason="worn", paid=Decimal("99.990"), cost=Decimal("63.005")
        ),
    )
    opened = story.world.opening()
    assert opened.opened is not None
    in_dinars = {"currency": "KWD", "charge_currency": "KWD", "gateway": gateway, "charge_gateway": gateway}
    snapshot = opened.opened.model_copy(update=in_dinars)
    story.world.open = ReturnOpening(opening=opened.opening, opened=snapshot)
    story.rest()
    return story


def test_REF_14_a_share_less_a_percentage_is_made_movable() -> None:
    story = in_kuwait().approved(restocking_percent="15").sent().received()
    story.credited("63.005", currency="KWD").clicked()
    assert story.facts.fees == Decimal("14.999")
    asked = {one.refund_id: one.amount for one in story.facts.refunds}
    assert asked == {"RF-RR-1-S1": Decimal("63.000"), "RF-RR-1-B1": Decimal("84.990")}
    assert story.stage == "completed", "what can't be moved is not asked for again"


def test_REF_14_a_click_for_less_than_can_be_moved_is_refused_in_words() -> None:
    story = in_kuwait().approved().sent().received()
    why = story.refuses("buyer_refund", amount="5.005")
    assert why == "amount is finer than stripe can move: give a multiple of 0.010 KWD (REF-14)"
    assert not [one for one in story.facts.refunds if "-B" in one.refund_id]


def test_REF_14_what_goes_back_by_nobodys_gateway_may_be_of_any_amount() -> None:
    story = in_kuwait(gateway=None).approved().sent().received()
    assert story.clicked(amount="5.005").facts.refunded == Decimal("5.005")
    story.credited("63.005", currency="KWD")
    assert next(one.amount for one in story.facts.refunds if "-S" in one.refund_id) == Decimal("63.005")


def test_REF_14_the_sellers_part_of_a_charge_can_be_moved_by_the_gateway_that_has_no_decimals() -> None:
    """Two units of 31.75 HUF come back, and the charge was made through PayPal."""
    story = unopened()
    line = OpenedLine(line_id="A", sku="A", quantity=2, reason="worn", paid=Decimal("99"), cost=Decimal("63.50"))
    story.world.lines = (line,)
    opened = story.world.opening()
    assert opened.opened is not None
    in_forints = {"currency": "HUF", "charge_currency": "HUF", "charge_gateway": PaidBy.PAYPAL}
    snapshot = opened.opened.model_copy(update=in_forints)
    story.world.open = ReturnOpening(opening=opened.opening, opened=snapshot)
    story.rest()
    story.approved().sent().received().credited("63.50", currency="HUF").clicked()
    asked = {one.refund_id: one.amount for one in story.facts.refunds}
    assert asked["RF-RR-1-S1"] == Decimal("63.00")
    assert story.stage == "completed"
    assert not any("below the cost" in step for step in story.steps), "the credit is all of it"
