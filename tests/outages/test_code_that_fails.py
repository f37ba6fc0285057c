"""A case whose plan fails can tell nobody, so the worker tells staff; a Cancel waits for the code to be mended
(NTF-9)."""

from datetime import datetime
from typing import Any

import pytest

from activities.code_faults import CodeFaults
from activities.database import Alerts, Contacts
from activities.mail.delivery import Mailer
from tests.world import World, eventually
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
    letters = [
        one
        for one in await world.sandbox.mails(to=str(world.settings.mail_staff))
        if order.handle.id in one.subject and "our own code fails" in str(one.text)
    ]
    assert len(letters) == 1, "once a day"
    assert "cancel window" in str(letters[0].text)

    broken.clear()
    await order.shows("its stop", lambda seen: seen.outcome == "stopped")
