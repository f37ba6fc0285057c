"""The suppliers' stock, orders and RMA numbers, each through a connection: a supplier's own, or a network's.

All active connections are asked for stock at the same time. One that does not answer stops none of the others: its
stock is not known, and the answer says so (ORD-5, ORD-6).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.connectors.access import Access
from activities.connectors.connections import Connections, unusable
from activities.connectors.places import Place, distance_km, place_of
from activities.connectors.supplier_api import LocatedOffer, SupplierApi
from activities.connectors.supplier_json.supplier import JsonSupplier
from models.connections import BROKER, HOW_TO_ADD, Connection, ConnectionKind, Provider, of_supplier
from models.message import folded
from models.naming import by_sku
from models.partners import (
    FindSources,
    FoundSources,
    PlacedOrder,
    PlaceSupplierOrder,
    RequestRma,
    RmaAnswer,
    StockOffer,
    warehouse_key,
)
from models.sourcing import choose_sources

SKUS_PER_CALL: Final = 50
"""An order may have 500 lines; an address that long is refused by many servers."""
AT_ONCE_PER_HOST: Final = 10
"""How many connections at one host one search asks at a time."""
MOST_UNKNOWN: Final = 50
"""How many connections that did not answer an answer names."""

SUPPLIERS: Final[Mapping[Provider, Callable[[Access], SupplierApi]]] = {Provider.SUPPLIER_JSON: JsonSupplier}
"""What speaks each provider's protocol."""


class _Feed(NamedTuple):
    """What one connection said it has."""

    connection: Connection
    offers: Iterator[LocatedOffer]


class Suppliers:
    """Activities towards suppliers; errors as in `activities.connectors.http`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @activity.defn(name="find_sources")
    async def find_sources(self, ask: FindSources) -> FoundSources:
        """Which warehouses ship these units (ORD-5, ORD-6): what was chosen, never the whole market.

        Distances are great-circle kilometres; none where the buyer's or the warehouse's place is not known. Raises
        what the connections raise when none of them answers.
        """
        connections = await self._connections.active(ConnectionKind.SUPPLIER)
        if not connections:
            raise unusable("supplier", f"there is no active connection to a supplier: {HOW_TO_ADD}")
        buyer = await asyncio.to_thread(place_of, ask.ship_to)
        skus = tuple(by_sku(ask.wanted))
        found: list[FoundSources] = []
        failed: dict[str, ApplicationError] = {}
        through: dict[str, str] = {}
        for start in range(0, len(skus), SKUS_PER_CALL):
            asked = skus[start : start + SKUS_PER_CALL]
            codes = frozenset(map(folded, asked))
            part = ask.model_copy(update={"wanted": tuple(one for one in ask.wanted if folded(one.sku) in codes)})
            answering = [one for one in connections if one.connection_id not in failed]
            feeds = await self._feeds(answering, asked, failed, second_source=ask.second_source)
            offers = _usable(feeds, connections, codes, buyer, through)
            found.append(await asyncio.to_thread(choose_sources, part, offers))
        sources = tuple(source for part in found for source in part.sources)
        chosen = {warehouse_key(one.supplier_id, one.warehouse_id) for one in sources}
        return FoundSources(
            sources=sources,
            through={warehouse: through[warehouse] for warehouse in sorted(chosen)},
            missing={sku: units for part in found for sku, units in part.missing.items()},
            passed_over={sku: why for part in found for sku, why in part.passed_over.items()},
            in_stock={sku: units for part in found for sku, units in part.in_stock.items()},
            not_known={one: failed[one].message for one in sorted(failed)[:MOST_UNKNOWN]},
        )

    async def _feeds(
        self,
        connections: Sequence[Connection],
        skus: Sequence[str],
        failed: dict[str, ApplicationError],
        *,
        second_source: bool,
    ) -> list[_Feed]:
        """What each connection offers; those that fail are put into `failed`. Raises when all have."""
        places: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_PER_HOST))

        async def feed(connection: Connection) -> _Feed | None:
            try:
                async with places[_host(connection)]:
                    api = await self._connections.client(connection, SUPPLIERS[connection.provider])
                    return _Feed(connection, await api.stock(skus, second_source=second_source))
            except ApplicationError as error:
                failed[connection.connection_id] = error
                return None

        feeds = [one for one in await asyncio.gather(*map(feed, connections)) if one is not None]
        if not feeds:
            raise failed[connections[0].connection_id] if connections else next(iter(failed.values()))
        return feeds

    @activity.defn(name="place_supplier_order")
    async def place_supplier_order(self, ask: PlaceSupplierOrder) -> PlacedOrder:
        """Send one order to one warehouse; again under the same number it is the same order (CAN-4).

        Always through the connection that offered it. `refused` when the supplier does not have it after all.
        """
        named = ask.order.connection_id
        connection = await (self._connections.named(named) if named else self._of(ask.order.supplier_id))
        return await (await self._api(connection)).place(ask)

    @activity.defn(name="request_rma")
    async def request_rma(self, ask: RequestRma) -> RmaAnswer:
        """Ask the supplier's web service for an RMA number (RET-8a): where the order went, or, if that connection
        is not active any more, where the supplier is now."""
        connection = await self._of(ask.supplier_id, ask.ordered_through)
        return await (await self._api(connection)).request_rma(ask)

    async def _of(self, supplier_id: str, preferred: str | None = None) -> Connection:
        """The supplier's own connection, or the newest network; `preferred`, if it is one that is active."""
        known = await self._connections.active(ConnectionKind.SUPPLIER, of_supplier(supplier_id), BROKER)
        if not known:
            raise unusable(
                of_supplier(supplier_id),
                f"supplier {supplier_id} has no active connection, nor is there a network: {HOW_TO_ADD}",
            )
        return next((one for one in known if one.connection_id == preferred), known[0])

    async def _api(self, connection: Connection) -> SupplierApi:
        return await self._connections.client(connection, SUPPLIERS[connection.provider])


def _host(connection: Connection) -> str:
    return (connection.base_url.host if connection.base_url else None) or connection.connection_id


def _usable(
    feeds: Iterable[_Feed],
    connections: Iterable[Connection],
    codes: frozenset[str],
    buyer: Place | None,
    through: dict[str, str],
) -> Iterator[StockOffer]:
    """The offers of these items, with their distance. A supplier speaks for itself alone; for one that has a
    connection of its own no network speaks. Of several networks that offer a warehouse the first one counts, which
    `through` remembers."""
    speak_for_themselves = frozenset(one.owner for one in connections if one.owner != BROKER)
    distances: dict[Place, float] = {}
    for feed in feeds:
        owner = feed.connection.owner
        for offer in feed.offers:
            supplier = of_supplier(offer.supplier_id)
            if folded(offer.sku) not in codes:
                continue
            if supplier != owner and (owner != BROKER or supplier in speak_for_themselves):
                continue
            connection_id = feed.connection.connection_id
            if (
                through.setdefault(warehouse_key(offer.supplier_id, offer.warehouse_id), connection_id)
                != connection_id
            ):
                continue
            if buyer is not None and offer.latitude is not None and offer.longitude is not None:
                place = Place(offer.latitude, offer.longitude)
                if place not in distances:
                    distances[place] = distance_km(buyer, place)
                yield offer.model_copy(update={"distance_km": distances[place]})
            else:
                yield offer
