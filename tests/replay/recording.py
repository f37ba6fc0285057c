"""Histories on disk, and what of a history is a decision of the workflow's code."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from tests.world import CaseStory

HISTORIES = Path(__file__).parent / "histories"
STACK = re.compile(r'"stackTrace": "(?:[^"\\]|\\.)*"')
"""Of a failure: it names the folders of whoever recorded it, and decides nothing."""


def recorded(path: str, folder: Path = HISTORIES) -> list[Path]:
    """All recordings of a path, oldest first: one is kept as long as a case may still run on it."""
    return sorted(folder.glob(f"{path}.*.json"), key=_age_and_place)


def newest(path: str, folder: Path = HISTORIES) -> list[Path]:
    """The last recording of a path: one file for each of its cases; none, if it was never recorded."""
    files = recorded(path, folder)
    return [file for file in files if _age_and_place(file)[0] == _age_and_place(files[-1])[0]]


def _age_and_place(file: Path) -> tuple[int, int]:
    """`<path>.<n>-<place>-<kind>.json`: by number, as 10 comes after 9."""
    number, place, _ = file.name.split(".")[1].split("-")
    return int(number), int(place)


async def record(path: str, cases: list[CaseStory]) -> list[Path]:
    """Write the histories of a path's cases beside those that are there already; none is replaced."""
    HISTORIES.mkdir(exist_ok=True)
    number = 1 + max((_age_and_place(file)[0] for file in recorded(path)), default=0)
    files: list[Path] = []
    for place, case in enumerate(cases, start=1):
        kind = case.handle.id.partition("-")[0]
        file = HISTORIES / f"{path}.{number}-{place}-{kind}.json"
        history = await case.handle.fetch_history()
        file.write_text(STACK.sub('"stackTrace": ""', history.to_json()) + "\n", encoding="utf-8")
        files.append(file)
    return files


def history_in(file: Path) -> WorkflowHistory:
    """A recorded history, for the Replayer."""
    return WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))


async def decided(cases: list[CaseStory]) -> list[Counter[str]]:
    """What the code at hand decided in each of these cases."""
    return [decisions((await case.handle.fetch_history()).events) for case in cases]


def assert_decides_as_recorded(path: str, live: list[Counter[str]]) -> None:
    """AssertionError when the code decided otherwise than in the path's newest recording, or there is none."""
    known = [decisions(history_in(file).events) for file in newest(path)]
    assert known, f"{path} has no recorded history: run `make histories`"
    assert live == known, f"{path} decides otherwise than recorded: patch the change, then run `make histories`"


def decisions(events: Iterable[HistoryEvent]) -> Counter[str]:
    """How often the code called which activity, started or told which case, took which patch.

    Timers, search attributes, mails and what only brings the books up to date are left out: their number depends
    on the moment.
    """
    found = commands(events)
    return Counter({command: times for command, times in found.items() if not _depends_on_the_moment(command)})


def commands(events: Iterable[HistoryEvent]) -> Counter[str]:
    """The same with mails and what brings the books up to date: `activity ...`, `child ...`, `patch ...`."""
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
            marker = event.marker_recorded_event_attributes
            return _marker(marker.marker_name, {name: p.payloads[0].data for name, p in marker.details.items()})
        case _:
            return None


def _marker(name: str, details: dict[str, bytes]) -> str:
    if name == "core_patch":
        return f"patch {json.loads(details['patch-data'])['id']}"
    if name == "core_local_activity":
        return f"local activity {json.loads(details['data'])['activity_type']}"
    return f"marker {name}"


def _depends_on_the_moment(command: str) -> bool:
    kind, _, name = command.rpartition(" ")
    return kind.endswith("activity") and (name == "send_mail" or name.startswith("save_"))
