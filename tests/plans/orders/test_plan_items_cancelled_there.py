"""The marketplace has cancelled one item of several: what is cancelled there does not ship here (CAN-8)."""

from collections.abc import Callable
from typing import Any

import pytest

from models.marketplace_orders import MarketplaceOrder
from models.message import Quantity
from tests.plans.orders.asking_buyers import asks, looks, told
from tests.plans.orders.order_rig import A_LINE, Order, Stock, request
from workflows.orders.effects import LookAtMarketplace, SplitOff

ITEM_OF_B = Quantity(line_id="22222222222222", sku="B", quantity=1)
ONE_OF_A = Quantity(line_id="11111111111111", sku="A", quantity=1)
WISH = {"line_id": "B", "quantity": 1}


def in_its_window() -> Order:
    """Two of A on one line, and one B."""
    lines = [A_LINE | {"line_id": "A", "quantity": 2}, A_LINE | {"line_id": "B", "sku": "B", "quantity": 1}]
    given = request(*lines, channel="amazon", channel_order_id="111-1234567-1234567")
    return Order(given, stock=(Stock("A"), Stock("B"))).in_its_window()


def on_hold(*, wish: dict[str, Any] | None = WISH) -> Order:
    """Its buyer asks to cancel B."""
    order = in_its_window()
    asks(order, lines=[wish] if wish else None)
    order.passes(minutes=31)
    assert order.stage == "on_hold"
    return order


def cancelled_there(order: Order, *items: Quantity, **fields: Any) -> Order:
    order.marketplace = MarketplaceOrder(items=items, **fields)
    return order


def resumes(order: Order) -> Order:
    assert order.happens("resume", actor="seller:jane", reason="cancelled in Seller Central")
    return order


def cancelled(order: Order) -> list[dict[str, int]]:
    """What was split off, order by order."""
    return [{line.sku: line.quantity for line in one.lines} for one in order.split_off]


@pytest.mark.parametrize(
    "item",
    [ITEM_OF_B, Quantity(line_id="B", quantity=1), Quantity(line_id="B", sku="other", quantity=1)],
    ids=["its SKU", "its number", "its number before its SKU"],
)
def test_CAN_8_an_item_that_is_cancelled_there_does_not_ship_when_the_seller_declines(item: Quantity) -> None:
    order = resumes(cancelled_there(on_hold(), item))
    assert (cancelled(order), order.facts.lines.open) == ([{"B": 1}], {"A": 2})
    assert (order.stage, order.was_sent) == ("awaiting_shipment", True)
    assert "hold released: the marketplace has cancelled 1 x B only" in order.steps
    event = order.facts.cancels[0].event
    assert (event.cancelled_there, event.actor) == (True, "channel:amazon")


def test_CAN_8_an_item_that_is_cancelled_there_meanwhile_answers_the_wish_and_nobody_is_reminded() -> None:
    order = cancelled_there(on_hold(), ITEM_OF_B).passes(days=1)
    assert (cancelled(order), order.stage) == ([{"B": 1}], "awaiting_shipment")
    assert told(order) == ["buyer_wants_to_cancel to seller"]
    assert looks(order) == ["half", "declined"]


@pytest.mark.parametrize("item", [ONE_OF_A, Quantity(line_id="A", quantity=1)], ids=["its SKU", "its number"])
def test_CAN_8_an_item_is_cancelled_once_however_often_it_is_said(item: Quantity) -> None:
    order = cancelled_there(on_hold(wish=None), item).passes(days=5)
    assert (cancelled(order), order.stage, order.facts.lines.open) == ([{"A": 1}], "on_hold", {"A": 1, "B": 1})
    assert cancelled(resumes(order)) == [{"A": 1}]


def test_CAN_8_what_its_seller_has_cancelled_here_and_there_is_cancelled_once() -> None:
    order = cancelled_there(on_hold(wish={"line_id": "A", "quantity": 1}), ONE_OF_A)
    order.happens("cancel_request", reason="granted", lines=[{"line_id": "A", "quantity": 1}])
    assert (cancelled(order), order.facts.lines.open, order.was_sent) == ([{"A": 1}], {"A": 1, "B": 1}, True)


def test_CAN_8_what_is_being_cancelled_here_when_it_is_said_is_cancelled_once() -> None:
    order = cancelled_there(on_hold(wish=None), ONE_OF_A)
    order.held.add(SplitOff)
    for line in (WISH, {"line_id": "A", "quantity": 1}):
        order.happens("cancel_request", reason="granted", lines=[line])
    order.passes(days=1.5)
    assert looks(order) == ["half"]
    order.held.clear()
    order.rest()
    assert (cancelled(order), order.facts.lines.open) == ([{"B": 1}, {"A": 1}], {"A": 1})


def test_CAN_8_all_that_is_open_is_cancelled_there() -> None:
    order = cancelled_there(on_hold(), ITEM_OF_B, ONE_OF_A.model_copy(update={"quantity": 2}))
    assert (resumes(order).outcome, order.was_sent) == ("cancelled", False)


@pytest.mark.parametrize(
    "said",
    [{"items": (Quantity(line_id="333", quantity=1),)}, {"unclear_items": ("333",)}],
    ids=["not known", "not said how many"],
)
def test_CAN_8_what_nobody_knows_here_waits_for_a_person(said: dict[str, Any]) -> None:
    order = on_hold()
    order.marketplace = MarketplaceOrder(**said)
    resumes(order)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert "333, which nobody knows here" in order.rig.plan.waits[0].what
    (staff,) = [one for one in order.rig.mails() if one.template == "staff_alert"]
    assert "333 of order 1001, which nobody knows here" in staff.facts["what"]
    assert resumes(order).was_sent


def test_CAN_8_what_is_cancelled_there_and_cannot_be_cancelled_here_waits_for_a_person() -> None:
    order = cancelled_there(on_hold(), ITEM_OF_B)
    order.split_refused = "money of it went back already"
    resumes(order)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    assert "1 x B cancelled at the marketplace can't be cancelled here" in order.rig.plan.waits[0].what
    (staff,) = [one for one in order.rig.mails() if one.template == "staff_alert"]
    assert "money of it went back already" in staff.facts["what"]
    assert resumes(order).was_sent


@pytest.mark.parametrize(
    "said",
    [
        {"cancelled": True, "reason": "ordered\ntwice\x07"},
        {"items": (ITEM_OF_B,), "reason": "ordered\ttwice"},
        {"unclear_items": ("3\n3\t3\x1b",)},
        {"unclear_items": ("3" * 900, "4\u2028" * 900)},
    ],
    ids=["the reason of all", "the reason of one", "a number", "long numbers"],
)
def test_CAN_8_what_the_marketplace_writes_on_many_lines_holds_up_no_order(said: dict[str, Any]) -> None:
    order = on_hold()
    order.marketplace = MarketplaceOrder(**said)
    resumes(order)
    assert all(one.isprintable() and len(one) < 600 for one in order.steps)
    assert order.stage == ("on_hold" if "unclear_items" in said else order.stage)


@pytest.mark.parametrize("why", ["gone\r\nback\talready\x1b[31m", "x\n" * 900], ids=["lines", "long"])
def test_CAN_8_why_it_cannot_be_cancelled_here_may_stand_on_many_lines(why: str) -> None:
    order = cancelled_there(on_hold(), ITEM_OF_B)
    order.split_refused = why
    resumes(order)
    assert order.facts.hold is not None
    assert (order.stage, order.facts.hold.reason.isprintable()) == ("on_hold", True)
    assert "1 x B cancelled at the marketplace can't be cancelled here" in order.rig.plan.waits[0].what


def held_before() -> Order:
    """It is on hold for another reason when its buyer asks to cancel B."""
    order = in_its_window()
    order.happens("hold", reason="it ships to CA")
    asks(order, lines=[WISH])
    order.passes(minutes=31)
    return order


def test_CAN_8_a_hold_that_was_there_before_says_what_nobody_knows_here() -> None:
    order = held_before()
    order.marketplace = MarketplaceOrder(unclear_items=("333",))
    resumes(order)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    said = order.rig.plan.waits[0].what
    assert "333, which nobody knows here" in said
    assert "it ships to CA" in said, "it is still to be looked at"
    assert resumes(order).was_sent


def test_CAN_8_a_hold_that_comes_while_the_marketplace_is_asked_says_what_nobody_knows_here() -> None:
    order = on_hold()
    order.held.add(LookAtMarketplace)
    resumes(order).happens("hold", reason="address unclear")
    order.marketplace = MarketplaceOrder(unclear_items=("333",))
    order.held.clear()
    said = order.rest().rig.plan.waits[0].what
    assert ("333, which nobody knows here" in said, "address unclear" in said) == (True, True)


def test_CAN_8_a_hold_that_was_there_before_says_what_cannot_be_cancelled_here() -> None:
    order = cancelled_there(held_before(), ITEM_OF_B)
    order.split_refused = "money of it went back already"
    resumes(order)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    said = order.rig.plan.waits[0].what
    assert "1 x B cancelled at the marketplace can't be cancelled here" in said
    assert "it ships to CA" in said, "it is still to be looked at"
    assert resumes(order).was_sent


@pytest.mark.parametrize("later", [MarketplaceOrder(), MarketplaceOrder(items=(ITEM_OF_B,))])
@pytest.mark.parametrize("before", [on_hold, held_before], ids=["the buyer's hold", "another hold"])
def test_CAN_8_what_cannot_be_cancelled_here_before_the_wish_is_answered_is_said_after_it(
    before: Callable[[], Order], later: MarketplaceOrder
) -> None:
    order = before()
    order.split_refused = "money of it went back already"
    cancelled_there(order, ITEM_OF_B).passes(days=1)
    assert "cancel 1 x B as the buyer asks" in order.rig.plan.waits[0].what
    order.marketplace = later
    resumes(order)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    said = order.rig.plan.waits[0].what
    assert said.count("1 x B cancelled at the marketplace") == 1
    assert "Ordered by mistake" not in said, "that is answered"
    assert resumes(order).was_sent
