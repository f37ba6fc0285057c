"""Which warehouse ships what (ORD-5, ORD-6): pure decisions over what suppliers say they have."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from models.ids import supplier_order_number
from models.orders import SupplierOrder, SupplierOrderLine
from models.partners import OrderQuantity, StockOffer


class Pick(NamedTuple):
    """So many units of an item from this warehouse."""

    offer: StockOffer
    quantity: int


class Sourcing(NamedTuple):
    """What can be bought where, and what is nowhere in stock."""

    picks: list[Pick]
    missing: dict[str, int]


def _distance(offer: StockOffer) -> tuple[float, Decimal, str, str]:
    distance = float("inf") if offer.distance_km is None else offer.distance_km
    return (distance, offer.unit_cost, offer.supplier_id, offer.warehouse_id)


def choose_sources(
    wanted: Sequence[OrderQuantity], offers: Sequence[StockOffer], minimum_stock: int, currency: str
) -> Sourcing:
    """The warehouse closest to the buyer that has the stock, line by line (ORD-5).

    A warehouse with fewer than `minimum_stock` of an item counts as having none. A line goes whole to the
    closest warehouse that has all of it; if none has, it is split over the closest ones. Offers in another
    currency than the charge's are passed over. Ties: the cheaper one, then the lower id.
    """
    picks: list[Pick] = []
    missing: dict[str, int] = {}
    for line in wanted:
        usable = sorted(
            (
                offer
                for offer in offers
                if offer.sku == line.sku and offer.quantity >= minimum_stock and offer.currency == currency
            ),
            key=_distance,
        )
        whole = next((offer for offer in usable if offer.quantity >= line.quantity), None)
        if whole is not None:
            picks.append(Pick(whole, line.quantity))
            continue
        left = line.quantity
        for offer in usable:
            taken = min(left, offer.quantity)
            if taken:
                picks.append(Pick(offer, taken))
                left -= taken
            if not left:
                break
        if left:
            missing[line.sku] = left
    return Sourcing(picks, missing)


def supplier_orders(
    order_id: str, picks: Sequence[Pick], first_ordinal: int, *, second_source: bool
) -> list[SupplierOrder]:
    """One order per warehouse, numbered from `first_ordinal`, in the order of the picks."""
    by_warehouse: dict[tuple[str, str], list[Pick]] = {}
    for pick in picks:
        by_warehouse.setdefault((pick.offer.supplier_id, pick.offer.warehouse_id), []).append(pick)
    return [
        SupplierOrder(
            number=supplier_order_number(order_id, first_ordinal + i),
            supplier_id=supplier_id,
            warehouse_id=warehouse_id,
            second_source=second_source,
            lines=tuple(
                SupplierOrderLine(sku=pick.offer.sku, quantity=pick.quantity, unit_cost=pick.offer.unit_cost)
                for pick in group
            ),
        )
        for i, ((supplier_id, warehouse_id), group) in enumerate(by_warehouse.items())
    ]
