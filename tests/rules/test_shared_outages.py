"""A partner is down for several cases: staff get one mail with their number, and each case knows (NTF-9)."""

from uuid import uuid4

from models.worklists import Work
from tests.eventually import eventually
from tests.return_story import returning
from tests.world import World
from worker import build_worker

A_YEAR = 365 * 24 * 3600
"""No test ends in another one than it began in."""


async def test_NTF_9_three_returns_that_one_supplier_holds_up_are_one_mail(world: World) -> None:
    settings = world.settings.model_copy(update={"alert_seconds": A_YEAR})
    queue = f"backhaul-{uuid4().hex[:8]}"
    there = World(world.env, world.running, world.sandbox, world.engine, settings, queue)
    async with build_worker(world.client, settings, world.engine, task_queue=queue):
        supplier = await there.supplier(rma="service")
        cases = [await returning(there, supplier=supplier) for _ in range(3)]
        await world.sandbox.add_fault("supplier", "rate_limit", "PUT /v1/rmas", retry_after=7200, times=None)
        for case in cases:
            await case.reaches("awaiting_approval")
            await case.approve()
            held = await case.shows("it is held up", lambda seen: Work.PARTNER_IN_TROUBLE in seen.work)
            assert any("no success yet" in step.what for step in held.timeline)
        for case in cases:
            await case.forward(minutes=2)
        subject = f"The supplier {supplier.supplier_id} does not answer: 3 cases wait"
        await eventually(lambda: there.sandbox.mails(subject=subject), bool, "staff are told")
        await world.sandbox.clear_faults()
        for case in cases:
            await case.forward(hours=3)
            await case.reaches("awaiting_tracking")
        about = await there.sandbox.mails(to="staff", subject=f"The supplier {supplier.supplier_id}")
        assert [mail.subject for mail in about] == [subject]
