"""`backhaul report` on a database, without a server: as a table, CSV and JSON (BAL-1, RET-13)."""

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starter.cli.assembly import app
from starter.cli.spreadsheet import csv_text
from tests.database.story import Story, case_record


@pytest.fixture
def story(story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return story


@pytest.fixture
def sold(story: Story) -> Story:
    story.delivered(("A", 1, "100.00"))
    story.returned("RR-1", A=1)
    story.return_reaches("RR-1", "awaiting_credit", refund_due="2026-04-30T12:00:00Z")
    return story


def report(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_money_is_shown_by_seller_and_supplier_with_a_line_for_all(sold: Story) -> None:
    lines = [line.split() for line in report("money").stdout.splitlines()]
    assert ["acme", "USD", "60.00", "0.00", "0.00", "50.00", "0.00", "0.00"] in lines
    assert ["all", "USD", "60.00", "0.00", "0.00", "50.00", "0.00", "0.00"] in lines
    assert ["acme", "USD", "100.00", "0.00", "0.00", "0.00"] in lines
    assert ["north", "USD", "50.00", "0.00", "0.00"] in lines


def test_money_as_csv_has_a_line_for_each_seller_and_supplier(sold: Story) -> None:
    of_seller, of_supplier = rows_of(report("money", "--format", "csv").stdout)
    assert (of_seller["of"], of_seller["id"], of_seller["charged"], of_seller["expected"]) == (
        "seller",
        "acme",
        "60.00",
        "",
    )
    assert (of_supplier["id"], of_supplier["expected"], of_supplier["charged"]) == ("north", "50.00", "")


def test_money_as_json_has_rows_and_totals(sold: Story) -> None:
    told = json.loads(report("money", "--json").stdout)
    assert told == {**json.loads(report("money", "--format", "json").stdout), "as_of": told["as_of"]}
    assert [one["owed"] for one in told["sellers"]] == [one["owed"] for one in told["seller_totals"]] == ["50.00"]
    assert [one["expected"] for one in told["supplier_totals"]] == ["50.00"]


def test_RET_13_promises_are_shown_by_supplier_and_by_seller(sold: Story) -> None:
    sold.save(record=case_record("order-1001", "shipped", ended=True))
    shown = report("sla").stdout
    assert "north" in shown
    assert "acme" in shown
    (row,) = rows_of(report("sla", "--format", "csv").stdout)
    assert (row["promise"], row["supplier"], row["seller"], row["breached"]) == (
        "seller_refund",
        "north",
        "acme",
        "1",
    )
    told = json.loads(report("sla", "--json", "--supplier", "north").stdout)
    assert told["total"]["breached"] == told["by_supplier"][0]["breached"] == told["by_seller"][0]["breached"] == 1


@pytest.mark.parametrize("which", ["sla", "money"])
def test_the_page_is_the_same_for_both_reports(sold: Story, tmp_path: Path, which: str) -> None:
    file = tmp_path / "report.html"
    assert report(which, "--seller", "acme", "--format", "html", "--output", str(file)).exit_code == 0
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert "<h1>Promises and money of acme</h1>" in page
    assert 'aria-label="Between the broker and sellers"' in page
    assert file.stat().st_mode & 0o777 == 0o600


def test_empty_books_say_so(story: Story) -> None:
    assert report("money").stdout == "no money moved, and none is open\n"
    assert report("sla").stdout == "nothing is promised that is not kept yet\n"
    assert rows_of(report("money", "--format", "csv").stdout) == []
    assert json.loads(report("sla", "--json").stdout)["rows"] == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("money", "--seller", "nobody"), 3, "no seller nobody"),
        (("sla", "--supplier", "nobody"), 3, "no supplier nobody"),
        (("money", "--since", "soon"), 2, "must be a day, a time, or such as 30d"),
        (("money", "--since", "2026-03-02", "--until", "2026-03-01"), 2, "must be later than --since"),
        (("money", "--output", "x.csv"), 2, "needs --format csv, json or html"),
    ],
)
def test_what_can_not_be_shown_is_said(
    story: Story, arguments: tuple[str, ...], exit_code: int, said: str
) -> None:
    found = report(*arguments)
    assert found.exit_code == exit_code
    assert said in found.output


def test_a_file_is_written_whole_and_for_its_owner_alone(sold: Story, tmp_path: Path) -> None:
    file = tmp_path / "money.csv"
    file.write_text("the one before")
    written = report("money", "--format", "csv", "--output", str(file))
    assert written.exit_code == 0
    assert rows_of(file.read_text())[0]["id"] == "acme"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob(".money*")) == []
    nowhere = report("money", "--format", "csv", "--output", str(tmp_path / "no" / "money.csv"))
    assert (nowhere.exit_code, "its folder is not there" in nowhere.output) == (2, True)
    assert report("money", "--format", "csv", "--output", str(tmp_path)).exit_code == 2


def test_what_strangers_wrote_is_no_formula_in_a_spreadsheet() -> None:
    evil = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", 'a"b,c\x1b[31m')
    (row,) = csv.reader(StringIO(csv_text(("a",), [evil]).partition("\r\n")[2]))
    assert row == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "'＝1", 'a"b,c\\x1b[31m']
