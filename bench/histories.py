"""What a history costs: billable actions, events, bytes; and each action by the name that people see."""

import json
from collections import Counter
from typing import Final

from pydantic import BaseModel
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory

DEFINITION: Final = (
    "A billable action is counted from the histories of a case and of the children it starts: a start, each "
    "signal, each update accepted, each try of an activity, each timer started, each child (its request in the "
    "parent's history; its own start counts again), each upsert of search attributes (but for those that the SDK "
    "makes for versions), each signal to another workflow, each continue-as-new. Queries and heartbeats leave no "
    "event: the happy cases have none."
)

_VERSIONS: Final = "TemporalChangeVersion"


class Action(BaseModel):
    """One billable action: what kind, the name in the code, and what people read of it in the UI."""

    kind: str
    name: str
    says: str = ""


class Cost(BaseModel):
    """What one workflow cost the server."""

    workflow_id: str
    events: int
    history_bytes: int
    workflow_tasks: int
    actions: list[Action]
    statements: int = 0

    @property
    def kinds(self) -> Counter[str]:
        return Counter(action.kind for action in self.actions)


async def history_of(client: Client, workflow_id: str) -> WorkflowHistory:
    return await client.get_workflow_handle(workflow_id).fetch_history()


async def costs_of(client: Client, workflow_id: str) -> list[Cost]:
    """Of a case, and of every child that it started."""
    history = await history_of(client, workflow_id)
    costs = [cost_of(history)]
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            started = event.start_child_workflow_execution_initiated_event_attributes
            costs += await costs_of(client, started.workflow_id)
    return costs


def cost_of(history: WorkflowHistory) -> Cost:
    """Of one history."""
    events = history.events
    tries = _retries(events)
    actions = [action for event in events for action in _actions(event, tries)]
    return Cost(
        workflow_id=history.workflow_id,
        events=len(events),
        history_bytes=sum(event.ByteSize() for event in events),
        workflow_tasks=sum(event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED for event in events),
        actions=actions,
    )


def _retries(events: object) -> dict[int, int]:
    """How many tries an activity took, by the event that scheduled it."""
    found: dict[int, int] = {}
    for event in events:  # type: ignore[attr-defined]
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            found[started.scheduled_event_id] = started.attempt
    return found


def _actions(event: HistoryEvent, tries: dict[int, int]) -> list[Action]:
    says = _summary(event)
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            if started.continued_execution_run_id:
                return []
            return [Action(kind="start", name=started.workflow_type.name, says=says)]
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            return [Action(kind="signal", name=event.workflow_execution_signaled_event_attributes.signal_name)]
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            asked = event.workflow_execution_update_accepted_event_attributes.accepted_request
            return [Action(kind="update", name=asked.input.name)]
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            return [Action(kind="activity", name=name, says=says)] * max(1, tries.get(event.event_id, 1))
        case EventType.EVENT_TYPE_TIMER_STARTED:
            length = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            return [Action(kind="timer", name=str(length), says=says)]
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            child = event.start_child_workflow_execution_initiated_event_attributes
            return [Action(kind="child", name=child.workflow_type.name, says=says)]
        case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            sent = event.signal_external_workflow_execution_initiated_event_attributes
            return [Action(kind="signal to another", name=sent.signal_name)]
        case EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            changed = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
            if _VERSIONS in changed:
                return []
            values = (
                f"{name}={json.loads(value.data) if value.data else 'none'}"
                for name, value in sorted(changed.items())
            )
            return [Action(kind="upsert", name="search attributes", says=", ".join(values))]
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return [Action(kind="continue-as-new", name="")]
    return []


def _summary(event: HistoryEvent) -> str:
    data = event.user_metadata.summary.data
    return str(json.loads(data)) if data else ""
