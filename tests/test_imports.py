"""The house keeps its order: imports go one way and never round, and a file is short and says what it is for."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": {"models"},
    "activities": {"activities", "models"},
    "workflows": {"workflows", "models"},
    "worker": {"worker", "workflows", "activities", "models"},
    "starter": {"starter", "worker", "workflows", "activities", "models", "migrations"},
    "migrations": {"migrations", "activities", "models"},
}
OURS = MAY_IMPORT.keys() | {"tests", "bench"}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
NOT_GUESSABLE = {
    *("asking", "standing", "ceasing", "telling", "loose_ends", "arrival", "silence", "letters"),
    *("looking", "openings", "sending", "desk", "delivering", "calm", "spots", "plots"),
    *("plays", "passages", "dawdlers", "dawdling", "doctoring", "seen", "scene", "board"),
}
"""Names that say what a file is for to nobody but its author."""
MOST_LINES = 400

IMPURE_ROOMS = {"workflow", "perform"}
"""Of a kind of case: all other files of its package are pure."""
PURE_ENGINE = {"case", "plan", "pieces", "procedure", "details", "save"}
"""Of the engine: what is called by tests without a server."""


@cache
def files_of(part: str) -> list[Path]:
    if part == "worker":
        return [ROOT / "worker.py"]
    return [path for path in sorted((ROOT / part).rglob("*.py")) if "versions" not in path.parts]


def all_files() -> list[Path]:
    """Of the product and its tests, as far as they are there."""
    return [path for part in sorted(OURS) for path in files_of(part)]


def name_of(path: Path) -> str:
    """`starter/cli/__init__.py` -> `starter.cli`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def modules_in(imports: Iterable[str], known: set[str]) -> set[str]:
    """`from a import b` imports the module `a.b` if there is one, else `a`."""
    return {name if name in known else name.rpartition(".")[0] for name in imports} & known


def circles(graph: dict[str, set[str]]) -> Iterator[list[str]]:
    """Groups of modules of which each leads to each other one (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(one: str) -> Iterator[list[str]]:
        index[one] = lowest[one] = len(index)
        stack.append(one)
        for other in sorted(graph[one]):
            if other not in index:
                yield from visit(other)
                lowest[one] = min(lowest[one], lowest[other])
            elif other in stack:
                lowest[one] = min(lowest[one], index[other])
        if lowest[one] == index[one]:
            group = stack[stack.index(one) :]
            del stack[stack.index(one) :]
            if len(group) > 1:
                yield sorted(group)

    for one in sorted(graph):
        if one not in index:
            yield from visit(one)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_go_one_way(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files_of(part)
        for module in imports_of(path)
        if module.split(".")[0] in OURS - MAY_IMPORT[part]
    ]
    assert wrong == []


def test_imports_never_go_round() -> None:
    files = {name_of(path): path for path in all_files()}
    graph = {name: modules_in(imports_of(path), set(files)) - {name} for name, path in files.items()}
    assert list(circles(graph)) == []


def test_a_circle_would_be_found() -> None:
    assert list(circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()})) == [["b", "c"]]


def test_nothing_is_imported_for_types_alone() -> None:
    wrong = [str(path.relative_to(ROOT)) for path in all_files() if "typing.TYPE_CHECKING" in imports_of(path)]
    assert wrong == []


def test_what_a_case_decides_knows_nothing_of_temporal() -> None:
    rooms = [path for path in files_of("workflows") if path.parent.name not in ("workflows", "engine")]
    pure = [path for path in rooms if path.stem not in IMPURE_ROOMS]
    pure += [path for path in files_of("workflows") if path.parent.name == "engine" and path.stem in PURE_ENGINE]
    assert len(pure) > 10
    wrong = [
        str(path.relative_to(ROOT))
        for path in pure
        if any(module.split(".")[0] == "temporalio" for module in imports_of(path))
    ]
    assert wrong == []


def test_workflows_never_load_what_is_slow_or_touches_the_world() -> None:
    script = (
        "import sys, workflows.registry\n"
        "slow = ('sqlmodel', 'sqlalchemy', 'httpx', 'structlog', 'models.tables')\n"
        "print(*(module for module in slow if module in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_only_the_command_line_and_what_is_local_know_the_sandbox() -> None:
    allowed = ("starter/sandbox/", "starter/demo/", "starter/cli/demo_run.py", "starter/cli/stack.py")
    wrong = [
        str(path.relative_to(ROOT))
        for path in files_of("starter")
        if not str(path.relative_to(ROOT)).startswith(allowed)
        and any(module.startswith("starter.sandbox") for module in imports_of(path))
    ]
    assert wrong == []


def test_a_file_is_named_for_its_purpose() -> None:
    wrong = [str(path.relative_to(ROOT)) for path in all_files() if path.stem in NAMELESS | NOT_GUESSABLE]
    assert wrong == []


def test_a_file_is_short() -> None:
    long = [str(path.relative_to(ROOT)) for path in all_files() if path.read_text().count("\n") > MOST_LINES]
    assert long == []
