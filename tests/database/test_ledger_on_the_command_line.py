"""BAL-1: `backhaul ledger` on a database, without a server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from starter.cli.assembly import app
from tests.database.full_database import copied
from tests.database.story import Story


@pytest.fixture
def story(story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DATABASE_URL", database_url)
    story.delivered(("A", 1, "100.00"))
    return story


def ledger(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *arguments])


def test_BAL_1_balances_are_shown_by_account_and_seller(story: Story) -> None:
    shown = ledger("balance").stdout.split()
    assert shown[shown.index("broker/revenue") :][:5] == ["broker/revenue", "USD", "0.00", "60.00", "60.00"]
    of_seller = json.loads(ledger("balance", "--seller", "acme", "--json").stdout)
    assert {one["account"]: one["balance"] for one in of_seller} == {
        "seller/acme/available": "40.00",
        "seller/acme/pending": "0.00",
    }
    assert json.loads(ledger("balance", "--seller", "acm_", "--json").stdout) == []


def test_BAL_1_entries_are_shown_as_they_came(story: Story) -> None:
    shown = json.loads(ledger("entries", "--order", "1001", "--json").stdout)
    assert [one["kind"] for one in shown] == ["paid", "authorized", "captured"]
    assert json.loads(ledger("entries", "--order", "9", "--json").stdout) == []
    assert "charge/CH-1001-1" in ledger("entries").stdout


def test_BAL_1_the_check_says_what_is_wrong_by_its_exit_code(story: Story, engine: Engine) -> None:
    assert (ledger("check").exit_code, ledger("check").stdout) == (
        0,
        "2 movements are entered as they are booked\n",
    )
    copied(engine, "ledger_line", "movement = 'charge/CH-9' WHERE kind = 'captured'")
    wrong = ledger("check")
    assert wrong.exit_code == 4
    assert "the books do not know it" in wrong.output


def test_BAL_1_the_backfill_says_how_many_are_new(story: Story) -> None:
    assert ledger("backfill").stdout == "0 entries are new\n"


def test_BAL_1_bean_check_reads_what_is_exported(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "ledger.beancount"
    file.write_text(ledger("export").stdout)
    assert "Liabilities:Sellers:Id-acme:Available" in file.read_text()
    checked = subprocess.run(
        [sys.executable, "-m", "beancount.scripts.check", str(file)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
