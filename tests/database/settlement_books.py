"""A seller with an account at Amazon, and what settlements say of it (AMZ-8)."""

import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from activities.database import amazon_batches as batches
from activities.database.ledger import Ledger
from activities.database.settled_holds import held_between
from activities.database.settlement_booking import book_some
from activities.database.settlement_refunds import counted_between, refunds_by_amazon, refunds_to_tell
from activities.database.settlement_report import reconciled
from activities.database.settlements import Settlements
from activities.database.transactions import read, write
from activities.report_imports.settlement_staging import StagedSettlement, stage_settlement
from models.amazon.results import MessageEnd, MessageOutcome
from models.amazon.settlements import SettlementReconciled, SettlementState
from models.refunds import RefundState
from models.tables import SettlementRow
from tests.amazon_orders import FIRST
from tests.connectors.amazon.settlement_reports import BRAKE_PADS, REFUNDED, settlement
from tests.database.amazon_story import AmazonStory
from tests.database.story import Story

ID = "18000000001"


def sold(amount: str = "50.00") -> dict[str, str]:
    return BRAKE_PADS | {"amount": amount, "order-item-code": FIRST}


def back(amount: str, item: str = FIRST, **more: str) -> dict[str, str]:
    """Money that went back to the buyer."""
    named = {name.replace("_", "-"): cell for name, cell in more.items()}
    return REFUNDED | {"amount": f"-{amount}", "order-item-code": item} | named


class Books:
    """The seller acme with an account at Amazon, an order of 50.00, and what settlements say."""

    def __init__(self, story: Story, engine: Engine) -> None:
        self.engine, self.number = engine, 0
        self.at = AmazonStory(story, engine, queue="true")

    def staged(self, rows: Iterable[dict[str, str]], total: str, **more: Any) -> StagedSettlement:
        return self.file(settlement(rows, total), **more)

    def file(self, content: bytes, *, through: str = "amazon-acme", **more: Any) -> StagedSettlement:
        self.number += 1
        named = (f"{through}.{self.number}", through, "acme", "settlement.txt")
        return stage_settlement(self.engine, *named, io.BytesIO(content), **more)

    def booked(
        self, rows: Iterable[dict[str, str]], total: str, most: int = 2, **more: Any
    ) -> SettlementReconciled:
        """In the ledger, some amounts at a time."""
        staged = self.staged(rows, total, **more)
        assert staged.state is SettlementState.BOOKING
        for _ in range(staged.amounts + 1):
            write(self.engine, lambda session: book_some(session, staged.import_id, most))
        return self.reconciled()

    def another(self, number: str, rows: Iterable[dict[str, str]], total: str) -> SettlementReconciled:
        """One more settlement is in the ledger."""
        staged = self.file(settlement(rows, total, settlement_id=number))
        assert staged.state is SettlementState.BOOKING
        write(self.engine, lambda session: book_some(session, staged.import_id, 100))
        return self.reconciled(number)

    def reconciled(self, number: str = ID) -> SettlementReconciled:
        assert Ledger(self.engine).faults()[1] == []
        return reconciled(self.engine, number)

    def told(self, number: str = ID) -> list[tuple[str, bool]]:
        """Which refunds hear of this settlement, and whether they moved."""
        row = self._row(number)
        heard = read(self.engine, lambda session: refunds_to_tell(session, row, 0, row.booked_to))
        return [(one.refund_id, one.moved) for one in heard]

    def counted(self, number: str = ID) -> dict[str, int]:
        """Refunds of this settlement by verdict, and those of which it has a part only."""
        row = self._row(number)
        return read(self.engine, lambda session: counted_between(session, row, 0, row.booked_to))[0]

    def held(self, number: str = ID) -> list[str]:
        """What waited in the queue, and is held since this settlement."""
        row = self._row(number)
        found = read(self.engine, lambda session: held_between(session, row, 0, row.booked_to))
        return [one.entry_id for one in found]

    def by_amazon(self, number: str = ID) -> list[tuple[str | None, str | None]]:
        """The returns that hear that Amazon refunds, or why none does."""
        row = self._row(number)
        found = read(self.engine, lambda session: refunds_by_amazon(session, row, 0, row.booked_to))
        return [(one.return_id, one.note) for one in found]

    def _row(self, number: str) -> SettlementRow:
        row = Settlements(self.engine).of_import(reconciled(self.engine, number).import_id)
        assert row is not None, "it was imported"
        return row

    def sent(
        self, refund_id: str, amount: str, *, outcome: MessageEnd | None = MessageEnd.DONE, **more: Any
    ) -> None:
        """A refund that Amazon has; it said what became of it, or did not yet."""
        self.at.queued(refund_id, amount, **more)
        self.at.opened(f"B-{refund_id}", refund_id)
        write(self.engine, lambda session: handed_in(session, f"B-{refund_id}"))
        if outcome is not None:
            self.at.settled({1: MessageOutcome(end=outcome, note="?")}, f"B-{refund_id}")
        if outcome is MessageEnd.DONE:
            self.at.story.settled(refund_id, RefundState.SUCCEEDED)

    @property
    def balances(self) -> dict[str, Decimal]:
        return {one.account: one.balance for one in Ledger(self.engine).balances() if one.balance}


def handed_in(session: Session, batch_id: str) -> None:
    batches.note_uploaded(session, batch_id, "D-1")
    batches.begin_handing_in(session, batch_id, 1, "D-1")
    batches.note_feed(session, batch_id, f"F-{batch_id}")
