"""Refunds of one order at the same moment: the cap holds (REF-3)."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from decimal import Decimal

from temporalio.common import WorkflowIDReusePolicy

from models.refunds import RefundState
from tests.races.reserving_process import EACH
from tests.world import World

TIMES = 6


async def process(world: World, order_id: str, name: str) -> Process:
    url = world.settings.database_url.get_secret_value()
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.races.reserving_process", order_id, name, str(TIMES)),
        stdin=PIPE,
        stdout=PIPE,
        env=os.environ | {"BACKHAUL_DATABASE_URL": url},
    )


async def said(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def test_REF_3_four_processes_together_never_reserve_more_than_was_paid(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    people = [await process(world, order.id, f"p{number}") for number in range(4)]
    assert [await said(person) for person in people] == ["ready"] * 4
    for person in people:
        assert person.stdin is not None
        person.stdin.write(b"go\n")
    got = [int(await said(person)) for person in people]
    assert [await person.wait() for person in people] == [0] * 4
    refunds = (await order.books()).refunds
    assert sum(got) == len(refunds.refunds) == int(order.request.paid / Decimal(EACH))
    assert refunds.buyer.pending == sum(got) * Decimal(EACH)
    assert refunds.buyer.left == order.request.paid - refunds.buyer.pending


async def test_REF_3_refunds_started_in_one_breath_pay_out_no_more_than_was_paid(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    cases = await asyncio.gather(*(world.refund(order, amount="30.00") for _ in range(8)))
    ends = [(await case.handle.result())["state"] for case in cases]
    assert sorted(ends) == [RefundState.REFUSED] * 5 + [RefundState.SUCCEEDED] * 3
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")] * 3


async def test_REF_6_the_same_refund_started_by_many_at_once_is_paid_once(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    refund_id = f"RF-{order.id}-D1"
    cases = await asyncio.gather(*(world.refund(order, amount="30.00", refund_id=refund_id) for _ in range(6)))
    assert {(await case.handle.result())["state"] for case in cases} == {RefundState.SUCCEEDED}
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")]


async def test_REF_6_a_refund_id_that_the_server_has_forgotten_is_not_paid_again(world: World) -> None:
    order = await world.simple_order()
    await order.shipped()
    case = await world.refund(order, amount="30.00")
    await case.handle.result()
    again = await world.client.start_workflow(
        "Refund",
        {
            "refund_id": case.id,
            "order_id": order.id,
            "amount": "30.00",
            "currency": "USD",
            "reason": "goodwill",
            "requested_by": "seller:jane",
        },
        id=case.handle.id,
        task_queue=world.task_queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    result = await again.result()
    assert (result["state"], result["reason"]) == (RefundState.SUCCEEDED, f"refund {case.id} exists already")
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("30.00")]
