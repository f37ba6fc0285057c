"""`backhaul replay` says before a deploy which open cases would break, and why, in words."""

import asyncio
import os

import pytest
from typer.testing import Result

from starter.ops import replay as replaying
from tests.case_story import OrderStory
from tests.cli.conftest import Line
from tests.replay.test_changed_code import asks_once_more, asks_once_more_in_cases_of_the_next_release
from tests.replay.test_replay_open_cases import listed
from tests.security.at_rest import KEY_1, KEY_2, SealedWorld
from tests.world import World
from workflows.engine.plan import Plan
from workflows.orders import seller_charge
from workflows.orders.facts import OrderFacts

MANY = 12
EMAIL = "robin@buyer.example"


@pytest.fixture
def queue(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task queue of this test, where its cases alone are open."""
    return only(f"replay-{world.tag}", monkeypatch)


def only(queue: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(replaying, "OPEN_CASES", f'{replaying.OPEN_CASES} AND TaskQueue="{queue}"')
    return queue


@pytest.fixture
def sealed(world: World) -> SealedWorld:
    """The same stack, and cases whose payloads are encrypted."""
    return SealedWorld(world.env, world.running, world.sandbox, world.engine, world.settings)


async def replay(world: World, **environment: str) -> Result:
    """`backhaul replay` on the server of all tests."""
    address = world.env.client.service_client.config.target_host
    line = Line({"TEMPORAL_ADDRESS": address, "TEMPORAL_CONFIG_FILE": os.devnull, **environment})
    return await asyncio.to_thread(line, "replay")


async def in_window_and_placed(world: World, queue: str) -> tuple[OrderStory, OrderStory]:
    """An order in its cancel window, and one that is with its supplier; one more has ended."""
    orders = [await world.simple_order(task_queue=queue) for _ in range(3)]
    waiting, placed, ended = orders
    await waiting.reaches("cancel_window")
    await placed.placed()
    await ended.shipped()
    await listed(world, waiting, placed)
    return waiting, placed


async def test_without_an_open_case_there_is_nothing_to_replay(world: World, queue: str) -> None:
    result = await replay(world)

    assert (result.exit_code, result.stdout) == (0, "no case is open on the server\n")


async def test_many_open_cases_can_go_on(world: World, queue: str) -> None:
    async with world.worker(queue):
        orders = [await world.simple_order(task_queue=queue) for _ in range(MANY)]
        for order in orders:
            await order.reaches("cancel_window")
        await listed(world, *orders)

    result = await replay(world)

    assert (result.exit_code, result.stdout) == (0, f"{MANY} open cases can go on with this code\n")


async def test_the_case_that_would_break_is_named_with_the_reason_and_no_other(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with world.worker(queue):
        _, placed = await in_window_and_placed(world, queue)
    asks_once_more(monkeypatch)

    result = await replay(world)

    assert result.exit_code == 4
    why = "its history calls capture_charge where this code calls stop_shipping"
    assert result.stdout == f"{placed.handle.id}: would break: {why}\n"
    assert "1 of 2 open cases would break" in result.stderr
    assert "WARN" not in capfd.readouterr().out, "the SDK does not tell it once more"


@pytest.mark.proof
async def test_the_same_change_for_cases_of_the_next_release_breaks_no_case(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.worker(queue):
        await in_window_and_placed(world, queue)
    asks_once_more_in_cases_of_the_next_release(monkeypatch)

    result = await replay(world)

    assert (result.exit_code, result.stdout) == (0, "2 open cases can go on with this code\n")


async def test_a_step_that_is_gone_is_named_by_what_the_history_has_there(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.worker(queue):
        _, placed = await in_window_and_placed(world, queue)
    monkeypatch.setattr(seller_charge, "authorize", lambda _: Plan())

    result = await replay(world)

    assert result.exit_code == 4
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert all("its history calls authorize_charge (event " in line for line in lines)
    assert any(line.startswith(f"{placed.handle.id}: would break") for line in lines)


async def test_code_that_fails_on_a_case_is_told_without_what_the_case_holds(
    world: World, queue: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async with world.worker(queue):
        _, placed = await in_window_and_placed(world, queue)

    def fails(f: OrderFacts) -> Plan:
        raise KeyError(EMAIL)

    monkeypatch.setattr(seller_charge, "capture", fails)

    result = await replay(world)

    assert result.exit_code == 4
    assert result.stdout == f"{placed.handle.id}: would break: this code fails on its history (KeyError)\n"
    told = capfd.readouterr()
    assert EMAIL not in result.output + told.out + told.err


async def test_encrypted_cases_are_replayed_with_their_key_and_without_it_told_as_unread(
    sealed: SealedWorld, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    only(sealed.task_queue, monkeypatch)
    async with sealed.worker_with(KEY_1):
        order = await sealed.simple_order()
        await order.reaches("cancel_window")
    sealed.client = sealed.env.client
    plain = await sealed.simple_order()
    await listed(sealed, order, plain)

    with_key = await replay(sealed, BACKHAUL_PAYLOAD_KEYS=KEY_1)
    rotated = await replay(sealed, BACKHAUL_PAYLOAD_KEYS=f"{KEY_2},{KEY_1}")
    without = await replay(sealed)

    for result in (with_key, rotated):
        assert (result.exit_code, result.stdout) == (0, "2 open cases can go on with this code\n")
    assert without.exit_code == 3
    (line,) = without.stdout.splitlines()
    assert line.startswith(f"{order.handle.id}: can't be read: a payload is encrypted with the key 'k1'")
    assert "BACKHAUL_PAYLOAD_KEYS" in line
    assert "1 of 2 open cases can't be read" in without.stderr
    assert "WARN" not in capfd.readouterr().out


async def test_an_encrypted_case_that_would_break_is_told_as_such(
    sealed: SealedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(sealed.task_queue, monkeypatch)
    async with sealed.worker_with(KEY_1):
        order = await sealed.simple_order()
        await order.placed()
    await listed(sealed, order)
    asks_once_more(monkeypatch)

    result = await replay(sealed, BACKHAUL_PAYLOAD_KEYS=KEY_1)

    assert result.exit_code == 4
    assert "where this code calls stop_shipping" in result.stdout


def test_a_server_that_does_not_answer_is_told(nowhere: Line) -> None:
    result = nowhere("replay")

    assert result.exit_code == 7
    assert "no Temporal server answers at 127.0.0.1:" in result.stderr


async def test_a_namespace_that_is_not_there_is_told(world: World) -> None:
    result = await replay(world, TEMPORAL_NAMESPACE=f"none-{world.tag}")

    assert result.exit_code == 7
    assert f"none-{world.tag}" in result.stderr
    assert len(result.stderr.splitlines()) == 1
