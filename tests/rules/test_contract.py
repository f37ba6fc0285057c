"""The contract that others rely on: events, status, activities, search attributes (RET-16, NTF-3)."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio import activity
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowUpdateFailedError

from models import contract
from models.calls import CALLS, queue_of
from models.ids import order_workflow_id, refund_workflow_id, return_workflow_id
from tests.amazon_queue_story import amazon_account
from tests.case_story import CaseStory
from tests.replay.report_import_paths import an_account, asked_of_amazon
from tests.world import World
from worker import build_worker

ROOT = Path(__file__).parent.parent.parent

STATUS_FIELDS = {"stage", "waiting_for", "deadlines", "timeline", "rejected_events", "facts"}


async def any_case(world: World, kind: str) -> CaseStory:
    """A running case of this kind."""
    if kind == contract.ORPHAN:
        orphan = await world.orphan(f"nobody knows {world.tag}")
        await orphan.reaches("unmatched")
        return orphan
    if kind == contract.CHANNEL_BATCH:
        account = await amazon_account(world)
        batch = await account.process(await account.refund(await account.order()))
        await batch.reaches("processing")
        return batch
    if kind == contract.REPORT_IMPORT:
        return await asked_of_amazon(world, await an_account(world))
    order = await world.simple_order(buyer_method="pm_card_pendingRefund")
    if kind == contract.ORDER:
        await order.reaches("cancel_window")
        return order
    if kind == contract.REFUND:
        await order.reaches("cancel_window")
        refund = await world.refund(order, amount="5.00")
        await refund.reaches("pending")
        return refund
    if kind == contract.CLAIM:
        claim = await world.claim(await world.voided_order(), "20.00")
        await claim.reaches("awaiting_decision")
        return claim
    await order.shipped()
    if kind == contract.COST_REVIEW:
        refund = await world.refund(order, amount="5.00", way="manual", reference="cheque 1")
        await refund.ends("succeeded")
        review = await world.cost_review(order, "5.00")
        await review.reaches("awaiting_decision")
        return review
    case = await world.return_of(order)
    await case.reaches("awaiting_approval")
    return case


@pytest.mark.parametrize("kind", list(contract.EVENTS))
async def test_RET_16_every_event_can_be_sent_as_signal_and_as_update(world: World, kind: str) -> None:
    case = await any_case(world, kind)
    metadata: WorkflowMetadata = await case.handle.query("__temporal_workflow_metadata")
    defined = metadata.definition
    assert defined.type == kind
    signals = {one.name: one.description for one in defined.signal_definitions if one.name}
    updates = {one.name: one.description for one in defined.update_definitions}
    of_our_own = {contract.REFUND_TAKEN_BACK, contract.REPLACEMENT_NEWS, contract.CASE_NUMBERED}
    assert set(signals) - of_our_own == set(updates) == set(contract.EVENTS[kind])
    assert all(signals.values()), "people read in the UI what each event is for"


@pytest.mark.parametrize("kind", list(contract.EVENTS))
async def test_RET_16_an_update_with_an_unknown_name_is_refused(world: World, kind: str) -> None:
    case = await any_case(world, kind)
    with pytest.raises(WorkflowUpdateFailedError):
        await case.handle.execute_update("cancel_my_order", {"event_id": "e1", "actor": "seller:jane"})
    assert (await case.status()).rejected_count == 0


@pytest.mark.parametrize("kind", list(contract.EVENTS))
async def test_NTF_3_the_status_says_what_people_need(world: World, kind: str) -> None:
    case = await any_case(world, kind)
    status: dict[str, Any] = await case.handle.query("status")
    assert set(status) >= STATUS_FIELDS
    assert set(status["waiting_for"]) >= {"who", "what", "since", "due"}
    assert status["timeline"]
    assert set(status["timeline"][0]) == {"at", "what", "who"}
    await case.handle.signal("no_such_event", {})
    await case.shows("the rejection", lambda seen: seen.rejected_count == 1)
    (rejected,) = (await case.handle.query("status"))["rejected_events"]
    assert set(rejected) == {"name", "reason", "at", "event_id", "sender_at_fault"}


async def test_NTF_3_a_case_can_be_found_by_its_numbers_and_stage(world: World) -> None:
    order = await any_case(world, contract.ORDER)
    assert await order.attribute(contract.STAGE) == "cancel_window"
    assert await order.attribute(contract.WAITING_ON) == ["clock"]
    assert await order.attribute(contract.ORDER_ID) == order.id
    assert await order.attribute(contract.DUE_BY) == (await order.status()).deadlines["cancel_until"]


async def test_the_worker_registers_exactly_the_calls_that_workflows_make_each_on_its_queue(world: World) -> None:
    worker = build_worker(world.client, world.settings, world.engine, task_queue="never-run")
    for queue, on_queue in worker.workers.items():
        assert on_queue.task_queue == queue_of("never-run", queue)
        registered = {}
        for function in on_queue.config()["activities"]:
            definition = activity._Definition.must_from_callable(function)
            registered[definition.name] = (definition.arg_types, definition.ret_type)
        assert registered == {call.name: ([call.asks], call.gives) for call in CALLS if call.queue is queue}


def test_the_local_server_has_exactly_the_search_attributes_of_the_contract() -> None:
    described = yaml.safe_load((ROOT / "temporal-dev.yaml").read_text())["search_attributes"]
    ours = {key.name: key.indexed_value_type.name.title().replace("_", "") for key in contract.SEARCH_ATTRIBUTES}
    assert described == ours


def test_the_names_that_others_rely_on_stay() -> None:
    assert (contract.TASK_QUEUE, contract.ORDER, contract.RETURN, contract.REFUND) == (
        "backhaul",
        "Order",
        "Return",
        "Refund",
    )
    assert (order_workflow_id("1001"), return_workflow_id("RR-1001-1"), refund_workflow_id("RF-1")) == (
        "order-1001",
        "return-RR-1001-1",
        "refund-RF-1",
    )
    assert {kind: list(events) for kind, events in contract.EVENTS.items()} == {
        "Order": [
            "release",
            "cancel_request",
            "payment_method_updated",
            "shipment",
            "hold",
            "resume",
            "address_changed",
            "shipment_corrected",
            "supplier_shortage",
            "choice_after_void",
            "stock_arrived",
            "delivered",
        ],
        "Return": [
            "seller_approval",
            "supplier_rma",
            "return_tracking",
            "goods_received",
            "credit_memo",
            "buyer_refund",
            "refund_declined",
            "withdrawal",
            "channel_update",
            "staff_override",
        ],
        "Refund": [
            "gateway_update",
            "refund_confirmed",
            "refund_rejected",
            "refund_resolved",
        ],
        "Orphan": [
            "match",
            "dismiss",
        ],
        "CostReview": [
            "cost_decision",
            "review_withdrawn",
            "evidence_added",
        ],
        "Claim": [
            "claim_decision",
            "claim_withdrawn",
            "receipt_added",
        ],
        "ChannelBatch": ["feed_resolved"],
        "ReportImport": [],
    }
