"""A fault of ours is never taken for an outage (NTF-9).

Wherever a case asks for something and our own code fails, staff are told at once with the case and the step, lists
show it, Cancel works, and it goes on when it is mended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, get_args

import pytest

from models.alerts import AlertKind, AlertTopic
from models.failures import Category
from models.partners import RmaAnswer
from models.records import LineQuantities, OpenedOrder, Opening
from models.refunds import RefundConfirmed, RefundState
from models.replacements import ReplacementNews
from models.worklists import Work
from tests.plans.orders.order_rig import Order, Stock, request
from tests.plans.refunds.story import RefundStory, direct, duplicate, reserved, says
from tests.plans.returns.return_rig import unopened
from tests.plans.rig import Given, Rig, Troubled, World
from workflows.engine.case import CaseFacts, Effect
from workflows.engine.worklists import work_of
from workflows.orders import view as order_view
from workflows.orders.effects import OrderEffect
from workflows.refunds import view as refund_view
from workflows.refunds.effects import RefundEffect
from workflows.returns import view as return_view
from workflows.returns.effects import ReturnEffect

NOT_ASKED: Final = {
    "cancel_replacement",
    "keep_as_orphan",
    "make_refund",
    "open_late_cancel_return",
    "open_split_return",
    "report_to_case",
    "save_charge",
    "start_parts",
    "tell_return",
}
"""Done by other workflows, or by what is saved: what they can't do is a result."""
BUG: Final = "Internal: KeyError"


class Faulty:
    """The world, in which our own code fails at one kind of effect until it is mended."""

    def __init__(self, world: World[Any], broken: str) -> None:
        self.world = world
        self.broken = broken
        self.mended = False
        self.failed: list[Effect] = []

    def answer(self, effect: Effect, facts: CaseFacts) -> Given:
        if self.mended or effect.model_dump()["kind"] != self.broken:
            return self.world.answer(effect, facts)
        if effect not in self.failed:
            self.failed.append(effect)
        topic = AlertTopic(kind=AlertKind.FAULT, name=self.broken)
        return Troubled(BUG, Category.INTERNAL, alert=True, topic=topic)


@dataclass
class Tour:
    """A case from its start to its end. `goes`: all that happens to it, in its order; what can't happen yet is
    said again when the fault is mended. `cancelled`: its end when staff press Cancel while it is broken."""

    rig: Rig[Any]
    event: Callable[..., Any]
    view: Callable[[Any, Any], Any]
    goes: list[tuple[str, dict[str, Any]]]
    ends: str
    cancelled: str = "stopped"

    def goes_on(self) -> None:
        """Each happening in its turn, as far as it comes."""
        self.rig.rest()
        for name, fields in list(self.goes):
            if name == "clock":
                self.rig.clock(timedelta(**fields))
            elif name == "jump":
                self.rig.now += timedelta(**fields)
                continue
            elif not self.rig.hear(self.event(name, **fields)):
                return
            self.goes.remove((name, fields))
            self.rig.rest()

    def alerts(self) -> list[dict[str, str]]:
        return [mail.facts for mail in self.rig.mails() if mail.template == "staff_alert"]


PARCEL: Final = {
    "shipment_id": "s1",
    "carrier": "UPS",
    "tracking_number": "1Z",
    "lines": [{"sku": "A", "quantity": 2}],
}
GOODS: Final = {"lines": [{"sku": "A", "quantity": 2, "reception": "received", "acceptance": "accepted"}]}
MEMO: Final = {"number": "CM-1", "date": "2026-03-20", "amount": "63.00", "currency": "USD"}


def shipped() -> Tour:
    order = Order()
    goes: list[tuple[str, dict[str, Any]]] = [("clock", {"minutes": 31}), ("shipment", PARCEL)]
    return Tour(order.rig, order.event, order_view.view, goes, "shipped")


def opened_without_a_connection() -> Tour:
    order = Order()
    order.opening = OpenedOrder(opening=Opening.OPENED)
    return Tour(
        order.rig, order.event, order_view.view, [("clock", {"minutes": 31}), ("shipment", PARCEL)], "shipped"
    )


def cancelled() -> Tour:
    order = Order().in_its_window()
    return Tour(order.rig, order.event, order_view.view, [("cancel_request", {})], "cancelled", "cancelled")


def cancelled_in_the_dark() -> Tour:
    """Nobody knows whether the request came in time: no worker ran when the window closed (CAN-3)."""
    order = Order().in_its_window().time_jumps(minutes=35)
    order.hears("cancel_request")
    goes: list[tuple[str, dict[str, Any]]] = [("clock", {"minutes": 1}), ("shipment", PARCEL)]
    return Tour(order.rig, order.event, order_view.view, goes, "shipped")


def declined() -> Tour:
    """Its buyer asks Amazon to cancel, and the seller declines (CAN-8)."""
    order = Order(request(channel="amazon", channel_order_id="111-1234567-1234567")).in_its_window()
    goes: list[tuple[str, dict[str, Any]]] = [
        ("hold", {"reason": "ordered by mistake", "answer_days": 2}),
        ("resume", {"reason": "it is packed"}),
        ("clock", {"minutes": 31}),
        ("shipment", PARCEL),
    ]
    return Tour(order.rig, order.event, order_view.view, goes, "shipped")


def cancelled_in_part() -> Tour:
    """One of two units moves to an order of its own (CAN-10)."""
    order = Order()
    one = [{"sku": "A", "quantity": 1}]
    goes: list[tuple[str, dict[str, Any]]] = [
        ("cancel_request", {"lines": one}),
        ("clock", {"minutes": 31}),
        ("shipment", {"shipment_id": "S1", "carrier": "UPS", "tracking_number": "1Z", "lines": one}),
    ]
    return Tour(order.rig, order.event, order_view.view, goes, "shipped")


def special_order() -> Tour:
    """Nobody had it: the buyer waits, and after a day it is in stock (ORD-8)."""
    order = Order(stock=(), choice_days=7).rest().passes(minutes=31)
    order.stock = [Stock("A")]
    goes: list[tuple[str, dict[str, Any]]] = [
        ("choice_after_void", {"choice": "special_order"}),
        ("shipment", PARCEL),
        ("clock", {"days": 1}),
    ]
    return Tour(order.rig, order.event, order_view.view, goes, "shipped")


def returned() -> Tour:
    story = unopened({"rma": "service"})
    story.world.rma = RmaAnswer(state="issued", rma_number="RMA-7", return_address="Dock 4")
    goes: list[tuple[str, dict[str, Any]]] = [
        ("seller_approval", {"decision": "approved", "reason": None}),
        ("return_tracking", {"carrier": "UPS", "tracking_number": "1Z"}),
        ("goods_received", GOODS),
        ("credit_memo", MEMO),
        ("buyer_refund", {}),
    ]
    return Tour(story, story.event, return_view.view, goes, "completed")


def replaced() -> Tour:
    """Its replacement has gone out when the return hears of it (RET-24)."""
    story = unopened(replacement_sent="at_once")
    gone = LineQuantities(line_id="A", sku="A", quantity=2, shipped=2)
    story.world.replacement = ReplacementNews(replacement_id="RP.RR-1", lines=(gone,), outcome="shipped")
    goes: list[tuple[str, dict[str, Any]]] = [
        ("seller_approval", {"decision": "approved", "reason": None, "resolution": "replacement"}),
        ("return_tracking", {"carrier": "UPS", "tracking_number": "1Z"}),
        ("goods_received", GOODS),
        ("credit_memo", MEMO),
    ]
    return Tour(story, story.event, return_view.view, goes, "completed")


def refunded() -> Tour:
    story = RefundStory(direct(), by_case=False)
    return Tour(story, no_event, refund_view.view, [], "succeeded", "succeeded")


def confirmed() -> Tour:
    story = RefundStory(direct(), by_case=False, reservation=reserved(over_limit=Decimal("25.00")))
    goes: list[tuple[str, dict[str, Any]]] = [("refund_confirmed", {"event_id": "e1", "actor": "seller:tom"})]
    return Tour(story, lambda _, **said: RefundConfirmed(**said), refund_view.view, goes, "succeeded", "succeeded")


def looked_for() -> Tour:
    story = RefundStory(direct(), by_case=False, send=says("pending"))
    return Tour(story, no_event, refund_view.view, [("clock", {"days": 2})], "succeeded", "succeeded")


def taken_back() -> Tour:
    story = RefundStory(reservation=duplicate(RefundState.SUCCEEDED), look=says("failed", "account closed"))
    story.claim("failed")
    return Tour(story, no_event, refund_view.view, [], "failed", "failed")


def no_event(name: str, **fields: Any) -> Any:
    raise AssertionError(name)


TOURS: Final[dict[str, Callable[[], Tour]]] = {
    "write_down": shipped,
    "choose_connection": opened_without_a_connection,
    "authorize": shipped,
    "search_stock": shipped,
    "capture": shipped,
    "place": shipped,
    "announce_tracking": shipped,
    "look_up_arrival": cancelled_in_the_dark,
    "void_authorization": cancelled,
    "stop_shipping": cancelled,
    "look_at_marketplace": declined,
    "split_off": cancelled_in_part,
    "check_special_order": special_order,
    "look_for_stock": special_order,
    "open_return": returned,
    "request_rma": returned,
    "start_replacement": replaced,
    "book_credit_memo": returned,
    "reserve": refunded,
    "write_confirmation": confirmed,
    "send": refunded,
    "look_up": looked_for,
    "take_back": taken_back,
}
"""By the kind of effect at which our own code fails."""


def broken(kind: str) -> tuple[Tour, Faulty]:
    """The case of this tour, held up by a fault of ours."""
    tour = TOURS[kind]()
    world = Faulty(tour.rig.world, kind)
    tour.rig.world = world
    tour.goes_on()
    assert world.failed, f"the tour never comes to {kind}"
    return tour, world


def kinds_asked() -> set[str]:
    """Of all effects by which a case asks the database or a partner."""
    found: set[str] = set()
    for union in (OrderEffect, ReturnEffect, RefundEffect):
        for effect in get_args(get_args(union)[0]):
            if not effect.instant:
                found.add(effect.model_fields["kind"].default)
    return found - NOT_ASKED - {"send_mail"}


def test_NTF_9_every_step_that_asks_somebody_is_tried() -> None:
    assert kinds_asked() - set(TOURS) == {"reopen_return"}, "name its tour"


@pytest.mark.parametrize("kind", TOURS)
def test_NTF_9_a_fault_of_ours_is_told_to_staff_at_once_and_lists_show_it(kind: str) -> None:
    tour, world = broken(kind)
    facts = tour.rig.facts
    told = [mail for mail in tour.alerts() if BUG in mail["what"]]
    assert [mail["case"] for mail in told] == [facts.case_id]
    assert told[0]["what"].startswith(world.failed[0].summary), "it names the step"
    assert told[0]["who_acts"] == "backhaul"
    assert told[0]["since"] <= facts.now.isoformat()
    work = work_of(facts, tour.view(facts, tour.rig.plan), tour.rig.plan.waits)
    assert Work.FAULTS_OF_OURS in work
    assert Work.PARTNER_IN_TROUBLE not in work, "no partner is to blame"
    assert tour.rig.plan.waits, "people see what it waits for"
    assert any(BUG in step for step in tour.rig.steps)


@pytest.mark.parametrize("kind", TOURS)
def test_NTF_9_it_goes_on_when_the_fault_is_mended(kind: str) -> None:
    tour, world = broken(kind)
    world.mended = True
    tour.goes_on()
    tour.rig.clock(timedelta(days=3))
    assert tour.rig.facts.outcome == tour.ends
    assert not tour.rig.facts.trouble


@pytest.mark.parametrize("kind", TOURS)
def test_NTF_9_cancel_works_while_it_is_broken_and_is_kept_until_it_is_mended(kind: str) -> None:
    tour, world = broken(kind)
    tour.rig.press_cancel()
    tour.rig.rest()
    assert tour.rig.facts.stopped_at is not None
    assert any("cancelled by staff" in step or "can't be stopped" in step for step in tour.rig.steps)
    world.mended = True
    tour.rig.rest()
    tour.rig.clock(timedelta(days=3))
    assert tour.rig.facts.outcome in (tour.cancelled, "stopped", "cancelled")
