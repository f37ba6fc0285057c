"""The network swallows what is said, and connections stay open: calls give up, cases go on (REF-6)."""

import asyncio
import random
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import Engine, make_url, text

from activities.database import socket_limits, upgrade
from activities.database.engines import make_engine
from activities.database.transactions import read, write
from models.failures import PartnerUnavailable
from tests.chaos.postgres import Postgres
from tests.chaos.stories import Story, ship, the_buyer_is_refunded_in_parts
from tests.eventually import eventually
from tests.outages.lives import audited, live
from tests.outages.tcp_proxy import Cut, Door
from tests.outages.test_conflicts import shipped
from tests.outages.test_seen_by_staff import answers_promptly, waits_for_books
from tests.world import World

STATEMENT_SECONDS = 1
ACTIVITY_SECONDS = 30
"""When a case gives up on an activity and starts another, which takes one more thread (`workflows/case.py`)."""
IMPATIENT = {"connect_timeout": "2", "options": f"-c statement_timeout={STATEMENT_SECONDS}s"}


@pytest.fixture
def patience() -> dict[str, str]:
    """What the URL says of waiting; a test may leave it as it is for everybody."""
    return IMPATIENT


@pytest.fixture
def far_books(door: Door, patience: dict[str, str]) -> Iterator[Engine]:
    """The books behind the door, for the test itself; no connection is open yet."""
    engine = make_engine(make_url(door.url).update_query_dict(patience).render_as_string(hide_password=False))
    yield engine
    engine.dispose()


async def seconds_until_given_up(engine: Engine) -> float:
    """How long a transaction takes to say that the books do not answer."""

    def try_it() -> float:
        began = time.monotonic()
        with pytest.raises(PartnerUnavailable):
            write(engine, lambda session: session.execute(text("SELECT 1")))
        return time.monotonic() - began

    return await asyncio.wait_for(asyncio.to_thread(try_it), ACTIVITY_SECONDS + 10)


@pytest.mark.parametrize(
    ("known", "patience"), [(True, {}), (False, IMPATIENT)], ids=["open before", "opened then"]
)
async def test_REF_6_a_transaction_gives_up_on_books_that_have_fallen_silent_and_works_when_they_speak(
    far_books: Engine, door: Door, known: bool
) -> None:
    if known:
        await asyncio.to_thread(read, far_books, lambda session: session.execute(text("SELECT 1")))
    door.fall_silent()
    assert await seconds_until_given_up(far_books) < ACTIVITY_SECONDS
    door.speak_again()
    await asyncio.to_thread(write, far_books, lambda session: session.execute(text("SELECT 1")))


async def test_REF_6_the_answer_to_a_statement_that_is_never_given_is_waited_for_as_long_as_the_server_works(
    far_books: Engine, door: Door
) -> None:
    def fall_silent_within() -> float:
        with far_books.connect() as connection:
            connection.execute(text("SELECT 1"))
            door.fall_silent()
            began = time.monotonic()
            with pytest.raises(Exception, match="timeout"):
                connection.execute(text("SELECT 1"))
            return time.monotonic() - began

    took = await asyncio.wait_for(asyncio.to_thread(fall_silent_within), ACTIVITY_SECONDS)
    assert took >= STATEMENT_SECONDS + socket_limits.GRACE_SECONDS


async def test_REF_6_a_migration_waits_for_the_one_before_it_however_long_it_takes(
    postgres: Postgres, far_books: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_limits, "GRACE_SECONDS", 0.0)
    other = make_engine(postgres.url)
    with other.connect() as first:
        first.execute(text("SELECT pg_advisory_xact_lock(4242202611)"))
        upgrading = asyncio.create_task(asyncio.to_thread(upgrade, far_books))
        done, _ = await asyncio.wait([upgrading], timeout=3 * STATEMENT_SECONDS)
        assert not done
        first.rollback()
    await upgrading
    other.dispose()


@pytest.mark.proof
async def test_NTF_3_a_case_says_that_it_waits_for_silent_books_and_goes_on_when_they_speak(
    world: World, door: Door
) -> None:
    story = Story(world, random.Random(1))
    order = await story.order()
    await story.placed(order)
    door.fall_silent()
    await ship(order)
    refund = await story.refund(order, 1, "5.00")
    for case in (order, refund):
        await eventually(case.status, waits_for_books, f"{case.id} does not say that it waits for the books", 60)
        await answers_promptly(case)
    assert door.swallowed
    door.speak_again()
    await order.ends("shipped")
    await refund.ends("succeeded")
    story.ends(order, "shipped")
    await audited(world, story.expected, door.moments)


@pytest.mark.proof
@pytest.mark.parametrize("cut", [Cut.SILENT_BEFORE_COMMIT, Cut.SILENT_AFTER_COMMIT])
async def test_REF_6_a_commit_whose_answer_never_comes_is_done_once(world: World, door: Door, cut: Cut) -> None:
    door.cut_commits(cut, 1)
    expected = await live(world, (the_buyer_is_refunded_in_parts,))
    assert {table for tables in door.cuts for table in tables} >= {"orders", "refund", "mail_sent"}
    await audited(world, expected, door.moments)


@pytest.mark.proof
async def test_REF_6_more_refunds_than_threads_meet_silent_books_and_all_are_paid_once(
    world: World, door: Door
) -> None:
    order = await shipped(world)
    door.fall_silent()
    refunds = [await world.refund(order, amount="4.00") for _ in range(24)]
    for refund in refunds[:3]:
        await eventually(refund.status, waits_for_books, f"{refund.id} does not say that it waits", 60)
    door.speak_again()
    for refund in refunds:
        assert (await asyncio.wait_for(refund.handle.result(), 90))["state"] == "succeeded"
    assert [one.amount for one in (await order.effects()).refunds] == [Decimal("4.00")] * 24
