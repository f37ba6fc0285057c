"""What `order start` does: check a whole file, and start its orders."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from temporalio.client import Client

from models.failures import BackhaulError, Category, Conflict, InvalidInput, Problem
from models.message import folded
from models.orders import OrderRequest
from models.payments import BY_GATEWAY
from models.records import Opening
from starter.cli.case_lookup import books_if_there, order_case
from starter.cli.documents import open_document
from starter.cli.output import console, remark, say
from starter.client.connection import connect
from starter.client.send import EventRefused
from starter.client.start import Opened, open_order

_AT_A_TIME: Final = 10
_TOLD_ONE_BY_ONE: Final = 20
_REFUSED_AS: Final = {
    Opening.DUPLICATE: Category.CONFLICT,
    Opening.CONFLICT: Category.CONFLICT,
    Opening.REFUSED: Category.REFUSED_BY_RULE,
}


class Advance:
    """Says that one more is done; on a terminal, with a bar."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("orders", total=total) if progress is not None else None

    def __call__(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)


def read_orders(file: Path) -> list[OrderRequest]:
    """Every order of a file. Raises NotFound, InvalidInput with file, entry and field."""
    requests = open_document(file).read(OrderRequest)
    _require_distinct(str(file), requests)
    return requests


def _require_distinct(name: str, requests: Sequence[OrderRequest]) -> None:
    """No two orders of a file may have in common what one order alone may have (ORD-17, REF-3)."""
    first: dict[tuple[str, ...], int] = {}
    problems: list[Problem] = []
    for number, request in enumerate(requests, 1):
        for field, value in _of_one_order_alone(request):
            if (seen := first.setdefault((field, *value), number)) != number:
                problems.append(Problem(f"entry {number}, {field}", f"the same as that of entry {seen}"))
    if problems:
        raise InvalidInput(name, problems)


def _of_one_order_alone(request: OrderRequest) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "order_id", (request.order_id,)
    if request.channel_order_id is not None:
        key = (request.seller_id, request.channel.value, folded(request.channel_order_id))
        yield "channel_order_id", key
    for payment in request.paid_with:
        if payment.reference is not None and payment.paid_by in BY_GATEWAY:
            yield "payment reference", (payment.paid_by, payment.reference)


def refusals(requests: Sequence[OrderRequest]) -> dict[str, EventRefused]:
    """Why the books would not take them (ORD-17, REF-3), by order id; without books here the case says it."""
    with books_if_there() as reading:
        if reading is None:
            return {}
        answers = {request.order_id: reading.refusal_of_order(request) for request in requests}
    return {
        number: EventRefused(f"order {number} is not taken: {answer.reason}", _REFUSED_AS[answer.opening])
        for number, answer in answers.items()
        if answer is not None
    }


async def start_orders(requests: Sequence[OrderRequest]) -> None:
    """Start them, a few at a time, and say what became of each.

    Raises EventRefused, Conflict, PartnerUnavailable.
    """
    client = await connect()
    refused = refusals(requests)
    to_start = [request for request in requests if request.order_id not in refused]
    opened: list[Opened] = []
    failures: list[BackhaulError] = list(refused.values())
    unsent: list[BackhaulError] = []
    with _progress(len(requests)) as advance:
        await _start_all(client, to_start, opened, unsent, advance)
    for refusal in refused.values() if len(requests) > 1 else ():
        say(f"{refusal}")
    place = {order_case(request.order_id): place for place, request in enumerate(requests)}
    for case in sorted(opened, key=lambda case: place[case.workflow_id]):
        number = case.workflow_id.removeprefix("order-")
        if case.differs:
            what = f"order {number} already exists and differs in {case.differs}: it is left as it was"
            how = "correct it by events (backhaul order --help), or use another number"
            failures.append(Conflict(f"{what}; {how}"))
            say(what)
        elif case.already:
            say(f"order {number} already exists; not repeated")
        elif len(requests) <= _TOLD_ONE_BY_ONE:
            say(f"order {number} started")
    if len(requests) > 1:
        already = sum(case.already for case in opened)
        not_sent = len(to_start) - len(opened)
        told = f"{len(opened) - already} started, {already} already existed, {not_sent} not sent"
        say(f"{told}, {len(refused)} refused" if refused else told)
    if unsent:
        remark("send the file again later: what was started is not repeated")
        raise unsent[0]
    if failures:
        raise failures[0]


async def _start_all(
    client: Client,
    requests: Sequence[OrderRequest],
    opened: list[Opened],
    failures: list[BackhaulError],
    advance: Advance,
) -> None:
    """A few at a time, in their order; none any more after the first failure."""
    waiting = iter(requests)

    async def work() -> None:
        for request in waiting:
            if failures:
                return
            try:
                opened.append(await open_order(client, request))
            except BackhaulError as error:
                failures.append(error)
                return
            advance()

    await asyncio.gather(*(work() for _ in range(_AT_A_TIME)))


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    terminal = console(error=True)
    if total == 1 or not terminal.is_terminal:
        yield Advance(None, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield Advance(progress, total)
