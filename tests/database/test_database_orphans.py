"""Numbers by which cases are found, and orphans in the database (RET-17, RET-20, ORD-21)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from activities.database.orphans import kept_words
from models.ids import order_workflow_id, orphan_workflow_id, refund_workflow_id, return_workflow_id
from models.orphans import FindCases, FoundCases, OrphanRequest, SaveOrphan, kept_word
from models.returns import ReturnTracking
from models.worklists import Work
from tests.database.story import NOON, Story, case_record

MEMO = {
    "event_id": "cm-1",
    "actor": "supplier:north",
    "number": "CM-1",
    "date": "2026-03-01",
    "amount": "63.00",
    "currency": "USD",
    "note": "for Bo Buyer",
}


def found(story: Story, *numbers: str, about: str = "return", **more: Any) -> FoundCases:
    return story.database.find_cases(FindCases.model_validate({"about": about, "numbers": numbers, **more}))


def fits(story: Story, *numbers: str, **more: Any) -> list[str]:
    return list(found(story, *numbers, **more).fitting)


def a_return(story: Story, order_id: str, return_id: str, *numbers: str) -> str:
    """A return of a delivered order, that is known by these numbers beside its own; its workflow id."""
    story.delivered(("A", 2, "50.00"), order_id=order_id)
    order = case_record(order_workflow_id(order_id), "shipped", ended=True)
    story.database.save_case(_saved(order, order_id, f"#{order_id}"))
    story.returned(return_id, A=1)
    workflow_id = return_workflow_id(return_id)
    record = case_record(workflow_id, "in_transit").model_copy(update={"numbers": (return_id, *numbers)})
    story.save_return(return_id, record)
    return workflow_id


def _saved(record: Any, *numbers: str) -> Any:
    from models.records import SaveCase

    return SaveCase(record=record.model_copy(update={"numbers": numbers}))


@pytest.mark.parametrize(
    "number", ["RR-1001-1", "rr 1001 1", "RMA-77", "rma77", "Rma 77.", "1001", "#1001", "# 1001"]
)
def test_RET_20_a_case_is_found_by_any_of_its_numbers_however_written(story: Story, number: str) -> None:
    mine = a_return(story, "1001", "RR-1001-1", "RMA-77")
    a_return(story, "1002", "RR-1002-1", "RMA-78")
    assert fits(story, number) == [mine]


@pytest.mark.parametrize("number", ["rma-77", "RMA 77", "rr-1001-1", "# 1001"])
def test_ORD_21_returns_are_listed_by_a_number_written_otherwise(story: Story, number: str) -> None:
    a_return(story, "1001", "RR-1001-1", "RMA-77")
    a_return(story, "1002", "RR-1002-1", "RMA-78")
    assert [one.return_id for one in story.reading.find_return(number)] == ["RR-1001-1"]


def test_RET_20_each_number_that_is_known_here_must_be_the_cases(story: Story) -> None:
    first = a_return(story, "1001", "RR-1001-1", "RMA-77")
    second = a_return(story, "1002", "RR-1002-1", "RMA-78")
    assert fits(story, "RMA-77", "a number that nobody knows") == [first]
    contradiction = found(story, "RMA-77", "RMA-78")
    assert (contradiction.fitting, contradiction.candidates) == ((), (first, second))
    assert found(story, "RMA-79") == FoundCases()


def test_RET_20_an_order_with_two_returns_is_not_guessed_between_and_one_more_number_decides(story: Story) -> None:
    first = a_return(story, "1001", "RR-1001-1", "RMA-77")
    story.returned("RR-1001-2", A=1)
    second = return_workflow_id("RR-1001-2")
    story.save_return(
        "RR-1001-2", case_record(second, "in_transit").model_copy(update={"numbers": ("RR-1001-2", "RMA-78")})
    )
    assert fits(story, "1001") == [first, second]
    assert fits(story, "1001", "RMA-78") == [second]


def test_RET_20_numbers_of_other_sellers_and_suppliers_may_be_alike(story: Story) -> None:
    mine = a_return(story, "1001", "RR-1001-1", "RMA-77")
    assert fits(story, "RMA-77", supplier_id="north", seller_id="acme") == [mine]
    assert fits(story, "RMA-77", supplier_id="south") == []
    assert fits(story, "RMA-77", seller_id="another") == []
    assert fits(story, "1001", about="order", supplier_id="north") == ["order-1001"]
    assert fits(story, "1001", about="order", supplier_id="south") == []


def test_RET_20_a_refund_is_found_by_its_order_and_by_the_gateways_number(story: Story) -> None:
    a_return(story, "1001", "RR-1001-1", "RMA-77")
    story.refunding("RF-1001-D1", "10.00")
    refund = refund_workflow_id("RF-1001-D1")
    story.database.save_case(_saved(case_record(refund, "pending"), "RF-1001-D1", "re_1"))
    assert fits(story, "re_1", about="refund") == [refund]
    assert fits(story, "1001", about="refund") == [refund]
    assert fits(story, "1001", about="order") == ["order-1001"]


def orphan(story: Story, stage: str, event_id: str = "cm-1", *, ended: bool = False, **more: Any) -> str:
    request = OrphanRequest.of("north", "credit_memo", {**MEMO, "event_id": event_id}, numbers=["RMA-77"])
    workflow_id = orphan_workflow_id(request.orphan_id)
    record = case_record(workflow_id, stage, ended=ended).model_copy(
        update={"order_id": "", "seller_id": "", "work": () if ended else (Work.ORPHANS,)}
    )
    given = {"reported_at": NOON, "expires_at": NOON + timedelta(days=90), "request": request, **more}
    story.database.save_orphan(SaveOrphan(orphan_id=request.orphan_id, record=record, **given))
    return request.orphan_id


def test_RET_20_an_orphan_is_listed_with_all_its_numbers_and_what_was_said(story: Story) -> None:
    number = orphan(story, "several_fit", candidates=("return-1", "return-2"))
    (listed,) = story.reading.find_orphans()
    assert (listed.orphan_id, listed.numbers, listed.said) == (number, ("RMA-77",), MEMO)
    assert listed.candidates == ("return-1", "return-2")
    assert [one.standing.workflow_id for one in story.reading.find_work(Work.ORPHANS)] == [f"orphan-{number}"]
    assert story.reading.count_work()[Work.ORPHANS] == 1
    assert story.reading.orphan(number) == listed


def test_RET_20_one_that_is_over_is_listed_when_asked_for(story: Story) -> None:
    number = orphan(story, "unmatched")
    orphan(
        story, "matched", ended=True, request=None, matched_to="return-1", decided_by="staff:kim", reason="label"
    )
    assert story.reading.find_orphans() == []
    (listed,) = story.reading.find_orphans(ended=True)
    assert (listed.orphan_id, listed.matched_to, listed.decided_by) == (number, "return-1", "staff:kim")
    assert listed.said == MEMO, "kept as it was said"


def test_RET_16_what_was_said_to_a_return_before_it_could_start_is_found_by_it_alone(
    story: Story, engine: Engine
) -> None:
    mine, other = return_workflow_id("RR-1"), return_workflow_id("RR-2")
    words = []
    for number, (sent_to, ended) in enumerate(((mine, False), (other, False), (mine, True))):
        said = ReturnTracking(event_id=f"t{number}", actor="buyer:robin", carrier="UPS", tracking_number="1Z")
        word = kept_word(sent_to, "return_tracking", said)
        words.append(orphan_workflow_id(word.orphan_id))
        record = case_record(words[-1], "matched" if ended else "unmatched", ended=ended)
        ask = SaveOrphan(
            orphan_id=word.orphan_id,
            record=record.model_copy(update={"numbers": word.every_number}),
            request=word,
            reported_at=NOON,
            expires_at=NOON + timedelta(days=90),
        )
        story.database.save_orphan(ask)
    with Session(engine) as session:
        assert kept_words(session, mine) == words[:1]
