"""The broker's supplier network: stock, orders, RMA numbers (docs/partner-api.md)."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import quote

import httpx
import structlog
from pydantic import Field, ValidationError
from temporalio import activity

from activities.connectors.http import Partner, WireModel, error_code, error_of
from models.buyers import Address
from models.message import folded
from models.naming import by_sku
from models.orders import SupplierOrder
from models.partners import (
    FindSources,
    FoundSources,
    PlacedOrder,
    PlaceSupplierOrder,
    RequestRma,
    RmaAnswer,
    SaidNumber,
    StockOffer,
)
from models.settings import Settings
from models.sourcing import choose_sources

SKUS_PER_CALL: Final = 50
"""An order may have 500 lines; an address that long is refused by many servers."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("suppliers")

_EARTH_RADIUS_KM: Final = 6371.0088


class Place(NamedTuple):
    """Where something is, in degrees."""

    latitude: float
    longitude: float


class _Offers(WireModel):
    offers: tuple[dict[str, Any], ...]


class _Located(StockOffer):
    """An offer as it comes, with its warehouse's place in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    distance_km: None = None
    """Not theirs to say."""


class _Accepted(WireModel):
    state: Literal["accepted"]
    supplier_reference: SaidNumber | None = None


class _Rma(WireModel):
    state: Literal["issued", "pending", "refused"]
    rma_number: SaidNumber | None = None
    return_address: str | None = None
    reason: str | None = None


class Suppliers:
    """Activities towards the supplier network; errors as in `activities.connectors.http`."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._partner = Partner(
            "supplier network",
            str(settings.supplier_url),
            {"Authorization": f"Bearer {settings.supplier_key.get_secret_value()}"},
            settings,
            transport,
            each="supplier",
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._partner.aclose()

    @activity.defn(name="find_sources")
    async def find_sources(self, ask: FindSources) -> FoundSources:
        """Which warehouses ship these units (ORD-5, ORD-6): what was chosen, never the whole market.

        Distances are great-circle kilometres; none where the buyer's or the warehouse's place is not known.
        """
        buyer = await asyncio.to_thread(place_of, ask.ship_to)
        skus = tuple(by_sku(ask.wanted))
        found: list[FoundSources] = []
        for start in range(0, len(skus), SKUS_PER_CALL):
            asked = skus[start : start + SKUS_PER_CALL]
            codes = frozenset(map(folded, asked))
            part = ask.model_copy(update={"wanted": tuple(one for one in ask.wanted if folded(one.sku) in codes)})
            offers = await self._offers(asked, buyer, second_source=ask.second_source)
            found.append(await asyncio.to_thread(choose_sources, part, offers))
        return FoundSources(
            sources=tuple(source for part in found for source in part.sources),
            missing={sku: units for part in found for sku, units in part.missing.items()},
            in_stock={sku: units for part in found for sku, units in part.in_stock.items()},
        )

    async def _offers(
        self, skus: tuple[str, ...], buyer: Place | None, *, second_source: bool
    ) -> Iterator[StockOffer]:
        """Who has these items, one offer at a time."""
        what = "find stock"
        params = [("sku", sku) for sku in skus]
        if second_source:
            params.append(("second_source", "true"))
        answer = await self._partner.call(what, "GET", "/v1/stock", params=params)
        return _usable(self._partner.read(what, answer, _Offers), frozenset(map(folded, skus)), buyer)

    @activity.defn(name="place_supplier_order")
    async def place_supplier_order(self, ask: PlaceSupplierOrder) -> PlacedOrder:
        """Send one order to one warehouse; again under the same number it is the same order (CAN-4).

        `refused` when the supplier does not have it after all.
        """
        what = "place an order with a supplier"
        answer = await self._partner.call(
            what,
            "PUT",
            f"/v1/orders/{quote(ask.order.number, safe='')}",
            json={
                "supplier_id": ask.order.supplier_id,
                "warehouse_id": ask.order.warehouse_id,
                "ship_to": ask.ship_to.model_dump(mode="json", exclude={"latitude", "longitude"}),
                "lines": _by_item(ask.order),
            },
            expects={409},
            party=ask.order.supplier_id,
        )
        if answer.status_code == 409:
            return PlacedOrder(state="refused", reason=error_code(error_of(answer)))
        accepted = self._partner.read(what, answer, _Accepted)
        return PlacedOrder(state="accepted", supplier_reference=accepted.supplier_reference)

    @activity.defn(name="request_rma")
    async def request_rma(self, ask: RequestRma) -> RmaAnswer:
        """Ask the supplier's web service for an RMA number (RET-8a).

        `pending`: it took the request, the number comes as the event `supplier_rma`.
        """
        what = "request an RMA number"
        if len(ask.reasons) != len(ask.lines):
            raise self._partner.invalid(what, "each line needs one reason")
        answer = await self._partner.call(
            what,
            "PUT",
            f"/v1/rmas/{quote(ask.return_id, safe='')}",
            json={
                "supplier_id": ask.supplier_id,
                "supplier_order_number": ask.supplier_order_number,
                "lines": [
                    {"sku": line.sku, "quantity": line.quantity, "reason": reason}
                    for line, reason in zip(ask.lines, ask.reasons, strict=True)
                ],
            },
            expects={409},
            party=ask.supplier_id,
        )
        if answer.status_code == 409:
            return RmaAnswer(state="refused", reason=error_code(error_of(answer)))
        rma = self._partner.read(what, answer, _Rma)
        if rma.state == "issued" and rma.rma_number is None:
            raise self._partner.unavailable(what, "issued an RMA without saying its number", answer)
        return RmaAnswer(
            state=rma.state, rma_number=rma.rma_number, return_address=rma.return_address, reason=rma.reason
        )


def _usable(answer: _Offers, codes: frozenset[str], buyer: Place | None) -> Iterator[StockOffer]:
    """The offers that can be read; a wrong one in one supplier's feed must not stop the others."""
    distances: dict[Place, float] = {}
    unreadable = 0
    for raw in answer.offers:
        try:
            offer = _Located.model_validate(raw)
        except ValidationError:
            unreadable += 1
            continue
        if folded(offer.sku) not in codes:
            continue
        if buyer is not None and offer.latitude is not None and offer.longitude is not None:
            place = Place(offer.latitude, offer.longitude)
            distance = distances.get(place)
            if distance is None:
                distance = distances[place] = distance_km(buyer, place)
            offer = offer.model_copy(update={"distance_km": distance})
        yield offer
    if unreadable:
        log.warning("stock offers can't be read", unreadable=unreadable, offers=len(answer.offers))


def place_of(address: Address) -> Place | None:
    """Where an address is: as it says itself, or the middle of its US postal code; none: not known."""
    if address.latitude is not None and address.longitude is not None:
        return Place(address.latitude, address.longitude)
    return _us_place(address.postal_code[:5]) if address.country == "US" and address.postal_code else None


@lru_cache(maxsize=4096)
def _us_place(postal_code: str) -> Place | None:
    if len(postal_code) != 5 or not (postal_code.isascii() and postal_code.isdigit()):
        return None
    import zipcodes  # it reads all of them, which takes half a second: only where one is needed

    found = zipcodes.matching(postal_code)  # type: ignore[no-untyped-call]  # it has no types
    return Place(float(found[0]["lat"]), float(found[0]["long"])) if found else None


def distance_km(here: Place, there: Place) -> float:
    """Great-circle distance in kilometres."""
    half_lat = radians(there.latitude - here.latitude) / 2
    half_lon = radians(there.longitude - here.longitude) / 2
    chord = sin(half_lat) ** 2 + cos(radians(here.latitude)) * cos(radians(there.latitude)) * sin(half_lon) ** 2
    # Rounding may lift the chord of two opposite points a hair above one.
    return round(2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord))), 1)


def _by_item(order: SupplierOrder) -> list[dict[str, object]]:
    """A supplier knows items: lines of one item are one line there, added up (ORD-13)."""
    cost = {line.sku: line.unit_cost for line in reversed(order.lines)}
    return [
        {"sku": sku, "quantity": units, "unit_cost": _money(cost[sku])}
        for sku, units in by_sku(order.lines).items()
    ]


def _money(amount: Decimal) -> str:
    return format(amount, "f")
