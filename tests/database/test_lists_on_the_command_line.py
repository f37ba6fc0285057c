"""`backhaul list` and `backhaul return find` on a database, without a server."""

import json

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


def test_NTF_3_a_list_says_how_it_goes_on(story: Story) -> None:
    for number in range(3):
        story.ordered(("A", 1, "10.00"), order_id=str(number))
    first = line("list", "orders", "--limit", "2")
    assert "there may be more: --after 0999999999999999999" in " ".join(first.output.split())
    page = json.loads(line("list", "orders", "--limit", "2", "--json").stdout)
    assert [row["order_id"] for row in page] == ["0", "1"]
    rest = json.loads(line("list", "orders", "--after", page[-1]["standing"]["cursor"], "--json").stdout)
    assert [row["order_id"] for row in rest] == ["2"]


def test_NTF_3_a_page_behind_nothing_is_one_clear_line(story: Story) -> None:
    refused = line("list", "orders", "--after", "1001")
    assert refused.exit_code == 2
    assert "after: must be the cursor of a case that was listed" in refused.output


def test_RET_17_a_return_is_found_by_its_tracking_number(story: Story) -> None:
    story.delivered(("A", 1, "10.00"))
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", "in_transit", tracking_number="1Z9")
    assert "RR-1" in line("return", "find", "1Z9").stdout
