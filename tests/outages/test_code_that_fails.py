"""A case whose plan fails can tell nobody, so the worker tells staff; a Cancel waits for the code to be mended
(NTF-9)."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from activities.code_faults import CodeFaults
from activities.database import Alerts, Contacts
from activities.mail.delivery import Mailer
from activities.worklists import count_work, find_work
from models.worklists import WORKLISTS, Work
from tests.case_story import CaseStory
from tests.eventually import eventually
from tests.world import World
from workflows.orders.facts import OrderFacts
from workflows.orders.plan import plan as real_plan


async def test_NTF_9_a_case_whose_plan_fails_is_told_to_staff_and_goes_on_when_it_is_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: set[str] = set()

    def plan(facts: OrderFacts, now: datetime) -> Any:
        if facts.order_id in broken:
            raise KeyError("a mistake of ours")
        return real_plan(facts, now)

    monkeypatch.setattr("workflows.orders.workflow.plan", plan)
    order = await world.simple_order()
    await order.reaches("cancel_window")
    contacts = Contacts(world.engine, world.settings)
    mailer = Mailer(world.settings, contacts, contacts, Alerts(world.engine), world.client.namespace)
    faults = CodeFaults(world.client, mailer, world.task_queue)
    assert order.handle.id not in await faults.tell_staff()
    broken.add(order.id)
    await order.handle.cancel()

    told: list[str] = await eventually(
        faults.tell_staff, lambda seen: order.handle.id in seen, "staff are not told", 120
    )
    assert told == [order.handle.id]
    await faults.tell_staff()
    await stands_in_the_worklist(world, order)
    letters = [
        one
        for one in await world.sandbox.mails(to=str(world.settings.mail_staff))
        if order.handle.id in one.subject and "our own code fails" in str(one.text)
    ]
    assert len(letters) == 1, "once a day"
    assert "cancel window" in str(letters[0].text)

    broken.clear()
    await comes_to(order, "stopped")

    async def listed() -> list[str]:
        return await listed_as_ours(world)

    await eventually(listed, lambda seen: order.handle.id not in seen, "it is listed on and on")


async def comes_to(case: CaseStory, stage: str) -> None:
    """The server tries a task that fails again with growing pauses."""

    async def stands() -> str | None:
        standing = await asyncio.to_thread(case.stack.reading.standing, case.handle.id)
        return standing.stage if standing is not None else None

    await eventually(stands, lambda seen: seen == stage, f"{case.id} does not come to {stage}", 300)


async def listed_as_ours(world: World) -> list[str]:
    """As `backhaul list --work faults_of_ours` does it."""
    work = Work.FAULTS_OF_OURS
    found = await find_work(world.client, world.reading, work, seller=None, limit=50, after=None)
    return [one.standing.workflow_id for one in found]


async def stands_in_the_worklist(world: World, case: CaseStory) -> None:
    """By the same definition in the list, in the saved query and in the number for monitoring (NTF-6)."""
    assert listed_once(await listed_as_ours(world), case)
    saved = [one.id async for one in world.client.list_workflows(WORKLISTS[Work.FAULTS_OF_OURS].query)]
    assert listed_once(saved, case)
    assert (await count_work(world.client, world.reading))[Work.FAULTS_OF_OURS] == len(saved)


def listed_once(ids: list[str], case: CaseStory) -> bool:
    return ids.count(case.handle.id) == 1


async def test_NTF_6_NTF_9_a_case_whose_code_fails_before_it_wrote_anything_down_is_listed_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_broken = True

    def plan(facts: OrderFacts, now: datetime) -> Any:
        if is_broken:
            raise KeyError("a mistake of ours")
        return real_plan(facts, now)

    monkeypatch.setattr("workflows.orders.workflow.plan", plan)
    order = await world.simple_order()
    assert world.reading.standing(order.handle.id) is None

    async def listed() -> list[str]:
        return await listed_as_ours(world)

    await eventually(listed, lambda seen: order.handle.id in seen, "no list has it", 120)
    await stands_in_the_worklist(world, order)
    is_broken = False
    await comes_to(order, "cancel_window")
