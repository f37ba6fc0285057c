"""Numbers by which cases are found, and orphans in the database (RET-17, RET-20, ORD-21)."""

from datetime import timedelta
from typing import Any

import pytest

from models.ids import order_workflow_id, orphan_workflow_id, refund_workflow_id, return_workflow_id
from models.orphans import FindCases, FoundCases, OrphanRequest, SaveOrphan
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


def test_RET_20_who_saves_a_new_number_learns_which_orphans_have_it(story: Story) -> None:
    story.delivered(("A", 2, "50.00"), order_id="1001")
    order = case_record(order_workflow_id("1001"), "shipped", ended=True)
    by_rma, by_order, ended = (
        _numbered(story, event_id, number, ended=ended)
        for event_id, number, ended in (("t1", "rma 77", False), ("t2", "#1001", False), ("t3", "RMA-77", True))
    )
    assert story.database.save_case(_saved(order, "1001")).orphans == (by_order,)
    assert story.database.save_case(_saved(order)).orphans == (), "it has no number that is new"
    story.returned("RR-1001-1", A=1)
    back = case_record(return_workflow_id("RR-1001-1"), "in_transit").model_copy(update={"order_id": "1001"})
    saved = story.database.save_case(_saved(back, "RR-1001-1", "RMA-77"))
    assert saved.orphans == (by_rma, by_order), "a return is found by its order's number too"
    assert ended not in saved.orphans


def _numbered(story: Story, event_id: str, number: str, *, ended: bool) -> str:
    """The workflow id of an orphan with this number."""
    request = OrphanRequest.of("north", "credit_memo", {**MEMO, "event_id": event_id}, numbers=[number])
    workflow_id = orphan_workflow_id(request.orphan_id)
    record = case_record(workflow_id, "dismissed" if ended else "unmatched", ended=ended)
    at = NOON + timedelta(minutes=int(event_id[1:]))
    ask = SaveOrphan(
        orphan_id=request.orphan_id,
        record=record.model_copy(update={"order_id": "", "numbers": request.every_number}),
        request=request,
        reported_at=at,
        expires_at=at + timedelta(days=90),
    )
    story.database.save_orphan(ask)
    return workflow_id
