"""The lines of an order: how many units are open, shipped, cancelled, voided, and what the seller owes for them.

Frozen values and pure functions. Every unit has one fate (ORD-11).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from models.message import LineUnits, Message
from models.money import Amount, Currency, share_of_units
from models.naming import by_line, by_sku, items_of
from models.orders import OrderRequest
from models.records import LineQuantities
from models.shares import LineShare


class Lines(Message):
    """The counts of each line in the order of the request; money is in the currency of the broker's charge."""

    counts: tuple[LineQuantities, ...]
    currency: Currency
    shares: tuple[LineShare, ...] = ()
    """What each line is worth, once the order is written down."""
    cost: Amount = Decimal(0)
    """The broker's whole charge: parts + tax + estimated shipping (ORD-3)."""
    cost_dropped: Amount = Decimal(0)
    """What of it was for units that are cancelled, voided or moved to another order."""

    @property
    def cost_due(self) -> Decimal:
        """The broker's charge without the cancelled, voided and moved units."""
        return self.cost - self.cost_dropped

    @property
    def open(self) -> dict[str, int]:
        """Units that are neither shipped, cancelled, voided nor moved, by `line_id`."""
        return {count.line_id: count.open for count in self.counts if count.open}

    @property
    def has_open(self) -> bool:
        return any(count.open for count in self.counts)

    @property
    def shipped(self) -> tuple[LineUnits, ...]:
        return tuple(
            LineUnits(line_id=one.line_id, sku=one.sku, quantity=one.shipped) for one in self.counts if one.shipped
        )

    def units(self, units: Mapping[str, int]) -> tuple[LineUnits, ...]:
        """These units, given by `line_id`, with the items that they are of."""
        return tuple(
            LineUnits(line_id=one.line_id, sku=one.sku, quantity=units[one.line_id])
            for one in self.counts
            if units.get(one.line_id)
        )

    def in_words(self, units: Mapping[str, int]) -> str:
        """These units, given by `line_id`, as people write them."""
        return items_of(by_sku(self.units(units)))

    @property
    def has_shipped(self) -> bool:
        return any(count.shipped for count in self.counts)


def first_lines(request: OrderRequest) -> Lines:
    """The lines with which an order begins: all units are open."""
    counts = tuple(
        LineQuantities(line_id=line.line_id, sku=line.sku, quantity=line.quantity, kit=line.kit)
        for line in request.items
    )
    return Lines(counts=counts, currency=request.charge_currency)


def with_shares(lines: Lines, shares: Sequence[LineShare]) -> Lines:
    """With the stored allocation of the order's totals."""
    cost = sum((share.cost for share in shares), Decimal(0))
    return lines.model_copy(update={"shares": tuple(shares), "cost": cost})


def ship(lines: Lines, parcel: Iterable[LineUnits]) -> Lines:
    """These units have left. Raises ValueError when more is shipped than is open."""
    units, left = by_line(parcel), lines.open
    for line_id, count in units.items():
        if count > left.get(line_id, 0):
            raise ValueError(f"{count} of line {line_id} can't ship, {left.get(line_id, 0)} are open")
    return lines.model_copy(update={"counts": _counted(lines, "shipped", units)})


def drop(lines: Lines, fate: Literal["cancelled", "voided", "moved"], units: Mapping[str, int]) -> Lines:
    """These units, by `line_id`, are cancelled, voided or another order's: the seller does not owe them here."""
    after = lines.model_copy(update={"counts": _counted(lines, fate, units)})
    worth = _worth_of_dropped(after, units) - _worth_of_dropped(lines, units)
    return after.model_copy(update={"cost_dropped": lines.cost_dropped + worth})


def reopen(lines: Lines, units: Mapping[str, int]) -> Lines:
    """These voided units, by `line_id`, are open again: the seller owes them as before (ORD-8)."""
    return drop(lines, "voided", {line_id: -count for line_id, count in units.items()})


def _counted(lines: Lines, fate: str, units: Mapping[str, int]) -> tuple[LineQuantities, ...]:
    return tuple(
        count.model_copy(update={fate: getattr(count, fate) + units[count.line_id]})
        if count.line_id in units
        else count
        for count in lines.counts
    )


def _worth_of_dropped(lines: Lines, line_ids: Iterable[str]) -> Decimal:
    """Cancelled, voided and moved units are counted from the end of the line, returned ones from its start."""
    shares = {share.line_id: share for share in lines.shares}
    counts = {count.line_id: count for count in lines.counts}
    return sum(
        (
            share_of_units(total, count.quantity, count.open + count.shipped, dropped, lines.currency)
            for share, count in ((shares[one], counts[one]) for one in line_ids if one in shares)
            if (dropped := count.voided + count.cancelled + count.moved)
            for total in (share.cost_goods, share.cost_shipping)
        ),
        Decimal(0),
    )
