"""What the models of lines have in common: one item in two lines, and a kit (ORD-13, ORD-14). Money in cents."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """A line inside: an item that is bought, shipped and returned by itself, or a component of a kit."""

    line_id: str
    sku: str
    quantity: int
    paid: int
    cost: int
    """In cents, for all of its units."""
    in_kit: int = 0
    """Units in one kit; 0: it is no component."""


SOLD = (("1", "A", 2, "50.01", "31.51"), ("2", "A", 1, "40.00", "20.01"), ("3", "KIT", 2, "30.01", "20.03"))
"""As they are sold: `line_id`, SKU, how many, price and cost of one."""
COMPONENTS = (("B", 1, "7.00"), ("C", 2, "4.00"))
"""Of the kit: SKU, units in one kit, cost of one. By these costs, 7 to 8, its money is shared out: of 60.02 the
first gets 28.01, of 40.06 it gets 18.69."""
ITEMS = (
    Item("1", "A", 2, 10_002, 6_302),
    Item("2", "A", 1, 4_000, 2_001),
    Item("3.1", "B", 2, 2_801, 1_869, in_kit=1),
    Item("3.2", "C", 4, 3_201, 2_137, in_kit=2),
)
KIT, KIT_SKU = "3", "KIT"

Units = tuple[int, ...]
"""Of each item, in their order."""
NOTHING: Units = tuple(0 for _ in ITEMS)
EVERYTHING: Units = tuple(one.quantity for one in ITEMS)


def plus(one: Units, other: Units) -> Units:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def minus(one: Units, other: Units) -> Units:
    return tuple(a - b for a, b in zip(one, other, strict=True))


def fits(some: Units, most: Units) -> bool:
    return all(a <= b for a, b in zip(some, most, strict=True))


def worth(total: int, quantity: int, first: int, last: int) -> int:
    """Cents of the units from `first` up to `last`: each gets the same, and the first ones the cents left over."""
    each, more = divmod(total, quantity)
    return sum(each + (unit < more) for unit in range(first, last))


def targets() -> dict[str, tuple[str, Units]]:
    """What can be named, by its `line_id`: its SKU, and what one of it is."""
    found: dict[str, tuple[str, Units]] = {}
    for place, item in enumerate(ITEMS):
        found[item.line_id] = (item.sku, tuple(int(place == at) for at in range(len(ITEMS))))
    found[KIT] = (KIT_SKU, tuple(item.in_kit for item in ITEMS))
    return found


TARGETS: Mapping[str, tuple[str, Units]] = targets()


def meant(name: str, count: int, left: Units, *, knows_items_only: bool) -> Units | None:
    """The units that are named by `line_id` or by SKU; none: that fits no line, or several (ORD-13).

    A SKU that stands in several lines means the one that has units left, or all that is left of it; who knows
    items only (a warehouse) means them in their order.
    """
    if name in TARGETS:
        return tuple(count * each for each in TARGETS[name][1])
    fitting = [one for sku, one in TARGETS.values() if sku == name]
    if len(fitting) == 1:
        return tuple(count * each for each in fitting[0])
    most = {one: min(there // each for there, each in zip(left, one, strict=True) if each) for one in fitting}
    open_ones = [one for one in fitting if most[one]]
    if not open_ones:
        return None
    if len(open_ones) > 1 and not knows_items_only and count != sum(most[one] for one in open_ones):
        return None
    units = NOTHING
    for number, one in enumerate(open_ones, start=1):
        taken = count if number == len(open_ones) else min(count, most[one])
        units = plus(units, tuple(taken * each for each in one))
        count -= taken
    return units
