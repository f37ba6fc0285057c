"""Amazon's returns report on the running stack (AMZ-1, AMZ-2, AMZ-4, RET-18, RET-20)."""

import io

import pytest

from activities import account_schedules
from activities.database.report_imports import ImportListed, RejectedListed, ReportRegister
from activities.report_imports.activities import RETURNS
from models.amazon.report_imports import ReportCounted, ReportKind
from models.amazon.return_imports import amazon_return_id, news_of
from models.ids import return_workflow_id
from models.orphans import kept_as, kept_word
from starter.cli.report_import import import_rows
from tests.amazon_account import connect_amazon
from tests.case_story import CaseStory, OrderStory, Refused
from tests.connectors.amazon.returns_reports import BRAKE_PADS, items_of, read, tab_separated
from tests.eventually import eventually
from tests.world import NEWARK, RENO, World

pytestmark = pytest.mark.proof


class Account:
    """A seller's account at Amazon with one order of two units that was sent."""

    def __init__(self, world: World, order: OrderStory, connection_id: str, seller_id: str) -> None:
        self.world, self.connection_id, self.seller_id = world, connection_id, seller_id
        self.rejected: list[RejectedListed] = []
        self.row = {
            **BRAKE_PADS,
            "Order ID": str(order.request.channel_order_id),
            "Merchant SKU": order.request.lines[0].sku,
        }

    async def imports(self, *rows: dict[str, str]) -> ReportCounted:
        content = io.BytesIO(tab_separated([self.row | row for row in rows]))
        world = self.world
        found = await import_rows(
            world.client,
            world.engine,
            ReportKind.RETURNS,
            content,
            self.connection_id,
            "returns.txt",
            task_queue=world.task_queue,
        )
        assert found.stage == "imported"
        self.rejected = ReportRegister(world.engine).rejected(found.import_id, 10)
        return found.counted

    def asks_by_itself(self, *, yes: bool) -> None:
        options = {"import_returns": str(yes).lower()}
        connect_amazon(self.world.engine, self.world.running.http_url, self.seller_id, **options)

    async def imports_by_itself(self) -> list[ImportListed]:
        every = ReportRegister(self.world.engine).latest(1000)
        return [one for one in every if one.connection_id == self.connection_id]

    def return_id(self, **row: str) -> str:
        (item,) = items_of(read(tab_separated([self.row | row])))
        return amazon_return_id(item)


async def account(world: World, **options: str) -> Account:
    seller = await world.seller()
    number = f"111-{int(world.tag, 16) % 10_000_000:07d}-{next(world.numbers):07d}"
    order = await world.simple_order(seller, channel="amazon", channel_order_id=number)
    await order.shipped()
    return connected(world, order, seller.seller_id, **options)


def connected(world: World, order: OrderStory, seller_id: str, **options: str) -> Account:
    connection_id = connect_amazon(world.engine, world.running.http_url, seller_id, **options)
    return Account(world, order, connection_id, seller_id)


AT_FIRST_SCAN = {"Amazon RMA ID": "D-scan", "Resolution": "RefundAtFirstScan", "Tracking ID": ""}


async def test_AMZ_1_a_report_starts_each_return_once_and_later_ones_tell_it_what_is_new(world: World) -> None:
    of = await account(world)
    rows: tuple[dict[str, str], ...] = (
        {},
        AT_FIRST_SCAN,
        {"Return request status": "Pending", "Amazon RMA ID": "D-later"},
        {"Order ID": "1"},
    )
    first = await of.imports(*rows)
    assert (first.created, first.orphans, first.skipped) == (2, 0, {"Pending": 1})
    assert first.rejected == 1
    assert [(one.line, one.column) for one in of.rejected] == [(5, "Order ID")]
    assert of.rejected[0].cells["Order ID"] == "1", "it is kept to be corrected"
    again = await of.imports(*rows)
    assert (again.created, again.updated, again.known) == (0, 0, 2)

    back = world.return_story(of.return_id())
    status = await back.reaches("awaiting_approval")
    assert status.facts["amazon_rma_id"] == BRAKE_PADS["Amazon RMA ID"]
    assert status.facts["tracking_number"] == BRAKE_PADS["Tracking ID"]

    later = await of.imports({"Return request status": "Completed"}, AT_FIRST_SCAN)
    assert (later.updated, later.known, later.skipped) == (1, 1, {})
    await back.shows(
        "that Amazon closed it",
        lambda seen: any("the marketplace says: closed" in one.what for one in seen.timeline),
    )


async def test_RET_18_AMZ_4_what_amazon_refunds_by_itself_is_not_refunded_here(world: World) -> None:
    of = await account(world, returnless_without_return="true")
    returnless = {"Amazon RMA ID": "D-keep", "Resolution": "ReturnlessRefund"}
    found = await of.imports(AT_FIRST_SCAN, returnless)
    assert (found.created, found.skipped) == (1, {"returnless": 1})
    back = world.return_story(of.return_id(**AT_FIRST_SCAN))
    status = await back.reaches("awaiting_approval")
    assert status.facts["refunded_by_channel"]
    with pytest.raises(Refused, match="RET-18"):
        await back.update("buyer_refund", actor="seller:jane", reason="click")


async def test_RET_20_a_return_of_an_unknown_order_is_kept_with_all_that_is_said_of_it(world: World) -> None:
    of = await account(world)
    unknown = {**AT_FIRST_SCAN, "Order ID": f"999-{int(world.tag, 16) % 10_000_000:07d}-0000001"}
    found = await of.imports(unknown)
    assert (found.created, found.orphans, found.rejected) == (0, 1, 0)
    workflow_id = return_workflow_id(of.return_id(**unknown))
    (asked,) = kept_as(of.return_id(**unknown))[1:]
    await world.orphan_story(asked.removeprefix("orphan-")).reaches("unmatched")
    (item,) = items_of(read(tab_separated([of.row | unknown])))
    ((name, refunded),) = news_of(item)
    await world.orphan_story(kept_word(workflow_id, name, refunded).orphan_id).reaches("unmatched")


async def test_RET_18_each_of_our_returns_that_one_of_amazons_became_hears_that_amazon_refunds(
    world: World,
) -> None:
    seller = await world.seller()
    reno, newark = await world.supplier(), await world.supplier(name="Newark Warehouse")
    discs, pads = world.sku(), world.sku()
    await world.stock(discs, 5, reno, at=RENO)
    await world.stock(pads, 5, newark, at=NEWARK)
    number = f"112-{int(world.tag, 16) % 10_000_000:07d}-0000001"
    order = await world.order(seller, {"sku": discs}, {"sku": pads}, channel="amazon", channel_order_id=number)
    await order.shipped()
    of = connected(world, order, seller.seller_id)
    both = ({"Merchant SKU": discs}, {"Merchant SKU": pads})
    assert (await of.imports(*both)).created == 1
    claimed = tuple(row | {"A-to-Z Claim": "Y"} for row in both)
    assert (await of.imports(*claimed)).updated == 1
    first = world.return_story(of.return_id())
    siblings = (await first.reaches("awaiting_approval")).facts["siblings"]
    assert len(siblings) == 1
    for back in (first, *map(world.return_story, siblings)):
        with pytest.raises(Refused, match="RET-18"):
            await back.update("buyer_refund", actor="seller:jane", reason="click")
    assert (await of.imports(*claimed)).known == 1


async def test_AMZ_1_a_schedule_asks_amazon_for_the_returns_as_long_as_the_setting_says_so(
    world: World,
) -> None:
    of = await account(world)
    await world.sandbox.amazon_behaves(queue_seconds=0, progress_seconds=0)
    await world.sandbox.amazon_reports(RETURNS, content=tab_separated([of.row]).decode())
    schedules = account_schedules.AccountSchedules(world.client, world.engine, world.task_queue)

    of.asks_by_itself(yes=True)
    await schedules.keep()
    await schedules.keep()
    (one,) = await eventually(of.imports_by_itself, bool, "no import has begun")
    case = CaseStory(
        world, world.client.get_workflow_handle(f"report-import-{one.import_id}"), f"report-import-{one.import_id}"
    )
    await case.reaches("in_the_making")
    await case.forward(seconds=31)
    status = await case.ends("imported")
    assert status.facts["counted"]["created"] == 1
    await world.return_story(of.return_id()).reaches("awaiting_approval")
    assert len(await of.imports_by_itself()) == 1, "nobody asked a second time"

    of.asks_by_itself(yes=False)

    async def schedules_left() -> list[str]:
        await schedules.keep()
        return [found.id async for found in await world.client.list_schedules()]

    await eventually(
        schedules_left,
        lambda left: f"{account_schedules.RETURNS}{of.connection_id}" not in left,
        "it is still there",
    )
