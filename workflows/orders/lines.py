"""The lines of an order: how many units are open, shipped, cancelled, voided, and what the seller owes for them.

Frozen values and pure functions. Every unit has one fate (ORD-11).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from models.message import Message, Quantity
from models.money import Amount, Currency, share_of_units
from models.orders import LineShare, OrderLine
from models.records import LineQuantities


class Lines(Message):
    """The counts of each line in the order of the request; money is in the currency of the broker's charge."""

    counts: tuple[LineQuantities, ...]
    currency: Currency
    shares: tuple[LineShare, ...] = ()
    """What each line is worth, once the order is written down."""
    cost: Amount = Decimal(0)
    """The broker's whole charge: parts + tax + estimated shipping (ORD-3)."""
    cost_dropped: Amount = Decimal(0)
    """What of it was for units that are cancelled or voided."""

    @property
    def cost_due(self) -> Decimal:
        """The broker's charge without the cancelled and voided units."""
        return self.cost - self.cost_dropped

    @property
    def open(self) -> dict[str, int]:
        """Units that are neither shipped, cancelled nor voided, by SKU."""
        return {count.sku: count.open for count in self.counts if count.open}

    @property
    def has_open(self) -> bool:
        return any(count.open for count in self.counts)

    @property
    def shipped(self) -> tuple[Quantity, ...]:
        return tuple(Quantity(sku=one.sku, quantity=one.shipped) for one in self.counts if one.shipped)

    @property
    def has_shipped(self) -> bool:
        return any(count.shipped for count in self.counts)


def lines_of(lines: Sequence[OrderLine], currency: str) -> Lines:
    """All units are open. `currency` is that of the broker's charge."""
    counts = tuple(LineQuantities(sku=line.sku, quantity=line.quantity) for line in lines)
    return Lines(counts=counts, currency=currency)


def with_shares(lines: Lines, shares: Sequence[LineShare]) -> Lines:
    """With the stored allocation of the order's totals."""
    cost = sum((share.cost for share in shares), Decimal(0))
    return lines.model_copy(update={"shares": tuple(shares), "cost": cost})


def ship(lines: Lines, parcel: Iterable[Quantity]) -> Lines:
    """These units have left. Raises ValueError when more is shipped than is open."""
    units = {line.sku: line.quantity for line in parcel}
    left = lines.open
    for sku, count in units.items():
        if count > left.get(sku, 0):
            raise ValueError(f"{count} of {sku} can't ship, {left.get(sku, 0)} are open")
    return lines.model_copy(update={"counts": _counted(lines, "shipped", units)})


def drop(lines: Lines, fate: Literal["cancelled", "voided"], units: Mapping[str, int]) -> Lines:
    """These units are cancelled or voided: the seller does not owe them any more."""
    after = lines.model_copy(update={"counts": _counted(lines, fate, units)})
    worth = _worth_of_dropped(after, units) - _worth_of_dropped(lines, units)
    return after.model_copy(update={"cost_dropped": lines.cost_dropped + worth})


def _counted(lines: Lines, fate: str, units: Mapping[str, int]) -> tuple[LineQuantities, ...]:
    return tuple(
        count.model_copy(update={fate: getattr(count, fate) + units[count.sku]}) if count.sku in units else count
        for count in lines.counts
    )


def _worth_of_dropped(lines: Lines, skus: Iterable[str]) -> Decimal:
    """Cancelled and voided units are counted from the end of the line, returned ones from its start."""
    shares = {share.sku: share for share in lines.shares}
    counts = {count.sku: count for count in lines.counts}
    return sum(
        (
            share_of_units(total, count.quantity, count.open + count.shipped, dropped, lines.currency)
            for share, count in ((shares[sku], counts[sku]) for sku in skus if sku in shares)
            if (dropped := count.voided + count.cancelled)
            for total in (share.cost_goods, share.cost_shipping)
        ),
        Decimal(0),
    )


def items_of(units: Mapping[str, int]) -> str:
    """Units by SKU, as people write them: `2 x BRK-100, 1 x PAD-7`."""
    return ", ".join(f"{count} x {sku}" for sku, count in units.items())
