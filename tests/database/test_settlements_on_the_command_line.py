"""`backhaul amazon reconcile` on a database, without a server: as a table, CSV, JSON and a page (AMZ-8)."""

import csv
import io
import json
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from activities.database.settlement_booking import book_some
from activities.database.transactions import write
from activities.report_imports.settlement_staging import stage_settlement
from starter.cli.assembly import app
from tests.amazon_orders import FIRST
from tests.connectors.amazon.settlement_reports import BRAKE_PADS, REFUNDED, settlement
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story

MOON = {"amount-type": "<b>Moon</b>", "amount-description": "=Dust", "amount": "-2.00"}
ROWS = (
    BRAKE_PADS | {"amount": "50.00"},
    REFUNDED | {"amount": "-10.00", "order-item-code": FIRST},
    BRAKE_PADS | MOON,
    BRAKE_PADS | {"order-id": "999-1234567-1234567", "amount": "9.00"},
)


@pytest.fixture
def booked(story: Story, engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    AmazonStory(story, engine)
    for number, content in (("1", settlement(ROWS, "47.00")), ("2", settlement([], "1.00", settlement_id="2"))):
        named = (f"amazon-acme.{number}", "amazon-acme", "acme", "settlement.txt")
        stage_settlement(engine, *named, io.BytesIO(content))
    write(engine, lambda session: book_some(session, "amazon-acme.1", 100))


def reconcile(*arguments: str, settlement: str = "18000000001") -> Result:
    return CliRunner().invoke(app, ["amazon", "reconcile", "--settlement", settlement, *arguments])


@pytest.mark.usefixtures("booked")
def test_AMZ_8_what_was_expected_and_what_came_is_listed() -> None:
    said = reconcile().stdout
    assert "Settlement 18000000001 of amazon-acme: booked" in said
    assert "total 47.00 USD, sum of 4 amounts 47.00 USD" in said
    assert ["refunded", "1", "-10.00"] in [line.split() for line in said.splitlines()]
    (one,) = [line for line in said.splitlines() if line.startswith("unexpected")]
    assert one.split()[:5] == ["unexpected", "111-1234567-1234567", FIRST, "Refund", "10.00"]


@pytest.mark.usefixtures("booked")
def test_AMZ_8_as_csv_it_has_a_line_for_all_that_is_not_as_it_should_be() -> None:
    rows = list(csv.DictReader(StringIO(reconcile("--csv").stdout)))
    assert [(row["what"], row["came"], row["order_id"]) for row in rows] == [
        ("unexpected", "10.00", "1001"),
        ("unknown_orders", "9.00", ""),
        ("unknown_words", "-2.00", ""),
    ]
    assert reconcile("--format", "csv").stdout == reconcile("--csv").stdout


@pytest.mark.usefixtures("booked")
def test_AMZ_8_as_json_it_is_for_programs() -> None:
    told = json.loads(reconcile("--json").stdout)
    assert (told["total"], told["came"], told["out_of_balance"], told["state"]) == (
        "47.00",
        "47.00",
        "0.00",
        "booked",
    )
    assert [(one["what"], one["expected"], one["came"]) for one in told["differences"]] == [
        ("unexpected", None, "10.00")
    ]
    assert told["unknown"][0]["amount_type"] == "<b>Moon</b>"


@pytest.mark.usefixtures("booked")
def test_AMZ_8_as_a_page_it_shows_what_strangers_wrote_as_text_and_loads_nothing(tmp_path: Path) -> None:
    page = tmp_path / "settlement.html"
    assert reconcile("--format", "html", "--output", str(page)).exit_code == 0
    said = page.read_text()
    assert "&lt;b&gt;Moon&lt;/b&gt;" in said
    assert "<b>Moon" not in said
    assert "default-src 'none'" in said
    assert "Settlement 18000000001" in said


@pytest.mark.usefixtures("booked")
def test_AMZ_8_a_settlement_that_is_held_says_what_it_is_off_and_an_unknown_one_is_told() -> None:
    held = reconcile(settlement="2").stdout
    assert "Settlement 2 of amazon-acme: held" in held
    (total,) = [line for line in held.splitlines() if line.startswith("total  ")]
    assert total.split()[:3] == ["total", "1.00", "0.00"]
    missing = reconcile(settlement="3")
    assert (missing.exit_code, "no settlement 3 was imported" in missing.stderr) == (3, True)
    assert reconcile("--output", "x").exit_code == 2
