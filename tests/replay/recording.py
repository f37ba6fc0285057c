"""Histories on disk, and what of a history is a decision of the workflow's code."""

import json
from collections import Counter
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.world import CaseStory

HISTORIES = Path(__file__).parent / "histories"


def recorded(path: str) -> list[Path]:
    """All recordings of a path, by name: an old one is kept as long as a case may still run on it."""
    return sorted(HISTORIES.glob(f"{path}.*.json"))


async def record(path: str, cases: list[CaseStory]) -> list[Path]:
    """Write the histories of a path's cases beside those that are there already; none is replaced."""
    HISTORIES.mkdir(exist_ok=True)
    number = 1 + max((int(file.name.split(".")[1].split("-")[0]) for file in recorded(path)), default=0)
    files: list[Path] = []
    for place, case in enumerate(cases, start=1):
        kind = case.handle.id.partition("-")[0]
        file = HISTORIES / f"{path}.{number}-{place}-{kind}.json"
        history = await case.handle.fetch_history()
        file.write_text(history.to_json() + "\n", encoding="utf-8")
        files.append(file)
    return files


def history_in(file: Path) -> WorkflowHistory:
    """A recorded history, for the Replayer."""
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


def decisions(events: list[HistoryEvent]) -> Counter[str]:
    """How often the code called which activity, started which case, took which patch.

    Timers, search attributes, mails and what only brings the books up to date are left out: their number depends
    on the moment.
    """
    found = (_decision(event) for event in events)
    return Counter(decision for decision in found if decision is not None)


def _decision(event: HistoryEvent) -> str | None:
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            return None if _depends_on_the_moment(name) else f"activity {name}"
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            child = event.start_child_workflow_execution_initiated_event_attributes
            return f"child {child.workflow_type.name}"
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            marker = event.marker_recorded_event_attributes
            return _marker(marker.marker_name, {name: p.payloads[0].data for name, p in marker.details.items()})
        case _:
            return None


def _marker(name: str, details: dict[str, bytes]) -> str | None:
    if name == "core_patch":
        return f"patch {details['patch-data'].decode()}"
    if name == "core_local_activity":
        activity = json.loads(details["data"])["activity_type"]
        return None if _depends_on_the_moment(activity) else f"local activity {activity}"
    return f"marker {name}"


def _depends_on_the_moment(activity: str) -> bool:
    return activity == "send_mail" or activity.startswith("save_")
