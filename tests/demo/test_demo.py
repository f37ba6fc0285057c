"""The demo, as people start it: a process of its own that plays, judges, and leaves nothing behind."""

import re
import signal
from pathlib import Path

import pytest

from models.worklists import Work
from starter.demo.play import STORIES
from tests.demo.folder import DemoFolder


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
    assert f"All {len(STORIES)} stories ended as expected." in output
    lines = re.findall(r"^(?:order|return|refund|orphan)-.*", output, re.M)
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    ended = {case: how for case, _, how, _ in rows}
    assert {expected for *_, expected in rows} == {"yes"}
    assert len(ended) == 25 + 13 + 4, "orders, returns, the late cancel's return, direct refunds, the orphan"
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
    to_do = dict(re.findall(rf"^([a-z_]+) +(\d+)  {ui}\?query=(?:%28)?Work%3D%22\1%22", output, re.M))
    assert set(to_do) == set(Work), "a link to each worklist (NTF-6)"
    assert to_do["buyer_to_refund"] != "0", "a case waits for a click"
    assert len(children) == 4, "server, sandbox, front and worker"
    assert rest.rstrip().endswith("Everything has ended.")
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    demo.require_free_ports()


def test_a_server_that_moves_no_clocks_makes_the_exit_code_1(demo: DemoFolder) -> None:
    demo.describe(frontend__WorkflowTimeSkippingEnabled=False, system__workflowTimeSkippingEnabled=False)

    exit_code, output = demo.run("--no-wait")

    assert exit_code == 1, output
    assert "23 of 23 stories did not end as expected." in output
    assert "not as expected: " in output
    demo.require_free_ports()


def test_the_demo_never_plays_with_real_partners(demo: DemoFolder) -> None:
    exit_code, output = demo.run("--no-wait", BACKHAUL_SMTP_HOST="mail.example")

    assert exit_code == 4
    assert "unset BACKHAUL_SMTP_HOST" in output
    assert not (demo.folder / ".backhaul").exists(), "nothing was started"
