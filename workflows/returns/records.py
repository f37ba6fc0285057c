"""What a return records beside the events themselves."""

from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import SerializeAsAny, model_validator

from models import contract
from models.case import OrderStage
from models.ids import CaseId
from models.message import Event, Message
from models.orders import Box
from models.records import LineQuantities, ReceptionRecord
from models.returns import CreditMemo

EVENT_NAMES = {model: name for name, model in contract.RETURN_EVENTS.items()}


class CreditMemoFact(Message):
    """A credit memo, and what became of it."""

    memo: CreditMemo
    state: Literal["new", "booked", "refused"]
    at: datetime


class Receipt(Message):
    """What arrived at once, in groups of units of one condition; a second look takes units from it."""

    event_id: str
    at: datetime
    groups: tuple[ReceptionRecord, ...] = ()


_CUT_SHORT: Final = (OrderStage.STOPPED, OrderStage.TERMINATED)
_NOTHING_MORE: Final = (OrderStage.REFUSED, OrderStage.CANCELLED, OrderStage.VOIDED, OrderStage.SHIPPED)


class Replacement(Message):
    """The order that replaces what comes back, as far as it said how it stands (RET-24)."""

    replacement_id: CaseId
    lines: tuple[LineQuantities, ...]
    at: datetime
    """When it was ordered."""
    with_supplier: bool = False
    parcels: tuple[Box, ...] = ()
    cancel_refused: bool = False
    """It was given up when it could not be cancelled any more (CAN-2)."""
    outcome: str | None = None
    reason: str = ""
    abandoned: bool = False
    """It was given up when its order had ended, whatever became of that."""

    @property
    def open(self) -> int:
        """Units that are neither sent nor cancelled or voided."""
        return sum(line.open for line in self.lines)

    @property
    def is_over(self) -> bool:
        """What is open is never sent."""
        stopped = self.outcome == OrderStage.STOPPED and not self.with_supplier
        return stopped or self.abandoned or self.outcome in _NOTHING_MORE

    @property
    def is_cut_short(self) -> bool:
        """Its order was stopped or terminated, and nobody here knows whether what is open goes out."""
        return self.outcome in _CUT_SHORT and self.open > 0 and not self.is_over

    def counts_of(self, line_id: str) -> LineQuantities | None:
        return next((one for one in self.lines if one.line_id == line_id), None)


class Waiver(Message):
    """Staff do without something, and why."""

    at: datetime
    reason: str


class Expiry(Message):
    """The return expired without a tracking number (RET-10)."""

    missed: datetime
    at: datetime


class SlaNotice(Message):
    """People were told how many days are left until this due date; 0: it is breached (RET-13)."""

    due: datetime
    days_before: int
    at: datetime


class EarlyEvent(Message):
    """An event that came before it was known what the return has: it is judged again when it opens (RET-16).

    By the name it is read again from JSON.
    """

    name: str
    event: SerializeAsAny[Event]

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(name=EVENT_NAMES[type(event)], event=event)

    @model_validator(mode="before")
    @classmethod
    def _read_by_name(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("event"), dict):
            return data | {"event": contract.RETURN_EVENTS[data["name"]].model_validate(data["event"])}
        return data
