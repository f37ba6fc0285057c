"""What `amazon import-settlement` does (AMZ-8)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from rich.progress import Progress
from sqlalchemy import Engine
from temporalio.client import Client

from activities.database.report_imports import ReportRegister
from activities.database.settlement_report import reconciled
from activities.database.settlements import Settlements
from activities.report_imports.settlement_staging import StagedSettlement, stage_settlement
from models.amazon.report_imports import ReportImportRequest, ReportKind, StagedReport
from models.amazon.settlements import SettlementReconciled, SettlementState
from models.case import Ended
from models.contract import TASK_QUEUE
from models.failures import Conflict, InvalidInput, Problem
from models.money import from_minor_units
from models.text import cleaned, counted
from starter.cli.case_lookup import opened_books
from starter.cli.output import console, remark, say, show_json
from starter.cli.report_import import (
    LONGEST_NAME,
    Moved,
    account,
    import_ended,
    opened_report,
    place_of,
    size_of,
)
from starter.client.connection import connect
from starter.client.start import open_report_import

_SHOWN = 20


async def import_settlement(file: Path, connection_id: str, *, with_difference: bool, as_json: bool) -> None:
    """Raises NotFound, InvalidInput (no settlement report; it does not add up), Conflict (there with other
    contents), PartnerUnavailable."""
    with opened_books() as engine:
        client = await connect()
        with opened_report(file) as stream, Progress(console=console(error=True), transient=True) as progress:
            reading = progress.wrap_file(stream, total=size_of(file), description="reading")
            bar = progress.add_task("booking", total=None)

            def moved(done: int, amounts: int | None) -> None:
                progress.update(bar, completed=done, total=amounts)

            staged = await import_amounts(
                client,
                engine,
                reading,
                connection_id,
                file.name,
                with_difference=with_difference,
                moved=moved,
            )
        found = reconciled(engine, staged.settlement_id, connection_id)
        problems = _problems(engine, staged) if staged.state is SettlementState.HELD else []
    if as_json:
        show_json(found)
    else:
        say(_in_words(staged, found))
    if problems:
        raise InvalidInput(str(file), problems)


async def import_amounts(
    client: Client,
    engine: Engine,
    stream: BinaryIO,
    connection_id: str,
    source: str,
    *,
    with_difference: bool = False,
    moved: Moved = lambda done, amounts: None,
    task_queue: str = TASK_QUEUE,
) -> StagedSettlement:
    """The whole settlement is in the database before any of it is booked, and the booking goes on whatever happens
    to this process. What is held is not booked. Gives what became of it, once that is over.

    Raises NotFound, InvalidInput, Conflict, PartnerUnavailable.
    """
    connection = account(engine, connection_id)
    seller_id = connection.owner.removeprefix("seller:")
    import_id = f"{connection_id}.{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    named = cleaned(source)[:LONGEST_NAME] or "file"
    staged = await asyncio.to_thread(
        stage_settlement,
        *(engine, import_id, connection_id, seller_id, named, stream),
        with_difference=with_difference,
    )
    if staged.state is not SettlementState.BOOKING:
        return staged
    request = ReportImportRequest(
        import_id=staged.import_id,
        connection_id=connection_id,
        seller_id=seller_id,
        source=named,
        kind=ReportKind.SETTLEMENT,
        staged=StagedReport(amounts=staged.amounts, rejected=staged.rejected),
    )
    opened = await open_report_import(client, request, task_queue=task_queue)
    remark(f"import {staged.import_id} has begun; it goes on also if this command ends: backhaul amazon imports")
    handle = client.get_workflow_handle(opened.workflow_id, result_type=Ended)
    await import_ended(client, handle, moved)
    settlement = await asyncio.to_thread(Settlements(engine).of_import, staged.import_id)
    if settlement is None or settlement.state is not SettlementState.BOOKED:
        raise Conflict("the import was stopped before all was booked: import the file again, and it goes on")
    return staged._replace(state=SettlementState.BOOKED)


def _problems(engine: Engine, staged: StagedSettlement) -> list[Problem]:
    """Why it is held: rows that were not taken, and a sum that is not the total."""
    rejected = ReportRegister(engine).rejected(staged.import_id, _SHOWN)
    problems = [Problem(place_of(one), one.reason) for one in rejected]
    if staged.off:
        off = from_minor_units(staged.off, staged.currency)
        problems.append(Problem("total-amount", f"is {off} {staged.currency} more than its amounts are"))
    if rejected:
        more = f"all rows that were not taken: backhaul amazon rejected {staged.import_id}"
        problems.append(Problem("more", more))
    return problems


def _in_words(staged: StagedSettlement, found: SettlementReconciled) -> str:
    what = (
        f"settlement {found.settlement_id} of {found.total} {found.currency}, {counted(found.amounts, 'amount')}"
    )
    if staged.is_known:
        return f"{what}: was imported before, and nothing is new"
    if staged.state is SettlementState.HELD:
        return f"{what}: held, for it does not add up; nothing is booked"
    seen = f"{counted(found.confirmed, 'refund')} confirmed, {counted(len(found.differences), 'difference')}"
    return f"{what}: booked; {seen}, {counted(len(found.unknown), 'unknown word')}"
