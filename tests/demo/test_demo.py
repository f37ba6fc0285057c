"""A demo that can't be played: it says why, and leaves nothing behind."""

from pathlib import Path

import pytest

from starter.demo.play import STORIES
from tests.demo.folder import DemoFolder


@pytest.fixture
def demo(tmp_path: Path) -> DemoFolder:
    return DemoFolder(tmp_path)


def test_a_server_that_moves_no_clocks_makes_the_exit_code_1(demo: DemoFolder) -> None:
    demo.describe(frontend__WorkflowTimeSkippingEnabled=False, system__workflowTimeSkippingEnabled=False)

    exit_code, output = demo.run("--no-wait")

    assert exit_code == 1, output
    assert f"{len(STORIES)} of {len(STORIES)} stories did not end as expected." in output
    assert "not as expected: " in output
    demo.require_free_ports()


def test_the_demo_never_plays_with_real_partners(demo: DemoFolder) -> None:
    exit_code, output = demo.run("--no-wait", BACKHAUL_SMTP_HOST="mail.example")

    assert exit_code == 4
    assert "unset BACKHAUL_SMTP_HOST" in output
    assert not (demo.folder / ".backhaul").exists(), "nothing was started"
