"""The house keeps its order: imports go one way, and a file says by its name what it is for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = {"models", "activities", "workflows", "starter", "worker", "migrations", "tests"}
MAY_IMPORT = {
    "models": {"models"},
    "activities": {"activities", "models", "migrations"},
    "workflows": {"workflows", "models"},
    "worker": {"worker", "workflows", "activities", "models"},
    "starter": {"starter", "worker", "workflows", "activities", "models", "migrations"},
}
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def files_of(part: str) -> list[Path]:
    return [ROOT / "worker.py"] if part == "worker" else sorted((ROOT / part).rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_go_one_way(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files_of(part)
        for module in imports_of(path)
        if module.split(".")[0] in OURS - MAY_IMPORT[part]
    ]
    assert wrong == []


def test_workflows_never_load_what_is_slow_or_touches_the_world() -> None:
    script = (
        "import sys, workflows\n"
        "slow = ('sqlmodel', 'sqlalchemy', 'httpx', 'structlog', 'models.tables')\n"
        "print(*(module for module in slow if module in sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []


def test_only_the_command_line_and_what_is_local_know_the_sandbox() -> None:
    allowed = ("starter/sandbox/", "starter/demo/", "starter/cli/demo.py", "starter/cli/stack.py")
    wrong = [
        str(path.relative_to(ROOT))
        for path in files_of("starter")
        if not str(path.relative_to(ROOT)).startswith(allowed)
        and any(module.startswith("starter.sandbox") for module in imports_of(path))
    ]
    assert wrong == []


def test_a_file_is_named_for_its_purpose() -> None:
    nameless = [str(path) for part in MAY_IMPORT for path in files_of(part) if path.stem in NAMELESS]
    assert nameless == []
