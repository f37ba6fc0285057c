"""RET-22: an order that is still open takes the word that a parcel arrived, and the database gets it."""

from datetime import UTC, datetime, timedelta

from tests.plans.orders.order_rig import Order
from workflows.engine.save import record_of
from workflows.orders.view import projection, view

AT = datetime(2026, 3, 9, 14, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 19, 14, 30, tzinfo=UTC)


def deliveries(order: Order) -> dict[str, datetime | None]:
    """What is saved of each shipment."""
    seen = view(order.facts, order.rig.plan)
    kept = projection(order.facts, record_of(order.facts, order.rig.plan, seen, ""))
    assert kept is not None
    return {one.shipment_id: one.delivered_at for one in getattr(kept[1], "shipments")}  # noqa: B009


def test_RET_22_a_parcel_of_an_open_order_is_delivered() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    assert order.happens("delivered", shipment_id="S 1", at=AT.isoformat())
    assert deliveries(order) == {"s1": AT}
    assert "shipment s1 is delivered" in order.steps


def test_RET_22_a_carrier_knows_it_by_its_tracking_number() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    assert order.happens("delivered", tracking_number="1z s1", at=AT.isoformat())
    assert deliveries(order) == {"s1": AT}


def test_RET_22_the_first_word_counts() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    order.happens("delivered", shipment_id="s1", at=AT.isoformat())
    order.happens("delivered", shipment_id="s1", at=LATER.isoformat())
    assert deliveries(order) == {"s1": AT}


def test_RET_22_a_shipment_may_say_that_it_arrived_already() -> None:
    order = Order().placed()
    parcel = {"shipment_id": "s1", "carrier": "UPS", "tracking_number": "1Z"}
    order.happens("shipment", **parcel, lines=[{"sku": "A", "quantity": 1}], delivered_at=AT.isoformat())
    assert deliveries(order) == {"s1": AT}


def test_RET_22_what_nobody_shipped_can_not_arrive() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    assert not order.happens("delivered", shipment_id="s9", at=AT.isoformat())
    assert "known: s1" in order.facts.rejected[-1].reason
    assert deliveries(order) == {"s1": None}


def test_RET_22_no_buyer_says_when_its_own_days_begin() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    assert not order.happens("delivered", actor="buyer:robin", shipment_id="s1", at=AT.isoformat())


def test_RET_22_nothing_arrives_before_it_left_but_clocks_differ() -> None:
    order = Order().placed()
    order.ships("s1", A=1)
    (shipped,) = order.facts.shipments
    too_early = shipped.at - timedelta(days=1, seconds=1)
    assert not order.happens("delivered", shipment_id="s1", at=too_early.isoformat())
    assert "shipment s1 left at 2026-03-02" in order.facts.rejected[-1].reason
    assert deliveries(order) == {"s1": None}
    by_another_clock = shipped.at - timedelta(days=1)
    assert order.happens("delivered", shipment_id="s1", at=by_another_clock.isoformat())
    assert deliveries(order) == {"s1": by_another_clock}
