"""What README and docs show runs as it stands on the page, against the demo's own cases."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    demo = DemoFolder(tmp_path_factory.mktemp("demo"))
    process = demo.start()
    try:
        said = demo.read_until(process, "The stack stays up.")
        yield Reader(demo, said)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


@pytest.mark.proof
def test_every_saved_query_finds_cases_of_the_demo(reader: Reader) -> None:
    assert [query for query in saved_queries() if query not in MAY_BE_EMPTY and not reader.count(query)] == []


@pytest.mark.proof
def test_every_snippet_runs_as_it_stands_on_its_page(reader: Reader) -> None:
    told = [why for snippet in snippets() if (why := reader.runs(snippet)) is not None]
    assert not told, "\n\n".join(told)
    assert len(snippets()) > 15
