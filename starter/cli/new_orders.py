"""What `order start` does: check a whole file, and start its orders."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from temporalio.client import Client

from models.failures import BackhaulError, Conflict, InvalidInput, Problem
from models.orders import OrderRequest
from starter.cli.case_lookup import order_case
from starter.cli.documents import open_document
from starter.cli.output import console, remark, say
from starter.client.connection import connect
from starter.client.start import Opened, open_order

_AT_A_TIME: Final = 10
_TOLD_ONE_BY_ONE: Final = 20


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
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for number, request in enumerate(requests, 1):
        if request.order_id in first:
            problems.append(
                Problem(f"entry {number}, order_id", f"the same as that of entry {first[request.order_id]}")
            )
        first.setdefault(request.order_id, number)
    if problems:
        raise InvalidInput(name, problems)


async def start_orders(requests: Sequence[OrderRequest]) -> None:
    """Start them, a few at a time, and say what became of each. Raises PartnerUnavailable."""
    client = await connect()
    opened: list[Opened] = []
    failures: list[BackhaulError] = []
    with _progress(len(requests)) as advance:
        await _start_all(client, requests, opened, failures, advance)
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
        say(f"{len(opened) - already} started, {already} already existed, {len(requests) - len(opened)} not sent")
    if failures:
        if len(opened) < len(requests):
            remark("send the file again later: what was started is not repeated")
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
