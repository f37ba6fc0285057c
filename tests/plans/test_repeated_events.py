"""An event that is said again and again stops no case, and others are heard beside it (RET-16)."""

from typing import Any

import pytest

from tests.plans.orders.order_rig import ADDRESS, Order
from workflows.engine.heard import MOST_OF_A_KIND

LARGEST = 2_000_000
"""Bytes of one message that the Temporal server takes: facts are carried on in one."""
SAID: dict[str, dict[str, Any]] = {
    "cancel_request": {"actor": "buyer:robin", "reason": "x" * 100},
    "address_changed": {"actor": "buyer:robin", "address": ADDRESS | {"line1": "9 Other Rd"}},
    "payment_method_updated": {"payment_method": "pm_1"},
}


@pytest.mark.parametrize("name", SAID)
def test_RET_16_ten_thousand_of_them_leave_a_case_that_can_be_carried_on(name: str) -> None:
    order = Order(careful=False).placed()
    taken = sum(order.rig.hear(order.event(name, **SAID[name])) for _ in range(MOST_OF_A_KIND * 10))
    assert taken == MOST_OF_A_KIND
    assert "seems to repeat itself" in order.facts.rejected[-1].reason
    assert len(order.facts.model_dump_json()) < LARGEST / 2


def test_RET_16_who_repeats_itself_makes_nobody_else_unheard() -> None:
    order = Order(careful=False).placed()
    for _ in range(MOST_OF_A_KIND + 1):
        order.rig.hear(order.event("cancel_request", actor="buyer:robin", reason="again"))
    assert order.ships("s1", A=2)
    assert order.outcome == "shipped"
