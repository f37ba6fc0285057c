"""Claims in the database: each voided unit is claimed once, each claim is credited once (BAL-1, CLM-1)."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from temporalio.exceptions import ApplicationError

from activities.database.ledger import Ledger
from models.claims import ClaimRequest, ClaimState, OpenClaim, OpenedClaim, SaveClaim
from models.ids import claim_workflow_id
from models.returns import Evidence
from tests.database.story import NOON, Story, case_record, seller

RECEIPT = Evidence(kind="document", reference="s3://acme/receipt.pdf", sha256="a" * 64)


@pytest.fixture
def voided(story: Story) -> Story:
    """Of four units of A nobody had three; B was shipped."""
    story.ordered(("A", 4, "50.00"), ("B", 1, "20.00"))
    story.voided(A=3)
    story.shipped(B=1)
    return story


def claiming(story: Story, claim_id: str, units: int = 1, run: str = "run-1", **fields: Any) -> OpenedClaim:
    given = {
        "claim_id": claim_id,
        "order_id": "1001",
        "seller_id": "acme",
        "lines": [{"sku": "A", "quantity": units}],
        "amount": "80.00",
        "currency": "USD",
        "dealer": "Reno Auto Parts",
        "requested_by": "seller:jane",
        **fields,
    }
    request = ClaimRequest.at_the_door(given)
    return story.database.open_claim(
        OpenClaim(request=request, workflow_id=claim_workflow_id(claim_id), run_id=run, at=NOON)
    )


def saving(story: Story, claim_id: str, state: ClaimState, approved: str | None = None, **more: Any) -> None:
    ended = state is not ClaimState.OPEN
    stage = state.value if ended else "awaiting_decision"
    story.database.save_claim(
        SaveClaim(
            record=case_record(claim_workflow_id(claim_id), stage, ended=ended),
            claim_id=claim_id,
            state=state,
            approved=Decimal(approved) if approved else None,
            decided_by="staff:kim" if ended else None,
            at=NOON,
            **more,
        )
    )


def credited(engine: Engine) -> list[tuple[str, Decimal, str]]:
    entries = Ledger(engine).entries()
    return [(one.credit, one.amount, one.debit) for one in entries if one.movement.startswith("claim/")]


def test_CLM_1_it_is_written_down_with_the_settings_of_the_seller(voided: Story) -> None:
    told = {"claim_days": 12, "claim_reminder_days": [5], "minimum_stock": 7, "payment_method": "pm_1"}
    voided.parties.put_seller(seller(**told, claim_without_approval="50.00"))
    opened = claiming(voided, "CL-1", 2)
    assert (opened.reason, opened.minimum_stock, opened.card_on_file) == (None, 7, True)
    assert (opened.claim_days, opened.without_approval, opened.least_stock) == (12, Decimal("50.00"), 3)
    assert [(one.sku, one.quantity) for one in opened.units] == [("A", 2)]
    (listed,) = voided.reading.find_claims(seller="acme")
    assert (listed.amount, listed.state, listed.units) == (Decimal("80.00"), "open", opened.units)
    assert claiming(voided, "CL-1", 2) == opened, "asked twice it is the same"


def test_CLM_1_by_itself_a_claim_of_100_USD_needs_no_person_from_a_minimum_stock_of_3(voided: Story) -> None:
    opened = claiming(voided, "CL-1")
    assert (opened.without_approval, opened.least_stock, opened.card_on_file) == (Decimal("100.00"), 3, False)
    assert (opened.claim_days, opened.claim_reminder_days) == (30, (14, 25))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"order_id": "9"}, "no order 9"),
        ({"seller_id": "other"}, "order 1001 is not of seller other"),
        ({"currency": "EUR"}, "charged in USD, the claim is in EUR"),
        ({"lines": [{"sku": "B", "quantity": 1}]}, "1 of B can't be claimed: 0 of 1 voided"),
        ({"lines": [{"sku": "A", "quantity": 4}]}, "4 of A can't be claimed: 3 of 4 voided, 0 claimed already"),
        ({"lines": [{"sku": "Z", "quantity": 1}]}, "order 1001: "),
    ],
)
def test_CLM_1_what_was_not_voided_is_not_claimed(voided: Story, fields: dict[str, Any], why: str) -> None:
    opened = claiming(voided, "CL-1", **fields)
    assert opened.reason is not None
    assert why in opened.reason
    assert voided.reading.find_claims() == []


def test_CLM_1_each_unit_is_claimed_once_over_all_claims(voided: Story) -> None:
    assert claiming(voided, "CL-1", 2).reason is None
    assert (
        claiming(voided, "CL-2", 2).reason == "2 of A can't be claimed: 3 of 4 voided, 2 claimed already (CLM-1)"
    )
    saving(voided, "CL-1", ClaimState.APPROVED, "20.00")
    assert claiming(voided, "CL-2", 2).reason is not None
    assert claiming(voided, "CL-2", 1).reason is None
    saving(voided, "CL-2", ClaimState.REJECTED)
    assert claiming(voided, "CL-3", 1).reason is None


def test_CLM_1_claims_of_one_order_share_what_needs_no_person(voided: Story) -> None:
    """Else whoever claims each unit by itself would never meet a person."""
    assert claiming(voided, "CL-1").claimed_before == 0
    assert claiming(voided, "CL-2").claimed_before == Decimal("80.00")
    assert claiming(voided, "CL-2").claimed_before == Decimal("80.00"), "asked twice it is the same"
    saving(voided, "CL-1", ClaimState.APPROVED, "20.00")
    assert claiming(voided, "CL-2").claimed_before == Decimal("20.00")
    saving(voided, "CL-2", ClaimState.REJECTED)
    assert claiming(voided, "CL-3").claimed_before == Decimal("20.00")


def test_CLM_1_another_runs_number_is_not_taken_over(voided: Story) -> None:
    claiming(voided, "CL-1")
    assert claiming(voided, "CL-1", run="run-2").reason == "claim CL-1 exists already"


def test_BAL_1_CLM_1_an_approval_is_credited_once_in_the_same_transaction(voided: Story, engine: Engine) -> None:
    claiming(voided, "CL-1")
    saving(voided, "CL-1", ClaimState.OPEN, receipts=(RECEIPT,))
    assert credited(engine) == []
    for _ in range(2):
        saving(voided, "CL-1", ClaimState.APPROVED, "75.00", receipts=(RECEIPT,))
    assert credited(engine) == [("seller/acme/available", Decimal("75.00"), "broker/expense")]
    listed = voided.reading.claim("CL-1")
    assert (listed.approved, listed.decided_by, listed.receipts) == (Decimal("75.00"), "staff:kim", (RECEIPT,))
    _, faults = Ledger(engine).faults()
    assert [one for one in faults if one.movement.startswith("claim/")] == []


@pytest.mark.parametrize("state", [ClaimState.REJECTED, ClaimState.WITHDRAWN, ClaimState.STOPPED])
def test_CLM_1_what_is_not_approved_credits_nothing(voided: Story, engine: Engine, state: ClaimState) -> None:
    claiming(voided, "CL-1")
    saving(voided, "CL-1", state)
    saving(voided, "CL-1", ClaimState.APPROVED, "80.00")
    assert (voided.reading.claim("CL-1").state, credited(engine)) == (state, [])


def test_BAL_1_the_ledger_says_when_a_claim_is_not_entered(voided: Story, engine: Engine) -> None:
    claiming(voided, "CL-1")
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE claim SET state = 'approved', approved = '80.00', settled_at = requested_at")
        )
    _, faults = Ledger(engine).faults()
    assert [one.movement for one in faults if one.movement.startswith("claim/")] == ["claim/CL-1"]
    Ledger(engine).backfill()
    assert credited(engine) == [("seller/acme/available", Decimal("80.00"), "broker/expense")]


def test_CLM_1_a_claim_of_nobody_is_not_saved(voided: Story) -> None:
    with pytest.raises(ApplicationError, match="no claim CL-9"):
        saving(voided, "CL-9", ClaimState.APPROVED, "1.00")


def test_CLM_1_the_database_refuses_more_than_was_claimed(voided: Story, engine: Engine) -> None:
    claiming(voided, "CL-1")
    wrong = "UPDATE claim SET state = 'approved', settled_at = requested_at, approved = '80.01'"
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(wrong))
