"""What a cancelled order costs whom, and what is kept of it (CAN-6, CAN-11, CAN-12)."""

from decimal import Decimal

import pytest

from models.cancellations import Fault
from models.refunds import RefundResult, RefundState
from tests.plans.orders.order_rig import MINUTE, NOON, Order
from workflows.orders.effects import StopShipping
from workflows.refunds.attempts import MakeRefund

CLOSES = NOON + 30 * MINUTE

# ---- CAN-6: the buyer's money ----


def test_CAN_6_a_cancelled_order_does_not_refund_the_buyer_by_itself() -> None:
    order = Order().in_its_window()
    order.happens("cancel_request")
    assert order.facts.refunds == ()
    assert order.mail("cancelled") == {"reason": "changed their mind", "amount": "63.00", "currency": "USD"}


def test_CAN_6_the_sellers_setting_refunds_the_buyer_in_full() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.happens("cancel_request")
    (refund,) = order.facts.refunds
    assert (refund.refund_id, refund.amount, refund.state) == ("RF-1001-OB1", Decimal("100.00"), "succeeded")
    assert order.begun[-1] == "refund:RF-1001-OB1:1"
    assert order.mails == ["order_cancelled to seller", "buyer_refunded to buyer"]
    assert order.mail("cancelled")["refund_automatic"] == "yes"


def test_CAN_6_the_buyer_is_refunded_only_when_shipping_is_stopped() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.held.add(StopShipping)
    order.happens("cancel_request")
    assert order.facts.refunds == ()


def test_CAN_6_a_refund_of_the_buyer_that_fails_is_the_sellers_business() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.refund_states = [RefundState.REFUSED]
    order.happens("cancel_request")
    assert order.outcome == "cancelled"
    assert order.mails == ["order_cancelled to seller", "refund_failed to seller"]


def test_REF_12_an_automated_refund_of_a_cancelled_order_over_the_limit_waits_for_a_person() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.refund_states = ["to confirm"]
    order.happens("cancel_request")
    waiting = order.rig.plan.waits[0]
    assert (order.outcome, waiting.who, order.facts.is_settling) == (None, "seller", False)
    assert waiting.what == ("a second person to confirm refund RF-1001-OB1 of 100.00 USD (seller:settings asked)")
    order.refund_states = []
    order.rest()
    assert (order.outcome, order.facts.refunds[0].state) == ("cancelled", "succeeded")


def test_CAN_6_a_refund_of_the_buyer_in_doubt_is_named_to_staff() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.refund_states = ["in doubt"]
    order.happens("cancel_request")
    assert (order.outcome, order.mails[-1]) == (None, "staff_alert to staff")
    assert "RF-1001-OB1 of the buyer is in doubt" in order.mail("alert-RF-1001-OB1-in-doubt")["what"]


@pytest.mark.parametrize("how", ["asked again", "reported"])
@pytest.mark.parametrize("state", [RefundState.SUCCEEDED, RefundState.FAILED])
def test_REF_11_a_cancelled_order_stays_open_until_its_buyers_refund_is_known(
    how: str, state: RefundState
) -> None:
    order = Order(auto_refund_buyer=True, refund_retry_days=2).in_its_window()
    order.refund_states = ["in doubt", "in doubt", state]
    order.happens("cancel_request")
    [wait] = order.rig.plan.waits
    assert (order.stage, wait.who) == ("cancelling", "staff")
    assert wait.what == "find out whether refund RF-1001-OB1 of the buyer was made"
    if how == "reported":
        order.rig.report(result_of_buyer(order, state))
        order.rest()
    else:
        order.passes(days=5)
        made = [one for one in order.rig.begun if isinstance(one, MakeRefund)]
        assert [(one.refund_id, one.again, one.amount) for one in made] == [
            ("RF-1001-OB1", False, None),
            ("RF-1001-OB1", True, None),
            ("RF-1001-OB1", True, None),
        ]
    assert (order.outcome, order.facts.refunds[-1].state) == ("cancelled", state.value)


def test_REF_11_staff_may_stop_a_cancelled_order_whose_buyers_refund_is_in_doubt() -> None:
    order = Order(auto_refund_buyer=True).in_its_window()
    order.refund_states = ["in doubt"]
    order.happens("cancel_request")
    order.stops().rest()
    assert (order.outcome, order.rig.is_over) == ("stopped", True)


def result_of_buyer(order: Order, state: RefundState) -> RefundResult:
    [made] = [one for one in order.rig.begun if isinstance(one, MakeRefund)]
    return order.result_of(made, state)


# ---- CAN-11, CAN-12 ----


def test_CAN_11_a_cancelled_order_leaves_the_shops_shipping_list_side_by_side_with_the_void() -> None:
    order = Order().in_its_window()
    order.says("cancel_request")
    assert [one.key for one in order.rig.pending if "mail" not in one.key] == ["void:1", "stop-shipping"]
    assert {wait.who for wait in order.rig.plan.waits} == {"gateway", "shop"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"actor": "seller:jane"}, Fault.SELLER),
        ({"actor": "buyer:robin"}, Fault.BUYER),
        ({"actor": "channel:amazon"}, Fault.MARKETPLACE),
        ({"actor": "seller:jane", "fault": "supplier"}, Fault.SUPPLIER),
        ({"actor": "staff:sam"}, Fault.SELLER),
        ({"actor": "seller:jane", "fault": "stock_feed"}, Fault.STOCK_FEED),
    ],
)
def test_CAN_12_by_whose_fault_it_was_cancelled_is_kept(fields: dict[str, str], fault: Fault) -> None:
    order = Order().in_its_window()
    order.happens("cancel_request", **fields)
    (cessation,) = order.facts.cessations
    assert (cessation.fault, cessation.by, cessation.quantities) == (fault, fields["actor"], {"A": 2})


def test_CAN_12_the_times_that_show_it_are_kept() -> None:
    order = Order().in_its_window().passes(minutes=10)
    order.happens("cancel_request")
    assert order.facts.cessations[0].evidence == {
        "received at": NOON.isoformat(),
        "cancel until": CLOSES.isoformat(),
        "requested at": (NOON + 10 * MINUTE).isoformat(),
    }
    assert "cancelled: 2 x A: changed their mind (fault: buyer)" in order.steps
