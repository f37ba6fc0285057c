"""What the documents say is so: saved queries are accepted by the server, commands are known, files exist."""

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from temporalio.testing import WorkflowEnvironment

from models.contract import KINDS
from starter.cli.assembly import app
from tests.cli.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONSOLE = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BACKHAUL = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?backhaul (?P<words>.*)$")
INLINE = re.compile(r"`backhaul ([^`]+)`")
NAMED_FILE = re.compile(r"`((?:models|workflows|activities|starter|migrations|tests|docs|bench)/[\w./-]+\.\w+)`")
MADE = "bench/results/"
"""What a command writes, and nobody commits."""


def saved_queries() -> list[tuple[str, str]]:
    """Question and query of each row of the table in docs/cases.md."""
    text = (ROOT / "docs" / "cases.md").read_text()
    table = text.partition("Other questions")[2].partition("\n\nAny number")[0]
    return re.findall(r"^\| (.+?) \| `(.+)` \|$", table, re.MULTILINE)


def typed_commands() -> Iterator[tuple[str, list[str]]]:
    """Page and arguments of each `backhaul` line in the documents' console blocks."""
    for page in PAGES:
        for block in CONSOLE.findall(page.read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                if found := BACKHAUL.match(line):
                    yield page.name, shlex.split(found["words"], comments=True)


def mentioned_commands() -> Iterator[tuple[str, list[str]]]:
    """Page and words of each `backhaul ...` in running text, up to its first argument."""
    for page in PAGES:
        for mention in INLINE.findall(page.read_text()):
            if found := re.match(r"[a-z][a-z|-]*(?: [a-z][a-z-]*)*", mention):  # else only options, such as --help
                yield page.name, found[0].split()


def parse(arguments: list[str]) -> None:
    """Read the arguments as the command line does, without doing anything. Raises what it raises."""
    command: Any = typer.main.get_command(app)
    context = command.make_context("backhaul", list(arguments))
    while hasattr(command, "resolve_command"):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def test_the_documents_have_queries_and_commands() -> None:
    assert len(saved_queries()) > 8
    assert len(list(typed_commands())) > 5
    assert len(list(mentioned_commands())) > 10


@pytest.mark.parametrize(("question", "query"), saved_queries(), ids=[query for _, query in saved_queries()])
async def test_the_server_accepts_each_saved_query(env: WorkflowEnvironment, question: str, query: str) -> None:
    assert (await env.client.count_workflows(query)).count >= 0


def test_the_page_of_cases_has_every_stage_and_no_other() -> None:
    page = (ROOT / "docs" / "cases.md").read_text()
    heads = "| order | return | refund | orphan | cost review | claim | batch | report import |"
    table = page.partition(heads)[2].partition("\n\n")[0]
    columns = list(zip(*(line.split("|")[1:9] for line in table.splitlines()[2:]), strict=True))
    for kind, column in zip(KINDS, columns, strict=True):
        assert set(re.findall(r"`(\w+)`", " ".join(column))) == {stage.value for stage in kind.stages}, kind.name


@pytest.mark.parametrize(
    ("page", "arguments"),
    list(typed_commands()),
    ids=[f"{page}: {shlex.join(words)}" for page, words in typed_commands()],
)
def test_each_command_that_readers_may_copy_is_one(page: str, arguments: list[str]) -> None:
    with contextlib.suppress(typer.Exit):  # of `--help`
        parse(arguments)


@pytest.mark.parametrize(
    ("page", "words"),
    list(mentioned_commands()),
    ids=[f"{page}: {' '.join(words)}" for page, words in mentioned_commands()],
)
def test_each_command_that_is_mentioned_is_known(page: str, words: list[str]) -> None:
    for first in words[0].split("|"):
        command: Any = typer.main.get_command(app)
        for word in [first, *words[1:]]:
            if not hasattr(command, "commands"):
                break  # its arguments
            assert word in command.commands, f"{page}: {' '.join(words)}"
            command = command.commands[word]
            command = command.loaded() if hasattr(command, "loaded") else command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_each_file_that_is_named_exists(page: Path) -> None:
    named = [name for name in NAMED_FILE.findall(page.read_text()) if not name.startswith(MADE)]
    missing = [name for name in named if not list(ROOT.glob(name))]
    assert missing == []
