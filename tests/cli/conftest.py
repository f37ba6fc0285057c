"""The command line in this process, and a local stack of its own on free ports."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from typer.testing import CliRunner, Result

from starter.cli.assembly import app

ROOT = Path(__file__).parent.parent.parent


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def server_description(**changes: Any) -> dict[str, Any]:
    """`temporal-dev.yaml`, on free ports."""
    description: dict[str, Any] = yaml.safe_load((ROOT / "temporal-dev.yaml").read_text())
    frontend, ui, http = free_ports(3)
    return {**description, "ports": {"frontend": frontend, "ui": ui, "http": http}, **changes}


class Line:
    """`backhaul ...`, and what it said."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._runner = CliRunner()

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        return self._runner.invoke(app, list(arguments), input=stdin, env=self._environment)


@pytest.fixture
def nowhere(tmp_path: Path) -> Line:
    """The command line where neither a server nor books can be reached."""
    [port] = free_ports(1)
    return Line(
        {
            "TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}",
        }
    )


@dataclass(frozen=True)
class LocalStack:
    """A running `backhaul up`, its folder, and the command line towards it."""

    process: "subprocess.Popen[str]"
    folder: Path
    line: Line
    address: str
    sandbox_url: str
    said: list[str]

    def seed_payment(self, reference: str) -> None:
        seed = {"id": reference, "amount": "97.20", "currency": "USD"}
        httpx.post(f"{self.sandbox_url}/sandbox/payments", json=seed).raise_for_status()

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]


def start_stack(folder: Path) -> LocalStack:
    """Start it, and wait until it says that it is ready; AssertionError with what it said if it is not."""
    description = server_description()
    (folder / "temporal-dev.yaml").write_text(yaml.safe_dump(description))
    sandbox, mail, front = free_ports(3)
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'books.db'}",
        "BACKHAUL_DRAIN_SECONDS": "2",
        "PYTHONUNBUFFERED": "1",
    }
    ports = ["--sandbox-port", str(sandbox), "--mail-port", str(mail), "--front-port", str(front)]
    process = subprocess.Popen(
        [sys.executable, "-m", "starter.cli", "up", *ports],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said: list[str] = []
    for text in process.stdout:
        said.append(text.rstrip())
        if text.startswith("Ready"):
            break
    assert said, "it said nothing"
    assert said[-1].startswith("Ready"), said
    address = f"127.0.0.1:{description['ports']['frontend']}"
    line = Line(
        {
            "TEMPORAL_ADDRESS": address,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "DATABASE_URL": environment["DATABASE_URL"],
            "BACKHAUL_SMTP_PORT": str(mail),
        }
    )
    return LocalStack(process, folder, line, address, f"http://127.0.0.1:{sandbox}", said)


@pytest.fixture(scope="module")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """One stack for all tests of a file, with a seller, a supplier and some stock."""
    stack = start_stack(tmp_path_factory.mktemp("local-stack"))
    try:
        seller = "seller_id: acme\nname: Acme Auto\nemail: ops@acme.example\npayment_method: pm_card_visa\n"
        assert stack.line("seller", "import", "-", stdin=seller).exit_code == 0
        brokers = yaml.safe_load(stack.line("connection", "show", "sandbox-stripe").stdout)
        own = brokers | {"connection_id": "acme-stripe", "owner": "seller:acme"}
        assert stack.line("connection", "import", "-", stdin=yaml.safe_dump(own)).exit_code == 0
        stock = {
            "supplier_id": "brakeco",
            "warehouse_id": "reno",
            "sku": "BRK-100",
            "quantity": 500,
            "unit_cost": "30.00",
            "currency": "USD",
        }
        httpx.put(f"{stack.sandbox_url}/sandbox/stock", json={"stock": [stock]}).raise_for_status()
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.process.send_signal(signal.SIGINT)
        stack.process.communicate(timeout=60)
