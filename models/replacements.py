"""A replacement: the order that a return starts in place of a refund (RET-24)."""

from typing import Final

from models.ids import CaseId, ReturnId
from models.message import LineUnits, Message
from models.orders import Box, OrderRequest
from models.records import LineQuantities

GIVEN_UP: Final = "given-up-by-its-return"
"""The `event_id` of the cancel request by which a return gives its replacement up: one return, one request."""


class PrepareReplacement(Message):
    """What the replacement of these units is: the lines of their order, as they were bought then."""

    return_id: ReturnId
    replacement_id: CaseId
    lines: tuple[LineUnits, ...]


class ReplacementNews(Message):
    """How a replacement stands: its order says it, whole, whenever that changes. What it says never becomes less:
    two of them, in any order, are as good as the later one."""

    replacement_id: CaseId
    lines: tuple[LineQuantities, ...] = ()
    """Of each line, what became of its units; none while the order has said nothing."""
    with_supplier: bool = False
    parcels: tuple[Box, ...] = ()
    cancel_refused: bool = False
    """Its return gave it up, and that came too late (CAN-2)."""
    outcome: str | None = None
    """How the order ended."""
    reason: str = ""
    """Why units came to nothing, or why the order was refused."""


class PreparedReplacement(Message):
    """`request`: the order to start; `known`: it is there already, and stands so; else `reason` says why not."""

    request: OrderRequest | None = None
    known: ReplacementNews | None = None
    reason: str = ""
