"""Secrets are used and stand nowhere: not in histories, logs, metrics, answers, help or errors."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.testing import WorkflowEnvironment
from typer.testing import CliRunner

from activities.database.engines import make_engine
from models.settings import Settings
from starter.cli.assembly import app
from starter.cli.commands import LaterCommand
from starter.sandbox import RunningSandbox, SandboxClient
from tests.case_story import CaseStory
from tests.chaos.postgres import is_installed
from tests.eventually import eventually
from tests.security.buyer import said
from tests.security.sample_cases import (
    DATABASE_PASSWORD,
    SECRET_WORDS,
    SECRETS,
    SMTP_USER,
    Played,
    left_by,
    logging_to,
)
from tests.world import World
from worker import WorkerSettings, build_worker

ROOT = Path(__file__).resolve().parents[2]
BOOKS_AWAY = f"postgresql+psycopg://books:{DATABASE_PASSWORD}@127.0.0.1:1/books"


def test_the_secrets_are_used(played: Played, secret_settings: Settings) -> None:
    assert {mail.login for mail in played.mails} == {SMTP_USER}
    assert secret_settings.front_secret.get_secret_value() == SECRETS["front_secret"]
    if is_installed():
        assert DATABASE_PASSWORD in secret_settings.database_url.get_secret_value()


def test_no_secret_stands_anywhere(played: Played) -> None:
    everywhere = f"{played.listed!r} {played.failures} {played.payloads} {played.log} {played.metrics} "
    everywhere += f"{played.refusals} {played.answers} {played.mails}"
    assert said(everywhere, SECRET_WORDS) == []


async def test_a_case_whose_books_are_away_does_not_show_their_password(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
) -> None:
    queue = f"away-{uuid4().hex[:8]}"
    settings = stack_settings.model_copy(update={"database_url": SecretStr(BOOKS_AWAY)})
    world = World(env, stack_sandbox, stack_client, stack_books, settings, queue)
    log = io.StringIO()
    away = make_engine(BOOKS_AWAY)
    with logging_to(log):
        async with build_worker(
            env.client, settings, away, task_queue=queue, limits=WorkerSettings(drain_seconds=0.1)
        ):
            order = await world.simple_order()
            tried = await eventually(lambda: tried_in_vain(order), bool, "no try fails")
            await order.handle.terminate()
    away.dispose()
    assert "the database does not answer: OperationalError" in tried
    _, listed, _, payloads = await left_by(env.client, queue)
    assert said(f"{tried} {listed!r} {payloads} {log.getvalue()}", SECRET_WORDS) == []


async def tried_in_vain(case: CaseStory) -> str:
    """What the server keeps of the failures of activities that are tried again."""
    pending = (await case.handle.describe()).raw_description.pending_activities
    return "".join(f"{one.last_failure}" for one in pending if one.HasField("last_failure"))


# ---- what people read ----


def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"BACKHAUL_{name.upper()}", value)
    monkeypatch.setenv("BACKHAUL_SMTP_USER", SMTP_USER)
    monkeypatch.setenv("DATABASE_URL", BOOKS_AWAY)


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    settings = Settings()
    assert settings.front_secret.get_secret_value() == "verysecretfront"
    assert (
        said(f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}", SECRET_WORDS) == []
    )


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words that lead to each command, and to each group of them."""
    yield path
    if isinstance(command, LaterCommand):
        command = command.loaded()
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


EVERY_COMMAND = list(commands(typer.main.get_command(app)))


def test_every_command_is_looked_at() -> None:
    assert {(), ("worker",), ("codec", "serve"), ("db", "upgrade"), ("event",)} <= set(EVERY_COMMAND)


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
def test_no_help_shows_a_secret(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    environment(monkeypatch)
    shown = CliRunner().invoke(app, [*command, "--help"])
    assert shown.exit_code == 0
    assert "Usage" in shown.output
    assert said(shown.output, SECRET_WORDS) == []


WRONG = {
    "no number as port": ("DATABASE_URL", "postgresql+psycopg://books:pw@127.0.0.1:verysecret/books"),
    "an @ in the password": ("DATABASE_URL", "postgresql+psycopg://books:very@secret@127.0.0.1:1/books"),
    "an @ and a slash in it": ("DATABASE_URL", "postgresql+psycopg://books:x@very/secret@127.0.0.1:1/books"),
    "a password alone": ("DATABASE_URL", "verysecret"),
    "a slash too few": ("DATABASE_URL", "postgresql+psycopg:/books:verysecret@127.0.0.1:1/books"),
    "the password as a parameter": (
        "DATABASE_URL",
        "postgresql+psycopg://books@127.0.0.1:1/books?password=verysecret",
    ),
    "another database": ("DATABASE_URL", "mysql://books:verysecret@127.0.0.1:1/books"),
    "a wrong parameter": ("DATABASE_URL", "postgresql+psycopg://b:verysecret@127.0.0.1:1/books?connect_timeout=x"),
    "no host of that name": ("DATABASE_URL", "postgresql+psycopg://b:verysecret@nowhere.invalid/books"),
    "no ASCII in the token": ("BACKHAUL_CODEC_TOKEN", "verysecrét"),
    "nobody's password": ("BACKHAUL_SMTP_PASSWORD", "verysecret"),
    "an empty front secret": ("BACKHAUL_FRONT_SECRET", ""),
    "payload keys without id": ("BACKHAUL_PAYLOAD_KEYS", "verysecret"),
    "payload keys the wrong way round": ("BACKHAUL_PAYLOAD_KEYS", "verysecret=:k1"),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("command", [("refunds", "1001"), ("db", "upgrade")], ids=" ".join)
@pytest.mark.parametrize("debugging", ["", "1"], ids=["", "debugging"])
def test_a_wrong_secret_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, command: tuple[str, ...], debugging: str
) -> None:
    monkeypatch.setenv("BACKHAUL_DEBUG", debugging)
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, command)
    said_all = f"{result.output} {result.exception!r}"
    if not debugging:
        assert result.exit_code in (2, 7)
        assert name in result.output or "database" in result.output
    assert said(said_all, ("verysecr", "secret@", "very@")) == []


PROFILES = {
    "a quote too few": 'api_key = "verysecret',
    "no quotes": "api_key = 77verysecret",
    "in the wrong place": 'tls = "verysecret"',
}


@pytest.mark.parametrize("line", PROFILES.values(), ids=PROFILES.keys())
def test_a_wrong_profile_of_temporal_is_told_without_its_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(f"[profile.default]\n{line}\n")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    result = CliRunner().invoke(app, ["temporal", "setup"])
    assert result.exit_code == 2
    assert "line 2" in result.output
    assert said(result.output, ("verysecret",)) == []


def test_books_that_can_not_be_reached_are_named_without_their_password(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch)
    result = CliRunner().invoke(app, ["refunds", "1001"])
    assert result.exit_code == 7
    assert "book" in result.output
    assert said(result.output, SECRET_WORDS) == []


async def test_a_worker_that_starts_at_debug_shows_no_secret(
    env: WorkflowEnvironment, secret_settings: Settings, tmp_path: Path
) -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BACKHAUL_", "TEMPORAL_"))}
    secrets = {f"BACKHAUL_{name.upper()}": value for name, value in SECRETS.items()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker"),
        cwd=tmp_path,
        env=ours
        | secrets
        | {
            "PYTHONPATH": str(ROOT),
            "BACKHAUL_SMTP_USER": SMTP_USER,
            "BACKHAUL_LOG_LEVEL": "DEBUG",
            "BACKHAUL_MAX_CACHED_WORKFLOWS": "1",
            "DATABASE_URL": secret_settings.database_url.get_secret_value(),
            "TEMPORAL_ADDRESS": env.client.service_client.config.target_host,
            "TEMPORAL_TLS": "false",
            "TEMPORAL_API_KEY": "verysecretapikey",
            "TEMPORAL_CONFIG_FILE": os.devnull,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    written = b""
    try:
        while b"worker is ready" not in written:
            line = await asyncio.wait_for(process.stdout.readline(), 60)
            assert line, written.decode()
            written += line
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        rest, _ = await process.communicate()
    assert said(written + rest, (*SECRET_WORDS, "verysecret")) == []
