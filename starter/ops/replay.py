"""Before a deploy: would the code at hand go on with the cases that are open on a server?"""

import dataclasses
import re
from collections.abc import AsyncIterator, Sequence
from typing import Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer

from models.contract import ORDER, REFUND, RETURN
from models.encryption import KeyMissing
from models.message import Message
from starter.client.start import failure_of
from workflows.registry import WORKFLOWS
from workflows.runner import workflow_runner

OPEN_CASES = f'ExecutionStatus="Running" AND WorkflowType IN ("{ORDER}", "{RETURN}", "{REFUND}")'

_ENDS: Final = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
)

_SAID: Final = re.compile(r'message: "((?:[^"\\]|\\.)*)"')
_NONDETERMINISM: Final = re.compile(r"Nondeterminism error: (.*)", re.DOTALL)
_OTHER_ACTIVITY: Final = re.compile(r"scheduled event '([^']+)' does not match .* command '([^']+)'")
_EVENT: Final = re.compile(r"HistoryEvent\(id: (\d+), \w+\)")
_ERROR_TYPE: Final = re.compile(r'r#type: "(\w+)"')


class Replayed(Message):
    """One open case; `broken_by` says why this code can't go on with it, `unread_for` why that is not known;
    neither: it can."""

    workflow_id: str
    run_id: str
    broken_by: str | None = None
    unread_for: str | None = None


async def replay_open_cases(client: Client) -> AsyncIterator[Replayed]:
    """Replay each open case of the server on the code at hand; nothing is changed there.

    Replay sees commands: another activity, another order, one more or less. It does not see a changed argument,
    nor a duration that is shorter. Raises PartnerUnavailable when the server does not answer.
    """
    keys = _MissingKeys(client.data_converter.payload_codec)
    replayer = Replayer(
        workflows=WORKFLOWS,
        namespace=client.namespace,
        data_converter=dataclasses.replace(client.data_converter, payload_codec=keys),
        workflow_runner=workflow_runner("on"),
        runtime=_without_warnings(),
    )
    try:
        async with replayer.workflow_replay_iterator(_open_histories(client)) as results:
            async for result in results:
                history, failure, missing = result.history, result.replay_failure, keys.take()
                yield Replayed(
                    workflow_id=history.workflow_id,
                    run_id=history.run_id,
                    broken_by=None if failure is None or missing else _in_words(failure, history.events),
                    unread_for=str(missing) if missing else None,
                )
    except RPCError as error:
        raise failure_of(error, "the open cases could not be replayed") from None


async def _open_histories(client: Client) -> AsyncIterator[WorkflowHistory]:
    """Of each open case; one that has ended since it was listed is not open any more."""
    async for case in client.list_workflows(OPEN_CASES):
        try:
            history = await client.get_workflow_handle(case.id, run_id=case.run_id).fetch_history()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                continue
            raise
        if history.events[-1].event_type not in _ENDS:
            yield history


class _MissingKeys(PayloadCodec):
    """Decrypts as the client does, and remembers which key it did not have."""

    def __init__(self, codec: PayloadCodec | None) -> None:
        self._codec = codec
        self._missing: KeyMissing | None = None

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self._codec.encode(payloads) if self._codec else list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        try:
            return await self._codec.decode(payloads) if self._codec else list(payloads)
        except KeyMissing as error:
            self._missing = error
            raise

    def take(self) -> KeyMissing | None:
        """What was missing since it was asked for the last time."""
        missing, self._missing = self._missing, None
        return missing


def _without_warnings() -> Runtime:
    """The SDK would write each failure to standard output, as it looks inside, and with what was sent."""
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet)))


def _in_words(failure: Exception, events: Sequence[HistoryEvent]) -> str:
    """What the history has, and what this code does instead; never what was sent, which may be personal."""
    quoted = _SAID.search(str(failure))
    said = quoted.group(1).replace('\\"', '"').replace("\\'", "'") if quoted else str(failure)
    differs = _NONDETERMINISM.search(said)
    if differs is None:
        kind = _ERROR_TYPE.search(str(failure))
        return f"this code fails on its history ({kind.group(1) if kind else type(failure).__name__})"
    if other := _OTHER_ACTIVITY.search(differs.group(1)):
        return f"its history calls {other.group(1)} where this code calls {other.group(2)}"
    if place := _EVENT.search(differs.group(1)):
        number = int(place.group(1))
        event = next((one for one in events if one.event_id == number), None)
        if event is not None:
            return f"its history {_did(event)} (event {number}) where this code does something else, or nothing"
    return differs.group(1).strip()[:300]


def _did(event: HistoryEvent) -> str:
    """What a case did, by the event that wrote it down."""
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            return f"calls {event.activity_task_scheduled_event_attributes.activity_type.name}"
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            child = event.start_child_workflow_execution_initiated_event_attributes
            return f"starts {child.workflow_type.name} {child.workflow_id}"
        case EventType.EVENT_TYPE_TIMER_STARTED:
            return "starts a timer"
        case _:
            name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
            return f"has {name.lower().replace('_', ' ')}"
