"""Which lines of an order are meant: named by `line_id`, by `sku`, or, of a kit, by the kit (ORD-13, ORD-14).

Pure. What fits no line, or several, is a ValueError that says which lines there are: nothing is guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from models.ids import LineId
from models.message import LineUnits, Message, Sku, WholeQuantity, folded


class KitPart(Message):
    """The kit whose component a line is: its `line_id` and `sku` in the order, and units of the line per kit."""

    line_id: LineId
    sku: Sku
    each: WholeQuantity


class Nameable(Protocol):
    """A line that can be named: of an order, or of a return."""

    @property
    def line_id(self) -> str: ...

    @property
    def sku(self) -> str: ...

    @property
    def quantity(self) -> int: ...

    @property
    def kit(self) -> KitPart | None: ...


class OfItem(Protocol):
    """Some units of an item."""

    @property
    def sku(self) -> str | None: ...

    @property
    def quantity(self) -> int: ...


class Named(OfItem, Protocol):
    """Something that names a line, and how many units of it."""

    @property
    def line_id(self) -> str | None: ...


class _Target(NamedTuple):
    """What one name may mean: a line, or a kit with all its components; and units per one that is named."""

    line_id: str
    sku: str
    parts: tuple[tuple[Nameable, int], ...]

    def most(self, left: Mapping[str, int]) -> int:
        return min(left.get(line.line_id, 0) // each for line, each in self.parts)

    def units(self, count: int) -> list[LineUnits]:
        return [LineUnits(line_id=line.line_id, sku=line.sku, quantity=count * each) for line, each in self.parts]


def units_of_each(
    named: Iterable[Named],
    lines: Sequence[Nameable],
    *,
    left: Mapping[str, int] | None = None,
    in_order: bool = False,
) -> list[list[LineUnits]]:
    """For each name the lines that it means, with their units.

    `left`: units by `line_id` that can be meant at all; a SKU that fits several lines means those that have some
    left, if that decides it, or all of them where all that is left of it is named. `in_order`: whoever names knows
    items only, so units of one SKU are taken from its lines in their order. That there are enough units is for the
    caller to check. Raises ValueError when a name fits no line, or several.
    """
    targets = _targets(lines)
    known = {line.line_id: line.quantity for line in lines} if left is None else dict(left)
    found: list[list[LineUnits]] = []
    for name in named:
        units = _meant(name, targets, known, decides=left is not None, in_order=in_order)
        for one in units:
            known[one.line_id] = max(0, known.get(one.line_id, 0) - one.quantity)
        found.append(units)
    return found


def units_named(
    named: Iterable[Named],
    lines: Sequence[Nameable],
    *,
    left: Mapping[str, int] | None = None,
    in_order: bool = False,
) -> tuple[LineUnits, ...]:
    """As `units_of_each`, with the units of each line added up, in the order in which they are named."""
    units: dict[str, LineUnits] = {}
    for group in units_of_each(named, lines, left=left, in_order=in_order):
        for one in group:
            before = units.get(one.line_id)
            units[one.line_id] = (
                one if before is None else one.model_copy(update={"quantity": one.quantity + before.quantity})
            )
    return tuple(units.values())


def by_line(units: Iterable[LineUnits]) -> dict[str, int]:
    """Units by `line_id`."""
    return {one.line_id: one.quantity for one in units}


def by_sku(units: Iterable[OfItem]) -> dict[str, int]:
    """Units by SKU, added up: as partners and people know them. Of two spellings the first is taken (ORD-21)."""
    found: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for one in units:
        if one.sku is not None:
            sku = spelled.setdefault(folded(one.sku), one.sku)
            found[sku] = found.get(sku, 0) + one.quantity
    return found


def _targets(lines: Sequence[Nameable]) -> list[_Target]:
    kits: dict[str, list[tuple[Nameable, int]]] = {}
    sku_of_kit: dict[str, str] = {}
    found = []
    for line in lines:
        found.append(_Target(line.line_id, line.sku, ((line, 1),)))
        if line.kit is not None:
            kits.setdefault(line.kit.line_id, []).append((line, line.kit.each))
            sku_of_kit[line.kit.line_id] = line.kit.sku
    return found + [_Target(line_id, sku_of_kit[line_id], tuple(parts)) for line_id, parts in kits.items()]


def _meant(
    name: Named, targets: Sequence[_Target], left: Mapping[str, int], *, decides: bool, in_order: bool
) -> list[LineUnits]:
    fitting = _fitting(name, targets)
    if len(fitting) == 1:
        return fitting[0].units(name.quantity)
    open_ones = [one for one in fitting if one.most(left)] if decides or in_order else fitting
    if len(open_ones) == 1 and decides:
        return open_ones[0].units(name.quantity)
    available = sum(one.most(left) for one in open_ones)
    if open_ones and (in_order or (decides and available == name.quantity)):
        return _spread(name.quantity, open_ones, left)
    candidates = ", ".join(f"line {one.line_id} ({_units_in_words(one)})" for one in fitting)
    raise ValueError(f"{name.sku} stands in several lines: {candidates}; say which by its line_id (ORD-13)")


def _fitting(name: Named, targets: Sequence[_Target]) -> list[_Target]:
    if name.line_id is not None:
        found = [one for one in targets if one.line_id == name.line_id]
        if not found:
            raise ValueError(f"there is no line {name.line_id}, only {_in_words(targets)}")
        if name.sku is not None and folded(name.sku) != folded(found[0].sku):
            raise ValueError(f"line {name.line_id} is {found[0].sku}, not {name.sku} (ORD-13)")
        return found
    assert name.sku is not None, "a line is named by one of both"
    exact = [one for one in targets if one.sku == name.sku]
    found = exact or [one for one in targets if folded(one.sku) == folded(name.sku or "")]
    if not found:
        raise ValueError(f"there is no line {name.sku}, only {_in_words(targets)}")
    return found


def _spread(count: int, targets: Sequence[_Target], left: Mapping[str, int]) -> list[LineUnits]:
    """In the order of the lines; what is over goes to the last one, where it is too much."""
    found: list[LineUnits] = []
    for number, one in enumerate(targets, start=1):
        taken = count if number == len(targets) else min(count, one.most(left))
        if taken:
            found += one.units(taken)
        count -= taken
    return found


_MOST_NAMED: Final = 10


def _in_words(targets: Sequence[_Target]) -> str:
    told = ", ".join(f"line {one.line_id} ({_units_in_words(one)})" for one in targets[:_MOST_NAMED])
    more = f" and {len(targets) - _MOST_NAMED} more" if len(targets) > _MOST_NAMED else ""
    return f"{told}{more}"


def _units_in_words(target: _Target) -> str:
    if len(target.parts) == 1 and target.parts[0][0].line_id == target.line_id:
        return f"{target.parts[0][0].quantity} x {target.sku}"
    return f"kit {target.sku}"


def require_once(units: Iterable[LineUnits]) -> None:
    """Raise ValueError when a line is named twice, be it in two ways."""
    seen: set[str] = set()
    for one in units:
        if one.line_id in seen:
            raise ValueError(f"line {one.line_id} ({one.sku}) is named twice; add up the quantities")
        seen.add(one.line_id)


class Ceased(Protocol):
    """Units, by SKU, that were cancelled or voided, and why."""

    @property
    def quantities(self) -> Mapping[str, int]: ...

    @property
    def reason(self) -> str: ...


def items_of(units: Mapping[str, int]) -> str:
    """Units by SKU, as people write them: `2 x BRK-100, 1 x PAD-7`."""
    return ", ".join(f"{count} x {sku}" for sku, count in units.items())


def reasons_of(ceased: Sequence[Ceased]) -> str:
    """Of several: `2 x A: no warehouse has it; 1 x B: the supplier refused it`."""
    if len(ceased) == 1:
        return ceased[0].reason
    return "; ".join(f"{items_of(one.quantities)}: {one.reason}" for one in ceased)
