"""The seller's charge and both kinds of refund, each through the connection that its message names."""

import httpx
from pydantic import HttpUrl
from temporalio import activity

from activities.connectors.access import Access
from activities.connectors.payment_gateway import PaymentGateway
from activities.connectors.stripe.gateway import StripeGateway
from models.connections import BROKER, Connection, ConnectionKind, Provider
from models.partners import AuthorizeCharge, CaptureCharge, ChargeAnswer, RefundAnswer, SendRefund, VoidCharge
from models.settings import Settings


class Payments:
    """Activities towards the payment gateways; errors as in `activities.connectors.http`, answers as in
    `PaymentGateway`."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        connection = Connection(
            connection_id="stripe",
            kind=ConnectionKind.PAYMENTS,
            provider=Provider.STRIPE,
            owner=BROKER,
            base_url=HttpUrl(str(settings.gateway_url)),
        )
        self._gateway: PaymentGateway = StripeGateway(
            Access(connection, settings.gateway_key, settings, transport)
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._gateway.aclose()

    @activity.defn(name="authorize_charge")
    async def authorize_charge(self, ask: AuthorizeCharge) -> ChargeAnswer:
        """Reserve the broker's charge on the seller's payment method (ORD-3)."""
        return await self._gateway.authorize(ask, looks=_may_be_done(again=ask.again))

    @activity.defn(name="capture_charge")
    async def capture_charge(self, ask: CaptureCharge) -> ChargeAnswer:
        """Take `amount` of an authorized charge; the rest is given free."""
        return await self._gateway.capture(ask, looks=_may_be_done())

    @activity.defn(name="void_charge")
    async def void_charge(self, ask: VoidCharge) -> ChargeAnswer:
        """Give an authorization free (CAN-1, ORD-7)."""
        return await self._gateway.void(ask)

    @activity.defn(name="send_refund")
    async def send_refund(self, ask: SendRefund) -> RefundAnswer:
        """Refund a payment, exactly once per `refund_id` (REF-6)."""
        return await self._gateway.refund(ask, looks=_may_be_done(again=ask.again))

    @activity.defn(name="look_up_refund")
    async def look_up_refund(self, ask: SendRefund) -> RefundAnswer:
        """Where the refund with this `refund_id` stands; sends nothing."""
        return await self._gateway.find_refund(ask)


def _may_be_done(*, again: bool = False) -> bool:
    """Whether an earlier try may have done it: by the case's word, or because this is not the first try."""
    return again or activity.info().attempt > 1
