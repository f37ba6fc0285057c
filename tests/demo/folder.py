"""The demo as people start it: a process of its own, in a folder and on ports of its own."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

from starter.ops.ports import PortUse, free_port, require_free

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 150
OUR_SETTINGS = ("BACKHAUL_", "DATABASE_URL", "TEMPORAL_")


class DemoFolder:
    """A folder with a description of the server whose ports nobody uses, and the demo started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = list(dict.fromkeys(free_port() for _ in range(14)))[:7]
        self.server_ports, self.stack_ports = ports[:3], ports[3:]
        self.describe()

    @property
    def ports(self) -> list[int]:
        return [*self.server_ports, *self.stack_ports]

    def describe(self, **dynamic_config: bool) -> None:
        config = yaml.safe_load((ROOT / "temporal-dev.yaml").read_text())
        config["ports"] = dict(zip(("frontend", "ui", "http"), self.server_ports, strict=True))
        config["dynamic_config"] |= {name.replace("__", "."): value for name, value in dynamic_config.items()}
        (self.folder / "temporal-dev.yaml").write_text(yaml.safe_dump(config))

    def start(self, *options: str, **environment: str) -> subprocess.Popen[str]:
        sandbox, mail, front, codec = (str(port) for port in self.stack_ports)
        ours = {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "starter.cli", "demo", *options),
                *("--sandbox-port", sandbox, "--mail-port", mail, "--front-port", front, "--codec-port", codec),
            ],
            cwd=self.folder,
            env=ours | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, **environment: str) -> tuple[int, str]:
        """Exit code and output of a demo that ends by itself."""
        process = self.start(*options, **environment)
        try:
            output, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            raise
        return process.returncode, output

    def read_until(self, process: subprocess.Popen[str], start_of_line: str) -> str:
        """What it says up to a line that begins so; AssertionError if it ends before."""
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if line.startswith(start_of_line):
                return output
        raise AssertionError(f"it ended before it said {start_of_line!r}:\n{output}")

    def require_free_ports(self) -> None:
        require_free("127.0.0.1", [PortUse(port, "the next run", "it") for port in self.ports])

    def children_of(self, pid: int) -> list[int]:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
