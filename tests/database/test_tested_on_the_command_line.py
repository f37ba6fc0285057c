"""`backhaul connection test` at each payment gateway: nothing is wrong, or it says what and ends with a code."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.connections import BROKER, Connection
from starter.cli.assembly import app
from starter.sandbox import running_sandbox
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
