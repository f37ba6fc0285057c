"""The seller's charge and both kinds of refund, each through the connection that its message names."""

from collections.abc import Callable, Mapping
from typing import Final

from temporalio import activity

from activities.connectors.access import Access
from activities.connectors.authorize_net.gateway import AuthorizeNetGateway
from activities.connectors.connections import Connections, unusable
from activities.connectors.payment_gateway import PaymentGateway
from activities.connectors.paypal.gateway import PayPalGateway
from activities.connectors.stripe.gateway import StripeGateway
from models.connections import BROKER, Connection, Provider
from models.partners import AuthorizeCharge, CaptureCharge, ChargeAnswer, RefundAnswer, SendRefund, VoidCharge
from models.refunds import Direction

GATEWAYS: Final[Mapping[Provider, Callable[[Access], PaymentGateway]]] = {
    Provider.STRIPE: StripeGateway,
    Provider.PAYPAL: PayPalGateway,
    Provider.AUTHORIZE_NET: AuthorizeNetGateway,
}
"""What speaks each provider's protocol."""


class Payments:
    """Activities towards the payment gateways; errors as in `activities.connectors.http`, answers as in
    `PaymentGateway`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @activity.defn(name="authorize_charge")
    async def authorize_charge(self, ask: AuthorizeCharge) -> ChargeAnswer:
        """Reserve the broker's charge on the seller's payment method (ORD-3)."""
        gateway = await self._charging(ask.connection_id)
        return await gateway.authorize(ask, looks=_may_be_done(again=ask.again))

    @activity.defn(name="capture_charge")
    async def capture_charge(self, ask: CaptureCharge) -> ChargeAnswer:
        """Take `amount` of an authorized charge; the rest is given free."""
        gateway = await self._charging(ask.connection_id)
        return await gateway.capture(ask, looks=_may_be_done())

    @activity.defn(name="void_charge")
    async def void_charge(self, ask: VoidCharge) -> ChargeAnswer:
        """Give an authorization free (CAN-1, ORD-7)."""
        gateway = await self._charging(ask.connection_id)
        return await gateway.void(ask)

    @activity.defn(name="send_refund")
    async def send_refund(self, ask: SendRefund) -> RefundAnswer:
        """Refund a payment, exactly once per `refund_id` (REF-6)."""
        gateway = await self._refunding(ask)
        return await gateway.refund(ask, looks=_may_be_done(again=ask.again))

    @activity.defn(name="look_up_refund")
    async def look_up_refund(self, ask: SendRefund) -> RefundAnswer:
        """Where the refund with this `refund_id` stands; sends nothing."""
        gateway = await self._refunding(ask)
        return await gateway.find_refund(ask)

    async def _charging(self, connection_id: str) -> PaymentGateway:
        """The gateway by which the broker charges its sellers."""
        return await self._gateway(await self._connections.named(connection_id))

    async def _refunding(self, ask: SendRefund) -> PaymentGateway:
        """The gateway by which the payment came. The broker's money and a seller's are never mixed."""
        is_brokers = ask.direction is Direction.BROKER_TO_SELLER
        connection = await self._connections.named(ask.connection_id)
        if (connection.owner == BROKER) is not is_brokers:
            whose = "is the broker's" if connection.owner == BROKER else f"is that of {connection.owner}"
            raise unusable(
                connection.connection_id,
                f"connection {connection.connection_id} {whose}: a refund {ask.direction.value} never goes there",
            )
        return await self._gateway(connection)

    async def _gateway(self, connection: Connection) -> PaymentGateway:
        return await self._connections.client(connection, GATEWAYS[connection.provider])


def _may_be_done(*, again: bool = False) -> bool:
    """Whether an earlier try may have done it: by the case's word, or because this is not the first try."""
    return again or activity.info().attempt > 1
