"""The gateway takes a refund back after the server has forgotten it: its word is not lost, for the books know the
refund, and its return opens again (REF-7)."""

import asyncio
import os
from decimal import Decimal

import pytest
from typer.testing import Result

from models.contract import TASK_QUEUE
from models.refunds import RefundState
from tests.case_story import CaseStory
from tests.cli.conftest import Line
from tests.eventually import eventually
from tests.return_story import COST_EACH, PAID_EACH, returning, shipped_order
from tests.rules.retention import forget
from tests.stages import refund_at
from tests.world import World

pytestmark = pytest.mark.proof


async def says_failed(refund: CaseStory, ident: str, *more: str) -> Result:
    """The gateway's word, as people or a script of the gateway's pass it on."""
    stack = refund.stack
    line = Line(
        {
            "TEMPORAL_ADDRESS": stack.client.service_client.config.target_host,
            "TEMPORAL_CONFIG_FILE": os.devnull,
            "DATABASE_URL": stack.settings.database_url.get_secret_value(),
        }
    )
    word = ("--status", "failed", "--gateway-refund-id", ident, "--reason", "account closed")
    return await asyncio.to_thread(line, "refund", "gateway-update", refund.id, *word, *more)


@pytest.mark.parametrize("more", [(), ("--no-wait",)], ids=["update", "signal"])
async def test_REF_7_a_late_failure_of_a_refund_that_the_server_has_forgotten_gives_it_back(
    world: World, more: tuple[str, ...]
) -> None:
    order, *_ = await shipped_order(world)
    refund = await world.refund(order, amount="40.00")
    ident = (await refund.ends("succeeded")).facts["gateway_refund_id"]
    await forget(refund)
    await world.sandbox.settle_refund(refund.id, "failed")

    async with world.worker(TASK_QUEUE):
        said = await says_failed(refund, ident, *more)
        assert said.exit_code == 0, said.output
        await refund.ends("failed")

    known = world.reading.refund(refund.id)
    assert (known.state, known.failure_reason, known.gateway_refund_id) == (
        RefundState.FAILED,
        "account closed",
        ident,
    )
    assert (await order.books()).refunds.buyer.left == Decimal(100)
    staff = str(world.settings.mail_staff)
    told = await eventually(lambda: world.sandbox.mails(to=staff, subject=refund.id), bool, "staff are not told")
    assert any("failed after it had succeeded" in str(letter.text) for letter in told)


async def test_REF_7_a_return_that_the_server_has_forgotten_too_opens_again_and_waits_for_days(
    world: World,
) -> None:
    case = await (await returning(world)).approved()
    await case.track()
    await case.receive()
    await case.credit(f"{2 * COST_EACH}")
    await case.reaches("awaiting_buyer_refund")
    await case.click()
    await case.ends("completed")
    refund = world.refund_story(f"RF-{case.id}-B1")
    ident = (await refund.ends("succeeded")).facts["gateway_refund_id"]
    await asyncio.gather(forget(refund), forget(case))
    await world.sandbox.settle_refund(refund.id, "failed")

    async with world.worker(TASK_QUEUE):
        assert (await says_failed(refund, ident)).exit_code == 0
        await case.reaches("awaiting_buyer_refund")
        await case.forward(days=15)
        await case.shows("that the seller is reminded", lambda seen: "reminded" in seen.timeline[-1].what)
        await case.click()
        await case.ends("completed")
    assert await case.money() == (2 * PAID_EACH, 2 * COST_EACH)
    view = world.reading.return_view(case.id)
    assert (view.outcome, view.credited) == ("completed", 2 * COST_EACH)


async def test_REF_7_a_refund_that_was_terminated_and_forgotten_hears_the_gateways_last_word(world: World) -> None:
    order, refund = await refund_at(world, "pending")
    ident = (await refund.status()).facts["gateway_refund_id"]
    await refund.handle.terminate("by mistake")
    await forget(refund)
    await world.sandbox.settle_refund(refund.id, "failed")

    async with world.worker(TASK_QUEUE):
        assert (await says_failed(refund, ident)).exit_code == 0
        await refund.ends("failed")
    assert (await order.books()).refunds.buyer.left == Decimal(100)

    await forget(refund)
    said = await says_failed(refund, ident)
    assert said.exit_code == 4
    assert f"refund {refund.id} is failed in the books: nothing is changed" in said.stderr
