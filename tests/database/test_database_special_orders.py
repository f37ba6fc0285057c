"""What is claimed, or was refunded to the buyer, does not wait for stock (ORD-8)."""

from decimal import Decimal

import pytest
from temporalio.exceptions import ApplicationError

from models.claims import ClaimState
from models.records import Opening
from models.refunds import Direction
from models.special_orders import CheckSpecialOrder
from tests.database.story import Story
from tests.database.test_database_claims import claiming, saving


@pytest.fixture
def waiting(story: Story) -> Story:
    """Of four units of A nobody had three; two of them are open again, and wait."""
    story.ordered(("A", 4, "50.00"))
    story.voided(A=3)
    return story


def asked(story: Story, units: int) -> str | None:
    """These voided units shall wait: the order has them as open before it asks."""
    story.voided(A=-units)
    return story.database.check_special_order(CheckSpecialOrder(order_id="1001", units={"A": units})).reason


def test_ORD_8_what_nobody_claimed_may_wait(waiting: Story) -> None:
    assert asked(waiting, 2) is None
    assert claiming(waiting, "CL-1001-1").reason is None, "one is voided still"
    assert claiming(waiting, "CL-1001-2").reason is not None, "what waits can't be claimed"


def test_ORD_8_CLM_1_what_is_claimed_does_not_wait(waiting: Story) -> None:
    claiming(waiting, "CL-1001-1", units=2)
    assert asked(waiting, 2) == "1 of A are claimed as bought elsewhere (CLM-1)"


def test_ORD_8_CLM_1_a_claim_that_was_rejected_holds_nothing(waiting: Story) -> None:
    claiming(waiting, "CL-1001-1", units=2)
    saving(waiting, "CL-1001-1", ClaimState.REJECTED)
    assert asked(waiting, 3) is None


def test_ORD_8_REF_13_what_was_refunded_to_the_buyer_does_not_wait(waiting: Story) -> None:
    waiting.refunding("RF-1001-1", lines=[{"sku": "A", "quantity": 2}])
    assert asked(waiting, 2) == "1 of A are refunded to the buyer (REF-13)"


def test_ORD_8_an_order_that_was_never_opened_has_nothing_that_waits(story: Story) -> None:
    with pytest.raises(ApplicationError, match="no order 1001"):
        story.database.check_special_order(CheckSpecialOrder(order_id="1001", units={"A": 1}))


# ---- it was charged anew: several charges have taken the seller's money ----


@pytest.fixture
def charged_twice(story: Story) -> Story:
    """60.00 and then 40.00 were captured from the seller."""
    story.ordered(("A", 2, "50.00"))
    story.charged("60.00", "40.00")
    return story


def to_seller(story: Story, refund_id: str, amount: str) -> str | None:
    """The charge by which it goes back; none: it is refused."""
    answer = story.refunding(refund_id, amount, direction=Direction.BROKER_TO_SELLER)
    return answer.payment_reference if answer.opening is Opening.OPENED else None


def test_ORD_8_all_that_was_collected_can_go_back_by_the_charges_that_took_it(charged_twice: Story) -> None:
    assert to_seller(charged_twice, "RF-1", "60.00") == "pi_charge_1001"
    assert to_seller(charged_twice, "RF-2", "40.00") == "pi_charge_1001_2"
    assert to_seller(charged_twice, "RF-3", "0.01") is None, "all of it went back"
    assert charged_twice.reading.refunds_of("1001").seller.paid == Decimal("100.00")


def test_ORD_8_a_charge_carries_no_more_than_it_took(charged_twice: Story) -> None:
    assert to_seller(charged_twice, "RF-1", "40.00") == "pi_charge_1001"
    assert to_seller(charged_twice, "RF-2", "40.00") == "pi_charge_1001_2", "20.00 are left of the first"
    assert to_seller(charged_twice, "RF-3", "20.00") == "pi_charge_1001"
