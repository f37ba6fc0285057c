"""Scenes of reports: each return starts once, each order hears once, whatever breaks (AMZ-1, CAN-7)."""

import asyncio
import io
from collections.abc import AsyncIterator

from activities.database.report_imports import ReportRegister
from activities.report_imports.activities import ORDERS, RETURNS
from activities.report_imports.staging import STAGED_BY
from models import calls
from models.amazon.report_imports import ReportImportRequest, ReportKind, StagedReport
from models.amazon.return_imports import amazon_return_id
from models.contract import REPORT_IMPORT_KIND
from starter.client.start import open_report_import
from starter.sandbox.facts import PartnerName
from tests.amazon_account import connect_amazon
from tests.case_story import CaseStory, OrderStory
from tests.chaos.crash_coverage import AtPartner, AtWorker, InBooks, Spot, during, stage_in_books, standing
from tests.chaos.stories import Story, patiently, stands_at, tell, time_passes
from tests.chaos.story_parts import cancelled
from tests.connectors.amazon import order_reports
from tests.connectors.amazon.returns_reports import BRAKE_PADS, items_of, read, tab_separated

NOTHING_NEW = tab_separated([BRAKE_PADS | {"Return request status": "Pending"}])
"""Amazon's report, whoever asks: of a return that is not approved, and so becomes none."""
NOBODY_ASKS = order_reports.order_report([order_reports.BRAKE_PADS])
"""Of an order whose buyer does not want to cancel."""
REPORTS = {ReportKind.RETURNS: (RETURNS, NOTHING_NEW), ReportKind.ORDERS: (ORDERS, NOBODY_ASKS)}


def account(story: Story, seller_id: str) -> str:
    return connect_amazon(story.world.engine, story.world.running.http_url, seller_id)


async def begun(
    story: Story,
    connection_id: str,
    seller_id: str,
    staged: StagedReport | None = None,
    kind: ReportKind = ReportKind.RETURNS,
) -> CaseStory:
    world = story.world
    request = ReportImportRequest(
        import_id=f"{connection_id}.1",
        kind=kind,
        connection_id=connection_id,
        seller_id=seller_id,
        source="Amazon" if staged is None else "report.txt",
        staged=staged,
    )
    opened = await patiently(lambda: open_report_import(world.client, request, task_queue=world.task_queue))
    return CaseStory(world, world.client.get_workflow_handle(opened.workflow_id), opened.workflow_id)


async def in_books(
    story: Story, connection_id: str, content: bytes, kind: ReportKind = ReportKind.RETURNS
) -> StagedReport:
    """The rows of a file."""
    register, named = ReportRegister(story.world.engine), f"{connection_id}.1"
    file = io.BytesIO(content)
    return await asyncio.to_thread(STAGED_BY[kind], register, named, connection_id, "report.txt", file)


async def amazon_order(story: Story) -> OrderStory:
    """Two units of one item."""
    world = story.world
    number = f"113-{int(world.tag, 16) % 10_000_000:07d}-{next(world.numbers):07d}"
    supplier, seller, sku = await patiently(world.supplier), await patiently(world.seller), world.sku()
    await patiently(lambda: world.stock(sku, 10, supplier))
    told = {"channel": "amazon", "channel_order_id": number}
    return await patiently(lambda: world.order(seller, {"sku": sku, "quantity": 2}, **told))


def case_of(story: Story, connection_id: str) -> CaseStory:
    ident = REPORT_IMPORT_KIND.workflow_id(f"{connection_id}.1")
    return CaseStory(story.world, story.world.client.get_workflow_handle(ident), ident)


async def imported(story: Story, case: CaseStory) -> None:
    """Its time passes until Amazon has made the report."""
    while await stands_at(case, "in_the_making", "imported") == "in_the_making":
        await time_passes(case, seconds=31)
    story.ends(case, "imported")


async def fetched(
    story: Story, spot: Spot, kind: ReportKind = ReportKind.RETURNS, *, waits: bool = False
) -> AsyncIterator[Spot]:
    """`waits`: Amazon has to make the report first, and is asked half a minute later."""
    world = story.world
    seller = await patiently(world.seller)
    connection_id = account(story, seller.seller_id)
    report_type, content = REPORTS[kind]
    await patiently(lambda: world.sandbox.amazon_reports(report_type, content=content.decode()))
    yield spot
    case = await begun(story, connection_id, seller.seller_id, kind=kind)
    if waits:
        await stands_at(case, "in_the_making")
        await time_passes(case, seconds=31)
    yield spot
    await imported(story, case)


def at_amazon(what: str) -> AtPartner:
    return AtPartner(PartnerName.AMAZON, what, named=False)


@during(calls.REQUEST_REPORT)
async def asking_for_a_report(story: Story) -> AsyncIterator[Spot]:
    async for spot in fetched(story, at_amazon(r"POST .*/reports/2021-06-30/reports$")):
        yield spot


@during(calls.REQUEST_ORDER_REPORT)
async def asking_for_an_order_report(story: Story) -> AsyncIterator[Spot]:
    async for spot in fetched(story, at_amazon(r"POST .*/reports/2021-06-30/reports$"), ReportKind.ORDERS):
        yield spot


@during(calls.READ_ORDER_REPORT)
async def downloading_an_order_report(story: Story) -> AsyncIterator[Spot]:
    async for spot in fetched(
        story, at_amazon(r"GET .*/reports/2021-06-30/documents/"), ReportKind.ORDERS, waits=True
    ):
        yield spot


@during(calls.LOOK_AT_REPORT)
async def looking_for_a_report(story: Story) -> AsyncIterator[Spot]:
    async for spot in fetched(story, at_amazon(r"GET .*/reports/2021-06-30/reports/\w+$"), waits=True):
        yield spot


@during(calls.READ_REPORT)
async def downloading_a_report(story: Story) -> AsyncIterator[Spot]:
    async for spot in fetched(story, at_amazon(r"GET .*/reports/2021-06-30/documents/"), waits=True):
        yield spot


@during(calls.SAVE_REPORT_IMPORT)
async def saving_an_import(story: Story) -> AsyncIterator[Spot]:
    """Of a file: nothing else is written before it is kept."""
    seller = await patiently(story.world.seller)
    connection_id = account(story, seller.seller_id)
    staged = await in_books(story, connection_id, NOTHING_NEW)
    case = case_of(story, connection_id)
    spot = InBooks(case, standing(case, "importing"), lambda: stage_in_books(case) != "unknown")
    yield spot
    await begun(story, connection_id, seller.seller_id, staged)
    yield spot
    await imported(story, case)


@during(calls.TAKE_RETURNS)
async def starting_the_returns_of_a_report(story: Story) -> AsyncIterator[Spot]:
    """It is started once, and goes on as every return does."""
    world = story.world
    order = await amazon_order(story)
    await story.shipped(order)
    seller_id, number = order.request.seller_id, order.request.channel_order_id or ""
    connection_id = account(story, seller_id)
    content = tab_separated([{**BRAKE_PADS, "Order ID": number, "Merchant SKU": order.request.lines[0].sku}])
    (item,) = items_of(read(content))
    back = world.return_story(amazon_return_id(item))
    case = case_of(story, connection_id)
    yield AtWorker(case)
    staged = await in_books(story, connection_id, content)
    await begun(story, connection_id, seller_id, staged)
    yield AtWorker(case)
    await imported(story, case)
    await stands_at(back, "awaiting_approval")
    await tell(back, "seller_approval", decision="rejected", reason="too late")
    await stands_at(back, "rejected")
    story.ends(back, "rejected")


@during(calls.LOOK_AT_MARKETPLACE)
async def declining_a_buyer_who_asks_to_cancel(story: Story) -> AsyncIterator[Spot]:
    """Amazon is asked first; it has not cancelled the order, which goes on (CAN-8)."""
    order = await amazon_order(story)
    account(story, order.request.seller_id)
    await stands_at(order, "cancel_window")
    spot = at_amazon(r"GET .*/orders/2026-01-01/orders/")
    yield spot
    await tell(order, "hold", reason="ordered by mistake", answer_days=2, actor="channel:amazon")
    await tell(order, "resume", reason="it is packed")
    yield spot
    await story.shipped(order)


@during(calls.TAKE_ORDERS)
async def telling_the_orders_of_a_report(story: Story) -> AsyncIterator[Spot]:
    """The buyer's wish is heard once; the seller grants it (CAN-7, CAN-8)."""
    order = await amazon_order(story)
    await stands_at(order, "cancel_window")
    seller_id = order.request.seller_id
    connection_id = account(story, seller_id)
    row = order_reports.BRAKE_PADS | order_reports.WANTED
    content = order_reports.order_report([row | {"order-id": order.request.channel_order_id or ""}])
    case = case_of(story, connection_id)
    yield AtWorker(case)
    staged = await in_books(story, connection_id, content, ReportKind.ORDERS)
    await begun(story, connection_id, seller_id, staged, ReportKind.ORDERS)
    yield AtWorker(case)
    await imported(story, case)
    await tell(order, "cancel_request", reason="granted", actor=f"seller:{seller_id}")
    await cancelled(story, order)
