"""Scenes of settlements: each is imported once, and each amount is in the ledger once, whatever breaks (AMZ-8)."""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from activities.database import ConnectionRegister
from activities.database.report_imports import ReportRegister
from activities.database.settlement_report import reconciled
from activities.report_imports.activities import SETTLEMENTS
from activities.report_imports.settlement_staging import stage_settlement
from models import calls
from models.amazon.report_imports import ReportDue, ReportImportRequest, ReportKind, StagedReport
from models.amazon.settlements import SettlementState
from models.contract import REPORT_IMPORT_KIND, SETTLEMENTS_DUE
from starter.client.start import open_report_import
from tests.case_story import CaseStory
from tests.chaos.crash_coverage import AtWorker, Spot, during
from tests.chaos.crash_points_imports import account, amazon_order, at_amazon, case_of, imported
from tests.chaos.stories import Story, comes_to, patiently
from tests.connectors.amazon.settlement_reports import BRAKE_PADS, REFUNDED, settlement


@during(calls.BOOK_SETTLEMENT)
async def booking_a_settlement(story: Story) -> AsyncIterator[Spot]:
    """Amazon refunded a buyer by itself, and no return is open that could hear of it."""
    world = story.world
    order = await amazon_order(story)
    await story.shipped(order)
    seller_id, number = order.request.seller_id, order.request.channel_order_id or ""
    connection_id = account(story, seller_id)
    import_id = f"{connection_id}.1"
    line = order.request.lines[0].line_id or ""
    rows = [REFUNDED | {"order-id": number, "order-item-code": line, "amount": "-1.00"}]
    content = io.BytesIO(settlement(rows, "-1.00", settlement_id=seller_id))
    staged = await asyncio.to_thread(
        stage_settlement, world.engine, import_id, connection_id, seller_id, "settlement.txt", content
    )
    assert staged.state is SettlementState.BOOKING
    case = case_of(story, connection_id)
    yield AtWorker(case)
    request = ReportImportRequest(
        import_id=import_id,
        kind=ReportKind.SETTLEMENT,
        connection_id=connection_id,
        seller_id=seller_id,
        source="settlement.txt",
        staged=StagedReport(amounts=staged.amounts),
    )
    await patiently(lambda: open_report_import(world.client, request, task_queue=world.task_queue))
    yield AtWorker(case)
    await imported(story, case)
    found = await asyncio.to_thread(reconciled, world.engine, seller_id)
    assert [(one.what, one.return_id) for one in found.differences] == [("unexpected", None)]
    assert found.state is SettlementState.BOOKED


def account_of_its_own(story: Story, seller_id: str) -> tuple[str, str]:
    """At Amazon too: nobody else finds its settlements. Gives the connection's id, and what opens the account."""
    connection_id = account(story, seller_id)
    token = f"Atzr|test-{connection_id}"
    file = Path(tempfile.mkdtemp(prefix="backhaul-amazon-")) / "token"
    file.write_text(token)
    register = ConnectionRegister(story.world.engine)
    register.put([register.get(connection_id).model_copy(update={"secret": f"file:{file}"})])
    return connection_id, token


async def found_by_schedule(story: Story, spot: Spot) -> AsyncIterator[Spot]:
    """Amazon has made one settlement; its import begins once, and books it once."""
    world = story.world
    seller = await patiently(world.seller)
    connection_id, token = account_of_its_own(story, seller.seller_id)
    content = settlement([BRAKE_PADS], "100.00", settlement_id=f"S-{connection_id}").decode()
    await patiently(lambda: world.sandbox.amazon_reports(SETTLEMENTS, content, ready=True, account=token))
    due = ReportDue(connection_id=connection_id, seller_id=seller.seller_id)
    turn = f"settlements-due-{connection_id}"
    yield spot
    begins = await patiently(
        lambda: world.client.start_workflow(SETTLEMENTS_DUE, due, id=turn, task_queue=world.task_queue)
    )
    yield spot

    async def begun() -> list[str] | None:
        found = await asyncio.to_thread(ReportRegister(world.engine).latest, 1000)
        return [one.import_id for one in found if one.connection_id == connection_id] or None

    (import_id,) = await comes_to(CaseStory(world, begins, turn), begun, "where an import has begun")
    workflow_id = REPORT_IMPORT_KIND.workflow_id(import_id)
    await imported(story, CaseStory(world, world.client.get_workflow_handle(workflow_id), workflow_id))
    found = await asyncio.to_thread(reconciled, world.engine, f"S-{connection_id}")
    assert (found.state, found.amounts) == (SettlementState.BOOKED, 1)


@during(calls.FIND_SETTLEMENTS)
async def looking_for_settlements(story: Story) -> AsyncIterator[Spot]:
    async for spot in found_by_schedule(story, at_amazon(r"GET .*/reports/2021-06-30/reports$")):
        yield spot


@during(calls.READ_SETTLEMENT)
async def downloading_a_settlement(story: Story) -> AsyncIterator[Spot]:
    async for spot in found_by_schedule(story, at_amazon(r"GET .*/reports/2021-06-30/documents/")):
        yield spot
