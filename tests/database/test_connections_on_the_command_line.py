"""Connections, shown, changed, imported and deactivated; never deleted, and never half a file."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starter.cli.assembly import app
from tests.database.story import Story

GOOD = """
- connection_id: keystone-api
  kind: supplier
  provider: supplier_json
  owner: supplier:north
  base_url: https://api.keystone.example
  secret: file:/run/secrets/keystone
"""


@pytest.fixture
def story(story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return story


def line(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["connection", *arguments])


def imported(tmp_path: Path, text: str) -> Result:
    file = tmp_path / "connections.yaml"
    file.write_text(text)
    return line("import", str(file))


def test_what_is_imported_is_listed_and_shown_as_it_can_be_imported_again(story: Story, tmp_path: Path) -> None:
    assert imported(tmp_path, GOOD).exit_code == 0
    assert "keystone-api" in line("list").output
    shown = line("show", "keystone-api").output
    assert "unchanged" in imported(tmp_path, shown).output


WRONG = {
    "an unknown owner": ("owner: supplier:nobody", "owner: there is no supplier nobody"),
    "a second one of a supplier": ("owner: supplier:north", "supplier:north has the active connection"),
    "another kind": ("owner: supplier:south\n  kind: payments", "supplier_json is a provider of supplier"),
    "a secret itself": ("owner: supplier:south\n  secret: verysecret", "secret: say where the secret stands"),
    "an unknown field": ("owner: supplier:south\n  key: verysecret", "key"),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG.keys())
def test_of_a_file_with_one_wrong_row_nothing_is_taken_and_row_and_field_are_named(
    story: Story, tmp_path: Path, wrong: str, words: str
) -> None:
    row = f"- connection_id: second\n  provider: supplier_json\n  {wrong}\n"
    row += "" if "kind:" in wrong else "  kind: supplier\n"
    row += "  base_url: https://api.second.example\n"
    refused = imported(tmp_path, GOOD + row)
    assert refused.exit_code == 2
    said = " ".join(refused.output.split())
    assert "entry 2, line" in said
    assert words in said
    assert "verysecret" not in said
    assert story.connections.find("keystone-api") is None


AMAZON = """
- connection_id: acme-amazon
  kind: channel
  provider: amazon
  owner: seller:acme
  account: A2ACMEPARTS01
  secret: env:ACME_AMAZON
  options: {region: na, marketplaces: US CA, client_id: amzn1.acme, client_secret: "env:LWA", queue: QUEUE}
"""


def test_an_account_at_amazon_is_taken_whole_or_refused_in_words(story: Story, tmp_path: Path) -> None:
    good = AMAZON.replace("QUEUE", "true")
    assert imported(tmp_path, good).exit_code == 0
    assert story.connections.get("acme-amazon").options["queue"] == "true"
    refused = imported(tmp_path, AMAZON.replace("QUEUE", "perhaps"))
    assert (refused.exit_code, "options.queue" in refused.output) == (2, True), refused.output


def test_what_was_paid_through_it_goes_back_there_so_owner_and_account_never_change(
    story: Story, tmp_path: Path
) -> None:
    text = "connection_id: acme-stripe\nkind: payments\nprovider: stripe\nowner: seller:acme\naccount: acct_new\n"
    refused = imported(tmp_path, text)
    assert refused.exit_code == 2
    assert "account: can't change" in " ".join(refused.output.split())
    assert line("set", "acme-stripe", "owner=broker").exit_code == 2


def test_address_secret_and_options_change_and_one_that_is_deactivated_stays(story: Story) -> None:
    assert line("set", "acme-stripe", "secret=env:ACME", "options=refund_days:90,note:x").exit_code == 0
    found = story.connections.get("acme-stripe")
    assert (found.secret, found.options) == ("env:ACME", {"refund_days": "90", "note": "x"})
    assert line("deactivate", "acme-stripe").exit_code == 0
    assert not story.connections.get("acme-stripe").active
    assert line("set", "acme-stripe", "active=true", "options=", "secret=").exit_code == 0
    found = story.connections.get("acme-stripe")
    assert (found.active, found.options, found.secret) == (True, {}, None)
    assert line("set", "nobody", "active=true").exit_code == 3
    assert line("set", "acme-stripe", "secret=verysecret").exit_code == 2


def test_a_connection_whose_secret_is_not_there_is_told_when_it_is_tried(story: Story) -> None:
    assert line("set", "acme-stripe", "secret=env:NOT_SET_ANYWHERE").exit_code == 0
    tried = line("test", "acme-stripe")
    assert tried.exit_code == 3
    assert "NOT_SET_ANYWHERE" in tried.output
