"""The auditor sees real faults in a real run: a worker that breaks a promise on purpose is caught (issue: REF-6,
RET-12, NTF-1). The product has no switch for this: the harness starts a changed worker."""

import random
from collections.abc import AsyncIterator

import pytest

from tests.chaos.auditor import Auditor
from tests.chaos.crash_at_partners import crash_at_partners
from tests.chaos.crash_points_returns import refunding_directly
from tests.chaos.crash_run import Moment, Play, prepare
from tests.chaos.evidence import gather
from tests.chaos.patched_worker import ForgetsCreditMemos, ForgetsToMail, MailsTwice, RefundsWithoutLooking
from tests.chaos.quiescence import calm
from tests.chaos.rig import Rig, running_rig
from tests.chaos.stories import Plot, Story, an_order_is_cancelled, goods_come_back

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
async def rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with running_rig(tmp_path_factory.mktemp("sabotage")) as rig:
        yield rig


async def broken_promises(rig: Rig, story: Story) -> set[str]:
    await calm(rig)
    world = story.world
    seen = await gather(
        world.sandbox, world.engine, world.client, tag=world.tag, kills=tuple(rig.kills), expected=story.expected
    )
    return {violation.promise for violation in Auditor(seen).audit().violations}


async def lived(rig: Rig, sabotage: type, plot: Plot) -> Story:
    """A case's life with a worker that breaks this promise."""
    await rig.stop_worker()
    await rig.start_worker(sabotage.__name__)
    story = Story(rig.world(), random.Random(1))
    await story.live(plot)
    return story


async def refund_through_a_crash(rig: Rig, sabotage: str) -> set[str]:
    """The worker is killed when the gateway has refunded and the server does not know; then it goes on."""
    await rig.stop_worker()
    await rig.start_worker(sabotage)
    play = Play(refunding_directly, Moment.AFTER, rig.world(), random.Random(1))
    await prepare([play])
    await crash_at_partners(rig, [play], patch=sabotage)
    return await broken_promises(rig, play.story)


async def test_REF_6_the_same_crash_without_sabotage_breaks_no_promise(rig: Rig) -> None:
    assert await refund_through_a_crash(rig, "") == set()


async def test_REF_6_a_worker_that_refunds_without_looking_is_caught(rig: Rig) -> None:
    promises = await refund_through_a_crash(rig, RefundsWithoutLooking.__name__)

    assert {"refund twice", "sum of refunds differs"} <= promises


async def test_RET_12_a_worker_that_forgets_credit_memos_is_caught(rig: Rig) -> None:
    story = await lived(rig, ForgetsCreditMemos, goods_come_back)

    assert "refunded without credit" in await broken_promises(rig, story)


async def test_NTF_1_a_worker_that_mails_twice_is_caught(rig: Rig) -> None:
    story = await lived(rig, MailsTwice, an_order_is_cancelled)

    assert await broken_promises(rig, story) == {"mail twice"}


async def test_NTF_1_a_worker_that_forgets_to_mail_is_caught(rig: Rig) -> None:
    story = await lived(rig, ForgetsToMail, an_order_is_cancelled)

    assert await broken_promises(rig, story) == {"mail noted, but not sent"}
