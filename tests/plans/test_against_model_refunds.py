"""Whatever is said of refunds, in whatever order, their plans do what the model allows (REF-3, REF-6, REF-7)."""

import pytest

from tests.plans.against_model import HALF_PROOFS, assert_all_allowed
from tests.plans.refunds_in_process import REFUNDS


@pytest.mark.parametrize("part", HALF_PROOFS)
def test_REF_3_whatever_is_said_of_refunds_in_whatever_order_their_plans_do_what_the_model_allows(
    part: int,
) -> None:
    assert_all_allowed(REFUNDS, part, sequences=3_250, pairs=36)
