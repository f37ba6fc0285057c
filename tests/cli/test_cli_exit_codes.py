"""Failures are one clear line and an exit code; stack traces are for those who ask for them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from activities.database import upgrade
from models.failures import Conflict
from models.settings import Settings
from tests.cli.conftest import Line, free_ports
from worker import telemetry


def test_no_server_is_told_with_what_to_do(nowhere: Line) -> None:
    result = nowhere("order", "release", "1001")
    assert result.exit_code == 7
    assert "no Temporal server answers at 127.0.0.1:" in result.stderr
    assert "backhaul up" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("arguments", [("list",), ("refunds", "1"), ("seller", "list"), ("return", "find", "1")])
def test_missing_books_are_told_with_what_to_do(nowhere: Line, arguments: tuple[str, ...]) -> None:
    result = nowhere(*arguments)
    assert result.exit_code == 3
    assert "backhaul db upgrade" in result.stderr


def test_a_number_that_can_not_be_one_is_refused(nowhere: Line) -> None:
    result = nowhere("order", "release", "../1001")
    assert result.exit_code == 2
    assert "letters, digits" in result.stderr


@pytest.mark.parametrize("stage", ["lost", "awaiting_rma"])
def test_a_stage_that_orders_do_not_have_is_told_with_those_that_they_have(nowhere: Line, stage: str) -> None:
    result = nowhere("list", "orders", "--stage", stage)
    assert result.exit_code == 2
    assert "cancel_window" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("list", "nonsense"), "'nonsense' is not one of 'orders', 'returns', 'refunds'"),
        (("list", "--limit", "abc"), "'--limit': must be a valid integer"),
        (("list", "--limit", "0"), "'--limit': must be greater than or equal to 1"),
        (("refund", "start", "--order", "1", "--way", "cash"), "'cash' is not one of 'gateway'"),
        (("return", "approve", "RR-1", "--timeout", "x"), "'--timeout': must be a valid number"),
        (("return", "decline", "RR-1", "--kind", "x", "--reason", "y"), "--kind: must be 'declined', 'replaced'"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(nowhere: Line, arguments: tuple[str, ...], words: str) -> None:
    result = nowhere(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert not any(theirs in result.stderr for theirs in ("Value error", "Input should", "unable to parse"))


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("BACKHAUL_SMTP_PORT", "secret-port", "must be a valid integer"),
        ("BACKHAUL_SMTP_PORT", "70000", "must be less than or equal to 65535"),
        ("BACKHAUL_PARTNER_TIMEOUT_SECONDS", "inf", "must be less than or equal to 3600"),
        ("BACKHAUL_PARTNER_TIMEOUT_SECONDS", "nan", "must be"),
    ],
)
def test_a_wrong_setting_is_named_by_its_variable_without_its_value(
    nowhere: Line, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, why: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = nowhere("list")
    assert result.exit_code == 2
    assert f"{variable}: {why}" in result.stderr
    assert value not in result.output


def test_the_console_script_gives_the_exit_code_and_no_colours_in_a_pipe(tmp_path: Path) -> None:
    [port] = free_ports(1)
    environment = {**os.environ, "TEMPORAL_ADDRESS": f"127.0.0.1:{port}", "TEMPORAL_CONFIG_FILE": os.devnull}
    result = subprocess.run(
        [sys.executable, "-m", "starter.cli", "temporal", "setup"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 7
    assert result.stderr.startswith("backhaul: no Temporal server answers")
    assert "\x1b" not in result.stderr


def test_a_worker_that_finds_no_server_tries_says_so_and_gives_up(tmp_path: Path) -> None:
    [port] = free_ports(1)
    environment = {
        **os.environ,
        "TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'books.db'}",
        "BACKHAUL_CONNECT_SECONDS": "1",
        "BACKHAUL_FIRST_RETRY_SECONDS": "0.2",
    }
    line = [sys.executable, "-m", "starter.cli"]
    upgrade(environment["DATABASE_URL"])
    result = subprocess.run(
        [*line, "worker"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 7
    assert "trying again" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(f"backhaul: no Temporal server answered at 127.0.0.1:{port}")
    assert "Traceback" not in result.stderr


def test_a_taken_metrics_address_is_told_with_the_setting_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Conflict, match=f"{address}.*in use.*BACKHAUL_METRICS_ADDRESS"):
            telemetry(Settings(metrics_address=address))


def test_ctrl_c_while_the_command_is_still_being_read_shows_no_traceback() -> None:
    interrupted = """
import sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == "starter.cli.assembly":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from starter.cli import main
main()
"""
    said = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout, said.stderr) == (130, "", "")
