"""The lines of an order while it runs: how many units are open, shipped, cancelled, voided, and their worth."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from models.message import Quantity
from models.money import share_of_units
from models.orders import LineShare, OrderLine
from models.partners import OrderQuantity
from models.records import LineQuantities


class OrderLines:
    """Counts the units of each line; every unit has one fate (ORD-11)."""

    def __init__(self, lines: Sequence[OrderLine], currency: str) -> None:
        """`currency` is that of the broker's charge."""
        self._lines = {line.sku: line for line in lines}
        self._currency = currency
        self._shares: dict[str, LineShare] = {}
        self._counts = {line.sku: LineQuantities(sku=line.sku, quantity=line.quantity) for line in lines}

    def share_out(self, shares: Iterable[LineShare]) -> None:
        """Take the stored allocation of the order's totals."""
        self._shares = {share.sku: share for share in shares}

    @property
    def counts(self) -> tuple[LineQuantities, ...]:
        return tuple(self._counts.values())

    @property
    def open(self) -> dict[str, int]:
        """Units that are neither shipped, cancelled nor voided, by SKU."""
        return {sku: count.open for sku, count in self._counts.items() if count.open}

    @property
    def shipped(self) -> tuple[Quantity, ...]:
        return tuple(
            Quantity(sku=sku, quantity=count.shipped) for sku, count in self._counts.items() if count.shipped
        )

    @property
    def cost(self) -> Decimal:
        """The broker's whole charge: parts + tax + estimated shipping (ORD-3)."""
        return sum((share.cost for share in self._shares.values()), Decimal(0))

    @property
    def cost_still_due(self) -> Decimal:
        """The broker's charge without the voided and cancelled units."""
        return self.cost - sum((self._worth_of_dropped(sku) for sku in self._counts), Decimal(0))

    def ordered(self, sku: str) -> int:
        """Units ordered of this item; 0 if the order does not have it."""
        return self._lines[sku].quantity if sku in self._lines else 0

    def open_of(self, sku: str) -> int:
        return self._counts[sku].open if sku in self._counts else 0

    def wanted(self, units: dict[str, int]) -> list[OrderQuantity]:
        """These units as sourcing sees them."""
        return [
            OrderQuantity(sku=sku, quantity=count, unit_cost=self._lines[sku].unit_cost)
            for sku, count in units.items()
        ]

    def ship(self, lines: Iterable[Quantity]) -> None:
        """Raises ValueError when more is shipped than is open; then nothing is changed."""
        for line in lines:
            if line.quantity > self.open_of(line.sku):
                raise ValueError(f"{line.quantity} of {line.sku} can't ship, {self.open_of(line.sku)} are open")
        for line in lines:
            count = self._counts[line.sku]
            self._counts[line.sku] = count.model_copy(update={"shipped": count.shipped + line.quantity})

    def void(self, units: dict[str, int]) -> Decimal:
        """Void these units; gives what the seller was charged for them."""
        return sum((self._drop(sku, "voided", count) for sku, count in units.items()), Decimal(0))

    def cancel(self, units: dict[str, int]) -> Decimal:
        """Cancel these units; gives what the seller was charged for them."""
        return sum((self._drop(sku, "cancelled", count) for sku, count in units.items()), Decimal(0))

    def _drop(self, sku: str, fate: str, units: int) -> Decimal:
        before = self._worth_of_dropped(sku)
        count = self._counts[sku]
        self._counts[sku] = count.model_copy(update={fate: getattr(count, fate) + units})
        return self._worth_of_dropped(sku) - before

    def _worth_of_dropped(self, sku: str) -> Decimal:
        """Voided and cancelled units are counted from the end of the line, returned ones from its start."""
        share, count = self._shares.get(sku), self._counts[sku]
        if share is None:
            return Decimal(0)
        dropped = count.voided + count.cancelled
        kept = count.quantity - dropped
        return sum(
            (
                share_of_units(total, count.quantity, kept, dropped, self._currency)
                for total in (share.cost_goods, share.cost_shipping)
            ),
            Decimal(0),
        )


def items_of(units: dict[str, int]) -> str:
    """Units by SKU, as people write them: `2 x BRK-100, 1 x PAD-7`."""
    return ", ".join(f"{count} x {sku}" for sku, count in units.items())
