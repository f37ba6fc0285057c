"""`backhaul seller set` and `seller import` on a database, without a server."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starter.cli.assembly import app
from tests.database.story import Story


@pytest.fixture
def story(story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return story


def line(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize("key", ["gateway_customer"])
@pytest.mark.parametrize("value", ["acct_é", "acct 1", "acct\u00a01", "acct_\u202e", "ａcct"])
def test_a_number_that_no_request_to_the_gateway_can_hold_is_refused_when_it_is_set(
    story: Story, tmp_path: Path, key: str, value: str
) -> None:
    refused = line("seller", "set", "acme", f"{key}={value}")
    assert (refused.exit_code, key in refused.output or "argument" in refused.output) == (2, True)
    file = tmp_path / "sellers.yaml"
    file.write_text(f"seller_id: acme\nname: Acme\nemail: a@acme.example\n{key}: {value}\n")
    imported = line("seller", "import", str(file))
    assert (imported.exit_code, key in imported.output) == (2, True)
    assert line("seller", "set", "acme", f"{key}=acct_1032D82eZvKYlo2C").exit_code == 0
