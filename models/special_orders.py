"""What the seller makes of units that nobody had: bought elsewhere, a special order, or cancelled (ORD-8)."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from models.ids import CaseId
from models.message import Event, Message, Number, Quantity, Text, require_distinct_names

_Units = Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=500)]


class Choice(StrEnum):
    """What the seller chooses after a void."""

    SOURCE_ELSEWHERE = "source_elsewhere"
    """It buys the units itself, and may claim their cost (CLM-1)."""
    SPECIAL_ORDER = "special_order"
    """The buyer waits until stock arrives."""
    CANCEL = "cancel"
    """It cancels with the buyer."""


class ChoiceAfterVoid(Event):
    """What becomes of voided units that nothing was chosen for yet. An eBay order needs the buyer's official
    request to be cancelled (CAN-5)."""

    choice: Choice
    lines: _Units | None = None
    """None: all of them; `cancel` is for all of them."""
    reason: Text | None = None
    """Of a cancellation."""
    channel_reference: Number | None = None
    """The buyer's cancellation request at eBay (CAN-5)."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        require_distinct_names(self.lines or ())
        if self.choice is Choice.CANCEL and self.lines is not None:
            raise ValueError("cancel is for all that was voided: leave out lines (ORD-8)")
        return self


class StockArrived(Event):
    """What a special order waits for is in stock: it is charged anew and bought (ORD-8)."""

    lines: _Units | None = None
    """None: all that waits."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        require_distinct_names(self.lines or ())
        return self


class CheckSpecialOrder(Message):
    """Whether these units, by `line_id`, may wait: the database has them as open again already."""

    order_id: CaseId
    units: dict[str, int]


class SpecialOrderChecked(Message):
    """`reason`: why they can't wait; none: they can."""

    reason: str | None = None
