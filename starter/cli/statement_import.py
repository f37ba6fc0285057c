"""What `credit-memo import` does."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from temporalio.client import Client

from activities.database import Parties, Reading
from models.environment import settings_from_environment
from models.failures import BackhaulError, InvalidInput, NotFound, PartnerUnavailable, Problem
from models.ids import return_workflow_id
from models.message import Message, folded
from models.statements import BadRow, StatementRow, read_statement
from starter.cli.case_lookup import opened_books
from starter.cli.output import say, show_json
from starter.client.connection import connect
from starter.client.report import report
from starter.client.send import send_event

EVENT: Final = "credit_memo"


class RowProblem(Message):
    """A row that was not taken."""

    line: int
    column: str
    reason: str


class Imported(Message):
    """What became of the rows: `sent` to their returns, `known` before, kept as `orphans`, or not taken."""

    sent: int = 0
    known: int = 0
    orphans: int = 0
    problems: tuple[RowProblem, ...] = ()


async def import_statement(file: Path, supplier_id: str, as_json: bool) -> None:
    """Raises NotFound (no such file, no such supplier), InvalidInput with the bad rows, PartnerUnavailable."""
    client = await connect()
    with opened_books() as engine, _lines_of(file) as lines:
        Parties(engine).supplier(supplier_id)
        found = await import_rows(client, Reading(engine), str(file), lines, supplier_id)
    if as_json:
        show_json(found)
    else:
        bad = len(found.problems)
        say(f"{found.sent} sent, {found.known} known before, {found.orphans} kept as orphans, {bad} not taken")
    if found.problems:
        raise InvalidInput(
            str(file), [Problem(f"line {one.line}, {one.column}", one.reason) for one in found.problems]
        )


async def import_rows(
    client: Client, reading: Reading, name: str, lines: Iterable[str], supplier_id: str
) -> Imported:
    """One row after the other. Raises InvalidInput for a heading that lacks a column, PartnerUnavailable: the same
    file again goes on where this ended."""
    counts = {"sent": 0, "known": 0, "orphans": 0}
    problems: list[RowProblem] = []
    lines_of_parts: dict[tuple[str, str], int] = {}
    for row in read_statement(name, lines, supplier_id):
        if isinstance(row, BadRow):
            problems.append(RowProblem(line=row.line, column=row.column, reason=row.reason))
            continue
        part = (folded(row.memo.number), ":".join(folded(one) for one in row.numbers))
        if (before := lines_of_parts.setdefault(part, row.line)) != row.line:
            why = f"stands in line {before} already for this return: add the amounts up (RET-12)"
            problems.append(RowProblem(line=row.line, column="number", reason=why))
            continue
        try:
            counts[await _take(client, reading, row, supplier_id)] += 1
        except PartnerUnavailable:
            raise
        except BackhaulError as no:
            problems.append(RowProblem(line=row.line, column="number", reason=str(no)))
    return Imported(**counts, problems=tuple(problems))


async def _take(client: Client, reading: Reading, row: StatementRow, supplier_id: str) -> str:
    """Raises a BackhaulError when its return does not take it."""
    fitting = await asyncio.to_thread(_returns_of, reading, row.numbers, supplier_id)
    if len(fitting) != 1:
        settings = settings_from_environment()
        kept = await report(
            client,
            supplier_id,
            EVENT,
            row.memo,
            row.numbers,
            supplier_id=supplier_id,
            look_days=settings.orphan_days,
            look_pauses_minutes=settings.orphan_pauses_minutes,
        )
        return "known" if kept.already else "orphans"
    (return_id,) = fitting
    if await asyncio.to_thread(_is_booked, reading, return_id, row):
        return "known"
    delivery = await send_event(client, return_workflow_id(return_id), EVENT, row.memo)
    return "known" if delivery.answer is not None and delivery.answer.duplicate else "sent"


def _returns_of(reading: Reading, numbers: Iterable[str], supplier_id: str) -> set[str]:
    """This supplier's returns that have all these numbers, as far as any return has them."""
    each = [
        {one.return_id for one in reading.find_return(number) if one.supplier_id == supplier_id}
        for number in numbers
    ]
    known = [found for found in each if found]
    return set.intersection(*known) if known else set()


def _is_booked(reading: Reading, return_id: str, row: StatementRow) -> bool:
    """Raises InvalidInput when the number was booked for this return with another amount."""
    memo = row.memo
    for one in reading.return_view(return_id).credit_memos:
        if folded(one.number) == folded(memo.number):
            if (one.amount, one.currency) != (memo.amount, memo.currency):
                why = f"was booked for return {return_id} with {one.amount} {one.currency}"
                raise InvalidInput(memo.number, [Problem("amount", why)])
            return True
    return False


@contextmanager
def _lines_of(file: Path) -> Iterator[Iterator[str]]:
    """Raises NotFound, InvalidInput."""
    try:
        if str(file) == "-":
            yield iter(sys.stdin)
            return
        with file.open(encoding="utf-8-sig", newline="") as opened:
            yield iter(opened)
    except UnicodeDecodeError:
        raise InvalidInput(str(file), [Problem("(file)", "is not UTF-8 text")]) from None
    except OSError as error:
        raise NotFound(f"{file} can't be read: {error.strerror}") from None
