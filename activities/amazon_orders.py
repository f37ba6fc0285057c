"""How an order stands at Amazon, before what its seller answered is done (CAN-8)."""

import asyncio

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.amazon.calls import Rates
from activities.connectors.amazon.client import Amazon
from activities.connectors.amazon.wire import CancellationExecution, Order, OrderItem
from activities.connectors.connections import Connections
from activities.database.connections import accounts_at_amazon
from activities.database.transactions import read
from models.connections import account_for
from models.failures import BackhaulError
from models.marketplace_orders import LookAtMarketplace, MarketplaceOrder
from models.message import Quantity
from models.orders import Channel
from models.tables import OrderRow
from models.text import one_line

_CANCELLED = "CANCELLED"
_BUYER = "BUYER"
_LONGEST_REASON = 200
_LONGEST_NUMBER = 100


class AmazonOrders:
    """Asks the seller's account that the order is of."""

    def __init__(self, engine: Engine, connections: Connections, rates: Rates) -> None:
        self._engine = engine
        self._connections = connections
        self._rates = rates

    @activity.defn(name="look_at_marketplace_order")
    async def look_at_marketplace_order(self, ask: LookAtMarketplace) -> MarketplaceOrder:
        """Nothing is known of an order without a number of Amazon's, of a seller without an account that is known
        to be the order's, and of one that Amazon does not know; errors as in `activities.connectors.http`."""
        try:
            connection_id, number = await asyncio.to_thread(
                read, self._engine, lambda session: _asked_where(session, ask.order_id)
            )
        except BackhaulError as error:
            raise ApplicationError(str(error), type=error.category.value) from None
        if connection_id is None or number is None:
            return MarketplaceOrder()
        connection = await self._connections.named(connection_id)
        amazon = await self._connections.client(connection, lambda access: _client(access, self._rates))
        order = await amazon.order(number)
        return MarketplaceOrder() if order is None else standing(order)


def standing(order: Order) -> MarketplaceOrder:
    """All of it is cancelled where Amazon says so of the order, or of each of its items; or some items are."""
    items = [one for one in order.items if _execution(one) is not None]
    done = [said for one in items if (said := _execution(one)) is not None]
    by_word = order.fulfillment is not None and order.fulfillment.status.upper() == _CANCELLED
    if not by_word and not done:
        return MarketplaceOrder()
    if by_word or len(done) == len(order.items):
        return MarketplaceOrder(cancelled=True, by_buyer=_by_buyer(done), reason=_reason(done))
    named = [(one, _named(one)) for one in items]
    return MarketplaceOrder(
        by_buyer=_by_buyer(done),
        reason=_reason(done),
        items=tuple(name for _, name in named if name is not None),
        unclear_items=tuple(one_line(one.order_item_id)[:_LONGEST_NUMBER] for one, name in named if name is None),
    )


def _execution(item: OrderItem) -> CancellationExecution | None:
    return item.cancellation.execution if item.cancellation is not None else None


def _named(item: OrderItem) -> Quantity | None:
    """None: Amazon does not say how many, or names it as nobody can here."""
    sku = item.product.sku if item.product is not None else None
    try:
        return Quantity(line_id=item.order_item_id, sku=sku or None, quantity=item.quantity)
    except ValueError:
        return None


def _by_buyer(done: list[CancellationExecution]) -> bool:
    return bool(done) and all((one.by or "").upper() == _BUYER for one in done)


def _reason(done: list[CancellationExecution]) -> str | None:
    said = next((one.reason for one in done if one.reason), None)
    return one_line(said)[:_LONGEST_REASON] or None if said is not None else None


def _asked_where(session: Session, order_id: str) -> tuple[str | None, str | None]:
    """The account that the order is of, and its number there."""
    order = session.get(OrderRow, order_id)
    if order is None or order.channel is not Channel.AMAZON:
        return None, None
    account = account_for(accounts_at_amazon(session, order.seller_id), order.payment_currency)
    return (None if account is None else account.connection_id), order.channel_order_id


def _client(access: Access, rates: Rates) -> Amazon:
    return Amazon(access, rates)
