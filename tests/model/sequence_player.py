"""Play a sequence on the running product beside the model, and audit what really happened to the money."""

import asyncio
import traceback
from collections import Counter
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from temporalio.client import WorkflowExecutionStatus

from activities.database.views import OrderView
from models.refunds import Direction, RefundState, Way
from starter.sandbox.facts import Effects
from tests.eventually import PATIENCE
from tests.model.procedure import Possible
from tests.model.real_cases import RealCase, RealOrder, RealRefunds, RealReturn
from tests.model.sequences import KINDS, Sequence
from tests.model.stage_walker import ORDER_GOES_ON, REFUND_GOES_ON, RETURN_GOES_ON, walk
from tests.world import World

REAL: dict[str, Any] = {"order": RealOrder, "return": RealReturn, "refunds": RealRefunds}
GOES_ON = {"order": ORDER_GOES_ON, "return": RETURN_GOES_ON, "refunds": REFUND_GOES_ON}
AT_A_TIME = 4
OUR_ID = "backhaul_id"


class Violation(AssertionError):
    """The product did what the model does not allow."""


@dataclass
class Figures:
    """What was played, for people."""

    sequences: int = 0
    events: int = 0
    rejected: int = 0
    clock_moves: int = 0
    damages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Which events were sent damaged in which way."""
    open_at_last: int = 0
    """Cases that a sequence left open, which then did what they waited for until they ended."""
    ended: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        """Take another round's figures in."""
        self.sequences += other.sequences
        self.events += other.events
        self.rejected += other.rejected
        self.clock_moves += other.clock_moves
        self.damages += other.damages
        self.open_at_last += other.open_at_last
        self.ended += other.ended
        self.violations += other.violations

    def __str__(self) -> str:
        ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.ended.items()))
        return (
            f"{self.sequences} sequences, {self.events} events ({self.damages.total()} damaged, {self.rejected}"
            f" rejected), {self.clock_moves} moves of the clock, {self.open_at_last} left open, then ended"
            f", {len(self.violations)} violations; ends: {ends}"
        )


class Play:
    """One sequence, played once."""

    def __init__(self, world: World, sequence: Sequence) -> None:
        self.world = world
        self.sequence = sequence
        self.possible: Possible[Any] = Possible(KINDS[sequence.kind].procedure(sequence.setup))
        self.real: RealCase | None = None
        self.seen: tuple[Any, ...] = ()
        self.reached = 0
        self.left_open = 0
        self.ends: list[str] = []

    async def run(self) -> None:
        """Raises Violation at the first happening after which the product is where the model never is."""
        self.real = real = await REAL[self.sequence.kind].begin(self.world, self.sequence.setup)
        for number, happening in enumerate(self.sequence.happenings, 1):
            self.reached = number
            if happening.name == "clock":
                await self._compare()
            await real.happens(happening)
            self.possible.happens(happening)
            if happening.waits:
                await self._compare()
        self.possible.settle()
        await self._compare()
        for case in real.cases:
            status = await case.status()
            if status.outcome is None and status.waiting_for is None:
                raise Violation(f"{case.id} is open and does not say what it waits for")

    async def _compare(self) -> None:
        assert self.real is not None, "it has begun"
        self.possible.settle()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while True:
            await self.real.quiet()
            self.seen = await self.real.seen()
            if self.possible.keep(lambda state: self._expected(state) == self.seen):
                return
            if loop.time() > deadline:
                allowed = sorted({str(self._expected(state)) for state in self.possible.states})
                raise Violation(
                    f"after happening {self.reached}: seen {self.seen}, allowed {' or '.join(allowed)}"
                )
            await asyncio.sleep(0.1)

    def _expected(self, state: Any) -> tuple[Any, ...]:
        assert self.real is not None, "it has begun"
        return self.real.expected(self.possible.procedure, state)

    async def finish(self) -> None:
        """Do what each case waits for until it has ended; raises when that does not end it."""
        for case in self.real.cases if self.real else []:
            self.left_open += (await case.status()).outcome is None
            status = await walk(case, "ended", GOES_ON[self.sequence.kind])
            await asyncio.wait_for(case.handle.result(), PATIENCE)
            self.ends.append(status.stage)

    async def stop(self) -> None:
        """Leave nothing running behind: what could not be brought to its end, which is a violation by now."""
        for case in self.real.cases if self.real else []:
            if (await case.handle.describe()).status is WorkflowExecutionStatus.RUNNING:
                await case.handle.terminate("the sequence is over")


async def audit(play: Play, effects: Effects) -> None:
    """The gateway, the suppliers and the books say the same of this order; raises Violation."""
    assert play.real is not None, "it has begun"
    order = play.real.order
    books = await order.books()
    intents = {one.id for one in effects.payment_intents if one.metadata.get("order_id") == order.id}
    captured = sum((one.amount for one in effects.captures if one.payment_intent in intents), Decimal(0))
    moved = {
        one.metadata[OUR_ID]: one.amount
        for one in effects.refunds
        if one.metadata.get("order_id") == order.id and one.status != "failed"
    }
    times = Counter(one.metadata[OUR_ID] for one in effects.refunds if one.metadata.get("order_id") == order.id)
    written = {
        one.refund_id: one.amount
        for one in books.refunds.refunds
        if one.way is Way.GATEWAY and one.state in (RefundState.SUCCEEDED, RefundState.PENDING)
    }
    _same("refunds at the gateway and in the books", moved, written)
    if twice := [refund_id for refund_id, count in times.items() if count > 1]:
        raise Violation(f"refunded twice: {twice}")
    _same("captured and in the books", captured, sum((one.captured for one in books.charges), Decimal(0)))
    buyer = sum(
        one.amount
        for one in books.refunds.refunds
        if one.direction is Direction.SELLER_TO_BUYER
        and one.state in (RefundState.RESERVED, RefundState.PENDING, RefundState.SUCCEEDED)
    )
    if not getattr(play.sequence.setup, "allow_over_refund", False) and buyer > order.request.paid:
        raise Violation(f"{buyer} refunded of {order.request.paid}")
    _goods(books, effects)
    gone = bool(books.cessations) and not any(line.open or line.shipped for line in books.lines)
    if gone:
        to_seller = [one.amount for one in books.refunds.refunds if one.direction is Direction.BROKER_TO_SELLER]
        _same("the seller got all of its money back", captured, sum(to_seller, Decimal(0)))
    shipped = sum(line.shipped for line in books.lines)
    announced = [line for one in books.shipments for line in one.items.values()]
    _same("units shipped and announced", shipped, sum(announced))


def _goods(books: OrderView, effects: Effects) -> None:
    """Never cancelled and sent (CAN-4); of an order that has nothing open, what suppliers accepted and did not say
    that they can't deliver (ORD-19) is what has shipped: nothing more comes, and nothing is paid for nothing."""
    order_id = books.listed.order_id
    placed = [one for one in effects.supplier_orders if one.number.startswith(f"{order_id}-")]
    stopped = any(one.order_id == order_id for one in effects.stops)
    shipped = sum(line.shipped for line in books.lines)
    if placed and any(one.kind == "cancelled" for one in books.cessations):
        raise Violation("cancelled, and sent to a supplier (CAN-4)")
    if stopped and shipped:
        raise Violation("shipped, and stopped at the shop (CAN-11)")
    if not any(line.open for line in books.lines):
        short = {one.number: sum(one.short.values()) for one in books.supplier_orders}
        sent = sum(line["quantity"] for one in placed for line in one.lines)
        coming = sent - sum(short.get(one.number, 0) for one in placed)
        _same("units that suppliers are to ship and units shipped", coming, shipped)


def _same(what: str, one: object, other: object) -> None:
    if one != other:
        raise Violation(f"{what}: {one} and {other}")


async def play_all(world: World, sequences: Many[Sequence], *, at_a_time: int = AT_A_TIME) -> Figures:
    """Play them side by side; gives the figures, with each violation and the sequence that shows it."""
    figures = Figures()
    turn = asyncio.Semaphore(at_a_time)
    plays = [Play(world, sequence) for sequence in sequences]

    async def one(play: Play) -> None:
        async with turn:
            for part in (play.run, play.finish):
                try:
                    await asyncio.wait_for(part(), timedelta(minutes=2).total_seconds())
                except Exception as error:
                    _violated(figures, play, error)
            _count(figures, play)

    await asyncio.gather(*(one(play) for play in plays))
    effects = await world.effects()
    for play in plays:
        try:
            if play.real is not None:
                await audit(play, effects)
            await play.stop()
        except Exception as error:
            _violated(figures, play, error)
    return figures


def _violated(figures: Figures, play: Play, error: Exception) -> None:
    case = play.real.order.id if play.real else "not begun"
    told = f"{type(error).__name__}: {error}"
    if not isinstance(error, AssertionError | TimeoutError):
        told = "".join(traceback.format_exception(error))
    figures.violations.append(f"{told}\norder {case}; {play.sequence}")


def _count(figures: Figures, play: Play) -> None:
    figures.sequences += 1
    figures.clock_moves += sum(happening.name == "clock" for happening in play.sequence.happenings)
    figures.open_at_last += play.left_open
    figures.ended.update(f"{play.sequence.kind} {stage}" for stage in play.ends)
    if play.real is not None:
        figures.events += len(play.real.sent)
        figures.damages.update((one.name, one.damage) for one in play.real.sent if one.damage)
    if play.seen:
        figures.rejected += play.seen[-1]
