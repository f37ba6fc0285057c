"""Paths of a case that goes on in another run: it continues as new, or staff reset it."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, ResetReapplyExcludeType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHistory
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.report_imports.activities import RETURNS
from models.contract import SEARCH_ATTRIBUTES
from models.converter import DATA_CONVERTER
from starter.ops.dev_server import dynamic_config_options, read_config
from tests.amazon_queue_story import amazon_account
from tests.case_story import CaseStory
from tests.replay.recording import Recorded
from tests.replay.report_import_paths import an_account, asked_of_amazon
from tests.return_story import returning_from, shipped_order
from tests.world import World

ROOT = Path(__file__).parent.parent.parent

# ---- continued as new ----

LONGEST = 100
"""Events after which the server of these paths suggests to continue as new; else it does after thousands."""


@asynccontextmanager
async def _short_histories(world: World) -> AsyncIterator[World]:
    """The same world on a server that takes no long histories."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        ts_config=TimeSkippingConfig(enabled=False),
        data_converter=DATA_CONVERTER,
        search_attributes=SEARCH_ATTRIBUTES,
        dev_server_existing_path=shutil.which("temporal", path=str(Path(sys.executable).parent)),
        dev_server_log_level="error",
        dev_server_extra_args=[
            *dynamic_config_options(read_config(ROOT / "temporal-dev.yaml")),
            "--dynamic-config-value",
            f"limit.historyCount.suggestContinueAsNew={LONGEST}",
        ],
    ) as env:
        there = World(env, world.running, world.sandbox, world.engine, world.settings, world.task_queue)
        async with there.worker(there.task_queue):
            yield there


async def _continues_as_new(case: CaseStory) -> None:
    """It hears of what it does not know, one after the other, until its history is long enough."""
    first_run = (await case.handle.describe()).run_id
    for told in range(1, LONGEST):
        await case.signal("unknown_event")
        await case.shows(f"rejection {told}", lambda seen, told=told: seen.rejected_count == told)  # type: ignore[misc]
        if (await case.handle.describe()).run_id != first_run:
            return
    raise AssertionError(f"{case.id} does not continue as new")


async def _runs_of(case: CaseStory) -> list[WorkflowHistory]:
    """The history of each of its runs, the first one first."""
    runs = [await case.handle.fetch_history()]
    while before := _continued_run_id(runs[0]):
        earlier = case.stack.client.get_workflow_handle(case.handle.id, run_id=before)
        runs.insert(0, await earlier.fetch_history())
    return runs


def _continued_run_id(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id


async def order_continued_as_new(world: World) -> list[Recorded]:
    """A tracking number that the shop does not take goes along."""
    async with _short_histories(world) as there:
        order = await there.simple_order()
        await order.placed()
        await there.sandbox.add_fault("shop", "refuse", "PUT .*/shipments/", times=None, status=401)
        line = {"sku": order.request.lines[0].sku, "quantity": 1}
        more = {"carrier": "UPS", "tracking_number": "1Z1", "lines": [line]}
        await order.update("shipment", shipment_id="s1", **more)
        await _continues_as_new(order)
        await there.sandbox.clear_faults()
        await order.forward(minutes=23)
        await order.update("shipment", shipment_id="s2", **more)
        await order.ends("shipped")
        runs = await _runs_of(order)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


async def return_continued_as_new(world: World) -> list[Recorded]:
    """So does its buyer's refund, which is pending, while the return waits for its end."""
    async with _short_histories(world) as there:
        seller = await there.seller(refund_looks_before_alert=30)
        order, _, supplier = await shipped_order(there, seller, buyer_method="pm_card_pendingRefund")
        back = await returning_from(there, order, seller, supplier)
        await back.approved("awaiting_buyer_refund", returnless=True)
        await back.click()
        refund = there.refund_story(f"RF-{back.id}-B1")
        await refund.reaches("pending")
        number = (await refund.status()).facts["gateway_refund_id"]
        for case in (refund, back):
            await _continues_as_new(case)
        await there.sandbox.settle_refund(refund.id, "succeeded")
        word = {"actor": "gateway:stripe", "status": "succeeded", "gateway_refund_id": number}
        await refund.update("gateway_update", **word)
        await back.ends("completed")
        runs = [await _runs_of(case) for case in (back, refund)]
    assert [len(of_case) for of_case in runs] == [2, 2], "each continued as new once"
    return [run for of_case in runs for run in of_case]


async def orphan_continued_as_new(world: World) -> list[Recorded]:
    """It looks for its case again in its next run."""
    async with _short_histories(world) as there:
        orphan = await there.orphan(f"nobody knows {there.tag}", look_days=3)
        await orphan.reaches("unmatched")
        await _continues_as_new(orphan)
        await orphan.forward(days=4)
        await orphan.ends("expired")
        runs = await _runs_of(orphan)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


async def cost_review_continued_as_new(world: World) -> list[Recorded]:
    """It is decided in its next run."""
    async with _short_histories(world) as there:
        order, *_ = await shipped_order(there)
        await (await there.refund(order, amount="60.00")).ends("succeeded")
        review = await there.cost_review(order, "20.00")
        await review.reaches("awaiting_decision")
        await _continues_as_new(review)
        await review.update("cost_decision", actor="staff:kim", decision="approved")
        await review.ends("approved")
        runs = await _runs_of(review)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


async def claim_continued_as_new(world: World) -> list[Recorded]:
    """It is decided in its next run."""
    async with _short_histories(world) as there:
        claim = await there.claim(await there.voided_order(), "20.00")
        await claim.reaches("awaiting_decision")
        await _continues_as_new(claim)
        await claim.update("claim_decision", actor="staff:kim", decision="approved")
        await claim.ends("approved")
        runs = await _runs_of(claim)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


async def batch_continued_as_new(world: World) -> list[Recorded]:
    """It is done in its next run."""
    async with _short_histories(world) as there:
        account = await amazon_account(there)
        refund = await account.refund(await account.order())
        batch = await account.process(refund)
        await batch.reaches("processing")
        await _continues_as_new(batch)
        await account.processed(batch)
        await batch.ends("done")
        runs = await _runs_of(batch)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


# ---- reset ----


async def order_reset(world: World) -> list[Recorded]:
    """`temporal workflow reset` to its first task, without what was sent since."""
    order = await world.simple_order(await world.seller(auto_release=False))
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.reaches("cancel_window")
    await _reset_to_its_start(order)
    await order.reaches("awaiting_release")
    await order.update("release")
    await order.shipped()
    return [order]


async def report_import_continued_as_new(world: World) -> list[Recorded]:
    """Amazon has made the report in its next run."""
    async with _short_histories(world) as there:
        await there.sandbox.amazon_reports(RETURNS, status="CANCELLED")
        case = await asked_of_amazon(there, await an_account(there))
        await _continues_as_new(case)
        await case.forward(seconds=31)
        await case.ends("no_data")
        runs = await _runs_of(case)
    assert len(runs) == 2, "it continued as new once"
    return list(runs)


async def refund_reset(world: World) -> list[Recorded]:
    """It is looked for at the gateway before it is sent."""
    order = await world.simple_order()
    await order.reaches("cancel_window")
    refund = await world.refund(order, amount="40.00")
    await refund.ends("succeeded")
    await _reset_to_its_start(refund)
    await refund.ends("succeeded")
    return [refund]


async def _reset_to_its_start(case: CaseStory) -> None:
    client = case.stack.client
    history = await case.handle.fetch_history()
    first = next(
        one.event_id for one in history.events if one.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    )
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=case.handle.id),
            reason="a mended worker",
            workflow_task_finish_event_id=first,
            request_id=case.handle.id,
            reset_reapply_exclude_types=[
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL,
                ResetReapplyExcludeType.RESET_REAPPLY_EXCLUDE_TYPE_UPDATE,
            ],
        )
    )
