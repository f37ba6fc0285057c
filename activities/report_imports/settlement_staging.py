"""A settlement goes into the database before anything of it is entered in the ledger: one that is damaged, or does
not add up, moves nothing (AMZ-8)."""

import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from tempfile import NamedTemporaryFile
from typing import BinaryIO, Final, NamedTuple

from sqlalchemy import Engine

from activities.connectors.amazon.settlement_report import Refusal, SettlementReport
from activities.database.report_imports import ReportRegister
from activities.database.settlements import Claimed, ReadSettlement, Settlements
from activities.report_imports.rejected import RejectedRows
from models.amazon.report_imports import ReportKind, StagedReport
from models.amazon.returned_items import RejectedRow
from models.amazon.settlement import SettledAmount, SettlementSums
from models.amazon.settlements import SettlementState
from models.failures import Conflict
from models.money import from_minor_units
from models.text import counted

_AT_A_TIME: Final = 5000
_MOST_UNITS: Final = 2**62
"""What a database adds up exactly."""


class StagedSettlement(NamedTuple):
    """What became of a file. `import_id`: the import that its amounts are in, an earlier one where it is known;
    `off`: by how much the total is more than the amounts, in the currency's smallest unit."""

    import_id: str
    settlement_id: str
    is_known: bool
    state: SettlementState
    amounts: int
    rejected: int
    off: int
    currency: str

    def report_of(self, import_id: str) -> StagedReport:
        """What the import that read it by itself goes on with. What an earlier one has begun to book, it books to
        the end."""
        if self.state is SettlementState.HELD:
            return StagedReport(rejected=self.rejected, refused=self._why_held)
        if self.is_known and self.state is SettlementState.BOOKED:
            return StagedReport(skipped={"known before": self.amounts})
        return StagedReport(amounts=self.amounts, kept_in=None if self.import_id == import_id else self.import_id)

    @property
    def _why_held(self) -> str:
        off = f"its total is {from_minor_units(self.off, self.currency)} {self.currency} more than its amounts are"
        rejected = f"{counted(self.rejected, 'row')} not taken: backhaul amazon rejected {self.import_id}"
        why = "; ".join((*([off] if self.off else ()), *([rejected] if self.rejected else ())))
        return f"settlement {self.settlement_id} is held, and nothing of it is booked: {why}"


def stage_settlement(
    engine: Engine,
    import_id: str,
    connection_id: str,
    seller_id: str,
    source: str,
    stream: BinaryIO,
    *,
    with_difference: bool = False,
) -> StagedSettlement:
    """Keep its amounts, and the rows that can't be read, in bounded memory. It may be booked if all was read and
    the sum is the total, or `with_difference` a person takes it as it is; else it is held.

    Raises InvalidInput (no settlement report, or damaged), Conflict (it is there with other contents),
    PartnerUnavailable.
    """
    report, settlements = SettlementReport(stream), Settlements(engine)
    ReportRegister(engine).begin(import_id, ReportKind.SETTLEMENT, connection_id, source)
    try:
        with _Gathered(report, RejectedRows(ReportRegister(engine), import_id)) as read:
            said = ReadSettlement(
                import_id=import_id,
                connection_id=connection_id,
                seller_id=seller_id,
                head=report.head,
                digest=read.digest,
                came=read.sums.units,
                amounts=read.sums.rows,
                rejected=read.rejected.count,
                at=datetime.now(UTC),
            )
            claimed = settlements.claim(said)
            if claimed.found == "other":
                raise Conflict(claimed.words)
            if claimed.found == "new":
                _keep(settlements, said, read.by_order())
        if claimed.found == "new" and _may_be_booked(said, with_difference=with_difference):
            state = SettlementState.BOOKING if said.amounts else SettlementState.BOOKED
            settlements.release(import_id, state)
            claimed = claimed._replace(state=state)
    except (Refusal, Conflict):
        settlements.forget(import_id)
        raise
    # An import that is tried again finds what itself has kept.
    is_known = claimed.found == "known" and claimed.import_id != import_id
    if is_known:
        settlements.forget(import_id)
    return _staged(said, claimed, is_known=is_known)


def _may_be_booked(said: ReadSettlement, *, with_difference: bool) -> bool:
    adds_up = said.head.total == said.came and not said.rejected
    return adds_up or (with_difference and said.amounts > 0)


def _staged(said: ReadSettlement, claimed: Claimed, *, is_known: bool) -> StagedSettlement:
    head = said.head
    return StagedSettlement(
        import_id=claimed.import_id,
        settlement_id=head.settlement_id,
        is_known=is_known,
        state=claimed.state,
        amounts=said.amounts,
        rejected=said.rejected,
        off=head.total - said.came,
        currency=head.currency,
    )


def _keep(settlements: Settlements, said: ReadSettlement, rows: Iterator[SettledAmount]) -> None:
    position = 0
    while some := list(islice(rows, _AT_A_TIME)):
        settlements.add(said.import_id, said.seller_id, position, some)
        position += len(some)


class _Gathered:
    """A whole report, read once: added up, and its amounts in a file, to be given by order."""

    def __init__(self, report: SettlementReport, rejected: RejectedRows) -> None:
        self.sums, self.rejected = SettlementSums(), rejected
        self._head, self._rows, self._digest = report.head, report, 0

    def __enter__(self) -> "_Gathered":
        """Raises Refusal."""
        self._file = NamedTemporaryFile(prefix="settlement-")
        self._database = sqlite3.connect(self._file.name, check_same_thread=False)
        try:
            self._database.execute("PRAGMA journal_mode = OFF")
            self._database.execute("CREATE TABLE amount (of_order TEXT, line INTEGER, said BLOB)")
            self._database.executemany("INSERT INTO amount VALUES (?, ?, ?)", self._read())
            self.rejected.flush()
            if self.sums.moved >= _MOST_UNITS:
                raise Refusal("settlement report", "moves more money than there is")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self._file), closing(self._database):
            pass

    @property
    def digest(self) -> str:
        """Of all that was read, in whatever order it stood."""
        return f"{self._digest:064x}"

    def by_order(self) -> Iterator[SettledAmount]:
        """Those of one order one after the other; those of none first."""
        for (said,) in self._database.execute("SELECT said FROM amount ORDER BY of_order, line"):
            yield SettledAmount._make(pickle.loads(said))

    def _read(self) -> Iterator[tuple[str, int, bytes]]:
        self._note(repr(tuple(self._head)))
        for row in self._rows:
            if isinstance(row, RejectedRow):
                self._note(repr((row.column, row.reason, sorted(row.cells.items()))))
                self.rejected.count += 1
                self.rejected.add((row,))
            else:
                said = tuple(row)
                self._note(repr(said[1:]))
                self.sums.add(row)
                yield row.order_id, row.line, pickle.dumps(said)

    def _note(self, said: str) -> None:
        digest = int.from_bytes(sha256(said.encode()).digest())
        self._digest = (self._digest + digest) % 2**256
