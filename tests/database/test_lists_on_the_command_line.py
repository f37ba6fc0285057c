"""`backhaul list` and `backhaul return find` on a database, without a server."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from typer.testing import CliRunner, Result

from models.records import SaveCase
from models.worklists import Work
from starter.cli.assembly import app
from tests.database.full_database import full_database
from tests.database.story import Story, case_record


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


def test_NTF_3_a_return_is_listed_at_every_stage_that_it_waits_at(story: Story, engine: Engine) -> None:
    story.delivered(("A", 3, "10.00"))
    for number, stage, also in (
        (1, "in_transit", ("awaiting_buyer_refund",)),
        (2, "awaiting_buyer_refund", ()),
        (3, "in_transit", ()),
    ):
        story.returned(f"RR-{number}", A=1)
        record = case_record(f"return-RR-{number}", stage, also_at=also)
        story.save_return(f"RR-{number}", record)

    def listed(*arguments: str) -> list[str]:
        rows = json.loads(line("list", "returns", *arguments, "--json").stdout)
        return [row["return_id"] for row in rows]

    assert sorted(listed("--stage", "awaiting_buyer_refund")) == ["RR-1", "RR-2"]
    assert sorted(listed("--stage", "in_transit")) == ["RR-1", "RR-3"]
    assert listed("--stage", "In-Transit") == listed("--stage", "in_transit"), "written as options are (ORD-21)"
    assert len(listed("--stage", "awaiting_buyer_refund", "--limit", "1")) == 1
    assert listed("--stage", "refunding_buyer") == []
    shown = " ".join(line("list", "returns", "--stage", "awaiting_buyer_refund").stdout.split())
    assert "in_transit, awaiting" in shown


def test_NTF_3_each_part_of_a_stage_is_a_range_of_its_own_index(story: Story, engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite")
    asked: list[Any] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    story.reading.find_returns(stage="awaiting_buyer_refund")
    event.remove(engine, "before_cursor_execute", note)
    (statement, values), *_ = [one for one in asked if one[0].startswith("SELECT")]
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).fetchall())
    assert "ix_case_file_also_at_awaiting_buyer_refund" in plan, plan
    assert "ix_case_file_stage" in plan, plan
    assert "SCAN case_file" not in plan.replace("SCAN case_file USING INDEX ix_case_file_also_at", ""), plan


def test_NTF_6_ORD_21_a_worklist_is_named_as_options_are_written_too(story: Story) -> None:
    record = case_record("return-RR-1", "awaiting_approval", work=(Work.TO_APPROVE,))
    story.database.save_case(SaveCase(record=record))
    for name in ("to_approve", "to-approve", "TO-APPROVE"):
        assert "RR-1" in line("list", "--work", name).stdout


def test_NTF_6_another_name_is_answered_with_the_names_of_the_worklists(story: Story) -> None:
    refused = line("list", "--work", "nonsense")
    said = " ".join(refused.output.split())
    assert refused.exit_code == 2
    assert "--work: nonsense: no such worklist; they are to_release, to_choose, buyer_wants_to_cancel" in said
    assert "Value error" not in said


def test_NTF_3_claims_and_cost_reviews_are_listed_as_other_cases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'full.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    for _ in full_database(url):
        for kind, number in (("claims", "CL-1"), ("cost-reviews", "CR-1")):
            assert number in line("list", kind, "--stage", "approved").stdout
            assert line("list", kind, "--stage", "awaiting_decision").stdout == "nothing found\n"
            assert json.loads(line("list", kind, "--due-before", "9d", "--json").stdout) == []
            refused = line("list", kind, "--stage", "shipped")
            assert (refused.exit_code, f"{kind} have the stages" in refused.output) == (2, True)
