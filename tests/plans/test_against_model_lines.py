"""Whatever is said of lines and kits, by whatever name, the plans do what the model allows (ORD-13, ORD-14)."""

import pytest

from tests.plans.against_model import PARTS, assert_all_allowed
from tests.plans.lines_in_process import ORDERS_OF_LINES
from tests.plans.returned_lines_in_process import RETURNS_OF_LINES


@pytest.mark.parametrize("part", PARTS)
def test_ORD_13_whatever_is_said_of_lines_and_kits_the_plan_does_what_the_model_allows(part: int) -> None:
    assert_all_allowed(ORDERS_OF_LINES, part, sequences=250, pairs=26)


@pytest.mark.parametrize("part", PARTS)
def test_ORD_14_whatever_comes_back_of_lines_and_kits_the_plan_does_what_the_model_allows(part: int) -> None:
    assert_all_allowed(RETURNS_OF_LINES, part, sequences=250, pairs=36)
