"""A refund that no single payment can carry is made in parts (REF-3)."""

import pytest

from models.ids import refund_part_id
from models.records import Opening, ReservedRefund
from models.refunds import RefundPart, RefundState
from tests.plans.refunds.story import RefundStory, direct, refused, request
from workflows.refunds.effects import Send, StartParts
from workflows.refunds.plan import CASE_BEGINS
from workflows.refunds.view import facts_in_status

UNIT = {"sku": "A", "quantity": 1}
PARTS = tuple(
    RefundPart.model_validate({"refund_id": f"RF-1001-D1P{number}", "amount": amount, "lines": lines})
    for number, amount, lines in ((1, "25.00", [UNIT]), (2, "15.00", []))
)


def divided() -> ReservedRefund:
    return refused("no single payment can carry 40.00 USD").model_copy(update={"parts": PARTS})


def test_REF_3_what_people_asked_for_is_begun_in_parts_and_moves_nothing_itself() -> None:
    story = RefundStory(direct(lines=[UNIT]), by_case=False, reservation=divided())
    story.rest()
    assert [one.parts for one in story.begun if isinstance(one, StartParts)] == [PARTS]
    assert not [one for one in story.begun if isinstance(one, Send)]
    assert (story.facts.outcome, story.facts.result.parts) == ("refused", PARTS)
    assert facts_in_status(story.facts)["parts"] == ["RF-1001-D1P1", "RF-1001-D1P2"]


def test_REF_13_a_part_is_the_request_with_its_own_amount_and_the_first_names_the_units() -> None:
    whole = direct(lines=[UNIT])
    first, second = (whole.of_part(part) for part in PARTS)
    assert [(one.refund_id, str(one.amount), one.part_of) for one in (first, second)] == [
        ("RF-1001-D1P1", "25.00", "RF-1001-D1"),
        ("RF-1001-D1P2", "15.00", "RF-1001-D1"),
    ]
    assert (first.lines, second.lines) == (whole.lines, ())
    assert (second.requested_by, second.reason, second.asked_for) == (whole.requested_by, whole.reason, True)


def test_REF_3_a_case_that_asked_is_told_the_parts_and_asks_for_them_itself() -> None:
    """It has some seconds for that, so that each part tells it how it stands."""
    story = RefundStory(reservation=divided())
    story.rest()
    assert not [one for one in story.begun if isinstance(one, StartParts)]
    (told,) = story.reports
    assert (told.workflow_id, told.result.parts) == ("return-RR-1001-1", PARTS)
    assert story.waits_for == ["backhaul"]
    story.clock(CASE_BEGINS)
    story.rest()
    assert (story.facts.result.state, story.facts.result.parts) == (RefundState.REFUSED, PARTS)


def test_REF_6_where_the_case_has_ended_meanwhile_the_parts_are_begun_all_the_same() -> None:
    """They are reserved: a refund can't be stopped, whatever becomes of who asked."""
    story = RefundStory(reservation=divided(), case_runs=False)
    story.rest()
    assert [one.parts for one in story.begun if isinstance(one, StartParts)] == [PARTS]
    assert not [one for one in story.begun if isinstance(one, Send)]


def test_REF_6_what_is_reserved_is_made_though_the_case_that_was_told_does_nothing() -> None:
    """It was told, and was reset, or had given up waiting: the parts begin without it, unless they exist."""
    story = RefundStory(reservation=divided())
    story.rest()
    story.restart()
    story.clock(CASE_BEGINS)
    story.rest()
    assert [(one.parts, one.after_case) for one in story.begun if isinstance(one, StartParts)] == [(PARTS, True)]
    assert (story.facts.outcome, len(story.reports)) == ("refused", 1)


def test_REF_6_the_parts_of_what_people_asked_for_a_running_return_are_begun_at_once() -> None:
    """It names a return that did not ask for it, and so begins nothing."""
    story = RefundStory(request(refund_id="RF-1001-D1"), by_case=False, reservation=divided())
    story.rest()
    assert [(one.parts, one.after_case) for one in story.begun if isinstance(one, StartParts)] == [(PARTS, False)]
    assert (story.facts.outcome, story.facts.result.parts) == ("refused", PARTS)


@pytest.mark.parametrize("by_case", [False, True])
def test_REF_6_parts_that_were_begun_before_are_told_and_not_begun_again(by_case: bool) -> None:
    story = RefundStory(
        None if by_case else direct(),
        by_case=by_case,
        reservation=divided().model_copy(update={"opening": Opening.DUPLICATE}),
        case_runs=False,
    )
    story.rest()
    assert (story.keys, story.facts.result.parts) == (["reserve"], PARTS)
    assert facts_in_status(story.facts)["parts"] == []


@pytest.mark.parametrize("refund_id", ["RF-1001-D1", "R" * 160])
def test_REF_6_the_id_of_a_part_is_always_the_same_and_never_too_long(refund_id: str) -> None:
    ids = [refund_part_id(refund_id, number) for number in (1, 2, 1)]
    assert ids[0] == ids[2] != ids[1]
    assert all(len(one) <= 160 for one in ids)
