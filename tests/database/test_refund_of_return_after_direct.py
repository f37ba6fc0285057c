"""A return whose units a direct refund was for, of which a part failed: it asks for what is missing (REF-13)."""

from decimal import Decimal

import pytest

from models.records import Opening, ReservedRefund
from models.refunds import RefundState
from tests.database.story import Story
from tests.database.test_database_lines import of
from tests.database.test_database_refund_parts import LATER, half_failed

WHOLE = "RF-RR-1-B1"


@pytest.fixture
def back(story: Story) -> Story:
    """Two units of A, worth 100.00, are back; of a direct refund of both 40.00 moved, and 60.00 failed."""
    half_failed(story)
    story.returned("RR-1", A=2)
    return story


def asked(
    story: Story, amount: str, refund_id: str = WHOLE, *, named: bool = False, units: int = 2
) -> ReservedRefund:
    """By the return, with what it knows that they are worth; or `named` by a person."""
    lines = of(("A", units))
    return story.refunding(refund_id, amount, lines=lines, return_id="RR-1", less_moved=not named, at=LATER)


def test_REF_13_the_return_asks_for_what_is_missing(back: Story) -> None:
    assert asked(back, "100.00").amount == Decimal("60.00")
    assert back.left_for_buyer() == Decimal("50.00"), "what B is worth"


def test_REF_4_its_fees_are_kept_beside_what_moved(back: Story) -> None:
    assert asked(back, "90.00").amount == Decimal("50.00")


def test_REF_13_of_one_unit_half_of_it_is_missing(back: Story) -> None:
    assert asked(back, "50.00", units=1).amount == Decimal("30.00")


def test_REF_13_asked_again_it_is_the_same_refund(back: Story) -> None:
    first = asked(back, "100.00")
    again = asked(back, "100.00")
    assert (again.opening, again.amount) == (Opening.OPENED, first.amount)


def test_REF_13_what_a_person_names_is_made_as_it_is_asked_for(back: Story) -> None:
    answer = asked(back, "70.00", named=True)
    assert [str(one.amount) for one in answer.parts] == ["60.00", "10.00"]


def test_REF_13_where_all_of_it_moved_nothing_is_made(back: Story) -> None:
    assert "give an amount" in str(asked(back, "40.00").reason)


def test_REF_13_what_its_own_parts_moved_it_has_taken_off_itself(back: Story) -> None:
    """60.00 are missing: of 40.00 and 20.00 the first fails, so 40.00 are asked for, that is 80.00 before."""
    back.refunding("RF-0", "20.00", at=LATER)
    answer = asked(back, "100.00")
    assert [str(one.amount) for one in answer.parts] == ["40.00", "20.00"]
    back.settled(f"{WHOLE}P1", RefundState.FAILED)
    assert asked(back, "80.00", "RF-RR-1-B2").amount == Decimal("40.00")


def test_REF_7_one_that_fails_afterwards_is_made_again_by_what_is_missing(back: Story) -> None:
    asked(back, "100.00")
    back.settled(WHOLE, RefundState.SUCCEEDED)
    back.settled(WHOLE, RefundState.FAILED)
    assert asked(back, "100.00", "RF-RR-1-B2").amount == Decimal("60.00")
