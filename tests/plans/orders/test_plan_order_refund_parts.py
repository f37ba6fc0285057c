"""What no single charge on the seller, or payment of the buyer, can carry goes back in parts (REF-3, ORD-8)."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.plans.divided import divided
from tests.plans.orders.order_rig import Order, Stock, request
from workflows.refunds.attempts import MakeRefund, RefundReported

SELLERS = ("RF-1001-OS1", "RF-1001-OS1P1", "RF-1001-OS1P2")
BUYERS = ("RF-1001-OB1", "RF-1001-OB1P1", "RF-1001-OB1P2")


def half_void(*fates: str, first: str = "60.00+34.50", **settings: Any) -> Order:
    """94.50 was collected for three lamps that nobody has, by two charges; two units of A are to ship."""
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, {"sku": "LAMP", "quantity": 3}), stock=stock, **settings).in_its_window()
    order.refund_states = [first, *fates]
    return order.passes(minutes=31)


def cancelled(*fates: str, first: str = "60.00+40.00", **settings: Any) -> Order:
    """The buyer of an order that is cancelled is refunded by the seller's setting, by two payments (CAN-6)."""
    order = Order(auto_refund_buyer=True, **settings).in_its_window()
    order.refund_states = [first, *fates]
    order.happens("cancel_request")
    return order


def states(order: Order) -> dict[str, str]:
    return {one.refund_id: one.state for one in order.facts.refunds}


def mails(order: Order, template: str) -> list[dict[str, str]]:
    return [one.facts for one in order.rig.mails() if one.template == template]


def test_ORD_8_what_no_single_charge_can_carry_goes_back_to_the_seller_in_parts() -> None:
    order = half_void()
    assert states(order) == dict(zip(SELLERS, ("refused", "succeeded", "succeeded"), strict=True))
    assert order.money == (Decimal("157.50"), Decimal("94.50"))
    order.ships("s1", A=2)
    assert (order.outcome, mails(order, "staff_alert")) == ("shipped", [])


def test_ORD_8_all_parts_are_asked_for_and_nothing_beside_them() -> None:
    made = [one for one in half_void().rig.begun if isinstance(one, MakeRefund)]
    assert [(one.refund_id, str(one.amount)) for one in made] == [
        (SELLERS[0], "94.50"),
        (SELLERS[1], "60.00"),
        (SELLERS[2], "34.50"),
    ]
    assert [one.part_of for one in made] == [None, SELLERS[0], SELLERS[0]]


def test_ORD_7_a_part_that_did_not_succeed_is_named_to_staff_alone() -> None:
    order = half_void("succeeded", "failed")
    (told,) = mails(order, "staff_alert")
    assert told["what"].startswith(f"refund {SELLERS[2]} of the seller did not succeed")


def test_REF_11_a_part_in_doubt_is_asked_for_again_as_the_part_that_it_is() -> None:
    order = half_void("in doubt", refund_retry_days=2).passes(days=2)
    last = next(one for one in reversed(order.rig.begun) if isinstance(one, MakeRefund))
    assert (last.refund_id, last.again, str(last.amount)) == (SELLERS[1], True, "60.00")
    assert last.part_of == SELLERS[0]
    assert states(order)[SELLERS[1]] == "succeeded"


def test_CAN_6_the_buyer_is_refunded_in_parts_and_told_the_sum() -> None:
    order = cancelled()
    assert states(order) == dict(zip(BUYERS, ("refused", "succeeded", "succeeded"), strict=True))
    (mail,) = mails(order, "buyer_refunded")
    assert (mail["amount"], mail["refund_id"]) == ("100.00", f"{BUYERS[1]}, {BUYERS[2]}")
    assert (order.outcome, mails(order, "refund_failed")) == ("cancelled", [])


def test_CAN_6_a_part_that_failed_is_told_to_the_seller_and_the_rest_to_the_buyer() -> None:
    order = cancelled("succeeded", "failed")
    assert [(one["refund_id"], one["amount"]) for one in mails(order, "refund_failed")] == [(BUYERS[2], "40.00")]
    assert [one["amount"] for one in mails(order, "buyer_refunded")] == ["60.00"]
    assert order.outcome == "cancelled"


@pytest.mark.parametrize("fate", ["pending", "to confirm"])
def test_CAN_6_the_order_waits_for_all_parts(fate: str) -> None:
    order = cancelled(fate)
    assert order.outcome is None
    assert len(order.rig.plan.waits) == 2
    assert mails(order, "buyer_refunded") == []


def test_CAN_6_REF_11_a_part_in_doubt_is_looked_for_with_its_own_amount() -> None:
    order = cancelled("succeeded", "in doubt", refund_retry_days=2).passes(days=2)
    last = next(one for one in reversed(order.rig.begun) if isinstance(one, MakeRefund))
    assert (last.refund_id, last.again, str(last.amount)) == (BUYERS[2], True, "40.00")
    assert order.outcome == "cancelled"


@pytest.mark.parametrize(("make", "ids"), [(half_void, SELLERS), (cancelled, BUYERS)])
def test_REF_6_REF_11_what_was_given_up_as_in_doubt_is_followed_when_it_is_divided_after_all(
    make: Callable[..., Order], ids: tuple[str, ...]
) -> None:
    """The order no longer waits for it, and is told: it asks for the parts as it would for the whole."""
    order = make(first="in doubt")
    assert states(order) == {ids[0]: "in_doubt"}
    (whole,) = [one for one in order.rig.begun if isinstance(one, MakeRefund)]
    order.rig.take(RefundReported(result=divided(whole, "60.00+34.50")))
    order.rig.rest()
    assert states(order) == dict(zip(ids, ("refused", "succeeded", "succeeded"), strict=True))
    made = [one for one in order.rig.begun if isinstance(one, MakeRefund)]
    assert {(one.reason, one.requested_by, one.currency) for one in made} == {
        (whole.reason, whole.requested_by, whole.currency)
    }
