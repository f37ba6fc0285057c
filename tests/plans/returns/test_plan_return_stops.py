"""Staff's stop at every wait, troubles, and JSON at every stage, on the plan alone (NTF-3, NTF-9, RET-16)."""

from collections.abc import Callable

import pytest

from models.case import CaseRecord, SlaState
from models.records import SaveCase, SaveReturn
from tests.plans.returns.return_rig import (
    DOWN,
    OUR_FAULT,
    ReturnStory,
    awaiting_click,
    completed,
    goods,
    in_transit,
    memo,
    requested,
    unopened,
)
from tests.plans.rig import NOT_YET
from workflows.returns.facts import ReturnFacts
from workflows.returns.view import projection, view


def seller_refund(fate: str) -> ReturnStory:
    story = in_transit().received()
    story.world.fates["seller"] = [fate]
    return story.credited()


def asked_by_service() -> ReturnStory:
    story = requested({"rma": "service"})
    story.world.rma = NOT_YET
    return story.approved()


STAGES: dict[str, Callable[[], ReturnStory]] = {
    "awaiting approval": requested,
    "awaiting rma": lambda: requested({"rma": "manual"}).approved(),
    "rma requested": asked_by_service,
    "rma refused": lambda: requested({"rma": "manual"}).approved().says("supplier_rma", outcome="refused"),
    "awaiting tracking": lambda: requested().approved(),
    "expired": lambda: requested().approved().days(31),
    "in transit": in_transit,
    "undecided": lambda: in_transit().received("manual"),
    "awaiting credit": lambda: in_transit().received(),
    "seller asked": lambda: seller_refund("not yet"),
    "seller pending": lambda: seller_refund("pending"),
    "seller failed": lambda: seller_refund("failed"),
    "seller in doubt": lambda: seller_refund("in doubt"),
    "awaiting click": awaiting_click,
    "returnless": lambda: requested().approved(returnless=True),
}
LEFT_BEHIND = {
    "awaiting approval": None,
    "awaiting rma": None,
    "rma requested": "sup was asked for an RMA number and may have issued one",
    "rma refused": None,
    "awaiting tracking": "the buyer was told to send the goods to sup (RMA 1001-1)",
    "in transit": "its goods are on their way to sup: UPS 1Z",
    "undecided": "sup has goods of it",
    "seller asked": "sup has goods of it; refund RF-RR-1-S1 goes on by itself",
    "seller pending": "sup has goods of it; refund RF-RR-1-S1 goes on by itself",
    "seller in doubt": "sup has goods of it; refund RF-RR-1-S1 is in doubt",
    "returnless": None,
}


@pytest.mark.parametrize("stage", STAGES)
def test_NTF_3_staff_stop_it_at_every_wait_and_it_moves_no_more_money(stage: str) -> None:
    story = STAGES[stage]()
    asked = story.asked
    story.stopped()
    assert (story.stage, story.is_over, story.asked) == ("stopped", True, asked)
    assert story.facts.closing_message == "stopped by staff; what had to be undone was undone"


@pytest.mark.parametrize("stage", LEFT_BEHIND)
def test_RET_15_NTF_3_a_stopped_return_names_what_it_leaves_behind(stage: str) -> None:
    story = STAGES[stage]().stopped()
    left = LEFT_BEHIND[stage]
    said = [one for one in story.alerts if "nothing was called back" in one]
    assert said == ([] if left is None else [f"return RR-1 was stopped: nothing was called back; {left}"])


@pytest.mark.parametrize("stage", STAGES)
def test_RET_16_a_restart_at_every_stage_changes_nothing(stage: str) -> None:
    story = STAGES[stage]()
    plan, begun = story.plan, len(story.begun)
    story.restart()
    story.settle()
    assert (story.plan, len(story.begun)) == (plan, begun)


@pytest.mark.parametrize("stage", [*STAGES, "completed"])
def test_RET_16_the_facts_survive_json_at_every_stage(stage: str) -> None:
    facts = completed().facts if stage == "completed" else STAGES[stage]().facts
    assert ReturnFacts.model_validate_json(facts.model_dump_json()) == facts


def test_RET_16_stop_and_an_answer_in_one_task() -> None:
    story = seller_refund("not yet")
    story.world.fates["seller"] = []
    story.press_cancel()
    assert story.answer_one()
    story.rest()
    assert (story.stage, story.money) == ("stopped", ("0.00", "63.00"))


# ---- before it opens ----


def test_RET_16_events_that_come_before_it_opens_are_kept_survive_json_and_are_judged_then() -> None:
    story = unopened()
    story.world.open = NOT_YET
    for name, fields in (
        ("seller_approval", {"decision": "approved", "label_url": "https://labels.example/1", "reason": None}),
        ("return_tracking", {"carrier": "UPS", "tracking_number": "1Z"}),
        ("goods_received", goods(quantity=3)),
        ("goods_received", goods()),
        ("credit_memo", memo()),
        ("staff_override", {"extend": "refund_due", "until": "2026-09-01T00:00:00Z"}),
    ):
        assert story.hear(story.event(name, **fields)), name
    story.rest()
    story.restart()
    assert ReturnFacts.model_validate_json(story.facts.model_dump_json()) == story.facts
    assert not view(story.facts, story.plan).is_kept
    story.world.open = None
    story.rest()
    assert (story.stage, story.money, story.facts.rejected_count) == (
        "awaiting_buyer_refund",
        ("0.00", "63.00"),
        1,
    )
    assert story.facts.rejected[0].reason == "3 of A: the return has 2 (RET-11)"
    assert story.facts.refund_due.month == 9
    assert story.facts.early == ()


def test_RET_16_fees_that_turn_out_too_high_leave_it_to_the_seller() -> None:
    story = unopened()
    assert story.hear(story.event("seller_approval", decision="approved", return_fee="100.01"))
    story.rest()
    assert (story.stage, story.facts.rejected_count) == ("awaiting_approval", 1)


def test_RET_16_the_same_event_twice_counts_once() -> None:
    story = in_transit()
    click = story.event("buyer_refund", amount="10.00")
    for _ in range(3):
        assert story.hear(click)
        story.rest()
    assert (story.money[0], len(story.asked)) == ("10.00", 1)


def test_NTF_3_a_stop_before_it_opens_waits_until_the_books_can_say_it() -> None:
    story = unopened()
    story.world.open = NOT_YET
    story.rest()
    story.stopped()
    assert (story.stage, story.is_over) == ("opening", False)
    story.world.open = None
    story.rest()
    assert (story.stage, story.is_over) == ("stopped", True)
    assert view(story.facts, story.plan).is_kept


@pytest.mark.parametrize("trouble", [DOWN, OUR_FAULT])
def test_NTF_9_an_opening_in_trouble_is_shown_told_and_can_be_stopped(trouble: object) -> None:
    story = unopened()
    story.world.open = trouble  # type: ignore[assignment]
    story.rest()
    assert len(story.alerts) == 1
    assert story.alerts[0].startswith("Write the return down: ")
    assert view(story.facts, story.plan).is_kept
    assert isinstance(saved(story), SaveCase)
    story.stopped()
    assert (story.stage, story.is_over, story.pending) == ("stopped", True, [])
    assert isinstance(saved(story), SaveCase), "lists show that it was stopped"


def test_NTF_9_an_opening_goes_on_when_the_fault_is_mended() -> None:
    story = unopened()
    story.world.open = OUR_FAULT
    story.rest()
    story.world.open = None
    story.rest()
    assert story.stage == "awaiting_approval"
    assert isinstance(saved(story), SaveReturn)


def saved(story: ReturnStory) -> object:
    record = CaseRecord(
        workflow_id=story.facts.case_id,
        run_id="run-1",
        stage=story.stage,
        seller_id=story.facts.seller_id,
        order_id="1001",
        waiting_on=None,
        waiting_for=None,
        waiting_since=None,
        due_by=None,
        sla_state=SlaState.ON_TIME,
        ended=False,
        first_step=0,
        steps=(),
    )
    kept = projection(story.facts, record)
    return kept[1] if kept else None


# ---- what lists and the database show ----


def test_NTF_3_attributes_are_the_kinds_own_and_by_name() -> None:
    story = in_transit()
    shown = view(story.facts, story.plan)
    assert shown.attributes == {
        "ReturnId": "RR-1",
        "SupplierId": "sup",
        "Channel": "web_shop",
    }
    assert list(shown.deadlines) == ["refund_due", "inspection_due"], "what is met is not due any more"
    assert shown.numbers == ("1001-1", "BR-RR-1", "1Z")


def test_REF_7_only_a_completed_return_keeps_its_facts() -> None:
    open_one, ended = saved(awaiting_click()), saved(completed())
    assert isinstance(open_one, SaveReturn)
    assert isinstance(ended, SaveReturn)
    assert open_one.kept is not None
    assert ended.kept is not None
    assert (open_one.facts, open_one.kept.broker_return_number) == (None, "BR-RR-1")
    assert open_one.kept.fees == 0
    assert ended.facts is not None
    assert ended.kept.outcome == "completed"
