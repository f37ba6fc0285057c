"""When did an event reach the server? Only the case's own history knows (CAN-3).

A handler sees the worker's clock, and `occurred_at` is what the sender claims; neither decides a race.
"""

from datetime import UTC
from typing import Any

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.contract import ORDER_EVENTS
from models.encryption import KeyMissing
from models.event_times import Arrival, AskArrival
from models.message import Event


class Arrivals:
    """Reads histories with the worker's own client, whose converter also decrypts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @activity.defn(name="event_arrival")
    async def event_arrival(self, ask: AskArrival) -> Arrival:
        """The server's time of the first signal or update of that name that could be this event.

        RFC 3339 in UTC, to the microsecond; none when the history does not have it. For an update it is
        the time of its acceptance: before that, the server has not recorded it.
        """
        handle = self._client.get_workflow_handle(ask.workflow_id, run_id=ask.run_id)
        try:
            async for event in handle.fetch_history_events():
                payloads = _payloads(event, ask.event_name)
                if payloads and await self._is_it(payloads, ask):
                    moment = event.event_time.ToDatetime(tzinfo=UTC)
                    return Arrival(at=moment.isoformat(timespec="microseconds"))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
        return Arrival()

    async def _is_it(self, payloads: list[Payload], ask: AskArrival) -> bool:
        """Whether this was sent: an earlier one of the same id may have been refused, and the mended one counts
        from its own arrival."""
        sent = await self._read(payloads, ORDER_EVENTS[ask.event_name])
        if sent is None or sent.event_id != ask.event_id.strip():
            return False
        return ask.event is None or sent == ask.event

    async def _read(self, payloads: list[Payload], model: type[Event]) -> Event | None:
        """The event in what was sent; none if the inbox refused it as none."""
        if len(payloads) != 1:
            return None
        try:
            values: list[Any] = await self._client.data_converter.decode(payloads)
            return model.at_the_door(values[0]) if len(values) == 1 else None
        except KeyMissing:
            raise  # it may be the very event: ask again when the key is there
        except Exception as error:
            # Anybody can send anything: what can't be read is not the event that is looked for.
            activity.logger.info("an event's payload can't be read (%s)", type(error).__name__)
            return None


def _payloads(event: HistoryEvent, name: str) -> list[Payload]:
    """What the sender of this event sent, if it is a signal or update of that name."""
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
        signal = event.workflow_execution_signaled_event_attributes
        return list(signal.input.payloads) if signal.signal_name == name else []
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        update = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        return list(update.args.payloads) if update.name == name else []
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
        update = event.workflow_execution_update_admitted_event_attributes.request.input
        return list(update.args.payloads) if update.name == name else []
    return []
