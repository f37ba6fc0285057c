"""The sellers' shops and marketplaces: each seller's own connection, else the one that the broker has for all."""

from collections.abc import Callable, Mapping
from typing import Final

from temporalio import activity

from activities.connectors.access import Access
from activities.connectors.connections import Connections, unusable
from activities.connectors.sales_channel import SalesChannel
from activities.connectors.shop_json.shop import JsonShop
from models.connections import BROKER, HOW_TO_ADD, ConnectionKind, Provider, of_seller, serves_channel
from models.partners import AnnounceTracking, StopShipping
from models.records import Saved

CHANNELS: Final[Mapping[Provider, Callable[[Access], SalesChannel]]] = {Provider.SHOP_JSON: JsonShop}
"""What speaks each provider's protocol."""


class Channels:
    """Activities towards shops and marketplaces; errors as in `activities.connectors.http`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @activity.defn(name="announce_tracking")
    async def announce_tracking(self, ask: AnnounceTracking) -> Saved:
        """Give the shop a shipment's tracking number, as if the seller had typed it (ORD-9)."""
        await (await self._channel(ask.seller_id, ask.channel)).announce(ask)
        return Saved()

    @activity.defn(name="stop_shipping")
    async def stop_shipping(self, ask: StopShipping) -> Saved:
        """Take a cancelled or voided order off the shop's shipping list, for ever (CAN-11)."""
        await (await self._channel(ask.seller_id, ask.channel)).stop_shipping(ask)
        return Saved()

    async def _channel(self, seller_id: str, channel: str) -> SalesChannel:
        for owner in (of_seller(seller_id), BROKER):
            for connection in await self._connections.active(ConnectionKind.CHANNEL, owner):
                if serves_channel(connection, channel):
                    return await self._connections.client(connection, CHANNELS[connection.provider])
        raise unusable(
            of_seller(seller_id), f"seller {seller_id} has no active connection for {channel}: {HOW_TO_ADD}"
        )
