"""A buyer asks the marketplace to cancel: the order waits for its seller or the marketplace (CAN-7, CAN-8)."""

from datetime import timedelta

import pytest

from models.cancellations import Fault
from models.failures import Category
from tests.plans.orders.asking_buyers import ASKED_AT, CANCELLED, DAY, amazon, asks, looks, on_hold, stopped, told
from tests.plans.orders.order_rig import NOON, Order, Stock, request
from tests.plans.rig import Troubled
from workflows.orders.effects import LookAtMarketplace, Place, SearchStock, StopShipping

# ---- CAN-7: the order waits ----


def test_CAN_7_the_order_is_on_hold_with_the_buyers_reason_in_its_notes_and_the_seller_is_told() -> None:
    order = on_hold()
    (waits,) = order.rig.plan.waits
    assert (waits.who, waits.due) == ("seller", NOON + 2 * DAY)
    assert "the buyer asks the marketplace to cancel: Ordered by mistake" in order.steps
    assert told(order) == ["buyer_wants_to_cancel to seller"]
    said = order.mail("buyer-asks-e1")
    assert said == {"reason": "Ordered by mistake", "until": (NOON + 2 * DAY).isoformat()}
    order.passes(days=30)
    assert (order.stage, order.was_sent) == ("on_hold", False)


def test_CAN_7_an_order_that_waits_for_its_release_is_held_too() -> None:
    order = amazon(auto_release=False).rest()
    asks(order)
    assert (order.stage, told(order)[-1]) == ("awaiting_release", "buyer_wants_to_cancel to seller")
    order.happens("release")
    order.passes(minutes=31)
    assert (order.stage, order.was_sent) == ("on_hold", False)


def test_CAN_7_CAN_2_what_is_with_a_supplier_is_not_held_and_goes_on_as_a_return() -> None:
    order = amazon().placed()
    asks(order)
    taken, said = order.reply("e1") or (True, "")
    assert not taken
    assert said.startswith("already fulfilled")
    assert (order.stage, order.facts.hold, told(order)[-1]) == (
        "awaiting_shipment",
        None,
        "cancel_too_late to seller",
    )
    assert "the buyer asks the marketplace to cancel: Ordered by mistake" in order.steps
    order.ships("S1", A=2)
    assert (order.outcome, order.facts.late_cancel_return) == ("shipped", "RR-1001-late-cancel")


def test_CAN_7_what_shipped_in_part_is_not_held() -> None:
    stock = (Stock("A", 1),)
    order = amazon(stock=stock, choice_days=7).placed()
    order.happens("choice_after_void", choice="special_order")
    order.ships("S1", A=1)
    assert order.stage == "awaiting_stock"
    asks(order)
    assert (order.facts.hold, order.facts.cancels[0].decision) == (None, "too_late")


def test_CAN_7_an_order_that_is_being_cancelled_is_not_held_and_nobody_is_asked() -> None:
    order = amazon()
    order.held.add(StopShipping)
    order.in_its_window().says("cancel_request")
    asks(order)
    assert (order.facts.buyer_asked, "buyer_wants_to_cancel to seller" in told(order)) == (None, False)


def test_CAN_7_a_hold_without_a_buyers_request_is_as_it_was() -> None:
    order = Order().in_its_window()
    order.happens("hold", reason="ask the buyer")
    order.passes(days=5)
    assert (order.stage, told(order), order.rig.plan.waits[0].due) == ("on_hold", [], None)
    order.happens("resume", reason="fine")
    assert order.was_sent


# ---- CAN-8: the seller answers within two days ----


def test_CAN_8_the_seller_is_reminded_at_half_and_staff_are_told_at_the_end_and_the_order_stays_on_hold() -> None:
    order = on_hold().passes(hours=22)
    assert told(order) == ["buyer_wants_to_cancel to seller"]
    order.passes(hours=2)
    assert told(order)[1:] == ["buyer_wants_to_cancel to seller"]
    assert order.mail(f"buyer-asks-{ASKED_AT}-half")["reminder"] == "1"
    order.passes(hours=23)
    assert len(told(order)) == 2
    order.passes(hours=2)
    assert told(order)[2:] == ["staff_alert to staff"]
    assert order.mail(f"alert-buyer-asks-{ASKED_AT}")["who_acts"] == "seller"
    assert (order.stage, order.was_sent) == ("on_hold", False)


def test_CAN_8_approved_it_is_cancelled_by_the_buyers_fault_and_the_marketplace_is_told_so() -> None:
    order = on_hold().passes(days=1)
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    assert (order.outcome, order.was_sent) == ("cancelled", False)
    assert order.facts.cessations[0].fault is Fault.BUYER
    assert stopped(order) == ("buyer request", False)
    assert order.begun[-2:] == [f"marketplace:{ASKED_AT}:cancelled", "stop-shipping"]


def test_CAN_8_declined_the_order_goes_on_once_the_marketplace_was_asked() -> None:
    order = on_hold()
    order.held.add(LookAtMarketplace)
    order.happens("resume", actor="seller:jane", reason="it is packed")
    order.passes(days=3)
    assert (order.stage, order.was_sent, order.rig.plan.waits[0].who) == ("on_hold", False, "shop")
    assert not order.happens("resume", reason="again"), "the answer stands"
    order.held.clear()
    order.rest()
    assert (order.stage, looks(order)) == ("awaiting_shipment", ["declined"])
    assert "the buyer's request to cancel is declined: it is packed" in order.steps
    order.passes(days=3)
    assert not any(one.startswith("staff_alert") for one in told(order)), "it is answered"


@pytest.mark.parametrize("order", [Order(), amazon()], ids=["of a shop", "of Amazon"])
def test_CAN_8_an_order_that_was_declined_can_be_held_and_released_as_any(order: Order) -> None:
    order = order.in_its_window()
    asks(order)
    order.happens("resume", reason="it is packed")
    order.happens("hold", reason="address unclear")
    order.passes(minutes=31)
    (waits,) = order.rig.plan.waits
    assert (order.stage, waits.who, waits.due) == ("on_hold", "seller", None)
    assert order.happens("resume", reason="address confirmed")
    assert order.was_sent


def test_CAN_8_a_hold_that_comes_while_the_marketplace_is_asked_is_kept() -> None:
    order = on_hold()
    order.held.add(LookAtMarketplace)
    order.happens("resume", reason="it is packed")
    order.happens("hold", reason="address unclear")
    order.held.clear()
    order.rest()
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert order.happens("resume", reason="address confirmed")
    assert order.was_sent


def test_CAN_8_of_another_marketplace_nobody_is_asked() -> None:
    order = on_hold(Order()).passes(days=1)
    assert told(order) == ["buyer_wants_to_cancel to seller"] * 2
    order.happens("resume", reason="it is packed")
    assert (order.was_sent, looks(order)) == (True, [])
    late = on_hold(Order()).passes(days=2)
    assert "staff_alert to staff" in told(late)


def test_CAN_8_a_request_that_was_declined_can_be_made_again() -> None:
    order = amazon(cancel_window_minutes=120).in_its_window()
    asks(order)
    order.happens("resume", reason="it is packed")
    assert order.facts.hold is None
    order.passes(minutes=60)
    asks(order, "the other item too")
    order.passes(minutes=70)
    assert (order.stage, order.rig.plan.waits[0].due) == ("on_hold", NOON + 2 * DAY + timedelta(hours=1))


def test_CAN_8_a_second_word_of_the_buyer_moves_no_deadline() -> None:
    order = on_hold().passes(days=1)
    asks(order, "the other item too")
    assert order.rig.plan.waits[0].due == NOON + 2 * DAY
    assert order.mail("buyer-asks-e2")["reason"] == "the other item too"
    order.passes(hours=24)
    assert [one for one in told(order) if one.startswith("staff")] == ["staff_alert to staff"]


def test_CAN_8_a_hold_of_the_sellers_own_answers_nothing() -> None:
    order = on_hold()
    order.happens("hold", reason="address unclear")
    order.passes(days=2)
    assert "staff_alert to staff" in told(order)
    order.happens("resume", reason="all is clear")
    assert (order.was_sent, looks(order)[-1]) == (True, "declined")


# ---- CAN-8: the marketplace decides meanwhile ----


@pytest.mark.parametrize(("after", "when"), [({"days": 1}, "half"), ({"days": 2}, "end"), ({"days": 3}, "3")])
def test_CAN_8_the_marketplace_cancels_meanwhile_and_the_order_follows(after: dict[str, float], when: str) -> None:
    order = on_hold()
    order.passes(**{name: count - 0.1 for name, count in after.items()})
    order.marketplace = CANCELLED
    mails = list(told(order))
    order.passes(days=0.2)
    assert (order.outcome, looks(order)[-1], stopped(order)) == ("cancelled", when, ("buyer request", True))
    assert order.facts.closing_message == "order cancelled: cancelled at the marketplace: Ordered by mistake"
    assert told(order)[len(mails) :] == ["order_cancelled to seller"], "nobody is asked any more"


def test_CAN_8_declined_too_late_the_order_is_cancelled_as_the_marketplace_has() -> None:
    order = on_hold()
    order.marketplace = CANCELLED.model_copy(update={"by_buyer": False, "reason": None})
    order.happens("resume", reason="it is packed")
    assert (order.outcome, order.was_sent) == ("cancelled", False)
    assert order.facts.cessations[0].fault is Fault.MARKETPLACE
    assert stopped(order)[1] is True


def test_CAN_8_approved_after_the_marketplace_cancelled_it_is_not_told_again() -> None:
    order = on_hold()
    order.marketplace = CANCELLED
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    assert (order.outcome, stopped(order)) == ("cancelled", ("buyer request", True))


def test_CAN_8_while_amazon_does_not_answer_people_are_told_all_the_same() -> None:
    order = on_hold()
    order.troubled[LookAtMarketplace] = Troubled("it does not answer")
    order.passes(days=1)
    assert told(order) == ["buyer_wants_to_cancel to seller"] * 2


def test_CAN_8_days_that_pass_while_no_worker_looks_are_seen_at_once() -> None:
    order = on_hold().time_jumps(days=20).rest()
    assert looks(order) == ["half", "end"]
    order.passes(days=3)
    assert looks(order) == ["half", "end", "3", "4", "5"]


def test_CAN_8_only_marketplace_and_staff_may_say_that_it_is_cancelled_there() -> None:
    order = on_hold()
    assert not order.happens("cancel_request", actor="seller:jane", reason="x", cancelled_there=True)
    assert order.happens("cancel_request", actor="channel:amazon", reason="x", cancelled_there=True)
    assert (order.outcome, stopped(order)) == ("cancelled", ("buyer request", True))
    assert looks(order) == [], "it has said so itself"


def test_CAN_9_the_marketplace_is_not_told_where_the_sellers_settings_allow_it() -> None:
    quiet = {"actor": "seller:jane", "reason": "sold elsewhere", "without_sending": True}
    order = amazon(cancel_without_sending=True).in_its_window()
    assert order.happens("cancel_request", **quiet)
    assert (order.outcome, stopped(order)) == ("cancelled", ("sold elsewhere", True))
    refused = amazon().in_its_window()
    assert not refused.happens("cancel_request", **quiet)
    assert refused.happens("cancel_request", **quiet | {"without_sending": False})
    assert stopped(refused) == ("sold elsewhere", False)
    asked = on_hold(amazon(cancel_without_sending=True))
    assert asked.happens("cancel_request", **quiet)
    assert (stopped(asked), looks(asked)) == (("buyer request", True), [])


def test_CAN_9_items_are_offered_no_more_for_no_stock_alone_and_where_the_seller_allows_it() -> None:
    asked = {"actor": "seller:jane", "reason": "No stock", "zero_out_inventory": True}
    order = amazon(zero_out_inventory=True).in_its_window()
    assert not order.happens("cancel_request", **asked | {"reason": "sold elsewhere"})
    assert order.happens("cancel_request", **asked)
    assert (order.outcome, order.mail("cancelled")["zero_out"]) == ("cancelled", "yes")
    assert list(order.items("cancelled")) == ["A"]
    refused = amazon().in_its_window()
    assert not refused.happens("cancel_request", **asked)
    assert refused.happens("cancel_request", **asked | {"zero_out_inventory": False})
    assert "zero_out" not in refused.mail("cancelled")
    of_ebay = Order(request(channel="ebay", channel_order_id="1"), zero_out_inventory=True).in_its_window()
    assert not of_ebay.happens("cancel_request", channel_reference="5", **asked)


def test_CAN_2_of_an_order_that_the_marketplace_cancelled_too_late_staff_are_told() -> None:
    order = amazon().placed()
    order.happens("cancel_request", actor="channel:amazon", reason="x", cancelled_there=True)
    assert "staff_alert to staff" in told(order)
    assert any(isinstance(one, Place) for one in order.rig.begun)


def test_CAN_10_the_seller_grants_one_item_and_declines_the_rest() -> None:
    order = on_hold()
    order.happens("cancel_request", actor="seller:jane", reason="granted", lines=[{"sku": "A", "quantity": 1}])
    assert order.stage == "on_hold"
    order.happens("resume", reason="one goes")
    assert (order.stage, order.facts.lines.open) == ("awaiting_shipment", {"A": 1})


# ---- while something is under way ----


def searching(order: Order) -> Order:
    """Its window is over, and a supplier's word of its stock is waited for."""
    order.held.add(SearchStock)
    order.in_its_window().passes(minutes=31)
    assert any(isinstance(one, SearchStock) for one in order.facts.in_flight.values())
    return order


def test_CAN_8_what_is_cancelled_there_while_stock_is_looked_for_is_not_bought() -> None:
    order = searching(amazon())
    order.happens("cancel_request", actor="channel:amazon", reason="x", cancelled_there=True)
    order.held.clear()
    order.rest()
    assert (order.outcome, order.was_sent, stopped(order)[1]) == ("cancelled", False, True)


def test_CAN_8_a_request_that_is_granted_while_stock_is_looked_for_is_not_too_late() -> None:
    order = searching(amazon())
    asks(order)
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    order.held.clear()
    order.rest()
    assert (order.outcome, order.was_sent) == ("cancelled", False)
    assert "cancel_too_late to seller" not in told(order)


def test_CAN_2_a_hold_takes_nothing_back_from_a_supplier() -> None:
    order = amazon()
    order.held.add(Place)
    order.in_its_window().passes(minutes=31)
    order.happens("hold", reason="address unclear")
    order.happens("cancel_request", reason="granted")
    order.held.clear()
    order.rest()
    assert (order.facts.cancels[0].decision, order.was_sent) == ("too_late", True)


def test_CAN_11_staffs_stop_takes_it_off_the_list_though_the_marketplace_does_not_say_how_it_stands() -> None:
    order = on_hold()
    order.held.add(LookAtMarketplace)
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    order.stops().rest()
    assert stopped(order) == ("buyer request", False)
    assert order.outcome == "stopped"


def test_CAN_8_a_marketplace_that_refuses_to_say_how_it_stands_holds_up_no_answer() -> None:
    refuses = Troubled("RefusedByPartner: 400", Category.REFUSED_BY_PARTNER, alert=True)
    granted = on_hold()
    granted.troubled[LookAtMarketplace] = refuses
    granted.happens("cancel_request", actor="seller:jane", reason="granted")
    granted.rest()
    assert (granted.outcome, stopped(granted)) == ("cancelled", ("buyer request", False))
    declined = on_hold()
    declined.troubled[LookAtMarketplace] = refuses
    declined.happens("resume", reason="it is packed")
    assert (declined.stage, declined.rig.plan.waits[0].who) == ("on_hold", "seller")
    declined.happens("resume", reason="I have looked there")
    assert declined.was_sent


def test_CAN_7_a_hold_that_was_there_before_stays_when_the_buyer_is_answered() -> None:
    order = amazon().in_its_window()
    order.happens("hold", reason="fraud check")
    asks(order)
    order.passes(minutes=31)
    order.happens("resume", actor="seller:jane", reason="it is packed")
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert "fraud check" in order.rig.plan.waits[0].what
    order.happens("resume", actor="staff:kim", reason="it is no fraud")
    assert order.was_sent
