"""`backhaul connection test` at each payment gateway: nothing is wrong, or it says what and ends with a code."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select
from typer.testing import CliRunner, Result

from activities.database.transactions import read
from models.connections import BROKER, Connection
from models.tables import CallRateRow
from starter.cli.assembly import app
from starter.sandbox import running_sandbox
from tests.amazon_account import amazon
from tests.database.story import Story

OPTIONS = {"stripe": {}, "paypal": {"client_id": "us"}, "authorize_net": {"login": "us"}}


@pytest.mark.parametrize("provider", OPTIONS)
async def test_each_gateway_is_tried_and_says_whether_it_takes_the_key(
    story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    key = tmp_path / "key"

    async with running_sandbox(database=tmp_path / "sandbox.db") as running:
        told = {"connection_id": "tried", "kind": "payments", "provider": provider, "owner": BROKER}
        where = {"base_url": f"{running.http_url}/{provider}", "secret": f"file:{key}"}
        one = Connection.model_validate({**told, **where, "options": OPTIONS[provider]})
        await asyncio.to_thread(story.connections.put, [one])

        async def said() -> Result:
            return await asyncio.to_thread(CliRunner().invoke, app, ["connection", "test", "tried"])

        missing = await said()
        assert (missing.exit_code, "can't be read" in missing.output) == (3, True), missing.output
        key.write_text("sk_live_wrong\n")
        wrong = await said()
        assert wrong.exit_code == 6, wrong.output
        assert "key" in wrong.output
        assert "sk_live_wrong" not in wrong.output
        key.write_text("sk_test_sandbox\n")
        good = await said()
        assert good.exit_code == 0, good.output


async def test_an_account_at_amazon_is_tried_and_its_call_is_counted(
    story: Story, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("AMAZON_TOKEN", "Atzr|test-acme")
    monkeypatch.setenv("AMAZON_CLIENT_SECRET", "test-secret")
    async with running_sandbox(database=tmp_path / "sandbox.db") as running:
        url = running.amazon_url
        one = amazon(base_url=url, secret="env:AMAZON_TOKEN", options={"token_url": f"{url}/auth/o2/token"})
        await asyncio.to_thread(story.connections.put, [one])

        async def said() -> Result:
            return await asyncio.to_thread(CliRunner().invoke, app, ["connection", "test", "amazon-acme"])

        good = await said()
        assert good.exit_code == 0, good.output
        (asked,) = read(engine, lambda session: list(session.exec(select(CallRateRow.operation))))
        assert asked == "getFeeds"
        monkeypatch.setenv("AMAZON_TOKEN", "Atzr|live-verysecret")
        wrong = await said()
        assert (wrong.exit_code, "invalid_grant" in wrong.output) == (6, True), wrong.output
        assert "verysecret" not in wrong.output
