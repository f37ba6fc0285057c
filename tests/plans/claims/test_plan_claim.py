"""A claim, on the plan alone: approved by rule, or decided by a person in time (CLM-1, CLM-2)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.case import SlaState
from models.claims import ClaimRequest, OpenedClaim
from models.contract import CLAIM_EVENTS, CLAIM_KIND
from models.failures import Conflict, InvalidInput
from models.message import LineUnits
from models.worklists import Work
from tests.plans.rig import NOT_YET, Given, Pure, Rig
from workflows.claims.effects import WriteClaim
from workflows.claims.events import apply, check
from workflows.claims.facts import ClaimFacts
from workflows.claims.plan import plan
from workflows.claims.view import facts_in_status, projection, view
from workflows.engine.case import Effect
from workflows.engine.save import record_of
from workflows.engine.worklists import work_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RECEIPT = {"kind": "document", "reference": "s3://acme/receipt.pdf", "sha256": "a" * 64}
SENDERS = {"claim_decision": "staff:kim", "claim_withdrawn": "seller:jane", "receipt_added": "seller:jane"}


def opened(**fields: Any) -> OpenedClaim:
    """All that CLM-1 asks of the seller's settings holds."""
    given: dict[str, Any] = {
        "seller_id": "acme",
        "units": (LineUnits(line_id="1", sku="BRK-100", quantity=1),),
        "minimum_stock": 3,
        "card_on_file": True,
        "without_approval": Decimal("100.00"),
        "least_stock": 3,
        "claim_reminder_days": (14, 25),
    }
    return OpenedClaim(**{**given, **fields})


class World:
    """The database, which answers as it is told; mails arrive."""

    def __init__(self, opening: OpenedClaim | None) -> None:
        self.opening = opening

    def answer(self, effect: Effect, facts: ClaimFacts) -> Given:
        return (self.opening or NOT_YET) if isinstance(effect, WriteClaim) else None


class ClaimRig(Rig[ClaimFacts]):
    """80.00 USD claimed by the seller, with a receipt unless `receipt` says otherwise."""

    def __init__(self, opening: OpenedClaim | None = None, *, answers: bool = True, **fields: Any) -> None:
        given = {
            "claim_id": "CL-1001-1",
            "order_id": "1001",
            "seller_id": "acme",
            "lines": [{"sku": "BRK-100", "quantity": 1}],
            "amount": "80.00",
            "currency": "USD",
            "receipt": RECEIPT,
            "dealer": "Reno Auto Parts",
            "requested_by": "seller:jane",
        }
        request = ClaimRequest.at_the_door({**given, **fields})
        facts = ClaimFacts(now=NOON, created_at=NOON, run_id="run-1", request=request)
        self.database = World((opening or opened()) if answers else None)
        super().__init__(Pure(CLAIM_KIND, check, apply, plan), facts, self.database)
        self.events = 0
        self.rest()

    def says(self, name: str, **fields: Any) -> bool:
        self.events += 1
        given = {"event_id": f"e{self.events}", "actor": SENDERS[name], **fields}
        heard = self.hear(CLAIM_EVENTS[name].at_the_door(given))
        self.rest()
        return heard

    def adds_receipt(self) -> bool:
        return self.says("receipt_added", reference="s3://acme/2.pdf", sha256="b" * 64)

    @property
    def why(self) -> str:
        return self.facts.rejected[-1].reason

    @property
    def mailed(self) -> list[str]:
        return [f"{one.template} to {one.to}" for one in self.mails()]

    @property
    def saved(self) -> Any:
        kept = projection(self.facts, record_of(self.facts, self.plan, view(self.facts, self.plan), "opening"))
        return kept[1] if kept else None


def asked(**fields: Any) -> ClaimRig:
    """A claim without receipt: a person decides."""
    return ClaimRig(receipt=None, **fields)


# ---- by rule ----


@pytest.mark.parametrize("amount", ["0.01", "80.00", "100.00"])
def test_CLM_1_up_to_100_USD_is_approved_by_rule_at_once(amount: str) -> None:
    claim = ClaimRig(amount=amount)
    assert claim.stage == "approved"
    assert (claim.saved.state, claim.saved.approved, claim.saved.decided_by) == (
        "approved",
        Decimal(amount),
        "system:rule",
    )
    assert claim.mailed == ["claim_decided to seller"], "nobody else is asked"
    paid = f"{amount} USD claimed, paid to Reno Auto Parts for 1 x BRK-100"
    assert claim.steps[0] == f"{paid}; approved by rule: {amount} USD (CLM-1)"


@pytest.mark.parametrize(
    ("opening", "fields", "why"),
    [
        ({}, {"amount": "100.01"}, "it is over 100.00 USD"),
        ({"without_approval": Decimal("79.99")}, {}, "it is over 79.99 USD"),
        ({"claimed_before": Decimal("20.01")}, {}, "it is over 100.00 USD, with 20.01 claimed before"),
        ({"minimum_stock": 2}, {}, "the seller's minimum stock is 2, not 3"),
        ({}, {"receipt": None}, "no receipt is attached"),
        ({"card_on_file": False}, {}, "no card is on file"),
        ({}, {"currency": "EUR"}, "it is in EUR, not in USD"),
    ],
)
def test_CLM_1_without_any_one_of_the_conditions_a_person_decides(
    opening: dict[str, Any], fields: dict[str, Any], why: str
) -> None:
    claim = ClaimRig(opened(**opening), **fields)
    (waiting,) = claim.plan.waits
    assert (claim.stage, str(waiting.who), waiting.due) == (
        "awaiting_decision",
        "staff",
        NOON + timedelta(days=30),
    )
    assert claim.steps[-1].endswith(f"a person decides: {why}")
    assert claim.mailed == ["claim_requested to seller", "staff_alert to staff"]
    assert work_of(claim.facts, view(claim.facts, claim.plan), claim.plan.waits) == (Work.TO_DECIDE,)
    assert facts_in_status(claim.facts)["why_a_person"] == [why]
    assert (claim.saved.state, claim.saved.approved) == ("open", None)


def test_CLM_1_a_receipt_that_comes_later_may_make_all_hold() -> None:
    claim = asked()
    assert claim.adds_receipt()
    assert (claim.stage, claim.saved.approved, len(claim.saved.receipts)) == ("approved", Decimal("80.00"), 1)
    assert claim.mailed[-1] == "claim_decided to seller"
    assert not claim.says("claim_decision", decision="rejected", reason="too late")


def test_CLM_1_what_is_approved_by_rule_is_decided_before_its_mail_is_out() -> None:
    being_told = ClaimRig().facts.with_(outcome=None)
    late = {"event_id": "e1", "actor": "staff:kim", "decision": "rejected", "reason": "too late"}
    with pytest.raises(Conflict, match="approved already, by rule"):
        check(being_told, CLAIM_EVENTS["claim_decision"].at_the_door(late))


def test_CLM_1_a_receipt_alone_is_not_enough_when_something_else_is_missing() -> None:
    claim = ClaimRig(opened(minimum_stock=2), receipt=None)
    assert claim.adds_receipt()
    assert (claim.stage, claim.saved.approved) == ("awaiting_decision", None)
    assert facts_in_status(claim.facts)["why_a_person"] == ["the seller's minimum stock is 2, not 3"]


def test_CLM_1_what_comes_before_it_is_open_is_kept() -> None:
    early = ClaimRig(answers=False, receipt=None)
    assert early.adds_receipt()
    rejected = ClaimRig(answers=False)
    assert rejected.says("claim_decision", decision="rejected", reason="no such dealer")
    for claim in (early, rejected):
        claim.database.opening = opened()
        claim.rest()
    assert (early.stage, early.facts.approved) == ("approved", Decimal("80.00"))
    assert (rejected.stage, rejected.facts.approved) == ("rejected", None)


# ---- by a person ----


@pytest.mark.parametrize(("said", "credited"), [({}, "80.00"), ({"amount": "25.00"}, "25.00")])
def test_CLM_1_a_person_approves_all_or_less(said: dict[str, str], credited: str) -> None:
    claim = asked()
    assert claim.says("claim_decision", decision="approved", **said)
    assert (claim.stage, claim.saved.approved) == ("approved", Decimal(credited))
    assert list(claim.mails())[-1].facts["approved"] == credited
    assert claim.facts.closing_message == f"approved: {credited} USD credited to the seller's balance"


def test_CLM_1_rejected_the_reason_is_told_and_nothing_is_credited() -> None:
    claim = asked()
    assert claim.says("claim_decision", decision="rejected", reason="no such dealer")
    assert (claim.stage, claim.saved.approved) == ("rejected", None)
    assert list(claim.mails())[-1].facts["reason"] == "no such dealer"


@pytest.mark.parametrize(
    "wrong", [{"decision": "rejected"}, {"decision": "rejected", "amount": "1.00", "reason": "x"}]
)
def test_CLM_1_a_rejection_needs_a_reason_and_no_amount(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        asked().says("claim_decision", **wrong)


@pytest.mark.parametrize("wrong", [{"amount": "0"}, {"amount": "-1.00"}, {"amount": "1.005"}, {"lines": []}])
def test_CLM_1_no_amount_or_no_unit_is_refused_at_the_door(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        ClaimRig(**wrong)


def test_CLM_1_it_is_decided_once_and_no_more_than_was_claimed() -> None:
    claim = asked()
    assert not claim.says("claim_decision", decision="approved", amount="80.01")
    assert "more than the 80.00 USD that the seller claims" in claim.why
    assert not claim.says("claim_decision", decision="approved", amount="1.005")
    assert claim.says("claim_decision", decision="approved")
    assert not claim.says("claim_decision", decision="rejected", reason="no", actor="staff:sam")
    assert claim.facts.state == "approved"


@pytest.mark.parametrize("actor", ["seller:tom", "script:cron", "buyer:ann", "staff:jane"])
def test_CLM_1_who_gains_or_claimed_does_not_decide(actor: str) -> None:
    claim = asked()
    assert not claim.says("claim_decision", decision="approved", actor=actor)
    assert claim.stage == "awaiting_decision"


def test_CLM_1_the_seller_withdraws_while_it_is_open() -> None:
    claim = asked()
    assert claim.says("claim_withdrawn", reason="the dealer took it back")
    assert (claim.stage, claim.saved.state) == ("withdrawn", "withdrawn")
    assert not claim.adds_receipt()
    assert not ClaimRig().says("claim_withdrawn", reason="it is approved")


def test_CLM_1_there_is_an_end_to_receipts() -> None:
    claim = ClaimRig(opened(card_on_file=False))
    for _ in range(19):
        assert claim.adds_receipt()
    assert not claim.adds_receipt()


def test_CLM_1_what_the_database_refuses_is_not_kept() -> None:
    claim = ClaimRig(OpenedClaim(reason="1 of BRK-100 can't be claimed"))
    assert (claim.stage, claim.saved, claim.mailed) == ("refused", None, [])
    assert claim.facts.closing_message == "refused: 1 of BRK-100 can't be claimed"


def test_CLM_1_stopped_by_staff_nothing_is_credited() -> None:
    claim = asked()
    claim.press_cancel()
    claim.rest()
    assert (claim.stage, claim.saved.state, claim.saved.approved) == ("stopped", "stopped", None)


# ---- in time ----


def test_CLM_2_staff_are_reminded_and_then_it_is_flagged_but_a_decision_is_taken() -> None:
    claim = asked()
    for days, told in ((13, 1), (1, 2), (11, 3), (5, 4)):
        claim.clock(timedelta(days=days))
        assert claim.mailed.count("staff_alert to staff") == told
    shown = view(claim.facts.as_of(claim.now), claim.plan)
    assert (claim.stage, shown.sla_state) == ("awaiting_decision", SlaState.BREACHED)
    assert "nobody has decided in time" in claim.steps
    assert claim.says("claim_decision", decision="approved")
    assert claim.stage == "approved"


def test_CLM_2_settings_of_the_seller_say_how_long_it_may_take() -> None:
    claim = ClaimRig(opened(claim_days=5, claim_reminder_days=(2, 7), card_on_file=False))
    assert claim.plan.waits[0].due == NOON + timedelta(days=5)
    claim.clock(timedelta(days=6))
    assert claim.mailed.count("staff_alert to staff") == 3, "asked, reminded, overdue"
