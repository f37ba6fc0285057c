"""Programs that are forked are processes of their own: with their environment, their log, their end."""

import asyncio
import os
import signal
import sys
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


FORKS_AND_WAITS = """
import asyncio, sys
from pathlib import Path
from tests.chaos.forks import fork

async def main():
    forked = await fork(["http.server", "0", "--bind", "127.0.0.1"], {}, Path(sys.argv[1]))
    print(forked.pid, flush=True)
    await forked.wait()

asyncio.run(main())
"""


async def test_what_was_forked_dies_with_the_program_that_is_killed(tmp_path: Path) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FORKS_AND_WAITS, str(tmp_path / "log"), stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    pid = int(await program.stdout.readline())
    assert await runs(pid)
    program.kill()

    await eventually(lambda: runs(pid), lambda still: not still, "the forked program runs on")


async def runs(pid: int) -> bool:
    return await asyncio.to_thread(_runs, pid)


def _runs(pid: int) -> bool:
    """A dead one that nobody has asked for its exit code does not run."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
