"""Which warehouse ships what (ORD-5, ORD-6): pure decisions over what suppliers say they have."""

from bisect import insort
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from models.message import folded
from models.naming import by_sku
from models.parties import DEFAULT_MINIMUM_STOCK
from models.partners import FindSources, FoundSources, Source, StockOffer

MOST_PARCELS: Final = 8
"""Over how many warehouses the units of one item are split at most; what is left counts as missing."""


REFUSED: Final = "refused"
IN_CURRENCY: Final = "currency "
FEWER_THAN: Final = "fewer than "
"""Why stock is passed over, as `FoundSources.passed_over` says it."""
_MOST_REASONS: Final = 20


class Rank(NamedTuple):
    """Offers in the order in which they are taken: the closest, then the cheapest, then the lowest id."""

    distance_km: float
    unit_cost: Decimal
    supplier_id: str
    warehouse_id: str
    quantity: int


class _Item:
    """One item that is wanted, and of all that is offered only what may be chosen."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.in_stock = 0
        self.passed_over: dict[str, int] = {}
        """Units that are there and can't be taken, by why (CAN-12)."""
        self._whole: Rank | None = None
        """The best offer that has all units."""
        self._closest: list[Rank] = []
        """The best offers that have some units, as many as are needed to have all."""
        self._closest_units = 0
        self._largest: list[Rank] = []
        """The offers with the most units."""

    def pass_over(self, why: str, units: int) -> None:
        if units and (why in self.passed_over or len(self.passed_over) < _MOST_REASONS):
            self.passed_over[why] = self.passed_over.get(why, 0) + units

    def offered(self, offer: Rank) -> None:
        if offer.quantity >= self.wanted:
            self._whole = offer if self._whole is None else min(self._whole, offer)
            return
        if self._closest_units < self.wanted or offer < self._closest[-1]:
            insort(self._closest, offer)
            self._closest_units += offer.quantity
            while self._closest_units - self._closest[-1].quantity >= self.wanted:
                self._closest_units -= self._closest.pop().quantity
        if len(self._largest) < MOST_PARCELS or offer.quantity >= self._largest[-1].quantity:
            insort(self._largest, offer, key=lambda one: (-one.quantity, one))
            del self._largest[MOST_PARCELS:]

    def chosen(self) -> list[tuple[Rank, int]]:
        """The offers that are taken, and how many units of each."""
        if self._whole is not None:
            return [(self._whole, self.wanted)]
        few_enough = len(self._closest) <= MOST_PARCELS
        left = self.wanted
        chosen = []
        for offer in self._closest if few_enough else self._largest:
            units = min(left, offer.quantity)
            if units:
                chosen.append((offer, units))
                left -= units
        return chosen


def choose_sources(ask: FindSources, offers: Iterable[StockOffer]) -> FoundSources:
    """The warehouse closest to the buyer that has the stock, item by item (ORD-5).

    A warehouse with fewer than `minimum_stock` of an item counts as having none. An item comes whole from the
    closest warehouse that has all of it; if none has, it is split over the closest ones, or, when these would be
    more than `MOST_PARCELS`, over those that have the most. Offers in another currency, and of warehouses that
    refused the item, are passed over; so few that nobody takes them are told as such, in whatever currency. Ties:
    the cheaper one, then the lower id. The offers may be a stream: only those that may be chosen are kept. An
    item's code is the same without case, blanks and punctuation (ORD-21).
    """
    items = {sku: _Item(units) for sku, units in by_sku(ask.wanted).items()}
    by_code = {folded(sku): item for sku, item in items.items()}
    as_good_as_none = min(DEFAULT_MINIMUM_STOCK, ask.minimum_stock)
    refused = {(one.supplier_id, one.warehouse_id, folded(one.sku)) for one in ask.refused}
    for offer in offers:
        code = folded(offer.sku)
        item = by_code.get(code)
        if item is None:
            continue
        item.in_stock += offer.quantity
        if (offer.supplier_id, offer.warehouse_id, code) in refused:
            item.pass_over(REFUSED, offer.quantity)
        elif offer.quantity < as_good_as_none:
            item.pass_over(f"{FEWER_THAN}{as_good_as_none}", offer.quantity)
        elif offer.currency != ask.currency:
            item.pass_over(f"{IN_CURRENCY}{offer.currency}", offer.quantity)
        elif offer.quantity < ask.minimum_stock:
            item.pass_over(f"{FEWER_THAN}{ask.minimum_stock}", offer.quantity)
        else:
            item.offered(_rank(offer))
    sources = []
    missing = {}
    for sku, item in items.items():
        chosen = item.chosen()
        sources += [
            Source(
                supplier_id=offer.supplier_id,
                warehouse_id=offer.warehouse_id,
                sku=sku,
                quantity=units,
                unit_cost=offer.unit_cost,
            )
            for offer, units in chosen
        ]
        if left := item.wanted - sum(units for _, units in chosen):
            missing[sku] = left
    in_stock = {sku: item.in_stock for sku, item in items.items()}
    passed_over = {sku: items[sku].passed_over for sku in missing if items[sku].passed_over}
    return FoundSources(sources=tuple(sources), missing=missing, in_stock=in_stock, passed_over=passed_over)


def _rank(offer: StockOffer) -> Rank:
    distance = float("inf") if offer.distance_km is None else offer.distance_km
    return Rank(distance, offer.unit_cost, offer.supplier_id, offer.warehouse_id, offer.quantity)
