"""Where the local stack listens and keeps its files: moved by one option, told when it can't be used."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from models.failures import Conflict, InvalidInput, PartnerUnavailable
from models.settings import Settings, home
from starter.cli import stack_run
from starter.cli.stack_run import show_addresses
from starter.ops import stack
from starter.ops.dev_server import read_config
from starter.ops.folder import only_one_in
from starter.ops.ports import PortUse
from starter.ops.stack import StackPlan
from tests.cli.conftest import ROOT, Line

BUILT_IN = ROOT / "temporal-dev.yaml"


def plan(**changes: Any) -> StackPlan:
    settings = Settings(payload_keys=None)
    return StackPlan(**{"server": read_config(BUILT_IN), "settings": settings, **changes})


def ports(of: StackPlan) -> list[int]:
    uses: list[PortUse] = [*of.server.port_uses(), *of.port_uses()]
    return [*(use.port for use in uses), of.codec_port]


@pytest.fixture(autouse=True)
def _nothing_set_by_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("BACKHAUL_", "TEMPORAL_")):
            monkeypatch.delenv(name)


def test_one_option_moves_every_port() -> None:
    assert ports(plan().moved(100)) == [port + 100 for port in ports(plan())]
    assert plan().moved(0) == plan()
    assert plan(front_port=9000).moved(-10).front_port == 8990


def test_every_part_of_a_moved_stack_finds_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = plan().moved(100)
    for name, value in moved.environment().items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert settings.front_url.port == 8352
    assert (settings.smtp_port, settings.temporal_ui_url.port) == (8351, 8333)
    assert os.environ["TEMPORAL_ADDRESS"] == "127.0.0.1:7333"


def test_what_a_moved_stack_prints_is_what_other_commands_need(capsys: pytest.CaptureFixture[str]) -> None:
    show_addresses(plan())
    assert "export" not in capsys.readouterr().out
    moved = plan().moved(100)
    show_addresses(moved)
    said = capsys.readouterr().out
    exported = dict(
        line.strip().removeprefix("export ").split("=", 1) for line in said.splitlines() if " export " in line
    )
    assert exported["TEMPORAL_ADDRESS"] == "127.0.0.1:7333"
    assert exported == {name: value for name, value in moved.environment().items() if name in exported}
    changed = {name for name, value in moved.environment().items() if plan().environment()[name] != value}
    assert set(exported) == changed


def test_a_mail_server_that_was_set_by_hand_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKHAUL_SMTP_HOST", "mail.example")
    moved = StackPlan(server=read_config(BUILT_IN), settings=Settings()).moved(100)
    assert "BACKHAUL_SMTP_HOST" not in moved.exports()
    assert moved.environment()["BACKHAUL_SMTP_HOST"] == "mail.example"


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("offset", ["60000", "-8000"])
def test_an_offset_that_leads_nowhere_is_refused(nowhere: Line, command: str, offset: str) -> None:
    refused = nowhere(command, "--port-offset", offset)
    assert (refused.exit_code, "--port-offset: moves a port out of 1 to 65535" in refused.output) == (2, True)


@pytest.mark.parametrize("folder", ["a file", "under a file", "in /proc"])
@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_folder_that_can_not_be_used_is_named(nowhere: Line, tmp_path: Path, folder: str, command: str) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    path = {"a file": file, "under a file": file / "logs", "in /proc": Path("/proc/backhaul")}[folder]
    refused = nowhere(command, "--folder", str(path))
    assert refused.exit_code == 2
    assert f"the local stack: {path}: can't be used as a folder" in refused.output
    assert "give another one with --folder" in refused.output


def test_the_usual_folder_that_can_not_be_used_is_named(nowhere: Line, tmp_path: Path) -> None:
    (tmp_path / ".backhaul").write_text("no folder")
    refused = nowhere("up")
    assert (refused.exit_code, ".backhaul: can't be used as a folder" in refused.output) == (2, True)
    assert "internal error" not in refused.output


def test_a_file_that_can_not_be_used_is_named_wherever_it_is_met(
    nowhere: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: StackPlan) -> None:
        (tmp_path / "nowhere" / "x.log").write_text("x")

    monkeypatch.setattr(stack_run, "run_stack", broken)
    refused = nowhere("up")
    assert (refused.exit_code, "x.log: can't be used: No such file" in refused.output) == (2, True)


async def test_of_several_failures_at_the_start_the_one_that_we_have_words_for_is_told() -> None:
    ready = asyncio.Event()

    async def unforeseen() -> None:
        ready.set()
        raise OSError(28, "No space left on device", "books.db")

    async def foreseen() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise PartnerUnavailable("the server is not ready")

    with pytest.raises(PartnerUnavailable, match="not ready"):
        await stack._together(unforeseen(), foreseen())
    with pytest.raises(OSError, match="No space left"):
        await stack._together(unforeseen())
    with pytest.raises(InvalidInput, match="too far"):
        await stack._together(_refusing())


async def _refusing() -> None:
    raise InvalidInput("too far", [])


def test_all_of_a_stack_lies_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    other = plan(folder=Path("other"), settings=Settings()).with_its_books()
    books = f"sqlite:///{tmp_path}/other/books.db"
    assert other.environment()["DATABASE_URL"] == books
    assert other.exports() == {"DATABASE_URL": books}, "a command in any folder finds them"
    assert other.served.database.file == Path("other/temporal.db")
    usual = plan(settings=Settings()).with_its_books()
    assert usual.environment()["DATABASE_URL"] == f"sqlite:///{tmp_path}/.backhaul/books.db"
    assert usual.exports() == {"DATABASE_URL": f"sqlite:///{tmp_path}/.backhaul/books.db"}
    assert plan(folder=home(), settings=Settings()).with_its_books().exports() == {}, "there commands look for it"
    assert usual.moved(100).exports()["DATABASE_URL"] == f"sqlite:///{tmp_path}/.backhaul/books.db"


def test_books_whose_place_is_said_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://ann:secret@db.example/books")
    said = plan(folder=tmp_path, settings=Settings()).with_its_books().moved(100)
    assert said.environment()["DATABASE_URL"] == "postgresql+psycopg://ann:secret@db.example/books"
    assert "DATABASE_URL" not in said.exports()


def test_two_stacks_never_share_a_folder(tmp_path: Path) -> None:
    first = only_one_in(tmp_path)
    with pytest.raises(Conflict, match=r"a stack runs in .* already.*--folder"):
        only_one_in(tmp_path)
    first.close()
    only_one_in(tmp_path).close()


def test_the_books_lie_in_one_place_whatever_folder_a_command_runs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    here = Settings().database_url
    monkeypatch.chdir(tmp_path)
    assert Settings().database_url == here
    assert here.get_secret_value() == f"sqlite:///{ROOT}/.backhaul/books.db"


def test_books_of_an_installed_program_lie_where_programs_keep_their_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.settings.__file__", str(tmp_path / "site-packages" / "models" / "settings.py"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert home() == tmp_path / "state" / "backhaul"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".local" / "state" / "backhaul"
