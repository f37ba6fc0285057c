"""What staff see of a return in the Temporal UI, and that mail holds up nothing (NTF-1, NTF-3)."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from tests.eventually import eventually
from tests.return_story import ReturnStory, returning
from tests.world import World


async def waiting_for_rma(world: World) -> ReturnStory:
    case = await returning(world, supplier=await world.supplier(rma="manual"))
    return await case.approved("awaiting_rma")


async def found(case: ReturnStory, query: str) -> list[str]:
    """The workflows that staff's query finds among those of this return."""
    ours = f"({query}) AND WorkflowId = '{case.handle.id}'"
    return [row.id async for row in case.stack.client.list_workflows(ours)]


async def summaries(handle: WorkflowHandle[Any, Any], kind: "EventType.ValueType") -> list[str]:
    """What the history says in words about each event of this kind."""
    history = await handle.fetch_history()
    return [str(event.user_metadata.summary.data.decode()) for event in history.events if event.event_type == kind]


async def test_NTF_3_staff_find_a_return_by_each_search_attribute(world: World) -> None:
    case = await waiting_for_rma(world)
    await case.issue_rma(f"RMA-{world.tag}")
    await case.reaches("awaiting_tracking")
    due = (await case.status()).deadlines["tracking_due"]
    day = timedelta(days=1)

    for query in (
        "Stage = 'awaiting_tracking'",
        "WaitingOn = 'buyer'",
        f"SellerId = '{case.seller.seller_id}'",
        f"SupplierId = '{case.supplier.supplier_id}'",
        f"OrderId = '{case.order.id}'",
        f"ReturnId = '{case.id}'",
        f"Numbers = 'RMA-{world.tag}'",
        "Custody = 'with_buyer'",
        "Money = 'none'",
        f"DueBy > '{(due - day).isoformat()}' AND DueBy < '{(due + day).isoformat()}'",
        "SlaState = 'on_time'",
        "Channel = 'web_shop'",
    ):
        await eventually(partial(found, case, query), bool, query)


@pytest.mark.parametrize(
    ("days", "state"), [pytest.param(50, "at_risk", marks=pytest.mark.proof), (61, "breached")]
)
async def test_NTF_3_staff_find_what_is_at_risk_and_what_is_breached(world: World, days: int, state: str) -> None:
    case = await waiting_for_rma(world)

    await case.forward(days=days)

    await eventually(lambda: found(case, f"SlaState = '{state}'"), bool, state)


async def test_NTF_3_staff_find_cases_with_events_that_could_not_be_used(world: World) -> None:
    case = await waiting_for_rma(world)

    await case.handle.signal("supplier_rma", {"event_id": "x"})

    await eventually(lambda: found(case, "RejectedEvents = 1"), bool, "one rejected event")


async def test_NTF_3_current_details_say_who_must_do_what_since_when_and_what_happened(world: World) -> None:
    case = await waiting_for_rma(world)

    metadata = await case.handle.query("__temporal_workflow_metadata")
    details = (
        metadata["currentDetails"] if isinstance(metadata, dict) else MessageToDict(metadata)["currentDetails"]
    )

    assert "**Waiting for the staff**: issue the RMA number" in details
    assert "since 20" in details
    rows = [[cell.strip("\u00a0\u200c ") for cell in line.split("|")[1:-1]] for line in details.splitlines()]
    assert "refund due" in [row[0] for row in rows if row]
    assert ["approved", "seller:jane"] in [row[1:] for row in rows]


async def test_NTF_3_timers_and_activities_are_named_in_the_words_of_the_business(world: World) -> None:
    case = await waiting_for_rma(world)

    timers = await summaries(case.handle, EventType.EVENT_TYPE_TIMER_STARTED)
    activities = await summaries(case.handle, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)

    assert '"Reminder: approve or reject the return"' in timers
    assert '"Reminder: RMA number"' in timers, "the one timer is named by what comes next"
    assert '"E-mail seller: return requested"' in activities
    assert "" not in timers + activities


async def test_NTF_3_the_list_row_says_what_it_is_about(world: World) -> None:
    case = await waiting_for_rma(world)

    summary = await (await case.handle.describe()).static_summary()

    assert summary == f"Return {case.id} · order {case.order.id} · 1 line"


async def test_NTF_1_a_mail_server_that_is_down_does_not_hold_up_the_money(world: World) -> None:
    case = await (await returning(world)).approved()
    await world.sandbox.add_fault("mail", "drop_before", times=None)
    await case.track()
    await case.receive()
    await case.credit("63.00")
    await case.click()

    await case.shows("both are refunded", lambda seen: seen.outcome == "completed")

    assert sum(await case.money()) == Decimal("163.00")
    await world.sandbox.clear_faults()


async def test_NTF_1_each_letter_of_a_return_comes_once_as_text_and_html(world: World) -> None:
    case = await waiting_for_rma(world)
    await case.issue_rma("RMA-1")
    await case.reaches("awaiting_tracking")

    for letter in (
        await case.seller_letter("please approve or reject"),
        await case.buyer_letter("How to send back"),
        await case.seller_letter("RMA number RMA-1"),
    ):
        assert letter.text
        assert letter.html
