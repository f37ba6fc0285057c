"""The recordings on disk: in their order, and nothing of the workflows is missing in them."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import workflows
from models.calls import CALLS
from tests.replay.paths import PATHS
from tests.replay.recording import HISTORIES, commands, history_in, newest, recorded

PATCHES = ("patched", "deprecate_patch")


@pytest.fixture(scope="module")
def decided_now() -> Counter[str]:
    """All that is decided in the newest recording of each path."""
    files = [file for path in PATHS for file in newest(path)]
    return sum((commands(history_in(file).events) for file in files), Counter())


def test_recordings_are_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    """The tenth comes after the ninth; and the newest are of one time, however many cases a path has by then."""
    for name in ("1-1-order", "2-1-order", "9-1-order", "10-2-refund", "10-1-order"):
        (tmp_path / f"order_shipped.{name}.json").touch()
    (tmp_path / "order_shipped_in_parts.11-1-order.json").touch()

    numbers = [file.name.split(".")[1] for file in recorded("order_shipped", tmp_path)]

    assert numbers == ["1-1-order", "2-1-order", "9-1-order", "10-1-order", "10-2-refund"]
    assert [file.name.split(".")[1] for file in newest("order_shipped", tmp_path)] == numbers[-2:]
    assert newest("order_voided", tmp_path) == []


def test_every_recording_belongs_to_a_path() -> None:
    assert {file.name.partition(".")[0] for file in HISTORIES.glob("*.json")} == set(PATHS)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_is_made_in_a_recording(decided_now: Counter[str], call: object) -> None:
    """A new activity needs a path that calls it, else its replay is tried by nobody."""
    assert decided_now[f"activity {getattr(call, 'name', call)}"], "add a path, then run `make histories`"


def patch_ids(source: str) -> list[str]:
    """The ids in `workflow.patched("...")`, written there or as a constant of the file."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in PATCHES:
            named = node.args[0]
            value = constants.get(named.id) if isinstance(named, ast.Name) else named
            assert isinstance(value, ast.Constant), f"line {node.lineno}: a patch is named by a plain text"
            found.append(str(value.value))
    return found


SOURCES = sorted(Path(workflows.__path__[0]).rglob("*.py"))
TAKEN = [(patch, file.name) for file in SOURCES for patch in patch_ids(file.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("patch", "file"), TAKEN)
def test_every_patch_is_taken_in_a_recording(decided_now: Counter[str], patch: str, file: str) -> None:
    """A patch that no recording has could lose its new branch, or its gate, and nobody would see it."""
    assert decided_now[f"patch {patch}"], f"{file}: add a path, then run `make histories`"


def test_patches_are_found_however_they_are_named() -> None:
    source = """
SINCE = "by-constant"
if workflow.patched("by-text") or workflow.patched(SINCE) or patched("imported"):
    workflow.deprecate_patch("old")
"""
    assert patch_ids(source) == ["by-text", "by-constant", "imported", "old"]
    assert len(TAKEN) >= 4
