"""Happy orders and returns on Backhaul and bare, in turns on the same server: what each case costs."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bench.happy_cases import Case, player, prepare
from bench.histories import Cost, costs_of
from bench.measurements import Measured, Pair, Round, Spread
from bench.stack import KINDS, BenchStack, Cpu, Kind
from models import ids

CALM_SECONDS: Final = 0.5
_SETTLE_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 4.0
_CASE_NAMES: Final = ("order", "return")

Say = Callable[[str], None]


@dataclass(frozen=True)
class CalmCosts:
    """The histories of one calm order and return, by kind of worker."""

    orders: dict[str, list[Cost]]
    returns: dict[str, list[Cost]]


async def calm_cases(stack: BenchStack) -> CalmCosts:
    """One order and one return on each, one step after the other: what is counted here does not depend on chance.

    The workers must be counting SQL. The first case of each is played only to warm up.
    """
    orders: dict[str, list[Cost]] = {}
    returns: dict[str, list[Cost]] = {}
    for kind in KINDS:
        cases = await prepare(stack, f"calm{kind}", 2)
        for case, calm in zip(cases, (0.0, CALM_SECONDS), strict=True):
            playing = player(stack, kind, calm)
            await playing.order(case)
            await playing.return_all(case)
        orders[kind] = await _costs(stack, playing.order_workflow(case))
        returns[kind] = await _costs(stack, playing.return_workflow(case))
    return CalmCosts(orders, returns)


def calm_workflows() -> tuple[str, str, str]:
    """The workflow ids of Backhaul's calm order, of its return, and of that one's refund of the seller."""
    order_id = "calmbackhaul1"
    return_id = ids.return_id(order_id, 1)
    refund_id = ids.return_refund_id(return_id, "seller", 1)
    return ids.order_workflow_id(order_id), ids.return_workflow_id(return_id), ids.refund_workflow_id(refund_id)


async def _costs(stack: BenchStack, workflow_id: str) -> list[Cost]:
    costs = await costs_of(stack.client, workflow_id)
    return [cost.model_copy(update={"statements": stack.feed.statements[cost.workflow_id]}) for cost in costs]


async def play_rounds(
    stack: BenchStack, rounds: int, cases: int, at_once: int, say: Say
) -> AsyncIterator[list[Round]]:
    """So many rounds after one that only warms up; who begins changes with each. Gives those played so far."""
    await _warm_up(stack, at_once)
    idle = await _idle(stack)
    played: list[Round] = []
    for number in range(1, rounds + 1):
        for kind in KINDS if number % 2 else reversed(KINDS):
            some = await prepare(stack, f"r{number}{kind}", cases)
            for name in _CASE_NAMES:
                one = await _round(stack, number, kind, name, some, at_once, idle)
                played.append(one)
                say(
                    f"round {number}  {name:6} {kind:8}  worker {one.worker_ms:6.1f} ms  "
                    f"server {one.server_ms:6.1f} ms  {one.per_second:5.1f} per second"
                )
        yield played


async def _warm_up(stack: BenchStack, count: int) -> None:
    for kind in KINDS:
        playing = player(stack, kind)
        some = await prepare(stack, f"warm{kind}", count)
        await at_most(count, some, playing.order)
        await at_most(count, some, playing.return_all)


async def _idle(stack: BenchStack) -> Cpu:
    """What each process uses in a second in which nothing happens."""
    await asyncio.sleep(_SETTLE_SECONDS)
    before = stack.cpu()
    await asyncio.sleep(_IDLE_SECONDS)
    return (stack.cpu() - before) * (1 / _IDLE_SECONDS)


async def _round(
    stack: BenchStack, number: int, kind: Kind, name: str, cases: list[Case], at_once: int, idle: Cpu
) -> Round:
    playing = player(stack, kind)
    play = playing.order if name == "order" else playing.return_all
    await asyncio.sleep(_SETTLE_SECONDS)
    clock, before = asyncio.get_running_loop().time(), stack.cpu()
    await at_most(at_once, cases, play)
    played = asyncio.get_running_loop().time() - clock
    await asyncio.sleep(_SETTLE_SECONDS)
    used = stack.cpu() - before - idle * (played + _SETTLE_SECONDS)
    return Round(
        number=number,
        worker=kind,
        case=name,
        worker_ms=used.worker(kind) / len(cases),
        server_ms=used.server / len(cases),
        per_second=len(cases) / played,
        update_ms=[seconds * 1000 for seconds in playing.updates],
    )


async def at_most(at_once: int, cases: Iterable[Case], play: Callable[[Case], Awaitable[None]]) -> None:
    """Play them all, so many at a time. The first failure ends it."""
    left = iter(cases)

    async def lane() -> None:
        for case in left:
            await play(case)

    async with asyncio.TaskGroup() as lanes:
        for _ in range(at_once):
            lanes.create_task(lane())


# ---- summed up ----


def pair_of(rounds: list[Round], name: str, costs: dict[str, list[Cost]]) -> Pair:
    """What all rounds of one kind of case say together."""
    by_kind = {kind: [one for one in rounds if one.case == name and one.worker == kind] for kind in KINDS}
    pairs = list(zip(by_kind["backhaul"], by_kind["bare"], strict=True))
    return Pair(
        backhaul=_measured(by_kind["backhaul"], costs["backhaul"]),
        bare=_measured(by_kind["bare"], costs["bare"]),
        worker_ratio=_spread([ours.worker_ms / bare.worker_ms for ours, bare in pairs]),
        server_ratio=_spread([ours.server_ms / bare.server_ms for ours, bare in pairs]),
    )


def _measured(rounds: list[Round], costs: list[Cost]) -> Measured:
    updates = [ms for one in rounds for ms in one.update_ms]
    kinds = sum((cost.kinds for cost in costs[1:]), costs[0].kinds)
    return Measured(
        worker_ms=_spread([one.worker_ms for one in rounds]),
        server_ms=_spread([one.server_ms for one in rounds]),
        per_second=_spread([one.per_second for one in rounds]),
        update_p50_ms=percentile(updates, 0.5),
        update_p99_ms=percentile(updates, 0.99),
        actions=kinds.total(),
        kinds=dict(kinds.most_common()),
        events=sum(cost.events for cost in costs),
        workflow_tasks=sum(cost.workflow_tasks for cost in costs),
        history_bytes=sum(cost.history_bytes for cost in costs),
        statements=sum(cost.statements for cost in costs),
    )


def _spread(values: list[float]) -> Spread:
    return Spread(median=statistics.median(values), low=min(values), high=max(values))


def percentile(values: list[float], part: float) -> float:
    """Of at least one value."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
