"""A PostgreSQL server of its own in a folder: started, killed, started again, removed with the folder."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

_PLACES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_START_SECONDS: Final = "30"
_ORPHANS_SECONDS: Final = 20.0


class Postgres:
    """One database cluster. PostgreSQL refuses to run as root: root lends it the user `postgres`."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.url = f"postgresql+psycopg://{self._user}@127.0.0.1:{port}/postgres"

    def create(self) -> None:
        """Make the cluster and start it. Raises RuntimeError when PostgreSQL is not installed."""
        self._folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self._folder, self._user)
            for parent in list(self._folder.parents)[:3]:
                if parent.stat().st_uid == 0 and parent != Path("/") and parent != Path("/tmp"):
                    parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "--pgdata", str(self._folder), "--auth", "trust", "--encoding", "UTF8", "--no-sync")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it recovers first.

        What is left of a killed one must have ended before: it refuses to start beside it.
        """
        deadline = time.monotonic() + _ORPHANS_SECONDS
        while True:
            try:
                self._start()
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._control("start", "-w", "-t", _START_SECONDS, "-o", options, "-l", str(self._folder / "server.log"))

    def kill(self) -> None:
        """kill -9 of its first process; the others end with it."""
        os.kill(self._pid(), signal.SIGKILL)
        (self._folder / "postmaster.pid").unlink()

    def stop(self) -> None:
        if (self._folder / "postmaster.pid").exists():
            self._control("stop", "-m", "immediate", "-w")

    def _pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self._folder), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        path = shutil.which(program, path=os.pathsep.join([*map(str, _PLACES), os.environ.get("PATH", "")]))
        if path is None:
            raise RuntimeError(f"PostgreSQL is not installed: there is no program {program}")
        done = subprocess.run(
            [path, *arguments],
            user=self._user if os.geteuid() == 0 else None,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT if program == "initdb" else subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if done.returncode:
            log = self._folder / "server.log"
            said = done.stdout or (log.read_text(errors="replace") if log.exists() else "")
            raise RuntimeError(f"{program} {arguments[-1] if arguments else ''} failed: {said[-500:]}")
