"""The lines of an order: as they are sold, and, kits taken apart, as they are bought and shipped (ORD-13, 14)."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from models.ids import MOST_CHARACTERS, LineId, component_line_id
from models.message import Message, Sku, Text, WholeQuantity
from models.money import Amount, NonNegativeAmount
from models.naming import KitPart


class Component(Message):
    """One item of a kit. `quantity` is per kit; `unit_cost`, if known, shares the kit's money out (ORD-14)."""

    sku: Sku
    title: Text
    quantity: WholeQuantity
    unit_cost: NonNegativeAmount | None = None
    """In the currency of the broker's charge; it only weighs, the kit's own cost is charged."""
    weight: NonNegativeAmount | None = None
    """Of one, in kilograms: a note for people."""


class OrderLine(Message):
    """One line of an order. Prices are per unit, tax and discount for the whole line; a core charge is part of the
    price (ORD-12, ORD-16). With `components` it is a kit (ORD-14)."""

    line_id: LineId | None = None
    """Unique in the order; unless said, the line's position: 1, 2, ... (ORD-13)."""
    sku: Sku
    title: Text
    quantity: WholeQuantity
    unit_price: NonNegativeAmount
    """What the buyer paid for one, in the currency of the payment, core charge included."""
    unit_cost: NonNegativeAmount
    """What the broker charges the seller for one, core charge included."""
    core_charge: NonNegativeAmount | None = None
    """How much of the unit price is core charge: a note for people, never added to anything."""
    tax: NonNegativeAmount = Decimal(0)
    """Of this line alone, for all its units."""
    discount: NonNegativeAmount = Decimal(0)
    """Of this line alone, for all its units."""
    components: Annotated[tuple[Component, ...], Field(max_length=100)] = ()

    @model_validator(mode="after")
    def _core_charge_is_part_of_the_price(self) -> Self:
        if self.core_charge is not None and self.core_charge > self.unit_price:
            raise ValueError("core_charge is part of unit_price and can't be higher (ORD-12)")
        return self

    @model_validator(mode="after")
    def _components_have_room(self) -> Self:
        if self.components and len(self.line_id or "") > MOST_CHARACTERS:
            raise ValueError(f"the line_id of a kit has at most {MOST_CHARACTERS} characters (ORD-14)")
        return self

    @property
    def value(self) -> Decimal:
        """Product without tax, after the line's own discount."""
        return self.unit_price * self.quantity - self.discount


class AdjustmentKind(StrEnum):
    """What was paid beside goods and shipping."""

    ROUNDING = "rounding"
    FEE = "fee"
    TIP = "tip"
    OTHER = "other"


class Adjustment(Message):
    """Part of what was paid that belongs to no line, and that no return touches (ORD-16)."""

    kind: AdjustmentKind
    amount: Amount
    """In the currency of the payment; may be negative."""
    note: Text | None = None


class ItemLine(NamedTuple):
    """A line inside: an item that is bought, shipped and returned; a kit's components are a line each.

    `position`: of the line of the request that it belongs to, from 0.
    """

    line_id: str
    sku: str
    title: str
    quantity: int
    unit_cost: Decimal
    kit: KitPart | None
    position: int


def item_lines(lines: Sequence[OrderLine]) -> tuple[ItemLine, ...]:
    """The lines inside, in their order; kits become their components (ORD-14)."""
    found: list[ItemLine] = []
    for position, line in enumerate(lines):
        line_id = line.line_id or str(position + 1)
        if not line.components:
            found.append(ItemLine(line_id, line.sku, line.title, line.quantity, line.unit_cost, None, position))
        for ordinal, part in enumerate(line.components, start=1):
            found.append(
                ItemLine(
                    component_line_id(line_id, ordinal),
                    part.sku,
                    part.title,
                    line.quantity * part.quantity,
                    part.unit_cost or Decimal(0),
                    KitPart(line_id=line_id, sku=line.sku, each=part.quantity),
                    position,
                )
            )
    return tuple(found)


def component_weights(line: OrderLine) -> list[Decimal]:
    """How a kit's money is shared out over its components: by cost, equally where one is not known (ORD-14)."""
    costs = [part.unit_cost for part in line.components]
    if any(cost is None for cost in costs):
        return [Decimal(1)] * len(costs)
    return [(part.unit_cost or Decimal(0)) * part.quantity for part in line.components]
