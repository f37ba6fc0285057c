"""A buyer asks to cancel one item of several: what follows concerns this item alone (CAN-7, CAN-8)."""

from typing import Any

import pytest

from models.failures import InvalidInput
from tests.plans.orders.asking_buyers import ASKED_AT, asks, looks, told
from tests.plans.orders.order_rig import A_LINE, Order, Stock, request
from workflows.orders.cancellation import return_of
from workflows.orders.effects import LookAtMarketplace

FIRST = {"line_id": "11111111111111", "sku": "A", "quantity": 2}
SECOND = {"line_id": "22222222222222", "sku": "B", "quantity": 1}


def amazon(**settings: Any) -> Order:
    """Two items, known by Amazon's own numbers."""
    lines = [A_LINE | FIRST, A_LINE | SECOND]
    order = request(*lines, channel="amazon", channel_order_id="111-1234567-1234567")
    return Order(order, stock=(Stock("A"), Stock("B")), **settings)


def returned(order: Order) -> dict[str, int]:
    assert order.facts.late_cancel_return is not None
    return {line.sku: line.quantity for line in return_of(order.facts).lines if line.sku is not None}


def shipped(order: Order, **units: int) -> Order:
    order.ships("S1", **units or {"A": 2, "B": 1})
    assert order.outcome == "shipped"
    return order


# ---- too late (CAN-2) ----


def test_CAN_7_a_late_wish_for_one_item_returns_this_item_alone() -> None:
    order = amazon().placed()
    asks(order, lines=[SECOND])
    assert told(order)[-1] == "cancel_too_late to seller"
    (mail,) = [one for one in order.rig.mails() if one.template == "cancel_too_late"]
    assert [(line.sku, line.quantity) for line in mail.lines] == [("B", 1)]
    assert returned(shipped(order)) == {"B": 1}


def test_CAN_7_a_late_wish_for_all_items_returns_all() -> None:
    order = amazon().placed()
    asks(order, lines=[FIRST, SECOND])
    (mail,) = [one for one in order.rig.mails() if one.template == "cancel_too_late"]
    assert mail.lines == ()
    assert returned(shipped(order)) == {"A": 2, "B": 1}


def test_CAN_7_a_wish_that_grows_counts_each_item_once() -> None:
    order = amazon().placed()
    one_of_a = FIRST | {"quantity": 1}
    asks(order, lines=[one_of_a])
    asks(order, lines=[one_of_a, SECOND])
    assert returned(shipped(order)) == {"A": 1, "B": 1}


@pytest.mark.parametrize(
    "named",
    [{"sku": "B"}, {"sku": "b"}, {"line_id": "22222222222222"}, {"line_id": "other", "sku": "B"}],
    ids=["item", "item as written there", "number", "a number that is not known here"],
)
def test_CAN_7_an_item_is_known_by_amazons_number_or_its_sku(named: dict[str, str]) -> None:
    order = amazon().placed()
    asks(order, lines=[{"quantity": 1} | named])
    assert returned(shipped(order)) == {"B": 1}


STRANGE = {"lines": [{"line_id": "33333333333333", "quantity": 1}, SECOND]}
UNSAID = {"is_part": True, "reason": "Ordered by mistake (33333333333333 only)"}


@pytest.mark.parametrize("wish", [STRANGE, UNSAID], ids=["not known here", "not said"])
def test_CAN_7_a_wish_for_an_item_that_is_not_known_here_waits_for_a_person(wish: dict[str, Any]) -> None:
    order = amazon().in_its_window()
    assert asks(order, **wish)
    order.passes(minutes=31)
    assert (order.stage, order.facts.lines.open) == ("on_hold", {FIRST["line_id"]: 2, SECOND["line_id"]: 1})
    assert "33333333333333" in order.rig.plan.waits[0].what
    (staff,) = [one for one in order.rig.mails() if one.template == "staff_alert"]
    assert "33333333333333" in staff.facts["what"]
    assert order.mail("buyer-asks-e1")["line_options"] == '--line "SKU:1"', "it is not told to cancel the order"


@pytest.mark.parametrize("wish", [STRANGE, UNSAID], ids=["not known here", "not said"])
def test_CAN_7_a_late_wish_for_an_item_that_is_not_known_here_returns_nothing_and_staff_are_told(
    wish: dict[str, Any],
) -> None:
    order = amazon().placed()
    asks(order, **wish)
    taken, said = order.reply("e1") or (True, "")
    assert (taken, "33333333333333" in said) == (False, True)
    (staff,) = [one for one in order.rig.mails() if one.template == "staff_alert"]
    assert "33333333333333" in staff.facts["what"]
    assert "cancel_too_late to seller" not in told(order)
    assert shipped(order).facts.late_cancel_return is None


def test_CAN_7_a_hold_without_a_buyers_request_is_of_the_whole_order() -> None:
    with pytest.raises(InvalidInput, match="as a whole"):
        amazon().in_its_window().happens("hold", reason="fraud check", lines=[SECOND])
    with pytest.raises(InvalidInput, match="as a whole"):
        amazon().in_its_window().happens("hold", reason="fraud check", is_part=True)


# ---- in time: the order waits, and its seller answers for the item ----


def on_hold(**settings: Any) -> Order:
    order = amazon(**settings).in_its_window()
    asks(order, lines=[SECOND])
    order.passes(minutes=31)
    assert order.stage == "on_hold"
    return order


def grants(order: Order) -> bool:
    return order.happens("cancel_request", actor="seller:jane", reason="granted", lines=[SECOND])


def test_CAN_8_the_seller_is_asked_for_the_item_alone() -> None:
    order = on_hold()
    (mail,) = [one for one in order.rig.mails() if one.template == "buyer_wants_to_cancel"]
    assert [(line.sku, line.quantity) for line in mail.lines] == [("B", 1)]
    assert mail.facts["line_options"] == '--line "line 22222222222222:1"'
    assert (
        order.rig.plan.waits[0].what == "cancel 1 x B as the buyer asks, or release the hold (Ordered by mistake)"
    )
    order.passes(days=1)
    assert order.mail(f"buyer-asks-{ASKED_AT}-half")["line_options"] == '--line "line 22222222222222:1"'


def test_CAN_8_once_the_item_is_cancelled_the_rest_goes_on() -> None:
    order = on_hold()
    assert grants(order)
    assert (order.stage, order.facts.lines.open) == ("awaiting_shipment", {FIRST["line_id"]: 2})
    assert "what the buyer asked to cancel is cancelled: the rest goes on" in order.steps
    assert (order.was_sent, looks(order)[-1]) == (True, "declined")
    order.passes(days=3)
    assert not any(one.startswith("staff_alert") for one in told(order)), "it is answered"
    assert shipped(order, A=2).facts.late_cancel_return is None


def test_CAN_8_while_part_of_the_item_is_open_the_order_waits_for_its_answer() -> None:
    order = amazon().in_its_window()
    asks(order, lines=[FIRST])
    order.passes(minutes=31)
    part = FIRST | {"quantity": 1}
    order.happens("cancel_request", actor="seller:jane", reason="granted", lines=[part])
    assert (order.stage, order.facts.lines.open[str(FIRST["line_id"])]) == ("on_hold", 1)
    assert "cancel 1 x A as the buyer asks" in order.rig.plan.waits[0].what


def test_CAN_8_a_wish_for_another_item_while_the_rest_is_released_is_held_and_answered_anew() -> None:
    order = on_hold()
    order.held.add(LookAtMarketplace)
    grants(order)
    asks(order, "that too", lines=[FIRST, SECOND])
    order.held.clear()
    order.rest()
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert "that too" in order.rig.plan.waits[0].what
    order.happens("cancel_request", actor="seller:jane", reason="granted")
    assert (order.outcome, order.was_sent) == ("cancelled", False)


def test_CAN_8_a_wish_for_what_is_cancelled_already_holds_nothing() -> None:
    order = on_hold()
    grants(order)
    asks(order, lines=[SECOND])
    assert told(order).count("cancel_too_late to seller") == 0
    assert shipped(order, A=2).facts.late_cancel_return is None


def test_CAN_7_a_hold_of_the_sellers_own_stays_when_the_item_is_cancelled() -> None:
    order = amazon().in_its_window()
    order.happens("hold", reason="fraud check")
    asks(order, lines=[SECOND])
    order.passes(minutes=31)
    grants(order)
    assert (order.stage, order.was_sent, "fraud check" in order.rig.plan.waits[0].what) == ("on_hold", False, True)
