"""When the server recorded an event: what decides a race with the cancel window (CAN-3)."""

from models.cancellations import CancelRequest
from models.message import Message


class AskArrival(Message):
    """When did the server record this event of this order? (CAN-3)"""

    workflow_id: str
    run_id: str
    event_name: str
    event_id: str
    event: CancelRequest | None = None
    """The whole event as it was counted; none: any of that id."""


class Arrival(Message):
    """RFC 3339; none: the history does not have it."""

    at: str | None = None
