"""What never arrived, or arrived damaged, and is not sent back (RET-23)."""

from typing import Any

import pytest

from models.failures import InvalidInput
from models.returns import OpenedLine, ReturnRequest
from tests.plans.returns.return_rig import COST, PAID, ReturnStory, a_record, goods, memo, unopened
from workflows.returns.view import projection, view

RULE = "it was reported as never arrived: nothing comes back (RET-23)"


def reported(reason: str = "never arrived", **seller: Any) -> ReturnStory:
    """A return that awaits approval; both units for this reason."""
    story = unopened(**seller)
    line = OpenedLine(line_id="A", sku="A", title="Item A", quantity=2, reason=reason, paid=PAID, cost=COST)
    story.world.lines = (line,)
    story.rest()
    return story


def custody(story: ReturnStory) -> str:
    where = view(story.facts, story.plan).custody
    assert where is not None
    return where.value


@pytest.mark.parametrize("reason", ["never_arrived", "Never arrived", "nie angekommen"])
def test_RET_23_what_never_arrived_is_refunded_without_a_parcel(reason: str) -> None:
    story = reported(reason)
    assert custody(story) == "never_arrived"
    story.approved()
    assert story.waits == [("awaiting_buyer_refund", "seller")], "no RMA, no parcel, no inspection"
    assert not {"rma_for_buyer", "return_announced"} & set(story.templates)
    story.clicked()
    assert (story.stage, story.money, custody(story)) == ("completed", ("100.00", "0.00"), "never_arrived")
    assert story.shown["receptions"] == []
    assert story.letters("returnless_refund")[0].facts["never_arrived"] == "yes"


LOSSES = [("damaged", True), ("never_arrived", False)]
PHOTO = {"kind": "photo", "reference": "s3://1", "sha256": "0" * 64}


def asked(reason: str, *evidence: dict[str, str], reasons: tuple[dict[str, Any], ...] = ()) -> ReturnStory:
    """A return for this reason, as a marketplace opened it."""
    line = {"line_id": "A", "quantity": 2, "reason": reason, "evidence": evidence}
    return reported(reason, request={"source": "ebay_return", "lines": [line]}, reasons=reasons)


@pytest.mark.parametrize(("reason", "returnless"), LOSSES)
def test_RET_23_a_loss_is_not_approved_without_evidence(reason: str, returnless: bool) -> None:
    approval: dict[str, Any] = {"decision": "approved", "returnless": returnless}
    story = asked(reason)
    why = story.refuses("seller_approval", **approval)
    assert f"A: the reason {reason} needs evidence where nothing comes back" in why
    assert story.facts.approved_at is None
    story.says("staff_override", actor="staff:kim", waive="evidence", reason="photos in the eBay case")
    assert story.says("seller_approval", **approval).facts.approved_at is not None
    assert asked(reason, PHOTO).says("seller_approval", **approval).facts.approved_at is not None


def test_RET_23_damaged_goods_that_come_back_speak_for_themselves() -> None:
    assert asked("damaged").says("seller_approval", decision="approved").facts.approved_at is not None


@pytest.mark.parametrize(("reason", "returnless"), LOSSES)
@pytest.mark.parametrize("asks", ["evidence_required", "loss_needs_evidence", None])
def test_RET_23_RET_21_whether_a_loss_needs_evidence_is_the_sellers_data(
    reason: str, returnless: bool, asks: str | None
) -> None:
    own: dict[str, Any] = {"handle": reason, "words": {"en": reason}} | ({asks: True} if asks else {})
    story, approval = asked(reason, reasons=(own,)), {"decision": "approved", "returnless": returnless}
    if asks:
        assert "needs evidence" in story.refuses("seller_approval", **approval)
    else:
        assert story.says("seller_approval", **approval).facts.approved_at is not None


def test_RET_23_what_is_no_loss_needs_none() -> None:
    story = asked("does_not_fit").says("seller_approval", decision="approved", returnless=True)
    assert story.facts.approved_at is not None


@pytest.mark.parametrize("when", ["before", "after"])
def test_RET_23_it_is_never_written_down_as_received(when: str) -> None:
    story = reported()
    if when == "after":
        story.approved()
    assert RULE in story.refuses("goods_received", **goods())
    assert RULE in story.refuses("return_tracking", carrier="UPS", tracking_number="1Z")
    assert RULE in story.refuses("supplier_rma", outcome="issued", rma_number="RMA-1")
    assert story.facts.receipts == ()


def test_RET_23_a_receipt_that_came_before_it_opened_is_refused_then() -> None:
    story = unopened()
    story.world.lines = tuple(line.model_copy(update={"reason": "never arrived"}) for line in story.world.lines)
    assert story.hear(story.event("goods_received", **goods()))
    story.rest()
    assert (story.facts.receipts, story.facts.rejected_count) == ((), 1)


def test_RET_23_what_arrived_damaged_is_not_received_either_when_nothing_comes_back() -> None:
    story = reported("damaged").approved(returnless=True)
    assert "nothing can be received" in story.refuses("goods_received", **goods())
    assert custody(story) == "stays_with_buyer"


def test_RET_23_what_was_received_is_not_approved_as_if_it_stayed_away() -> None:
    story = reported("damaged").says("goods_received", **goods())
    why = story.refuses("seller_approval", decision="approved", returnless=True)
    assert "something was received already" in why
    assert story.approved().facts.approved_at is not None


@pytest.mark.parametrize(
    ("reason", "approval", "loss"),
    [
        ("never_arrived", {}, "never_arrived"),
        ("damaged", {"returnless": True}, "arrived_damaged"),
        ("damaged", {}, None),
        ("does_not_fit", {"returnless": True}, None),
    ],
)
def test_RET_23_a_loss_is_noted_for_the_suppliers_side(
    reason: str, approval: dict[str, Any], loss: str | None
) -> None:
    story = reported(reason)
    assert story.shown["loss"] is None, "nothing before it is approved"
    story.approved(**approval)
    assert story.shown["loss"] == loss
    said = [step for step in story.steps if "has not credited what it had cost, 63.00 USD" in step]
    assert len(said) == (loss is not None)


def test_RET_23_a_credit_for_it_is_told_to_staff() -> None:
    story = reported().approved().says("credit_memo", **memo("63.00")).clicked()
    assert any("the supplier credited a return" in one for one in story.alerts)


def test_RET_23_RET_19_evidence_is_a_reference_and_a_hash_and_bounded() -> None:
    photo = {
        "kind": "photo",
        "reference": "s3://claims/1.jpg",
        "sha256": "a" * 64,
        "media_type": "image/jpeg",
        "note": "the box, wet",
    }
    line = {"sku": "A", "quantity": 1, "reason": "damaged", "evidence": [photo]}
    request = {"return_id": "RR-1", "order_id": "1001", "lines": [line]}
    assert ReturnRequest.at_the_door(request).lines[0].evidence[0].media_type == "image/jpeg"
    for wrong in ({"content": "/9j/4AA"}, {"sha256": "beef"}, {"media_type": "a picture"}, {"note": "x" * 3000}):
        with pytest.raises(InvalidInput):
            ReturnRequest.at_the_door({**request, "lines": [line | {"evidence": [photo | wrong]}]})
    with pytest.raises(InvalidInput):
        ReturnRequest.at_the_door({**request, "lines": [line | {"evidence": [photo] * 21}]})


def test_RET_23_the_database_keeps_what_was_lost() -> None:
    story = reported().approved()
    call = projection(story.facts, a_record())
    assert call is not None
    saved = call[1].model_dump(mode="json")["kept"]
    assert (saved["loss"], saved["returnless"]) == ("never_arrived", True)
