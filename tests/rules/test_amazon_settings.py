"""The seven settings of a company that sells at Amazon: each does what it says, on and off (AMZ-9)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from activities.account_schedules import wanted
from activities.database import ConnectionRegister
from models.contract import QUEUE_SUBMISSION, RETURNS_DUE
from tests.amazon_queue_story import AmazonAccount, amazon_account
from tests.case_story import OrderStory, Refused
from tests.eventually import eventually
from tests.rules import test_amazon_returns as returns
from tests.world import World

pytestmark = pytest.mark.proof


def word(on: bool) -> str:
    return str(on).lower()


def has_schedule(account: AmazonAccount, workflow: str) -> bool:
    connection = ConnectionRegister(account.world.engine).get(account.connection_id)
    return workflow in [one.workflow for one in wanted(connection)]


async def cancels(order: OrderStory, **fields: Any) -> bool:
    """Whether the seller's request is taken."""
    try:
        await order.update("cancel_request", actor="seller:jane", **fields)
    except Refused:
        return False
    await order.ends("cancelled")
    return True


async def downloads_and_processes_the_rma_report(world: World, on: bool) -> bool:
    return has_schedule(await amazon_account(world, import_returns=word(on)), RETURNS_DUE)


async def over_refunds(world: World, on: bool) -> bool:
    account = await amazon_account(world, seller={"allow_over_refund": on})
    refund = await world.refund(await account.order(), amount="100.01")
    status = await refund.shows("what becomes of it", lambda seen: seen.stage in ("pending", "refused"))
    return status.stage == "pending"


async def zeroes_out_inventory(world: World, on: bool) -> bool:
    account = await amazon_account(world, seller={"zero_out_inventory": on})
    return await cancels(await account.order(), reason="no stock", zero_out_inventory=True)


async def opens_no_return_for_a_returnless_refund(world: World, on: bool) -> bool:
    of = await returns.account(world, returnless_without_return=word(on))
    found = await of.imports({"Resolution": "ReturnlessRefund"})
    return (found.created, found.skipped) == (0, {"returnless": 1})


async def cancels_without_sending(world: World, on: bool) -> bool:
    account = await amazon_account(world, seller={"cancel_without_sending": on})
    taken = await cancels(await account.order(), reason="sold elsewhere", without_sending=True)
    assert await account.entries() == []
    return taken


async def queues(world: World, on: bool) -> bool:
    account = await amazon_account(world, queue=word(on))
    await account.refund(await account.order())
    states = await eventually(account.states, lambda seen: on or seen != ["queued"], "nothing is sent at once")
    return bool(states == ["queued"])


async def submits_the_queue(world: World, on: bool) -> bool:
    return has_schedule(await amazon_account(world, auto_submit=word(on)), QUEUE_SUBMISSION)


SETTINGS: tuple[Callable[[World, bool], Awaitable[bool]], ...] = (
    downloads_and_processes_the_rma_report,
    over_refunds,
    zeroes_out_inventory,
    opens_no_return_for_a_returnless_refund,
    cancels_without_sending,
    queues,
    submits_the_queue,
)


@pytest.mark.parametrize("on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.__name__)
async def test_AMZ_9_each_of_the_seven_settings_does_what_it_says(
    world: World, setting: Callable[[World, bool], Awaitable[bool]], on: bool
) -> None:
    assert await setting(world, on) is on
