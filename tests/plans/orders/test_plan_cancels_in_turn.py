"""A cancel that waits for its turn, while other units move, is as early as it was (CAN-3, CAN-10)."""

from collections.abc import Callable

import pytest

from tests.plans.orders.order_rig import A_LINE, Order, Stock, request
from workflows.orders.effects import SplitOff


def two_items(**settings: object) -> Order:
    lines = [A_LINE | {"line_id": sku, "sku": sku} for sku in ("A", "B")]
    return Order(request(*lines), stock=(Stock("A"), Stock("B")), **settings)  # type: ignore[arg-type]


def awaits_payment() -> Order:
    order = two_items(payment_method="pm_bad").rest()
    order.passes(minutes=40)
    assert order.stage == "awaiting_payment"
    return order


def is_on_hold() -> Order:
    order = two_items().in_its_window()
    order.happens("hold", reason="fraud check")
    order.passes(minutes=40)
    assert order.stage == "on_hold"
    return order


def is_paid(order: Order) -> None:
    order.hears("payment_method_updated", payment_method="pm_1")


def is_released(order: Order) -> None:
    order.hears("resume", reason="it is no fraud")


@pytest.mark.parametrize(
    ("waits", "goes_on"), [(awaits_payment, is_paid), (is_on_hold, is_released)], ids=["for payment", "on hold"]
)
@pytest.mark.parametrize("lines", [None, [{"sku": "B", "quantity": 1}]], ids=["the rest", "one of the rest"])
def test_CAN_3_a_cancel_that_came_while_people_were_waited_for_is_in_time_whenever_its_turn_comes(
    waits: Callable[[], Order], goes_on: Callable[[Order], None], lines: list[dict[str, object]] | None
) -> None:
    order = waits()
    order.held.add(SplitOff)
    order.happens("cancel_request", reason="one goes", lines=[{"sku": "A", "quantity": 2}])
    order.happens("cancel_request", reason="the rest too", lines=lines)
    goes_on(order)
    order.rig.settle()
    order.held.clear()
    order.rest()
    decided = [one.decision for one in order.facts.cancels]
    if lines is None:
        assert (decided, order.outcome, order.was_sent) == (["split", "accepted"], "cancelled", False)
    else:
        assert (decided, order.facts.lines.open) == (["split", "split"], {"B": 1})


def test_CAN_3_one_that_came_when_nobody_was_waited_for_is_as_late_as_it_was() -> None:
    order = two_items().in_its_window()
    order.held.add(SplitOff)
    order.happens("cancel_request", reason="one goes", lines=[{"sku": "A", "quantity": 2}])
    order.passes(minutes=40)
    order.happens("cancel_request", reason="the rest too")
    order.held.clear()
    order.rest()
    assert [one.decision for one in order.facts.cancels] == ["split", "too_late"]
    assert order.was_sent
