"""Partial refunds that went wrong elsewhere; by their names in `tests/money/public_cases.json` (REF-3)."""

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activities.database.ledger import Ledger
from models.refunds import RefundState
from tests.database.story import Story


def units(count: int) -> list[dict[str, object]]:
    return [{"line_id": "A", "sku": "A", "quantity": count}]


def test_vendure_868(story: Story) -> None:
    """A line of five: two, then three; a third refund of one is refused."""
    story.delivered(("A", 5, "10.00"))
    for refund_id, count, amount in (("RF-1", 2, "20.00"), ("RF-2", 3, "30.00")):
        given = story.refunding(refund_id, lines=units(count))
        assert (given.opening, given.amount) == ("opened", Decimal(amount))
        story.settled(refund_id, RefundState.SUCCEEDED)
    refused = story.refunding("RF-3", "10.00", lines=units(1))
    assert refused.opening == "refused"
    assert "1 of A can't be refunded: the order has 5, 5 of them are refunded" in str(refused.reason)


@pytest.mark.parametrize("asked", ["90.01", "100.00"])
def test_vendure_2393(story: Story, engine: Engine, asked: str) -> None:
    """More than the payments after a promotion: refused before anything is reserved, of any payment."""
    story.delivered(("A", 1, "100.00"), discount="10.00")
    before = Ledger(engine).entries()
    refused = story.refunding("RF-1", asked)
    assert refused.opening == "refused"
    assert "is more than the 90.00 USD still refundable" in str(refused.reason)
    assert Ledger(engine).entries() == before
    assert story.left_for_buyer() == Decimal("90.00")


def test_vendure_2393_of_two_payments_none_is_refunded(story: Story, engine: Engine) -> None:
    payments = [
        {"paid_by": "stripe", "reference": f"pi_{number}", "amount": amount, "currency": "USD"}
        for number, amount in enumerate(("60.00", "40.00"))
    ]
    story.ordered(("A", 1, "100.00"), payment=None, payments=payments)
    before = Ledger(engine).entries()
    assert story.refunding("RF-1", "100.01").opening == "refused"
    assert Ledger(engine).entries() == before
    assert story.left_for_buyer() == Decimal("100.00")


def test_medusa_11481_10842_13433(story: Story) -> None:
    """Second and third refund of one payment: what is left counts every one before, also while it is pending."""
    story.delivered(("A", 1, "100.00"))
    left = []
    for number, state in enumerate((RefundState.SUCCEEDED, RefundState.PENDING, RefundState.RESERVED), start=1):
        story.refunding(f"RF-{number}", "30.00")
        if state is not RefundState.RESERVED:
            story.settled(f"RF-{number}", state)
        left.append(story.left_for_buyer())
    assert left == [Decimal("70.00"), Decimal("40.00"), Decimal("10.00")]
    refused = story.refunding("RF-4", "10.01")
    assert (refused.opening, "10.00 USD still refundable" in str(refused.reason)) == ("refused", True)
