"""Scenes of settlements: each amount is in the ledger once, whatever breaks (AMZ-8)."""

import asyncio
import io
from collections.abc import AsyncIterator

from activities.database.settlement_report import reconciled
from activities.report_imports.settlement_staging import stage_settlement
from models import calls
from models.amazon.report_imports import ReportImportRequest, ReportKind, StagedReport
from models.amazon.settlements import SettlementState
from starter.client.start import open_report_import
from tests.chaos.crash_coverage import AtWorker, Spot, during
from tests.chaos.crash_points_imports import account, amazon_order, case_of, imported
from tests.chaos.stories import Story, patiently
from tests.connectors.amazon.settlement_reports import REFUNDED, settlement


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
