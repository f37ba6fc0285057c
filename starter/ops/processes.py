"""Processes that the local stack starts: they write to a file, and die with their parent."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from activities.private_files import private_file

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with(parent: int) -> Callable[[], None]:
    """Run in the child before its program: the kernel ends it when the parent is gone, even by kill -9."""

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # gone between fork and prctl
                os._exit(1)

    return prepare


class Child:
    """One process, in a session of its own: Ctrl-C reaches only the parent, which ends its children in order."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(cls, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> "Child":
        """Start `command`; what it prints is appended to `log`. What it creates is for its owner alone.
        Must be called from the main thread.

        Raises OSError when the program can't be started.
        """
        with private_file(log).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=die_with(os.getpid()),
                umask=0o077,  # its files are its owner's alone
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait until it ends; gives its exit code."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Ask it to end (SIGTERM), and end it (SIGKILL) when it has not after `grace_seconds`."""
        if self.exit_code is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds):
                await self._process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def last_words(self) -> str:
        """The last line that it wrote, or nothing."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].strip()[:300] if lines else ""

    def _signal(self, number: signal.Signals) -> None:
        try:
            self._process.send_signal(number)
        except ProcessLookupError:
            return
