"""The demo, as people start it: a process of its own that plays, judges, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from starter.ports import PortUse, free_port, require_free

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 150
OUR_SETTINGS = ("BACKHAUL_", "DATABASE_URL", "TEMPORAL_")


class DemoFolder:
    """A folder with a description of the server whose ports nobody uses, and the demo started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports = list(dict.fromkeys(free_port() for _ in range(12)))[:6]
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
        sandbox, mail, front = (str(port) for port in self.stack_ports)
        ours = {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "starter.cli", "demo", *options),
                *("--sandbox-port", sandbox, "--mail-port", mail, "--front-port", front),
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


@pytest.fixture
def demo(tmp_path: Path) -> DemoFolder:
    return DemoFolder(tmp_path)


def test_the_demo_plays_every_story_stays_up_and_ends_on_ctrl_c(demo: DemoFolder) -> None:
    process = demo.start()
    output = demo.read_until(process, "The stack stays up.")
    children = demo.children_of(process.pid)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert process.returncode == 0, rest
    assert "All 16 stories ended as expected." in output
    rows = [re.split(r"\s{2,}", line.strip()) for line in re.findall(r"^(?:order|return|refund)-.*", output, re.M)]
    ended = {case: how for case, _, how, _ in rows}
    assert {expected for *_, expected in rows} == {"yes"}
    assert len(ended) == 16 + 8 + 2, "each order, each return, the late cancel's return, the direct refund"
    assert ended["order-1001"] == "shipped"
    assert ended["order-1002"] == "cancelled"
    assert ended["return-RR-1003-late-cancel"] == "completed"
    assert ended["order-1005"] == "voided"
    assert ended["return-RR-1009-1"] == "completed"
    assert ended["return-RR-1011-1"] == "rejected"
    assert ended["return-RR-1012-1"] == "expired"
    assert "SLA breached" in ended["return-RR-1013-1"]
    ui = f"http://127.0.0.1:{demo.server_ports[1]}/namespaces/default/workflows"
    assert all(f"{ui}/{case}" in output for case in ended), "a link per case"
    assert len(children) == 4, "server, sandbox, front and worker"
    assert rest.rstrip().endswith("Everything has ended.")
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    demo.require_free_ports()


def test_a_server_that_moves_no_clocks_makes_the_exit_code_1(demo: DemoFolder) -> None:
    demo.describe(frontend__WorkflowTimeSkippingEnabled=False)

    exit_code, output = demo.run("--no-wait")

    assert exit_code == 1, output
    assert "16 of 16 stories did not end as expected." in output
    assert "not as expected: " in output
    demo.require_free_ports()


def test_the_demo_never_plays_with_real_partners(demo: DemoFolder) -> None:
    exit_code, output = demo.run("--no-wait", BACKHAUL_GATEWAY_URL="https://api.stripe.com")

    assert exit_code == 4
    assert "unset BACKHAUL_GATEWAY_URL" in output
    assert not (demo.folder / ".backhaul").exists(), "nothing was started"
