"""Paths of the import of a returns report (AMZ-1)."""

import io

from activities.database.report_imports import ReportRegister
from activities.report_imports.activities import RETURNS, SETTLEMENTS
from models.amazon.report_imports import ReportDue, ReportImportRequest
from models.amazon.settlements import SettlementState
from models.contract import REPORT_IMPORT_KIND, RETURNS_DUE, SETTLEMENTS_DUE
from starter.cli.settlement_import import import_amounts
from starter.client.start import open_report_import
from tests.amazon_account import connect_amazon
from tests.amazon_queue_story import amazon_account
from tests.case_story import CaseStory
from tests.connectors.amazon.returns_reports import BRAKE_PADS, tab_separated
from tests.connectors.amazon.settlement_reports import SOLD_AND_REFUNDED, settlement
from tests.eventually import eventually
from tests.replay.recording import Recorded
from tests.rules.staff_cancel import stopped
from tests.world import World


async def an_account(world: World) -> ReportDue:
    """Of a seller; Amazon makes reports at once."""
    seller_id = (await world.seller()).seller_id
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0)
    connection_id = connect_amazon(world.engine, world.running.http_url, seller_id)
    return ReportDue(connection_id=connection_id, seller_id=seller_id)


async def asked_of_amazon(world: World, due: ReportDue) -> CaseStory:
    """An import by itself, while Amazon makes the report."""
    request = ReportImportRequest(import_id=f"{due.connection_id}.1", source="Amazon", **due.model_dump())
    opened = await open_report_import(world.client, request, task_queue=world.task_queue)
    case = CaseStory(world, world.client.get_workflow_handle(opened.workflow_id), opened.workflow_id)
    await case.reaches("in_the_making")
    return case


async def import_begun_by(world: World, due: ReportDue) -> CaseStory:
    """The only import of the account."""
    register = ReportRegister(world.engine)

    async def begun() -> list[str]:
        return [one.import_id for one in register.latest(1000) if one.connection_id == due.connection_id]

    (import_id,) = await eventually(begun, bool, "no import has begun")
    workflow_id = REPORT_IMPORT_KIND.workflow_id(import_id)
    return CaseStory(world, world.client.get_workflow_handle(workflow_id), workflow_id)


async def report_import_by_schedule(world: World) -> list[Recorded]:
    """The report's one return is of an order that is not known here; one row can't be read."""
    due = await an_account(world)
    rows = [BRAKE_PADS, {**BRAKE_PADS, "Order ID": "1"}]
    await world.sandbox.amazon_reports(RETURNS, content=tab_separated(rows).decode())
    schedules = await world.client.start_workflow(
        RETURNS_DUE, due, id=f"returns-due-{due.connection_id}", task_queue=world.task_queue
    )
    case = await import_begun_by(world, due)
    await case.reaches("in_the_making")
    await case.forward(seconds=31)
    await case.ends("imported")
    await schedules.result()
    return [CaseStory(world, schedules, schedules.id), case]


async def report_import_without_a_report(world: World) -> list[Recorded]:
    """Amazon has no returns; another time it gives a report of another kind."""
    await world.sandbox.amazon_reports(RETURNS, status="CANCELLED")
    nothing = await asked_of_amazon(world, await an_account(world))
    await world.sandbox.amazon_reports(RETURNS, content="order-id\tpurchase-date\n1\t2\n")
    other = await asked_of_amazon(world, await an_account(world))
    for case in (nothing, other):
        await case.forward(seconds=31)
    await nothing.ends("no_data")
    await other.ends("refused")
    return [nothing, other]


async def report_import_of_a_settlement(world: World) -> list[Recorded]:
    """Of an order that is not known here: it is in the ledger all the same."""
    due = await an_account(world)
    content = io.BytesIO(settlement(SOLD_AND_REFUNDED, "-3.00", settlement_id=due.seller_id))
    staged = await import_amounts(
        world.client, world.engine, content, due.connection_id, "settlement.txt", task_queue=world.task_queue
    )
    assert staged.state is SettlementState.BOOKED
    workflow_id = REPORT_IMPORT_KIND.workflow_id(staged.import_id)
    return [CaseStory(world, world.client.get_workflow_handle(workflow_id), workflow_id)]


async def report_import_of_settlements_by_schedule(world: World) -> list[Recorded]:
    """Amazon has made two: one does not add up, and is held; the other one is booked."""
    account = await amazon_account(world)
    for days_ago, (name, total) in ((1, ("1", "-1.00")), (0, ("2", "-3.00"))):
        content = settlement(SOLD_AND_REFUNDED, total, settlement_id=f"{account.connection_id}-{name}").decode()
        named = {"ready": True, "account": account.token, "days_ago": days_ago}
        await world.sandbox.amazon_reports(SETTLEMENTS, content, **named)
    due = ReportDue(connection_id=account.connection_id, seller_id=account.seller.seller_id)
    begins = await world.client.start_workflow(
        SETTLEMENTS_DUE, due, id=f"settlements-due-{due.connection_id}", task_queue=world.task_queue
    )
    await begins.result()
    every = ReportRegister(world.engine).latest(1000)
    ids = [
        REPORT_IMPORT_KIND.workflow_id(one.import_id) for one in every if one.connection_id == due.connection_id
    ]
    booked, held = [CaseStory(world, world.client.get_workflow_handle(one), one) for one in ids]
    await held.ends("refused")
    await booked.ends("imported")
    return [CaseStory(world, begins, begins.id), held, booked]


async def report_import_stopped(world: World) -> list[Recorded]:
    """Amazon does not answer at first; staff stop it while Amazon makes the report."""
    await world.sandbox.add_fault("amazon", "error", match="POST /reports", times=2)
    await world.sandbox.amazon_reports(RETURNS, status="CANCELLED")
    case = await asked_of_amazon(world, await an_account(world))
    await stopped(case)
    return [case]
