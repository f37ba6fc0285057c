"""What `amazon import-returns`, `import-orders` and their sisters do (AMZ-1, CAN-7)."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from rich.progress import Progress
from sqlalchemy import Engine
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from activities.database import ConnectionRegister
from activities.database.report_imports import ImportListed, RejectedListed, ReportRegister
from activities.report_imports.staging import STAGED_BY
from models.amazon.report_imports import ReportImportRequest, ReportKind
from models.case import Ended
from models.connections import Connection, Provider
from models.contract import TASK_QUEUE
from models.failures import Conflict, InvalidInput, NotFound, Problem
from models.text import cleaned
from starter.cli.case_lookup import opened_books
from starter.cli.output import console, remark, say, show_json, show_table
from starter.client.connection import connect
from starter.client.start import open_report_import
from starter.client.status import ask_status

_SHOWN: Final = 20
_LOOK_SECONDS: Final = 0.5
LONGEST_NAME: Final = 100

Moved = Callable[[int, int | None], None]
"""Told how many returns or orders are done, and how many there are."""


async def import_report(kind: ReportKind, file: Path, connection_id: str, as_json: bool) -> None:
    """Raises NotFound, InvalidInput (no such report; bad rows, in the end), PartnerUnavailable."""
    with opened_books() as engine:
        client = await connect()
        with opened_report(file) as stream, Progress(console=console(error=True), transient=True) as progress:
            reading = progress.wrap_file(stream, total=size_of(file), description="reading")
            bar = progress.add_task(kind.value, total=None)

            def moved(done: int, cases: int | None) -> None:
                progress.update(bar, completed=done, total=cases)

            found = await import_rows(client, engine, kind, reading, connection_id, file.name, moved=moved)
        register = ReportRegister(engine)
        rejected = register.rejected(found.import_id, _SHOWN)
    if as_json:
        show_json(found)
    else:
        say(found.counted.in_words(kind))
    if found.counted.rejected:
        problems = [Problem(place_of(one), one.reason) for one in rejected]
        more = f"all rows that were not taken: backhaul amazon rejected {found.import_id}"
        raise InvalidInput(str(file), [*problems, Problem("more", more)])
    if not as_json:
        for one in rejected:
            say(f"{place_of(one)}: {one.reason}")


async def import_rows(
    client: Client,
    engine: Engine,
    kind: ReportKind,
    stream: BinaryIO,
    connection_id: str,
    source: str,
    *,
    moved: Moved = lambda done, cases: None,
    task_queue: str = TASK_QUEUE,
) -> ImportListed:
    """The whole report is in the database before its first return starts, or order hears of it, so
    one that is damaged does nothing, and the import goes on whatever happens to this process. Gives what became of
    it, once it is over.

    Raises NotFound, InvalidInput, PartnerUnavailable, Conflict (staff stopped it).
    """
    connection = account(engine, connection_id)
    register = ReportRegister(engine)
    import_id = f"{connection_id}.{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    stage = STAGED_BY[kind]
    named = cleaned(source)[:LONGEST_NAME] or "file"
    staged = await asyncio.to_thread(stage, register, import_id, connection_id, named, stream)
    request = ReportImportRequest(
        import_id=import_id,
        kind=kind,
        connection_id=connection_id,
        seller_id=connection.owner.removeprefix("seller:"),
        source=named,
        staged=staged,
    )
    opened = await open_report_import(client, request, task_queue=task_queue)
    remark(f"import {import_id} has begun; it goes on also if this command ends: backhaul amazon imports")
    handle = client.get_workflow_handle(opened.workflow_id, result_type=Ended)
    await import_ended(client, handle, moved)
    found = await asyncio.to_thread(register.find, import_id)
    if found is None:
        raise NotFound(f"the database does not have import {import_id}")
    return found


def show_imports(as_json: bool, limit: int) -> None:
    """The newest first. Raises what `opened_books` raises."""
    with opened_books() as engine:
        found = ReportRegister(engine).latest(limit)
    if as_json:
        show_json(found)
        return
    columns = ("import", "of", "source", "stage", "created", "updated", "known", "orphans", "not taken")
    show_table(columns, map(_cells, found), right=columns[4:])


def show_rejected(import_id: str, as_json: bool) -> None:
    """All rows of an import that were not taken, or not as they stand, page by page. Raises NotFound."""
    with opened_books() as engine:
        register = ReportRegister(engine)
        if register.find(import_id) is None:
            raise NotFound(f"there is no import {import_id}: backhaul amazon imports lists them")
        for one in register.every_rejected(import_id):
            say(one.model_dump_json() if as_json else f"{place_of(one)}: {one.reason}")


async def import_ended(client: Client, handle: WorkflowHandle[object, Ended], moved: Moved) -> None:
    """Wait for its end, and tell how far it came."""
    result = asyncio.ensure_future(handle.result())
    while not result.done():
        status = await ask_status(client, handle.id)
        if status is not None and status.facts:
            moved(status.facts["done"], status.facts["cases"])
        await asyncio.wait([result], timeout=_LOOK_SECONDS)
    try:
        result.result()
    except WorkflowFailureError as error:
        raise Conflict(f"the import was stopped: {error.cause}") from None


def _cells(one: ImportListed) -> tuple[object, ...]:
    counted = one.counted
    numbers = (counted.created, counted.updated, counted.known, counted.orphans, counted.rejected)
    return (one.import_id, one.kind.value, one.source, one.stage or "not begun", *numbers)


def opened_report(file: Path) -> BinaryIO:
    """Raises NotFound."""
    try:
        return file.open("rb")
    except OSError as error:
        raise NotFound(f"{file} can't be read: {error.strerror}") from None


def size_of(file: Path) -> int:
    """Bytes."""
    return file.stat().st_size


def account(engine: Engine, connection_id: str) -> Connection:
    """The account. Raises NotFound, InvalidInput."""
    connection = ConnectionRegister(engine).get(connection_id)
    if connection.provider is not Provider.AMAZON:
        raise InvalidInput(connection_id, [Problem("connection", "is no account at Amazon")])
    return connection


def place_of(problem: RejectedListed) -> str:
    """`line 3, Return quantity`."""
    return f"line {problem.line}, {problem.column}" if problem.column else f"line {problem.line}"
