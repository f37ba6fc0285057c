"""The first `make` of a newcomer: offline, interrupted, or with a fault: a word on how to go on, no traceback."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as the installation needs."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "install", tmp_path / ".ci" / "install")
    return tmp_path


def program(file: Path, text: str) -> str:
    """A program that stands in for another one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o755)
    return str(file)


def install(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / ".ci" / "install", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.proof
def test_the_first_offline_run_says_that_the_registry_can_not_be_reached(clone: Path) -> None:
    nobody = "http://127.0.0.1:9/simple"
    said = install(clone, "uv", "0.0.1", sys.executable, PIP_INDEX_URL=nobody, PIP_RETRIES="1", PIP_NO_INDEX="")
    assert said.returncode == 1
    assert "The package registry can't be reached, so uv 0.0.1 can't be installed" in said.stderr
    assert "the same make command goes on" in said.stderr
    assert "No matching distribution" not in said.stderr


@pytest.mark.parametrize(
    "words",
    [
        "error: Failed to fetch: `https://pypi.org/simple/rich/`\\n  Caused by: client error (Connect)",
        "error: Request failed\\n  Caused by: dns error: failed to lookup address information",
    ],
)
def test_offline_packages_say_it_too(clone: Path, words: str) -> None:
    uv = program(clone / "uv", f"import sys\nsys.exit('{words}')\n")
    said = install(clone, "packages", uv, sys.executable, "models")
    assert (said.returncode, "The package registry can't be reached" in said.stderr) == (1, True)


def test_another_fault_is_shown_as_it_is(clone: Path) -> None:
    uv = program(clone / "uv", "import sys\nsys.exit('error: the lock file does not fit')\n")
    said = install(clone, "packages", uv, sys.executable, "models")
    assert (said.returncode, "error: the lock file does not fit" in said.stderr) == (1, True)
    assert "registry" not in said.stderr


@pytest.mark.parametrize("part", ["uv", "packages"])
def test_ctrl_c_while_installing_shows_no_traceback_and_says_how_to_go_on(clone: Path, part: str) -> None:
    slow = program(clone / "slow", "import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n")
    arguments = ["uv", "0.0.1", slow] if part == "uv" else ["packages", slow, sys.executable, "models"]
    with subprocess.Popen(
        [clone / ".ci" / "install", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        while not (clone / "started").exists() and process.poll() is None:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "Interrupted. Nothing is broken: the same make command goes on" in said
    assert "KeyboardInterrupt" in (clone / ".uv" / "install.log").read_text()
