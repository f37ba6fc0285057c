"""The sellers' shops and marketplaces: each seller's own connection, else the one that the broker has for all."""

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from temporalio import activity

from activities.connectors.access import Access
from activities.connectors.connections import Connections, unusable
from activities.connectors.sales_channel import SalesChannel
from activities.connectors.shop_json.shop import JsonShop
from models.connections import (
    BROKER,
    HOW_TO_ADD,
    Connection,
    ConnectionKind,
    Provider,
    of_seller,
    serves_channel,
)
from models.partners import AnnounceTracking, StopShipping
from models.records import Saved

CHANNELS: Final[Mapping[Provider, Callable[[Access], SalesChannel]]] = {Provider.SHOP_JSON: JsonShop}
"""What announces tracking numbers and stops shipping, in each provider's protocol; Amazon's does not yet."""


class Cancellations(Protocol):
    """Where the cancellation of an order of Amazon waits to be told (AMZ-5)."""

    async def cancel(self, ask: StopShipping) -> bool:
        """Put it there, once; False: no account of the seller is known to be the order's."""


class Channels:
    """Activities towards shops and marketplaces; errors as in `activities.connectors.http`. `cancellations`: of
    marketplaces that are told by documents."""

    def __init__(self, connections: Connections, cancellations: Cancellations | None = None) -> None:
        self._connections = connections
        self._cancellations = cancellations

    @activity.defn(name="announce_tracking")
    async def announce_tracking(self, ask: AnnounceTracking) -> Saved:
        """Give the shop a shipment's tracking number, as if the seller had typed it (ORD-9)."""
        await (await self._channel(ask.seller_id, ask.channel)).announce(ask)
        return Saved()

    @activity.defn(name="stop_shipping")
    async def stop_shipping(self, ask: StopShipping) -> Saved:
        """Take a cancelled or voided order off the shop's shipping list, for ever (CAN-11). Where Amazon alone
        could be told, it is told by a document, unless it is not to be told (CAN-8, CAN-9)."""
        told, silent = await self._serving(ask.seller_id, ask.channel)
        by_document = self._cancellations if told is None and silent is not None else None
        if by_document is not None and (ask.without_sending or await by_document.cancel(ask)):
            return Saved()
        await (await self._client(told, silent, ask.seller_id, ask.channel)).stop_shipping(ask)
        return Saved()

    async def _channel(self, seller_id: str, channel: str) -> SalesChannel:
        return await self._client(*await self._serving(seller_id, channel), seller_id, channel)

    async def _serving(self, seller_id: str, channel: str) -> tuple[Connection | None, Connection | None]:
        """The connection that is told, and one that serves the channel and can't be."""
        silent: Connection | None = None
        for connection in await self._connections.active(ConnectionKind.CHANNEL, of_seller(seller_id), BROKER):
            if not serves_channel(connection, channel):
                continue
            if connection.provider in CHANNELS:
                return connection, None
            silent = silent or connection
        return None, silent

    async def _client(
        self, told: Connection | None, silent: Connection | None, seller_id: str, channel: str
    ) -> SalesChannel:
        if told is not None:
            return await self._connections.client(told, CHANNELS[told.provider])
        if silent is not None:
            raise unusable(
                silent.connection_id,
                f"connection {silent.connection_id} of {silent.owner} neither announces tracking numbers at "
                f"{silent.provider.value} nor stops shipping there: a shop_json connection that does so for "
                f"{channel} is needed; {HOW_TO_ADD}",
            )
        raise unusable(
            of_seller(seller_id), f"seller {seller_id} has no active connection for {channel}: {HOW_TO_ADD}"
        )
