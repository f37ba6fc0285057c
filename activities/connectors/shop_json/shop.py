"""The seller's shop or marketplace (docs/partner-api.md): tracking numbers in, orders off the shipping list."""

from urllib.parse import quote

import httpx
from temporalio import activity

from activities.connectors.http import Partner
from models.partners import AnnounceTracking, StopShipping
from models.records import Saved
from models.settings import Settings


class Shop:
    """Activities towards the shop; errors as in `activities.connectors.http`."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._partner = Partner(
            "shop",
            str(settings.shop_url),
            {"Authorization": f"Bearer {settings.shop_key.get_secret_value()}"},
            settings,
            transport,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._partner.aclose()

    @activity.defn(name="announce_tracking")
    async def announce_tracking(self, ask: AnnounceTracking) -> Saved:
        """Give the shop a shipment's tracking number, as if the seller had typed it (ORD-9)."""
        await self._partner.call(
            "announce a tracking number",
            "PUT",
            f"{_order(ask.seller_id, ask.order_id)}/shipments/{quote(ask.shipment_id, safe='')}",
            json={
                "channel": ask.channel,
                "channel_order_id": ask.channel_order_id,
                "carrier": ask.carrier,
                "tracking_number": ask.tracking_number,
                "lines": [{"sku": line.sku, "quantity": line.quantity} for line in ask.lines],
                "correction": ask.correction,
                "more_parcels": [box.model_dump() for box in ask.more_parcels],
            },
            party=ask.seller_id,
        )
        return Saved()

    @activity.defn(name="stop_shipping")
    async def stop_shipping(self, ask: StopShipping) -> Saved:
        """Take a cancelled or voided order off the shop's shipping list, for ever (CAN-11)."""
        await self._partner.call(
            "take an order off the shipping list",
            "PUT",
            f"{_order(ask.seller_id, ask.order_id)}/shipping-list",
            json={
                "channel": ask.channel,
                "channel_order_id": ask.channel_order_id,
                "state": "stopped",
                "reason": ask.reason,
            },
            party=ask.seller_id,
        )
        return Saved()


def _order(seller_id: str, order_id: str) -> str:
    return f"/v1/sellers/{quote(seller_id, safe='')}/orders/{quote(order_id, safe='')}"
