"""The recordings on disk: each replays on the code at hand, and nothing that a case can do is missing in them."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.client import WorkflowHistory

from models.calls import CALLS
from models.contract import (
    CHANNEL_BATCH,
    CLAIM,
    COST_REVIEW,
    KINDS,
    ORDER,
    ORPHAN,
    REFUND,
    REPORT_IMPORT,
    RETURN,
)
from models.message import Event
from tests.replay.observing import Observed, engines_tell
from tests.replay.paths import PATHS
from tests.replay.recording import (
    HISTORIES,
    UNRELEASED,
    all_recordings,
    commands,
    history_in,
    newest,
    recordings_of,
)
from tests.replay.replaying import replayer
from workflows.channel_batches.effects import BatchEffect
from workflows.claims.effects import ClaimEffect
from workflows.cost_reviews.effects import CostReviewEffect
from workflows.engine.case import Effect, RejectEvent
from workflows.orders.effects import OrderEffect
from workflows.orphans.effects import OrphanEffect
from workflows.refunds.effects import RefundEffect
from workflows.report_imports.effects import ImportEffect
from workflows.returns.effects import ReturnEffect

NO_PLAN_NAMES: Final = ((REFUND, RejectEvent),)
MISSING: Final = "add a path, then run `make histories`"

_UNIONS: Final = (
    (ORDER, OrderEffect),
    (RETURN, ReturnEffect),
    (REFUND, RefundEffect),
    (ORPHAN, OrphanEffect),
    (COST_REVIEW, CostReviewEffect),
    (CLAIM, ClaimEffect),
    (CHANNEL_BATCH, BatchEffect),
    (REPORT_IMPORT, ImportEffect),
)
EFFECTS: Final[list[tuple[str, type[Effect]]]] = [
    (kind, effect)
    for kind, union in _UNIONS
    for effect in get_args(get_args(union)[0])
    if (kind, effect) not in NO_PLAN_NAMES
]
EVENTS: Final = [(kind.name, event) for kind in KINDS for event in kind.events.values()]
STAGES: Final = [(kind.name, stage.value) for kind in KINDS for stage in kind.stages if stage != "terminated"]
"""Without `terminated`: that is what the database says of a case that the server ended without a word of it."""


# ---- replayed ----


class Replayed(NamedTuple):
    """`failures`: of the recordings that do not replay. `observed`: what the newest one of each path did."""

    failures: dict[Path, Exception]
    observed: Observed


@pytest.fixture(scope="module")
def recorded() -> dict[Path, WorkflowHistory]:
    return {file: history_in(file) for file in all_recordings()}


@pytest.fixture(scope="module")
def histories(recorded: dict[Path, WorkflowHistory]) -> list[WorkflowHistory]:
    """The newest recording of each path."""
    return [recorded[file] for path in PATHS for file in newest(path)]


@pytest.fixture(scope="module")
async def replayed(recorded: dict[Path, WorkflowHistory]) -> Replayed:
    """All, once."""
    of_today = {file for path in PATHS for file in newest(path)}
    done = Replayed({}, Observed())
    this_code = replayer()
    for file, history in recorded.items():
        with engines_tell(done.observed if file in of_today else Observed()):
            result = await this_code.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure is not None:
            done.failures[file] = result.replay_failure
    return done


@pytest.mark.parametrize("file", all_recordings(), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recorded_case_replays_on_this_code(replayed: Replayed, file: Path) -> None:
    """Each run of these tests hashes texts otherwise than the one that recorded: no set's order may decide."""
    failure = replayed.failures.get(file)
    if failure is not None:
        raise failure


# ---- on disk ----


def test_recordings_of_a_path_are_in_the_order_of_its_cases(tmp_path: Path) -> None:
    """The tenth comes after the ninth; those of this release are newer than those of any other one."""
    made = {
        "0.9": ["order_shipped.1-order", "order_voided.1-order"],
        "0.10": ["order_shipped.2-refund", "order_shipped.10-refund", "order_shipped.9-order"],
        UNRELEASED: ["order_voided.1-order", "order_shipped_in_parts.1-order"],
    }
    for release, names in made.items():
        (tmp_path / release).mkdir()
        for name in names:
            (tmp_path / release / f"{name}.json").touch()

    assert len(all_recordings(tmp_path)) == 7
    assert recordings_of("order_shipped", folder=tmp_path) == []
    assert [file.stem for file in newest("order_shipped", tmp_path)] == [
        "order_shipped.2-refund",
        "order_shipped.9-order",
        "order_shipped.10-refund",
    ]
    assert [file.parent.name for file in newest("order_voided", tmp_path)] == [UNRELEASED]
    assert newest("order_held", tmp_path) == []


def test_every_path_is_recorded_and_what_is_recorded_is_a_path() -> None:
    unreleased = {file.name.partition(".")[0] for file in (HISTORIES / UNRELEASED).glob("*")}
    assert unreleased <= set(PATHS)
    assert [path for path in PATHS if not newest(path)] == []


@pytest.mark.parametrize("file", all_recordings(), ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_recording_is_one_line_that_names_no_place_of_its_machine(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") == 1
    assert text.endswith("\n")
    said = "\n".join(_texts(json.loads(text)))
    assert "stackTrace" not in text
    assert [
        place for place in ("/home/", "/root/", "/tmp/", "/var/", "site-packages", ".py\\") if place in said
    ] == []
    assert str(Path.cwd()) not in said


def _texts(value: Any) -> Iterator[str]:
    """All texts in it; what is sent, in clear."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from [_clear(inner)] if name == "data" and isinstance(inner, str) else _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case str():
            yield value


def _clear(data: str) -> str:
    return base64.b64decode(data).decode(errors="replace")


# ---- nothing is missing ----


@pytest.fixture(scope="module")
def commanded(histories: list[WorkflowHistory]) -> Counter[str]:
    """All commands in them."""
    return sum((commands(history.events) for history in histories), Counter())


@pytest.fixture(scope="module")
def observed(replayed: Replayed) -> Observed:
    """What the cases did when they were replayed."""
    return replayed.observed


@pytest.mark.parametrize("call", [call.name for call in CALLS])
def test_every_activity_is_called_in_a_recording(commanded: Counter[str], call: str) -> None:
    assert commanded[f"activity {call}"], MISSING


@pytest.mark.parametrize(
    "command", ["child Refund", "child Return", "signal refund_taken_back", "continued as new"]
)
def test_every_other_command_is_in_a_recording(commanded: Counter[str], command: str) -> None:
    assert commanded[command], MISSING


def test_nothing_but_these_commands_is_in_a_recording(commanded: Counter[str]) -> None:
    """No marker: no patch, no local activity, no side effect."""
    assert {name.partition(" ")[0] for name in commanded} == {"activity", "child", "signal", "continued"}


@pytest.mark.parametrize(("kind", "effect"), EFFECTS, ids=lambda part: getattr(part, "__name__", part))
def test_every_effect_is_begun_in_a_recording(observed: Observed, kind: str, effect: type[Effect]) -> None:
    assert (kind, effect) in observed.effects, MISSING


@pytest.mark.parametrize(("kind", "event"), EVENTS, ids=lambda part: getattr(part, "__name__", part))
def test_every_event_is_taken_in_a_recording(observed: Observed, kind: str, event: type[Event]) -> None:
    assert (kind, event) in observed.events, MISSING


@pytest.mark.parametrize(("kind", "stage"), STAGES)
def test_every_stage_and_every_end_is_reached_in_a_recording(observed: Observed, kind: str, stage: str) -> None:
    assert (kind, stage) in observed.stages, MISSING


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_a_continued_run_and_the_next_one_are_recorded(histories: list[WorkflowHistory], kind: str) -> None:
    started = [history.events[0].workflow_execution_started_event_attributes for history in histories]
    continued = [one for one in started if one.continued_execution_run_id and one.workflow_type.name == kind]
    assert continued, MISSING


def test_a_reset_case_is_recorded(histories: list[WorkflowHistory]) -> None:
    causes = [
        event.workflow_task_failed_event_attributes.cause for history in histories for event in history.events
    ]
    assert WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW in causes, MISSING
