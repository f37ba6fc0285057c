"""Histories on disk, and what of a history is a decision of the workflow's code.

    tests/replay/histories/<release>/<path>.<place>-<kind>.json

Each file is one line. `unreleased` has what the code of today records; `tests.replay.releases` gives it a name.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.case_story import CaseStory

HISTORIES: Final = Path(__file__).parent / "histories"
UNRELEASED: Final = "unreleased"

Recorded = CaseStory | WorkflowHistory
"""A case, whose history is read when its path has been told; or a history that the path has read itself."""


# ---- on disk ----


def all_recordings(folder: Path = HISTORIES) -> list[Path]:
    """Of every release: each is kept as long as a case may still run on it."""
    return sorted(folder.glob("*/*.json"))


def recordings_of(path: str, release: str = UNRELEASED, folder: Path = HISTORIES) -> list[Path]:
    """One file for each case of the path, in their order; none: this release recorded nothing new."""
    return sorted((folder / release).glob(f"{path}.*.json"), key=_place)


def _place(file: Path) -> int:
    """`<path>.<place>-<kind>.json`: by number, as 10 comes after 9."""
    return int(file.name.split(".")[1].partition("-")[0])


def newest(path: str, folder: Path = HISTORIES) -> list[Path]:
    """The last recording of a path: of this release, or of the last one that recorded it."""
    released = sorted((one.name for one in folder.glob("*") if one.name != UNRELEASED), key=_version, reverse=True)
    for release in (UNRELEASED, *released):
        if files := recordings_of(path, release, folder):
            return files
    return []


def _version(release: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", release)]


async def history_of(case: Recorded) -> WorkflowHistory:
    return case if isinstance(case, WorkflowHistory) else await case.handle.fetch_history()


def write(path: str, histories: Sequence[WorkflowHistory], folder: Path = HISTORIES) -> list[Path]:
    """Write what is recorded of a path now, in place of what this release had of it."""
    for file in recordings_of(path, folder=folder):
        file.unlink()
    (folder / UNRELEASED).mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    for place, history in enumerate(histories, start=1):
        kind = history.workflow_id.partition("-")[0]
        file = folder / UNRELEASED / f"{path}.{place}-{kind}.json"
        file.write_text(in_one_line(history), encoding="utf-8")
        files.append(file)
    return files


def in_one_line(history: WorkflowHistory) -> str:
    """JSON without what names the machine and the folders of whoever recorded it; that decides nothing."""
    return json.dumps(_without_places(json.loads(history.to_json())), separators=(",", ":")) + "\n"


def _without_places(value: Any) -> Any:
    match value:
        case dict():
            kept = {name: _without_places(inner) for name, inner in value.items() if name != "stackTrace"}
            return kept | ({"identity": "worker"} if "identity" in kept else {})
        case list():
            return [_without_places(inner) for inner in value]
        case _:
            return value


def history_in(file: Path) -> WorkflowHistory:
    """A recorded history, for the Replayer, under the id of its workflow."""
    written = json.loads(file.read_text(encoding="utf-8"))
    workflow_id = written["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    return WorkflowHistory.from_json(workflow_id, written)


# ---- what was decided ----


def assert_decides_as_recorded(path: str, live: Sequence[WorkflowHistory]) -> None:
    """AssertionError when the code decided otherwise than in the path's newest recording, or there is none."""
    known = [decisions(history_in(file).events) for file in newest(path)]
    assert known, f"{path} has no recorded history: run `make histories`"
    decided = [decisions(history.events) for history in live]
    assert decided == known, (
        f"{path} decides otherwise than recorded: run `make histories`, and look whether it may"
    )


def decides_as_recorded(path: str, live: Sequence[WorkflowHistory]) -> bool:
    known = [decisions(history_in(file).events) for file in newest(path)]
    return known == [decisions(history.events) for history in live]


def decisions(events: Iterable[HistoryEvent]) -> Counter[str]:
    """How often the code called which activity, started or told which case, and continued as new.

    Timers, search attributes, mails, saves and looks at a refund that an earlier run began are left out: their
    number depends on the moment.
    """
    found = commands(events)
    return Counter({command: times for command, times in found.items() if not _depends_on_the_moment(command)})


def commands(events: Iterable[HistoryEvent]) -> Counter[str]:
    """The same with mails and saves: `activity ...`, `child ...`, `signal ...`, `continued as new`."""
    found = (_command(event) for event in events)
    return Counter(command for command in found if command is not None)


def _command(event: HistoryEvent) -> str | None:
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            return f"activity {event.activity_task_scheduled_event_attributes.activity_type.name}"
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            child = event.start_child_workflow_execution_initiated_event_attributes
            return f"child {child.workflow_type.name}"
        case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            told = event.signal_external_workflow_execution_initiated_event_attributes
            return f"signal {told.signal_name}"
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return "continued as new"
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            return f"marker {event.marker_recorded_event_attributes.marker_name}"
        case _:
            return None


def _depends_on_the_moment(command: str) -> bool:
    kind, _, name = command.rpartition(" ")
    return kind == "activity" and (name in ("send_mail", "refund_outcome") or name.startswith("save_"))
