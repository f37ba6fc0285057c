"""What every supplier's API does for us, whatever its protocol. A business "no" is a value; an outage raises as in
`activities.connectors.http`."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Protocol

from pydantic import Field

from models.partners import PlacedOrder, PlaceSupplierOrder, RequestRma, RmaAnswer, StockOffer


class LocatedOffer(StockOffer):
    """An offer with its warehouse's place in degrees."""

    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    distance_km: None = None
    """Not theirs to say."""


class SupplierApi(Protocol):
    """One connection to a supplier, or to a network of them."""

    async def stock(self, skus: Sequence[str], *, second_source: bool) -> Iterator[LocatedOffer]:
        """Who has these items, one offer at a time; what can't be read of a feed is passed over (ORD-5, ORD-6)."""
        ...

    async def place(self, ask: PlaceSupplierOrder) -> PlacedOrder:
        """Send one order to one warehouse; again under the same number it is the same order (CAN-4).

        `refused` when the supplier does not have it after all.
        """
        ...

    async def request_rma(self, ask: RequestRma) -> RmaAnswer:
        """Ask for an RMA number (RET-8a). `pending`: it took the request, the number comes as an event."""
        ...

    async def test(self) -> None:
        """Call the supplier, changing nothing. Raises a BackhaulError that says in words what is wrong."""
        ...
