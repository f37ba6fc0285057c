"""`backhaul cost-review request`: what is typed reaches the review (BAL-2)."""

import pytest
from typer.testing import CliRunner, Result

from starter.cli import cost_review_requests
from starter.cli.assembly import app

DIGITS = "5e" * 32


def request(*arguments: str) -> Result:
    given = ("--order", "1001", "--amount", "40.00", "--notes", "wrong part", *arguments)
    return CliRunner().invoke(app, ["cost-review", "request", *given])


def test_BAL_2_a_review_is_asked_for_with_its_evidence_by_hash_and_reference(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, list[dict[str, str]]]] = []

    async def request_review(order: str, evidence: list[dict[str, str]], said: dict[str, str | None]) -> None:
        assert (said["amount"], said["notes"]) == ("40.00", "wrong part")
        asked.append((order, evidence))

    monkeypatch.setattr(cost_review_requests, "request_review", request_review)
    typed = (f"photo:{DIGITS}:s3://acme/a:b.jpg", f"document:{DIGITS}:s3://acme/c.pdf")
    assert request("--evidence", typed[0], "--evidence", typed[1]).exit_code == 0
    photo = {"kind": "photo", "sha256": DIGITS, "reference": "s3://acme/a:b.jpg"}
    document = {"kind": "document", "sha256": DIGITS, "reference": "s3://acme/c.pdf"}
    assert asked == [("1001", [photo, document])]


@pytest.mark.parametrize("typed", ["photo", f"photo:{DIGITS}", f"photo:{DIGITS}:"])
def test_BAL_2_evidence_without_hash_or_reference_is_an_error(typed: str) -> None:
    refused = request("--evidence", typed)
    assert (refused.exit_code, "must be KIND:SHA256:REFERENCE" in refused.output) == (2, True)
