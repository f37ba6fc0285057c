"""Amazon's order report on the running stack: buyers who want to cancel (CAN-7, CAN-8, RET-20)."""

import io

import pytest

from models.amazon.report_imports import ReportCounted, ReportKind
from starter.cli.report_import import import_rows
from tests.amazon_queue_story import AmazonAccount, amazon_account
from tests.case_story import OrderStory
from tests.connectors.amazon.order_reports import BRAKE_PADS, COLUMNS, WANTED, order_report
from tests.world import World

pytestmark = pytest.mark.proof


async def imports(account: AmazonAccount, *rows: dict[str, str]) -> ReportCounted:
    world = account.world
    content = io.BytesIO(order_report([BRAKE_PADS | row for row in rows], (*COLUMNS, "order-status")))
    found = await import_rows(
        world.client,
        world.engine,
        ReportKind.ORDERS,
        content,
        account.connection_id,
        "orders.txt",
        task_queue=world.task_queue,
    )
    assert (found.stage, found.kind) == ("imported", ReportKind.ORDERS)
    return found.counted


def row_of(order: OrderStory) -> dict[str, str]:
    return {"order-id": str(order.request.channel_order_id), "order-item-id": order.request.lines[0].line_id or ""}


async def test_CAN_7_CAN_8_buyers_of_a_report_are_answered_by_their_seller_or_by_amazon(world: World) -> None:
    account = await amazon_account(world)
    granted, declined, gone = [await account.order() for _ in range(3)]
    wanted = [row_of(order) | WANTED for order in (granted, declined, gone)]
    rows = (*wanted, row_of(granted) | {"order-id": "1"})
    first = await imports(account, *rows)
    assert (first.updated, first.known, first.rejected) == (3, 0, 1)
    again = await imports(account, *rows)
    assert (again.updated, again.known, again.rejected) == (0, 3, 1)

    await declined.forward(minutes=31)
    status = await declined.reaches("on_hold")
    assert status.facts["on_hold"] == "Ordered by mistake"
    await granted.update("cancel_request", actor="seller:jane", reason="granted")
    await granted.ends("cancelled")
    await declined.update("resume", actor="seller:jane", reason="it is packed")
    await declined.reaches("awaiting_shipment")
    later = await imports(account, *wanted[:2], wanted[2] | {"order-status": "Cancelled"})
    assert (later.updated, later.known) == (1, 1)
    assert later.skipped == {"that have ended here": 1}
    status = await gone.ends("cancelled")
    assert status.facts["cessations"][0]["fault"] == "buyer"


async def test_RET_20_a_wish_of_an_order_that_is_not_known_reaches_it_when_it_is(world: World) -> None:
    account = await amazon_account(world)
    number = f"222-{int(world.tag, 16) % 10_000_000:07d}-0000001"
    found = await imports(account, {"order-id": number} | WANTED)
    assert (found.orphans, found.updated) == (1, 0)
    order = await world.simple_order(account.seller, channel="amazon", channel_order_id=number)
    await order.shows("that its buyer asks", lambda seen: seen.facts["on_hold"] == "Ordered by mistake")
