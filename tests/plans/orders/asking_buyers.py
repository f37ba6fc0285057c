"""An order of Amazon whose buyer asks to cancel, as the tests of CAN-7 and CAN-8 make it."""

from datetime import timedelta

from models.marketplace_orders import MarketplaceOrder
from tests.plans.orders.order_rig import Order, request
from workflows.orders.effects import LookAtMarketplace, StopShipping

CANCELLED = MarketplaceOrder(cancelled=True, by_buyer=True, reason="Ordered by mistake")
DAY = timedelta(days=1)
ASKED_AT = "2026-03-02T12:00:00+00:00"


def amazon(**settings: object) -> Order:
    return Order(request(channel="amazon", channel_order_id="111-1234567-1234567"), **settings)  # type: ignore[arg-type]


def asks(order: Order, reason: str = "Ordered by mistake", **fields: object) -> bool:
    return order.happens("hold", reason=reason, answer_days=2, actor="channel:amazon", **fields)


def on_hold(order: Order | None = None) -> Order:
    """The buyer asks at noon; half an hour later the order would go to a supplier."""
    order = (order or amazon()).in_its_window()
    assert asks(order)
    order.passes(minutes=31)
    assert (order.stage, order.was_sent) == ("on_hold", False)
    return order


def looks(order: Order) -> list[str]:
    return [one.key.rpartition(":")[2] for one in order.rig.begun if isinstance(one, LookAtMarketplace)]


def told(order: Order) -> list[str]:
    """All mails but that it is with no supplier in time (ORD-4)."""
    return [f"{one.template} to {one.to.value}" for one in order.rig.mails() if one.key != "mail:alert-handoff"]


def stopped(order: Order) -> tuple[str, bool]:
    """In whose words the marketplace is told of the cancellation, and whether it has it already."""
    (stop,) = (one for one in order.rig.begun if isinstance(one, StopShipping))
    return stop.reason, stop.without_sending
