"""Whatever happens to an order, in whatever order, its plan does what the model allows (RET-16, CAN-4, ORD-7)."""

import pytest

from tests.plans.against_model import HALF_PROOFS, assert_all_allowed
from tests.plans.orders_in_process import ORDERS


@pytest.mark.parametrize("part", HALF_PROOFS)
def test_CAN_4_whatever_happens_to_an_order_in_whatever_order_its_plan_does_what_the_model_allows(
    part: int,
) -> None:
    assert_all_allowed(ORDERS, part, sequences=2_000, pairs=148)
