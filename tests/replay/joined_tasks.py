"""A recorded history whose empty tasks are joined with the tasks after them.

The server packs what happens into tasks as it comes, and a replay may hand over as one what a live worker got one
after the other: a task that decided nothing, and its successor. A case must decide the same in both.
"""

import json
from typing import Any, Final

from temporalio.client import WorkflowHistory

_TASK: Final = tuple(f"EVENT_TYPE_WORKFLOW_TASK_{what}" for what in ("SCHEDULED", "STARTED", "COMPLETED"))


def joined(history: WorkflowHistory) -> tuple[WorkflowHistory, int]:
    """The same history without its empty tasks, and how many those were."""
    events: list[dict[str, Any]] = json.loads(history.to_json())["events"]
    kept: list[dict[str, Any]] = []
    count = at = 0
    while at < len(events):
        if _is_empty_task(events, at):
            count, at = count + 1, at + len(_TASK)
        else:
            kept.append(events[at])
            at += 1
    known = {event["eventId"]: str(number) for number, event in enumerate(kept, start=1)}
    renumbered = [_renumbered(event, known) for event in kept]
    return WorkflowHistory.from_json(history.workflow_id, {"events": renumbered}), count


def _is_empty_task(events: list[dict[str, Any]], at: int) -> bool:
    """Whether a task begins here that decided nothing; the last one of a history has no successor."""
    types = tuple(event["eventType"] for event in events[at : at + len(_TASK)])
    if types != _TASK or at + len(_TASK) >= len(events):
        return False
    completed, after = events[at + 2]["eventId"], events[at + len(_TASK)]
    # What becomes of an update names no task: it comes right after its own.
    return _decided_by(after) != completed and "_WORKFLOW_EXECUTION_UPDATE_" not in after["eventType"]


def _decided_by(event: dict[str, Any]) -> str | None:
    """The task whose decision the event is."""
    for name, attributes in event.items():
        if name.endswith("EventAttributes"):
            found: str | None = attributes.get("workflowTaskCompletedEventId")
            return found
    return None


def _renumbered(value: Any, known: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renumbered(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: known.get(one, one) if _is_number(name, one) else _renumbered(one, known)
        for name, one in value.items()
    }


def _is_number(name: str, value: Any) -> bool:
    return (name == "eventId" or name.endswith("EventId")) and isinstance(value, str) and value.isdigit()
