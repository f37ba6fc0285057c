"""Programs that are forked are processes of their own: with their environment, their log, their end."""

import os
import signal
from pathlib import Path

import pytest

from tests.chaos.forks import fork
from tests.eventually import eventually

pytestmark = pytest.mark.proof


async def test_a_forked_program_writes_its_log_and_ends_with_its_exit_code(tmp_path: Path) -> None:
    fine = await fork(["calendar", "2026", "2"], {}, tmp_path / "fine.log")
    wrong = await fork(["calendar", "2026", "13"], {}, tmp_path / "wrong.log")

    assert (await fine.wait(), fine.returncode) == (0, 0)
    assert "February 2026" in (tmp_path / "fine.log").read_text()
    assert await wrong.wait() != 0
    assert "IndexError" in (tmp_path / "wrong.log").read_text()


async def test_a_forked_program_has_the_environment_that_it_is_given_and_no_other(tmp_path: Path) -> None:
    shown = await fork(["site"], {"PYTHONUSERBASE": "/nowhere/else"}, tmp_path / "log")

    assert await shown.wait() == 0
    assert "USER_BASE: '/nowhere/else'" in (tmp_path / "log").read_text()


async def test_a_forked_program_is_killed_at_once_and_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    one, other = [
        await fork(["http.server", "0", "--bind", "127.0.0.1"], {"PYTHONUNBUFFERED": "1"}, log) for _ in "12"
    ]
    os.kill(one.pid, signal.SIGKILL)

    assert await one.wait() == -signal.SIGKILL
    assert other.returncode is None
    other.send_signal(signal.SIGTERM)
    assert await other.wait() == -signal.SIGTERM


async def test_a_program_says_in_its_log_why_it_ends(tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = await fork(["starter.cli", "worker"], {"DATABASE_URL": "nonsense"}, log)

    assert await worker.wait() != 0

    async def said() -> str:
        return log.read_text()

    await eventually(said, lambda words: "DATABASE_URL" in words, "it says what is wrong")
