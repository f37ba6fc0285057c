"""Programs of ours that begin at once: forked from a process that has read their code already.

A worker reads code for two or three seconds before it begins, and a run starts more than fifty. What runs is the
same program in a process of its own: only what it imports is there before.
"""

import asyncio
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import context, forkserver, get_context
from pathlib import Path
from typing import Final

from activities.private_files import private_file
from starter.ops.processes import die_with

_FORKS: Final = get_context("forkserver")

READ: Final = (
    "starter.cli.output",
    "starter.cli.process_settings",
    "starter.sandbox",
    "tests.chaos.patched_worker",
)
"""What the programs import before they begin."""


class Fork:
    """One process, as `starter.ops.processes.Child` knows them."""

    def __init__(self, process: context.ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    async def wait(self) -> int:
        await asyncio.to_thread(self._process.join)
        code = self.returncode
        assert code is not None, "it has ended"
        return code

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def get_ready() -> None:
    """Begin to read the code; nobody waits for that. It is read once, however often this is called."""
    _FORKS.set_forkserver_preload(["tests.chaos.fork_server", __name__, *READ])
    forkserver.ensure_running()


async def fork(program: Sequence[str], environment: Mapping[str, str], log: Path) -> Fork:
    """Start `python -m program`; what it prints is appended to `log`. It dies with the process that forks, and
    that one with this one."""
    get_ready()
    private_file(log)  # who waits for its words looks at once
    process = _FORKS.Process(target=_run, args=(list(program), dict(environment), log), daemon=True)
    await asyncio.to_thread(process.start)
    return Fork(process)


def _run(program: list[str], environment: dict[str, str], log: Path) -> None:
    die_with(os.getppid())()
    os.setsid()
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(environment)
    with private_file(log).open("ab") as output:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    sys.argv = program
    runpy.run_module(program[0], run_name="__main__", alter_sys=True)
