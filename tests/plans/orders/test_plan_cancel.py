"""An order is cancelled: when it may be, who is told, what becomes of the money, what is kept (CAN)."""

from decimal import Decimal

import pytest

from tests.plans.orders.order_rig import MINUTE, NOON, Order, Stock, request
from tests.plans.orders.outcomes import assert_nothing_was_sent_or_taken
from workflows.orders.cancellation import return_of
from workflows.orders.effects import Authorize, Capture, Place, SearchStock, StopShipping, WriteDown

CLOSES = NOON + 30 * MINUTE
ACCEPTED = (True, "cancelled: changed their mind")
TOO_LATE = (
    False,
    "already fulfilled: the cancel window closed at 2026-03-02 12:30:00 UTC; "
    "once shipped it can be returned (CAN-2)",
)


def on_hold() -> Order:
    order = Order().in_its_window()
    order.happens("hold", reason="ask the buyer")
    return order.passes(minutes=31)


# ---- CAN-1: in time ----


def test_CAN_1_inside_the_window_nothing_is_sent_and_the_charge_is_voided() -> None:
    order = Order().in_its_window().passes(minutes=10)
    order.happens("cancel_request")
    assert_nothing_was_sent_or_taken(order)
    assert order.begun == ["open", "charge:1", "void:1", "stop-shipping"]
    assert order.reply("e1") == ACCEPTED
    assert order.facts.closing_message == "order cancelled: changed their mind"


def test_CAN_1_the_sender_is_told_at_once_whatever_partner_is_out_of_order() -> None:
    order = Order()
    order.held.add(Authorize)
    order.rest()
    order.says("cancel_request")
    assert order.reply("e1") == ACCEPTED
    assert (order.stage, order.outcome) == ("cancelling", None)
    order.held.clear()
    order.rest()
    assert_nothing_was_sent_or_taken(order)


def test_CAN_1_a_request_that_comes_before_anything_was_done_is_decided_when_it_is_written_down() -> None:
    order = Order()
    order.held.add(WriteDown)
    order.rest()
    order.says("cancel_request")
    assert order.reply("e1") is None
    order.held.clear()
    order.rest()
    assert order.reply("e1") == ACCEPTED
    assert order.begun == ["open", "stop-shipping"]


@pytest.mark.parametrize("auto", [True, False])
def test_CAN_3_a_request_before_the_order_could_be_written_down_counts_by_its_arrival(auto: bool) -> None:
    """The database was down for longer than the window."""
    order = Order(auto_release=auto)
    order.held.add(WriteDown)
    order.rest()
    order.time_jumps(minutes=35).says("cancel_request")
    order.arrivals["e1"] = CLOSES + 5 * MINUTE
    order.held.clear()
    order.rest()
    assert order.reply("e1") == (TOO_LATE if auto else ACCEPTED)


def test_CAN_1_while_the_order_waits_for_its_release_it_is_never_too_late() -> None:
    order = Order(auto_release=False).rest().passes(days=3)
    order.happens("cancel_request")
    assert_nothing_was_sent_or_taken(order)
    assert order.begun == ["open", "stop-shipping"]


def test_CAN_1_while_the_order_waits_for_a_payment_method_it_is_never_too_late() -> None:
    order = Order(payment_method="pm_bad").rest().passes(hours=5)
    order.happens("cancel_request")
    assert_nothing_was_sent_or_taken(order)


def test_CAN_1_while_the_order_is_on_hold_it_is_never_too_late() -> None:
    order = on_hold().passes(hours=5)
    order.happens("cancel_request")
    assert order.reply("e2") == ACCEPTED
    assert_nothing_was_sent_or_taken(order)


def test_CAN_1_a_held_order_goes_on_once_the_hold_is_released() -> None:
    order = on_hold()
    assert (order.stage, order.was_sent) == ("on_hold", False)
    order.happens("resume", reason="address is right")
    assert order.stage == "awaiting_shipment"


@pytest.mark.parametrize("stock", ["here", "in the network", "of both", "nowhere"])
@pytest.mark.parametrize("search", [1, 2])
@pytest.mark.parametrize("then", ["resume", "cancel_request"])
def test_ORD_3_a_hold_that_comes_while_stock_is_asked_takes_no_money(stock: str, search: int, then: str) -> None:
    """A person decides before the seller is charged, and before anything is bought."""
    here, network = Stock("A", 1 if stock == "of both" else 2), Stock("A", second_source=True)
    has = {"here": (here,), "in the network": (network,), "of both": (here, network), "nowhere": ()}[stock]
    order = Order(stock=has)
    order.held.add(SearchStock)
    order.in_its_window().passes(minutes=31)
    if search == 2 and stock != "here":
        order.held.clear()
        order.rig.answer_one()
        assert order.begun[-1] == "sourcing:2"
        order.held.add(SearchStock)
    assert order.happens("hold", reason="look at it first")
    assert order.stage == "placing", "what was asked is answered first"
    order.held.clear()
    order.rest()
    if stock == "nowhere" and search == 2:
        assert order.outcome == "voided", "nothing is left to hold"
    else:
        assert (order.stage, order.was_sent) == ("on_hold", False)
        order.passes(days=1)
        assert [one.state for one in order.facts.charges] == ["authorized"]
        order.happens(then, reason="as agreed")
    if then == "cancel_request" or stock == "nowhere":
        assert order.outcome == (
            "voided" if stock == "nowhere" and (search == 2 or then == "resume") else "cancelled"
        )
        assert ([one.state for one in order.facts.charges], order.money) == (["voided"], (Decimal(0), Decimal(0)))
    else:
        assert (order.stage, order.money) == ("awaiting_shipment", (Decimal("63.00"), Decimal(0)))
        assert sum(key.startswith("capture:") for key in order.begun) == 1


@pytest.mark.parametrize("hold_first", [True, False])
def test_ORD_3_a_hold_in_one_task_with_what_is_in_stock_takes_no_money(hold_first: bool) -> None:
    order = Order()
    order.held.add(SearchStock)
    order.in_its_window().passes(minutes=31)
    order.held.clear()
    [search] = order.rig.pending
    if hold_first:
        order.hears("hold", reason="look at it first")
    order.rig.answer(search)
    if not hold_first:
        order.hears("hold", reason="look at it first")
    order.rest()
    assert (order.stage, order.was_sent, order.money[0]) == ("on_hold", False, Decimal(0))


def test_CAN_1_a_hold_that_comes_while_the_money_is_taken_is_kept_and_a_cancel_refunds_it() -> None:
    order = Order().in_its_window()
    order.held.add(Capture)
    order.passes(minutes=31)
    order.happens("hold", reason="look at it first")
    order.held.clear()
    order.rest()
    assert (order.stage, order.was_sent) == ("on_hold", False)
    order.happens("cancel_request")
    assert (order.outcome, order.was_sent) == ("cancelled", False)
    assert order.money == (Decimal("63.00"), Decimal("63.00"))


def test_CAN_1_the_window_counts_from_the_release() -> None:
    order = Order(auto_release=False).rest().passes(hours=2)
    order.happens("release")
    order.passes(minutes=29, seconds=59)
    order.happens("cancel_request")
    assert_nothing_was_sent_or_taken(order)


def test_CAN_1_an_authorization_that_was_captured_all_the_same_is_refunded() -> None:
    order = Order().in_its_window()
    order.void_finds_captured = True
    order.happens("cancel_request")
    assert order.money == (Decimal("63.00"), Decimal("63.00"))
    assert [one.refund_id for one in order.facts.refunds] == ["RF-1001-OS1"]
    assert order.outcome == "cancelled"


def test_CAN_1_a_charge_that_is_declined_while_the_order_is_cancelled_needs_no_void() -> None:
    order = Order(payment_method="pm_bad")
    order.held.add(Authorize)
    order.rest()
    order.says("cancel_request")
    order.held.clear()
    order.rest()
    assert (order.outcome, order.begun) == ("cancelled", ["open", "charge:1", "stop-shipping"])
    assert "payment_needed to seller" not in order.mails


# ---- CAN-2: too late ----


def test_CAN_2_once_with_a_supplier_it_is_already_fulfilled_and_goes_on_as_a_return() -> None:
    order = Order().placed()
    order.happens("cancel_request")
    assert order.reply("e1") == TOO_LATE
    assert order.stage == "awaiting_shipment"
    assert order.mail("too-late-e1") == {
        "reason": "changed their mind",
        "window_closed": "2026-03-02T12:30:00+00:00",
        "asked_at": "2026-03-02T12:31:00+00:00",
    }
    order.happens("cancel_request", actor="seller:jane", reason="the buyer called again")
    order.ships("s1", A=2)
    assert order.begun[-1] == "late-cancel-return"
    assert order.steps[-1] == "goes on as return RR-1001-late-cancel"
    returned = return_of(order.facts)
    assert (returned.return_id, returned.source, returned.requested_by) == (
        "RR-1001-late-cancel",
        "late_cancel",
        "buyer:robin",
    )
    assert [(one.sku, one.quantity, one.reason) for one in returned.lines] == [("A", 2, "changed their mind")]
    assert "stop-shipping" not in order.begun
    assert order.money == (Decimal("63.00"), Decimal(0))


def test_CAN_2_a_return_that_exists_already_is_named_and_ends_nothing() -> None:
    order = Order().placed()
    order.happens("cancel_request")
    order.return_exists = True
    order.ships("s1", A=2)
    assert (order.steps[-1], order.outcome, order.rig.is_over) == (
        "return RR-1001-late-cancel exists already",
        "shipped",
        True,
    )


def test_CAN_2_only_what_was_shipped_goes_on_as_a_return() -> None:
    stock = (Stock("A"), Stock("LAMP", warehouse="omaha", refuses=True))
    order = Order(request({}, {"sku": "LAMP"}), stock=stock).placed()
    order.happens("cancel_request")
    order.ships("s1", A=2)
    assert [one.sku for one in return_of(order.facts).lines] == ["A"]


def test_CAN_2_without_a_late_cancel_there_is_no_return() -> None:
    order = Order().placed()
    order.ships("s1", A=2)
    assert "late-cancel-return" not in order.begun


def test_CAN_2_the_answer_comes_also_while_the_supplier_is_out_of_order() -> None:
    order = Order().in_its_window()
    order.held.add(SearchStock)
    order.passes(minutes=31)
    order.arrivals["e1"] = order.rig.now
    order.happens("cancel_request")
    assert order.reply("e1") == TOO_LATE
    assert order.stage == "placing"


def test_CAN_2_an_order_with_a_supplier_can_not_be_held() -> None:
    order = Order().placed()
    assert not order.happens("hold", reason="wait")
    assert "CAN-2" in order.facts.rejected[-1].reason


def test_CAN_2_of_an_order_that_is_void_nothing_is_left_to_cancel() -> None:
    order = Order(stock=()).in_its_window()
    order.held.add(StopShipping)
    order.passes(minutes=31)
    order.happens("cancel_request")
    assert order.reply("e1") == (False, "nothing is left to cancel: no source has the items")
    order.held.clear()
    order.rest()
    assert (order.outcome, "cancel_too_late to seller" in order.mails) == ("voided", False)


# ---- CAN-5, CAN-9, CAN-10 ----


def test_CAN_5_an_ebay_order_needs_the_buyers_request_there_and_its_reference_is_kept() -> None:
    order = Order(request(channel="ebay", channel_order_id="11-1")).in_its_window()
    assert not order.happens("cancel_request")
    assert "CAN-5" in order.facts.rejected[-1].reason
    assert order.stage == "cancel_window"
    assert order.happens("cancel_request", channel_reference="5-77")
    assert order.facts.cessations[0].channel_reference == "5-77"


def test_CAN_4_two_cancels_in_one_breath_cancel_once() -> None:
    order = Order().in_its_window()
    assert order.hears("cancel_request", actor="seller:jane", reason="no stock")
    assert not order.hears("cancel_request")
    order.rest()
    assert [one.reason for one in order.facts.cessations] == ["no stock"]
    assert order.begun.count("stop-shipping") == 1


def test_CAN_1_after_its_end_nothing_is_cancelled_any_more() -> None:
    order = Order().placed()
    order.held.add(Place)
    order.ships("s1", A=2)
    assert order.outcome == "shipped"
    assert not order.happens("cancel_request")
