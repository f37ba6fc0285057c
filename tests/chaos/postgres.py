"""A PostgreSQL server of its own in a folder: started, killed, started again, removed with the folder."""

import os
import pwd
import select
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Final

_PLACES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_PATIENCE_SECONDS: Final = 180


def is_installed() -> bool:
    """Whether the programs of a PostgreSQL server are on this machine."""
    return _path_of("initdb") is not None


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
        """Start it, and wait until it answers; after a kill it recovers first."""
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        patience = ["-w", "-t", str(_PATIENCE_SECONDS)]
        self._control("start", *patience, "-o", options, "-l", str(self._folder / "server.log"))

    def kill(self) -> None:
        """kill -9 of its first process; the others end with it, and are waited for: it can't start beside them."""
        first = self._pid()
        os.kill(first, signal.SIGSTOP)  # no new ones while they are counted
        ends = [os.pidfd_open(process) for process in (first, *_children(first))]
        try:
            os.kill(first, signal.SIGKILL)
            for end in ends:
                readable, _, _ = select.select([end], [], [], _PATIENCE_SECONDS)
                assert readable, "what is left of a killed PostgreSQL does not end"
        finally:
            for end in ends:
                os.close(end)
        (self._folder / "postmaster.pid").unlink()

    def stop(self) -> None:
        if (self._folder / "postmaster.pid").exists():
            self._control("stop", "-m", "immediate", "-w")

    def _pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self._folder), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        path = _path_of(program)
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


def _path_of(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([*map(str, _PLACES), os.environ.get("PATH", "")]))


def _children(process: int) -> list[int]:
    """The processes that this one has started; Linux tells."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
