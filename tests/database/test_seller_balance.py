"""A refund waits until the seller's balance and its reserved funds cover it (BAL-1)."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from models.records import Opening
from models.refunds import Direction, RefundState, Way
from tests.database.story import Story, seller


@pytest.fixture
def has_40(story: Story) -> Story:
    """Of the buyer's 100.00 USD the broker took 60.00: 40.00 is available."""
    story.delivered(("A", 2, "50.00"))
    return story


def funds(story: Story, **amounts: str) -> None:
    story.parties.put_seller(seller(reserved_funds=amounts))


@pytest.mark.parametrize(("reserved", "amount"), [("0", "40.00"), ("10.00", "50.00"), ("60", "100.00")])
def test_BAL_1_a_refund_uses_what_is_available_and_then_the_reserved_funds(
    has_40: Story, reserved: str, amount: str
) -> None:
    funds(has_40, USD=reserved)
    assert has_40.refunding("RF-1", amount).opening is Opening.OPENED


@pytest.mark.parametrize(("reserved", "amount", "missing"), [("0", "40.01", "0.01"), ("9.99", None, "50.01")])
def test_BAL_1_a_refund_that_they_do_not_cover_waits_and_says_what_is_missing(
    has_40: Story, reserved: str, amount: str | None, missing: str
) -> None:
    funds(has_40, USD=reserved)
    with pytest.raises(ApplicationError, match=f"{missing} is missing") as no:
        has_40.refunding("RF-1", amount)
    assert (no.value.type, no.value.non_retryable) == ("BalanceShort", True)
    assert no.value.details == ({"partner": "seller:acme"},)
    assert has_40.left_for_buyer() == Decimal("100.00"), "nothing is reserved meanwhile"
    funds(has_40, USD="60.00")
    assert has_40.refunding("RF-1", amount).opening is Opening.OPENED, "it goes on once it is covered"


def test_BAL_1_one_that_came_to_nothing_covers_the_next(has_40: Story) -> None:
    funds(has_40, USD="0")
    has_40.refunding("RF-1", "40.00")
    with pytest.raises(ApplicationError, match=r"0\.00 is available"):
        has_40.refunding("RF-2", "10.00")
    has_40.settled("RF-1", RefundState.FAILED)
    assert has_40.refunding("RF-2", "10.00").opening is Opening.OPENED


def test_BAL_1_other_currencies_other_ways_and_the_sellers_own_money_wait_for_no_balance(has_40: Story) -> None:
    funds(has_40, EUR="0")
    assert has_40.refunding("RF-1", "50.00").opening is Opening.OPENED
    funds(has_40, USD="0")
    assert has_40.refunding("RF-2", "50.00", way=Way.MANUAL).opening is Opening.OPENED
    assert has_40.refunding("RF-3", "60.00", direction=Direction.BROKER_TO_SELLER).opening is Opening.OPENED


def test_BAL_1_the_cap_is_looked_at_before_the_balance(has_40: Story) -> None:
    funds(has_40, USD="0")
    assert has_40.refunding("RF-1", "100.01").opening is Opening.REFUSED


def test_BAL_1_refunds_at_the_same_time_never_take_more_than_is_there(has_40: Story, engine: Engine) -> None:
    funds(has_40, USD="0")
    together = Barrier(4)

    def ask(number: int) -> bool:
        mine = Story(engine)
        together.wait()
        with suppress(ApplicationError):
            return mine.refunding(f"RF-{number}", "15.00").opening is Opening.OPENED
        return False

    with ThreadPoolExecutor(4) as people:
        assert sorted(people.map(ask, range(4))) == [False, False, True, True]
