"""What must stay flat although others decide how much of it there is: offers, hanging partners, payments."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from typing import Final

from activities.database import Reading
from bench import cancel_window
from bench.happy_cases import BackhaulPlayer, Case, prepare
from bench.histories import cost_of, history_of
from bench.measurements import FirstTry, HangingSupplier, Listing, Sourcing
from bench.rounds import Say, at_most
from bench.stack import BenchStack
from models import calls
from models.failures import NotFound
from starter.sandbox.facts import PaymentSeed, Seed

WIDTHS: Final = ((40, 250), (500, 250))
HANGING_CALLS: Final = 200
FOREIGN_PAYMENTS: Final = 1000
_SOURCING_SECONDS: Final = 120.0
_SAMPLES: Final = 5
_HANG_SECONDS: Final = 300.0


async def look_up() -> list[Listing]:
    """Lists and look-ups in a large database: `bench.database_lists`, in a process of its own."""
    asked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.database_lists", "--json", stdout=asyncio.subprocess.PIPE
    )
    try:
        said, _ = await asked.communicate()
    except asyncio.CancelledError:
        asked.terminate()
        await asked.wait()
        raise
    if asked.returncode:
        raise RuntimeError(f"bench.database_lists ended with {asked.returncode}")
    return [Listing.model_validate(one) for one in json.loads(said.decode().strip().splitlines()[-1])]


async def source(stack: BenchStack, lines: int, warehouses: int) -> Sourcing:
    """An order of many lines, each of which many warehouses have."""
    tag = f"wide{lines}x{warehouses}"
    (case,) = await prepare(stack, tag, 1, lines=lines, warehouses=warehouses)
    playing = BackhaulPlayer(stack)
    workflow_id = playing.order_workflow(case)
    began = time.perf_counter()
    await playing.start_order(case)
    seconds: float | None = None
    stuck_at: str | None = None
    try:
        await stack.feed.saved(workflow_id, "awaiting_shipment", _SOURCING_SECONDS)
        seconds = time.perf_counter() - began - cancel_window.SECONDS
    except TimeoutError:
        stuck_at = await _stuck_at(stack, workflow_id)
    history = await history_of(stack.client, workflow_id)
    if seconds is None:
        await stack.client.get_workflow_handle(workflow_id).terminate("it would go on in vain")
    return Sourcing(
        lines=lines,
        warehouses=warehouses,
        seconds=seconds,
        history_bytes=cost_of(history).history_bytes,
        stuck_at=stuck_at,
    )


async def _stuck_at(stack: BenchStack, workflow_id: str) -> str:
    known = (await stack.client.get_workflow_handle(workflow_id).describe()).raw_description
    for pending in known.pending_activities:
        return f"{pending.activity_type.name}: {pending.last_failure.message[:120]}"
    return "its workflow task" if known.HasField("pending_workflow_task") else "nothing"


async def hang(stack: BenchStack, say: Say) -> HangingSupplier:
    """While calls to the supplier hang, a new order that needs no supplier is opened, again and again."""
    held = await prepare(stack, "held", _SAMPLES * 2, auto_release=False)
    hanging = await prepare(stack, "hanging", HANGING_CALLS)
    playing = BackhaulPlayer(stack)
    undisturbed = [await _until_in_books(stack, playing, case) for case in held[:_SAMPLES]]
    fault = await stack.sandbox.add_fault("supplier", "delay", times=None, seconds=_HANG_SECONDS)

    async def authorized(case: Case) -> None:
        await playing.start_order(case)
        await stack.feed.ended(playing.order_workflow(case), calls.AUTHORIZE_CHARGE.name)

    await at_most(20, hanging, authorized)
    await asyncio.sleep(cancel_window.SECONDS + 1)
    seconds = []
    for case in held[_SAMPLES:]:
        seconds.append(await _until_in_books(stack, playing, case))
        say(f"{HANGING_CALLS} calls to a supplier hang: a new order is in the database after {seconds[-1]:.2f} s")
        await asyncio.sleep(2)
    for case in hanging:
        await stack.client.get_workflow_handle(playing.order_workflow(case)).terminate("measured")
    await stack.sandbox.take_back_fault(fault.id)
    return HangingSupplier(calls=HANGING_CALLS, seconds=seconds, undisturbed_seconds=undisturbed)


async def _until_in_books(stack: BenchStack, playing: BackhaulPlayer, case: Case) -> float:
    reading = Reading(stack.books)
    began = time.perf_counter()
    await playing.start_order(case)
    while True:
        try:
            await asyncio.to_thread(reading.order_view, case.order_id)
        except NotFound:
            await asyncio.sleep(0.01)
        else:
            return time.perf_counter() - began


async def first_try(stack: BenchStack) -> FirstTry:
    """A seller's charge is authorized and captured beside many payments of others."""
    others = tuple(
        PaymentSeed.model_validate({"id": f"pi_other{number}", "amount": "12.00", "currency": "USD"})
        for number in range(FOREIGN_PAYMENTS)
    )
    await stack.sandbox.seed(Seed(payments=others))
    (case,) = await prepare(stack, "among", 1)
    await stack.sandbox.clear_requests()
    playing = BackhaulPlayer(stack)
    await playing.start_order(case)
    await playing.saved(playing.order_workflow(case), "awaiting_shipment")
    requests = await stack.sandbox.requests("gateway")
    counted = Counter(f"{one.method} {re.sub(r'(pi|ch)_[^/]+', '*', one.path)}" for one in requests)
    return FirstTry(payments=FOREIGN_PAYMENTS, calls=dict(counted))
