"""The supplier's RMA number, on the plan alone (RET-3, 7, 8, 9)."""

from zoneinfo import ZoneInfo

import pytest

from models.case import CaseStatus, SlaState
from models.partners import RmaAnswer
from models.settings import Settings
from starter.front.asked import Item, asked_of, language_of
from tests.plans.returns.return_rig import DOWN, ReturnStory, requested

EMAIL, MANUAL, SERVICE = {"rma": "email"}, {"rma": "manual"}, {"rma": "service"}
ISSUED = RmaAnswer(state="issued", rma_number="RMA-7")


def issue(**fields: str) -> dict[str, str]:
    return {"outcome": "issued", "rma_number": "RMA-7", **fields}


@pytest.mark.parametrize(
    ("supplier", "stage"),
    [
        ({"fulfilment": "broker", "rma": "none"}, "awaiting_tracking"),
        ({"fulfilment": "broker", "rma": "email"}, "awaiting_rma"),
        ({"fulfilment": "direct", "rma": "none"}, "awaiting_tracking"),
        ({"fulfilment": "direct", "rma": "manual"}, "awaiting_rma"),
    ],
)
def test_RET_3_the_suppliers_settings_say_whether_an_rma_is_needed(supplier: dict[str, str], stage: str) -> None:
    assert requested(supplier).approved().stage == stage


def test_RET_7_without_an_rma_the_brokers_order_number_is_the_number() -> None:
    story = requested().approved()
    assert story.shown["rma_number"] == "1001-1"
    assert "the supplier needs no RMA: its order number 1001-1 is the RMA number" in story.steps


def test_RET_8_a_web_service_issues_the_number() -> None:
    story = requested(SERVICE)
    story.world.rma = ISSUED
    story.approved()
    assert (story.stage, story.shown["rma_number"]) == ("awaiting_tracking", "RMA-7")


def test_RET_8_a_web_service_may_say_later_and_then_send_the_number() -> None:
    story = requested(SERVICE).approved()
    assert story.waits == [("awaiting_rma", "supplier")]
    assert story.says("supplier_rma", **issue()).stage == "awaiting_tracking"


def test_RET_8_staff_type_the_number_while_the_web_service_is_down() -> None:
    story = requested(SERVICE)
    story.world.rma = DOWN
    story.approved()
    assert "issue the RMA number by its web service: PartnerUnavailable: no answer" in story.alerts
    assert not story.facts.is_settling, "people see what it waits for"
    story.says("supplier_rma", **issue(actor="staff:sam", rma_number="PHONE"))
    assert (story.stage, story.shown["rma_number"], story.pending) == ("awaiting_tracking", "PHONE", [])


def test_RET_8_the_supplier_is_asked_by_mail_reminded_and_at_last_staff_are_alerted() -> None:
    story = requested({**EMAIL, "rma_reminder_days": [3, 7], "rma_days": 14}).approved().days(14)
    assert [story.templates.count(one) for one in ("rma_request", "rma_reminder")] == [1, 2]
    assert "no RMA number for return RR-1" in story.alerts
    assert story.says("supplier_rma", **issue()).stage == "awaiting_tracking"


def test_RET_8_staff_are_asked_to_type_the_number() -> None:
    story = requested(MANUAL).approved()
    assert story.alerts == ["type the RMA number of return RR-1"]
    assert story.waits == [("awaiting_rma", "staff")]


@pytest.mark.parametrize("way", ["issued", "waived"])
def test_RET_8_a_refusal_may_be_turned(way: str) -> None:
    story = requested(MANUAL).approved().says("supplier_rma", outcome="refused", reason="too old")
    assert story.waits == [("rma_refused", "staff")]
    if way == "issued":
        story.says("supplier_rma", **issue())
    else:
        story.says("staff_override", waive="rma")
    assert story.stage == "awaiting_tracking"


def test_RET_8_a_refusal_that_nobody_turns_ends_the_return_without_the_suppliers_words() -> None:
    story = (
        requested(MANUAL).approved().days(3).says("supplier_rma", outcome="refused", reason="secret").days(13.9)
    )
    assert story.stage == "rma_refused"
    story.days(0.1)
    assert (story.stage, story.money) == ("refused_by_supplier", ("0.00", "0.00"))
    assert "secret" not in story.letters("return_rejected")[0].facts["reason"]


def test_RET_9_buyer_and_seller_are_told_number_and_address_once() -> None:
    story = requested(MANUAL).approved().says("supplier_rma", **issue(return_address="2 Other Way"))
    buyer, seller = story.letters("rma_for_buyer"), story.letters("rma_for_seller")
    assert [(one.facts["rma_number"], one.facts["return_address"]) for one in buyer] == [("RMA-7", "2 Other Way")]
    assert [one.facts["rma_number"] for one in seller] == ["RMA-7"]
    assert story.steps.count("buyer and seller are told RMA number and return address") == 1


def test_RET_9_the_address_is_frozen_once_it_is_mailed() -> None:
    story = requested(MANUAL).approved().says("supplier_rma", **issue())
    again = story.refuses("supplier_rma", **issue(rma_number="OTHER", return_address="3 New Way"))
    assert again == "the return has its RMA number already"
    assert (story.shown["rma_number"], story.shown["return_address"]) == ("RMA-7", "1 Depot Way, Reno")


def shown_status(story: ReturnStory) -> CaseStatus:
    return CaseStatus(
        workflow_id=story.facts.case_id,
        stage=story.stage,
        outcome=None,
        waiting_for=None,
        also_waiting_for=(),
        deadlines=story.deadlines,
        sla_state=SlaState.ON_TIME,
        timeline=(),
        rejected_events=(),
        rejected_count=0,
        facts=story.shown,
    )


def test_NTF_2_the_suppliers_page_finds_in_the_status_what_it_says() -> None:
    story = requested(
        {**EMAIL, "language": "de", "time_zone": "Europe/Berlin", "return_address": "Gate 4"}
    ).approved()
    status = shown_status(story)
    asked = asked_of(status, Settings())
    assert (asked.order_number, asked.return_address) == ("1001-1", "Gate 4")
    assert asked.items == [Item(sku="A", title="Item A", quantity=2, reason="worn")]
    due = story.deadlines["rma_due"].astimezone(ZoneInfo("Europe/Berlin"))
    assert asked.due == f"{due.isoformat()[:16].replace('T', ' ')} (Europe/Berlin)"
    assert language_of(status, "en") == "de"
