"""Settlements that Amazon made by itself are found and imported by schedule, each once (AMZ-8)."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.account_schedules import SETTLEMENTS as SCHEDULES
from activities.account_schedules import AccountSchedules
from activities.database.report_imports import ImportListed, ReportRegister
from activities.database.settlement_report import reconciled
from activities.database.settlements import Settlements
from activities.report_imports.activities import SETTLEMENTS
from activities.report_imports.settlement_staging import stage_settlement
from models.amazon.report_imports import ReportDue
from models.amazon.settlements import SettlementState
from models.contract import REPORT_IMPORT_KIND, SETTLEMENTS_DUE
from tests.amazon_queue_story import AmazonAccount, amazon_account
from tests.case_story import CaseStory
from tests.connectors.amazon.settlement_reports import BRAKE_PADS, settlement
from tests.eventually import eventually
from tests.world import World

pytestmark = pytest.mark.proof


async def made(account: AmazonAccount, name: str, total: str = "100.00", **more: Any) -> str:
    """Amazon has made a settlement of one sale of 100.00; gives its number."""
    settlement_id = f"S-{account.connection_id}-{name}"
    content = settlement([BRAKE_PADS], total, settlement_id=settlement_id).decode()
    seed: dict[str, Any] = {"content": content, "ready": True, "account": account.token} | more
    await account.world.sandbox.amazon_reports(SETTLEMENTS, **seed)
    return settlement_id


async def looks(account: AmazonAccount) -> None:
    """One turn of the schedule."""
    world = account.world
    due = ReportDue(connection_id=account.connection_id, seller_id=account.seller.seller_id)
    turn = f"settlements-due-{due.connection_id}-{next(world.numbers)}"
    begun = await world.client.start_workflow(SETTLEMENTS_DUE, due, id=turn, task_queue=world.task_queue)
    await asyncio.wait_for(begun.result(), 60)


def imports(account: AmazonAccount) -> list[ImportListed]:
    """The oldest first."""
    every = ReportRegister(account.world.engine).latest(1000)
    return [one for one in reversed(every) if one.connection_id == account.connection_id]


async def state(account: AmazonAccount, settlement_id: str) -> SettlementState:
    return (await asyncio.to_thread(reconciled, account.world.engine, settlement_id)).state


async def test_AMZ_8_each_settlement_is_imported_once_oldest_first_whatever_became_of_another(
    world: World,
) -> None:
    """One does not add up, one is damaged, one Amazon could not make: the others are booked all the same."""
    account = await amazon_account(world)
    await made(account, "4", status="FATAL", days_ago=1)
    first = await made(account, "3", days_ago=2)
    await made(account, "2", content="no settlement", days_ago=3)
    held = await made(account, "1", total="101.00", days_ago=4)
    await looks(account)
    assert [one.stage for one in imports(account)] == ["refused", "refused", "imported", "refused"]
    last = await made(account, "5")
    await looks(account)
    await looks(account)
    assert [one.stage for one in imports(account)] == ["refused", "refused", "imported", "refused", "imported"]
    assert [await state(account, one) for one in (held, first, last)] == ["held", "booked", "booked"]
    workflow_id = REPORT_IMPORT_KIND.workflow_id(imports(account)[0].import_id)
    status = await CaseStory(world, world.client.get_workflow_handle(workflow_id), workflow_id).ends("refused")
    words = "is held, and nothing of it is booked: its total is 1.00 USD more than its amounts are"
    assert words in status.timeline[-1].what


async def test_AMZ_8_what_came_from_a_file_before_is_known_and_what_broke_off_is_booked(world: World) -> None:
    """A file was read, and its command ended before the booking began: the schedule goes on with it."""
    account = await amazon_account(world)
    settlement_id = f"S-{account.connection_id}-1"
    content = settlement([BRAKE_PADS], "100.00", settlement_id=settlement_id)
    broken = f"{account.connection_id}.file"
    named = (broken, account.connection_id, account.seller.seller_id, "settlement.txt")
    await asyncio.to_thread(stage_settlement, world.engine, *named, io.BytesIO(content))
    await made(account, "1")
    await looks(account)
    kept = await asyncio.to_thread(Settlements(world.engine).of_import, broken)
    assert kept is not None
    assert kept.state is SettlementState.BOOKED
    await made(account, "1")
    await looks(account)
    counted = [one.counted for one in imports(account) if one.source == "Amazon"]
    assert [one.settled.get("amounts", 0) for one in counted] == [1, 0]
    assert [one.skipped for one in counted] == [{}, {"known before": 1}]
    other = settlement([BRAKE_PADS, BRAKE_PADS], "200.00", settlement_id=settlement_id)
    await made(account, "1", content=other.decode())
    await looks(account)
    assert [one.stage for one in imports(account) if one.source == "Amazon"] == ["imported", "imported", "refused"]


async def test_AMZ_8_the_import_that_is_tried_again_keeps_what_itself_has_kept(world: World) -> None:
    """The worker died after the rows were there, and before anybody was told."""
    account = await amazon_account(world)
    content = settlement([BRAKE_PADS], "100.00", settlement_id=f"S-{account.connection_id}")
    named = (f"{account.connection_id}.1", account.connection_id, account.seller.seller_id, "Amazon")
    for _ in range(2):
        staged = await asyncio.to_thread(stage_settlement, world.engine, *named, io.BytesIO(content))
        assert (staged.state, staged.report_of(named[0]).amounts) == (SettlementState.BOOKING, 1)
    kept = await asyncio.to_thread(reconciled, world.engine, staged.settlement_id)
    assert [one.amount for one in kept.components] == [Decimal("100.00")]


async def test_AMZ_8_the_schedule_is_there_as_the_setting_says(world: World) -> None:
    account = await amazon_account(world)
    schedules = AccountSchedules(world.client, world.engine, world.task_queue)
    schedule_id = f"{SCHEDULES}{account.connection_id}"

    async def there() -> bool:
        return schedule_id in [one.id async for one in await world.client.list_schedules()]

    settlement_id = await made(account, "1")
    await account.set(import_settlements="true")
    await schedules.keep()
    await eventually(there, bool, "the schedule is not there")

    async def booked() -> list[str | None]:
        return [one.stage for one in imports(account)]

    await eventually(booked, lambda seen: seen == ["imported"], "it is not imported at once")
    assert await state(account, settlement_id) is SettlementState.BOOKED
    await account.set(import_settlements="false")
    await schedules.keep()
    await eventually(there, lambda seen: not seen, "the schedule is still there")


async def test_AMZ_8_what_amazon_made_before_the_day_of_the_setting_is_left_alone(world: World) -> None:
    account = await amazon_account(world)
    await account.set(settlements_from=f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}")
    await made(account, "1", days_ago=5)
    await made(account, "2", days_ago=0.5)
    await looks(account)
    assert len(imports(account)) == 1
