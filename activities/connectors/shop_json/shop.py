"""A seller's shop or marketplace (docs/partner-api.md): tracking numbers in, orders off the shipping list."""

from urllib.parse import quote

from activities.connectors.access import Access
from activities.connectors.http import Partner, WireModel
from models.partners import AnnounceTracking, StopShipping


class _Status(WireModel):
    state: str


class JsonShop:
    """One shop behind the JSON API; as in `SalesChannel`."""

    def __init__(self, access: Access) -> None:
        self._partner = Partner("shop", access, access.bearer)

    async def announce(self, ask: AnnounceTracking) -> None:
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

    async def stop_shipping(self, ask: StopShipping) -> None:
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

    async def test(self) -> None:
        await self._partner.test("/v1/status", _Status)


def _order(seller_id: str, order_id: str) -> str:
    return f"/v1/sellers/{quote(seller_id, safe='')}/orders/{quote(order_id, safe='')}"
