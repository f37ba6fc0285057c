"""Paths of buyers who ask Amazon to cancel: by an order report, and what their sellers answer (CAN-7, CAN-8)."""

from activities.report_imports.activities import ORDERS
from models.amazon.report_imports import ReportDue
from models.contract import ORDERS_DUE
from tests.amazon_queue_story import AmazonAccount, amazon_account
from tests.case_story import CaseStory, OrderStory
from tests.connectors.amazon.order_reports import BRAKE_PADS, WANTED, order_report
from tests.replay.recording import Recorded
from tests.replay.report_import_paths import import_begun_by
from tests.world import World


async def asked(account: AmazonAccount) -> OrderStory:
    order = await account.order()
    await order.update("hold", actor="channel:amazon", reason="ordered by mistake", answer_days=2)
    return order


async def order_whose_buyer_asks_to_cancel(world: World) -> list[Recorded]:
    """One is granted; one is declined after a day; one is answered by nobody in time, then granted."""
    account = await amazon_account(world)
    granted, declined, late = [await asked(account) for _ in range(3)]
    await granted.update("cancel_request", actor="seller:jane", reason="granted")
    await granted.ends("cancelled")
    await declined.forward(minutes=31)
    await declined.reaches("on_hold")
    await declined.forward(days=1)
    await declined.update("resume", actor="seller:jane", reason="it is packed")
    await declined.reaches("awaiting_shipment")
    await declined.ship_all()
    await late.forward(minutes=31)
    await late.reaches("on_hold")
    await late.forward(days=1)
    await late.forward(days=2)
    await late.update("cancel_request", actor="seller:jane", reason="granted")
    await late.ends("cancelled")
    return [granted, declined, late]


async def report_import_of_orders(world: World) -> list[Recorded]:
    """One buyer wants to cancel; one row can't be read."""
    account = await amazon_account(world)
    order = await account.order()
    row = BRAKE_PADS | WANTED | {"order-id": str(order.request.channel_order_id)}
    content = order_report([row, row | {"order-id": "1"}]).decode()
    await world.sandbox.amazon_reports(ORDERS, content=content)
    due = ReportDue(connection_id=account.connection_id, seller_id=account.seller.seller_id)
    begins = await world.client.start_workflow(
        ORDERS_DUE, due, id=f"orders-due-{due.connection_id}", task_queue=world.task_queue
    )
    case = await import_begun_by(world, due)
    await case.reaches("in_the_making")
    await case.forward(seconds=31)
    await case.ends("imported")
    await begins.result()
    await order.shows("that its buyer asks", lambda seen: seen.facts["on_hold"] is not None)
    return [CaseStory(world, begins, begins.id), case]
