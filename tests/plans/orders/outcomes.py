"""What is so of every order that ended, however it came there (CAN-1, CAN-4)."""

from tests.plans.orders.order_rig import Order


def check_exactly_one(order: Order) -> None:
    """CAN-4: never cancelled and sent; whatever is in flight."""
    assert not (order.facts.accepted_cancel and order.was_sent), "cancelled and sent (CAN-4)"
    if order.outcome == "cancelled":
        assert not order.was_sent


def assert_nothing_was_sent_or_taken(order: Order) -> None:
    assert (order.outcome, order.was_sent) == ("cancelled", False)
    assert not order.facts.captured
    assert {one.state for one in order.facts.charges} <= {"voided", "declined", "expired"}
