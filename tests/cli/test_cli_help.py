"""`backhaul --help` is quick: nothing is imported that only a called command needs."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from starter.cli.assembly import COMMANDS, app
from tests.cli.conftest import ROOT

SLOW = (
    *("temporalio.client", "sqlalchemy", "sqlmodel", "alembic", "httpx", "zipcodes"),
    *("starlette", "uvicorn", "rich"),
)


def loaded_by(script: str) -> list[str]:
    """Which of the slow packages this Python program has loaded at its end."""
    program = f"{script}\nimport sys\nprint(*(name for name in {SLOW!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_help_of_everything_loads_nothing_but_typer() -> None:
    typer = "from typer.testing import CliRunner"
    script = f"{typer}\nfrom starter.cli.assembly import app\nCliRunner().invoke(app, ['--help'])"
    own = loaded_by(typer)
    assert [name for name in loaded_by(script) if name not in own] == []


def test_no_command_loads_what_is_slow_before_it_is_called() -> None:
    modules = sorted({command.where.partition(":")[0] for command in COMMANDS})
    assert loaded_by("import " + ", ".join(modules)) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_every_line_of_the_help_leads_to_a_command(command: object) -> None:
    name = str(command.name)  # type: ignore[attr-defined]
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith(f"Usage: backhaul {name} ")


def test_a_group_says_of_itself_what_the_help_of_everything_says() -> None:
    for command in COMMANDS:
        loaded = command.loaded()
        if hasattr(loaded, "commands"):
            assert loaded.help == command.short_help, command.name


def test_a_wrong_command_is_named_with_what_was_meant() -> None:
    shown = CliRunner().invoke(app, ["ordr"])
    assert shown.exit_code == 2
    assert "Did you mean 'order'" in shown.output


def test_it_says_its_version() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"backhaul {version('backhaul')}\n")
