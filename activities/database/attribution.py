"""Which of the broker's orders to suppliers the shipped and the returned units came from: pure arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from models.message import LineUnits


class HasUnits(Protocol):
    """A line of a return: so many units of a line of the order."""

    @property
    def line_id(self) -> str: ...

    @property
    def sku(self) -> str: ...

    @property
    def quantity(self) -> int: ...


class Bought(NamedTuple):
    """Units of one line that an accepted order to a supplier holds."""

    number: str
    supplier_id: str
    line_id: str
    quantity: int


class Units(NamedTuple):
    """Some units of one line and the supplier order that they came from; none: nobody knows."""

    line_id: str
    sku: str
    quantity: int
    number: str | None


class Source(NamedTuple):
    """A supplier order, and what it shipped of a line that has not come back."""

    number: str
    supplier_id: str
    quantity: int


def shipped_from(
    lines: Sequence[LineUnits], said: str | None, bought: Sequence[Bought], before: Iterable[Units]
) -> list[Units]:
    """Where the units of a shipment came from.

    The supplier order that the shipment names, if it holds the item; else the first ones that have units
    left, counting the shipments `before`; units over what was bought go to the last one that held the item,
    or to the only one there is.
    """
    left: dict[tuple[str, str], int] = {(source.number, source.line_id): source.quantity for source in bought}
    for units in before:
        if units.number is not None and (units.number, units.line_id) in left:
            left[units.number, units.line_id] -= units.quantity
    result: list[Units] = []
    for line in lines:
        holders = [source.number for source in bought if source.line_id == line.line_id]
        if said in holders:
            result.append(Units(line.line_id, line.sku, line.quantity, said))
            left[said, line.line_id] -= line.quantity
            continue
        wanted = line.quantity
        for number in holders:
            taken = max(0, min(wanted, left[number, line.line_id]))
            if taken:
                result.append(Units(line.line_id, line.sku, taken, number))
                left[number, line.line_id] -= taken
                wanted -= taken
        if wanted:
            result.append(Units(line.line_id, line.sku, wanted, _likeliest(holders, said, bought)))
    return result


def _likeliest(holders: Sequence[str], said: str | None, bought: Sequence[Bought]) -> str | None:
    if holders:
        return holders[-1]
    numbers = {source.number for source in bought}
    if said in numbers:
        return said
    return numbers.pop() if len(numbers) == 1 else None


class Part(NamedTuple):
    """What one supplier gets back: the first supplier order that it came from, and units of each line."""

    supplier_id: str
    number: str
    units: tuple[Units, ...]

    def quantity_of(self, line_id: str) -> int:
        return sum(units.quantity for units in self.units if units.line_id == line_id)

    @property
    def line_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(units.line_id for units in self.units))

    @property
    def skus(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(units.sku for units in self.units))


def split_by_supplier(lines: Sequence[HasUnits], sources: Mapping[str, Sequence[Source]]) -> list[Part]:
    """One part per supplier, in the order of the lines (RET-2); `sources` by `line_id`, in the order of shipping.

    Raises ValueError when the sources do not have the units.
    """
    units_of: dict[str, list[Units]] = {}
    for line in lines:
        wanted = line.quantity
        for source in sources.get(line.line_id, ()):
            taken = max(0, min(wanted, source.quantity))
            if taken:
                units = Units(line.line_id, line.sku, taken, source.number)
                units_of.setdefault(source.supplier_id, []).append(units)
                wanted -= taken
        if wanted:
            raise ValueError(f"it is not known which supplier shipped {wanted} of {line.sku}")
    return [Part(supplier_id, str(units[0].number), tuple(units)) for supplier_id, units in units_of.items()]
