"""`backhaul reason`, `backhaul orphan list` and the settings of windows on a database, without a server."""

import json

import pytest
from typer.testing import CliRunner, Result

from starter.cli.assembly import app
from tests.database.story import Story
from tests.database.test_database_orphans import orphan


@pytest.fixture
def story(story: Story, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setenv("DATABASE_URL", database_url)
    return story


def line(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def handles(*arguments: str) -> list[str]:
    return [one["handle"] for one in json.loads(line("reason", "list", "--json", *arguments).output)]


def test_RET_21_a_seller_adds_a_reason_of_its_own(story: Story) -> None:
    new = line("reason", "set", "acme", "core_deposit", "--words", "en=core deposit", "--words", "de=Altteilpfand")
    assert new.exit_code == 0, new.output
    assert "core_deposit" in handles("--seller", "acme")
    assert "core_deposit" not in handles()
    assert "Altteilpfand" in line("reason", "list", "--seller", "acme", "--language", "de").output


def test_RET_21_what_is_not_said_of_a_reason_stays(story: Story) -> None:
    assert line("reason", "set", "acme", "damaged", "--needs-evidence").exit_code == 0
    assert line("reason", "set", "acme", "damaged", "--not-in-use", "--words", "fr=abîmé").exit_code == 0
    (damaged,) = story.parties.seller("acme").reasons
    assert damaged.model_dump() == {
        "handle": "damaged",
        "words": {"en": "damaged", "de": "beschädigt", "fr": "abîmé"},
        "note_required": False,
        "evidence_required": True,
        "loss_needs_evidence": True,
        "in_use": False,
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("acme", "core_deposit"), "is new: say its words"),
        (("acme", "Core Deposit", "--words", "en=x"), "handle"),
        (("acme", "damaged", "--words", "beschädigt"), "LANGUAGE=WORDS"),
        (("nobody", "damaged", "--in-use"), "nobody"),
    ],
)
def test_RET_21_what_is_wrong_with_a_reason_is_said(story: Story, arguments: tuple[str, ...], says: str) -> None:
    refused = line("reason", "set", *arguments)
    assert refused.exit_code in (2, 3)
    assert says in refused.output


def test_RET_22_days_by_country_are_set_in_one_line(story: Story) -> None:
    done = line("seller", "set", "acme", "return_days_by_country=DE:60, fr:30", "outside_window=reject")
    assert done.exit_code == 0, done.output
    assert story.parties.seller("acme").return_days_by_country == {"DE": 60, "FR": 30}
    assert line("seller", "set", "acme", "return_days_by_country=").exit_code == 0
    assert story.parties.seller("acme").return_days_by_country == {}


@pytest.mark.parametrize("value", ["DE", "DE:", "XX:14", "DE:0", "DE:soon"])
def test_RET_22_wrong_days_by_country_are_refused(story: Story, value: str) -> None:
    refused = line("seller", "set", "acme", f"return_days_by_country={value}")
    assert (refused.exit_code, "return_days_by_country" in refused.output) == (2, True)


def test_RET_20_orphans_are_listed_with_what_was_said(story: Story) -> None:
    number = orphan(story, "several_fit", candidates=("return-1", "return-2"))
    shown = json.loads(line("orphan", "list", "--json").output)
    assert [(one["orphan_id"], one["numbers"]) for one in shown] == [(number, ["RMA-77"])]
    assert shown[0]["said"]["number"] == "CM-1"
    told = line("status", f"orphan-{number}")
    assert "several fit" in told.output, told.output


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{}", "source: is missing"),
        ('{"source": "reno", "event": "credit_memo", "said": "x"}', "said"),
        ('{"source": "reno", "event": "release", "said": {"event_id": "1"}, "numbers": ["1"]}', "there is no"),
    ],
)
def test_RET_20_what_can_not_be_reported_is_said(story: Story, given: str, says: str) -> None:
    refused = line("orphan", "report", given)
    assert (refused.exit_code, says in refused.output) == (2, True), refused.output
