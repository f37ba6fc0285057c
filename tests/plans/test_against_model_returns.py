"""Whatever happens to a return, in whatever order, its plan does what the model allows (RET-16, REF-7)."""

import pytest

from tests.plans.against_model import HALF_PROOFS, assert_all_allowed
from tests.plans.returns_in_process import RETURNS


@pytest.mark.parametrize("part", HALF_PROOFS)
def test_RET_16_whatever_happens_to_a_return_in_whatever_order_its_plan_does_what_the_model_allows(
    part: int,
) -> None:
    assert_all_allowed(RETURNS, part, sequences=2_000, pairs=235)
