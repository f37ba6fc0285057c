"""The demo, as people start it: it plays and judges, README and docs show what runs on it, nothing is left."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from models.worklists import Work
from starter.demo.play import STORIES
from tests.connectors.amazon import order_reports, settlement_reports
from tests.connectors.amazon.returns_reports import BRAKE_PADS, tab_separated
from tests.demo.folder import OUR_SETTINGS, DemoFolder

ROOT = Path(__file__).resolve().parents[2]
FIRST = ("README.md", "docs/events.md", "docs/orphans.md")
"""In this order; other pages need nothing of each other. `docs/sandbox.md` forgets everything at its end."""
SNIPPET = re.compile(r"^```(console|sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SAVED = re.compile(r"^\| ([^|]+) \| `([^`]+)` \|$", re.MULTILINE)
NOT_RUN = (
    "make run ",  # it is running
    "make test",
    "git grep",
    "make bench",
    "backhaul codec new-key",  # a key that each makes for itself
    "BACKHAUL_CODEC_TOKEN=",  # a server on another machine
)
"""How snippets begin that need other machines, other keys, or hours."""
MAY_BE_EMPTY = (
    'Stage="awaiting_payment"',
    'Money="failed_afterwards"',
    'Stage="refused" AND WorkflowType IN ("Order", "Return")',
    "RejectedEvents > 0",
    "TemporalReportedProblems IS NOT NULL",
)
"""Saved queries of which the demo, when all went well, leaves no case behind."""

ENDING = "PyGILState_Release: thread state"
"""Temporal's SDK may abort a short program when it has done all and Python ends."""


@dataclass(frozen=True)
class Snippet:
    page: str
    language: str
    text: str

    def program(self) -> str:
        """As a reader types it: of a block with prompts, the lines behind them."""
        if self.language == "python":
            return self.text
        typed = [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return "\n".join(typed) if typed else self.text


def snippets() -> list[Snippet]:
    pages = [*FIRST, *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]
    of_each = [
        Snippet(page, language, text)
        for page in dict.fromkeys(pages)
        for language, text in SNIPPET.findall((ROOT / page).read_text())
    ]
    return [one for one in of_each if not one.text.startswith(NOT_RUN)]


def first_block(page: str, language: str) -> str:
    """What a page shows first in this language: a file that its commands name."""
    return (ROOT / page).read_text().partition(f"```{language}\n")[2].partition("```")[0]


def saved_queries() -> list[str]:
    page = (ROOT / "docs" / "cases.md").read_text().partition("Other questions")[2]
    return [query for _, query in SAVED.findall(page.partition("\n\nAny number")[0])]


class Reader:
    """Somebody in another terminal, who typed what the demo said to export."""

    def __init__(self, demo: DemoFolder, said: str) -> None:
        frontend, ui, http = demo.server_ports
        sandbox, mail, front, codec = demo.stack_ports
        self._ports = {7233: frontend, 8233: ui, 7243: http, 8250: sandbox, 8251: mail, 8252: front, 8253: codec}
        self._folder = demo.folder / "elsewhere"
        self._folder.mkdir(exist_ok=True)
        (self._folder / "amazon.yaml").write_text(first_block("docs/amazon.md", "yaml"))
        (self._folder / "returns.txt").write_bytes(tab_separated([BRAKE_PADS]))
        sold = settlement_reports.settlement(settlement_reports.SOLD_AND_REFUNDED, "-3.00")
        (self._folder / "settlement.txt").write_bytes(sold)
        (self._folder / "orders.txt").write_bytes(order_reports.order_report([order_reports.BRAKE_PADS]))
        ours = {name: value for name, value in os.environ.items() if not name.startswith(OUR_SETTINGS)}
        exported = dict(re.findall(r"^ +export ([A-Z_]+)=(\S+)$", said, re.MULTILINE))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = ours | exported | {"PATH": path, "PYTHONPATH": str(ROOT)}

    def runs(self, snippet: Snippet) -> str | None:
        """Why it does not run; none: it does."""
        text = re.sub(r"(?<=127\.0\.0\.1:)(\d{4})", lambda port: self._port(port.group()), snippet.program())
        text = text.replace(".venv/bin/backhaul", "backhaul")
        if snippet.language == "python":
            command = [sys.executable, "-c", text]
        else:
            curl = 'curl() { command curl --silent --show-error --fail-with-body "$@"; }'
            command = ["bash", "-ec", f"{curl}\n{self._scene(snippet.page)}{text}"]
        done = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=60
        )
        if done.returncode == 0 or ENDING in done.stderr:
            return None
        return f"{snippet.page}: {text[:500]}\n-> {done.returncode}: {done.stdout[-300:]} {done.stderr[-300:]}"

    def _port(self, typed: str) -> str:
        return str(self._ports.get(int(typed), typed))

    def _scene(self, page: str) -> str:
        """What earlier blocks of the page have set: all of it is one terminal."""
        text = "\n".join(one for _, one in SNIPPET.findall((ROOT / page).read_text()))
        sets = "".join(f"{one}\n" for one in re.findall(r"^[A-Z]=\S+$", text, re.MULTILINE))
        return re.sub(r"(?<=127\.0\.0\.1:)(\d{4})", lambda port: self._port(port.group()), sets)

    def count(self, query: str) -> int:
        done = subprocess.run(
            ["temporal", "workflow", "count", "--query", query],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        found = re.search(r"Total: (\d+)", done.stdout)
        assert found, done.stderr
        return int(found.group(1))


class Played(NamedTuple):
    """A demo whose stories are over, and which stays up; what it has said."""

    demo: DemoFolder
    process: subprocess.Popen[str]
    said: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    demo = DemoFolder(tmp_path_factory.mktemp("demo"))
    process = demo.start()
    try:
        yield Played(demo, process, demo.read_until(process, "The stack stays up."))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def reader(played: Played) -> Reader:
    return Reader(played.demo, played.said)


def test_the_demo_plays_every_story(played: Played) -> None:
    output = played.said
    assert f"All {len(STORIES)} stories ended as expected." in output, output
    lines = re.findall(r"^(?:order|return|refund|orphan)-.*", output, re.M)
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    ended = {case: how for case, _, how, _ in rows}
    assert {expected for *_, expected in rows} == {"yes"}
    kinds = Counter(case.partition("-")[0] for case in ended)
    assert kinds == {"order": 34, "return": 15, "refund": 8, "orphan": 1}, "with the late cancel's return"
    assert ended["order-1001"] == "shipped"
    assert ended["order-1002"] == "cancelled"
    assert ended["return-RR-1003-late-cancel"] == "completed"
    assert ended["order-1005"] == "voided"
    assert ended["return-RR-1009-1"] == "completed"
    assert ended["return-RR-1011-1"] == "rejected"
    assert ended["return-RR-1012-1"] == "expired"
    assert "SLA breached" in ended["return-RR-1013-1"]
    ui = f"http://127.0.0.1:{played.demo.server_ports[1]}/namespaces/default/workflows"
    assert all(f"{ui}/{case}" in output for case in ended), "a link per case"
    to_do = dict(re.findall(rf"^([a-z_]+) +(\d+)  {ui}\?query=(?:%28)?Work%3D%22\1%22", output, re.M))
    assert set(to_do) == set(Work), "a link to each worklist (NTF-6)"
    assert to_do["buyer_to_refund"] != "0", "a case waits for a click"


def test_every_saved_query_finds_cases_of_the_demo(reader: Reader) -> None:
    assert [query for query in saved_queries() if query not in MAY_BE_EMPTY and not reader.count(query)] == []


def test_every_snippet_runs_as_it_stands_on_its_page(reader: Reader) -> None:
    told = [why for snippet in snippets() if (why := reader.runs(snippet)) is not None]
    assert not told, "\n\n".join(told)
    assert len(snippets()) > 15


def test_the_demo_stays_up_and_ends_on_ctrl_c(played: Played) -> None:
    children = played.demo.children_of(played.process.pid)
    assert len(children) == 4, "server, sandbox, front and worker"
    played.process.send_signal(signal.SIGINT)
    rest, _ = played.process.communicate(timeout=60)
    assert played.process.returncode == 0, rest
    assert rest.rstrip().endswith("Everything has ended.")
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    played.demo.require_free_ports()
