"""The activities that keep the books: quick, idempotent, one transaction each."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.database import cases, orders, refunds, return_openings, returns
from activities.database.transactions import write
from models.failures import HANDLING, BackhaulError
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    OpenedOrder,
    OpenOrder,
    OpenReturn,
    RefundTakenBack,
    ReopenReturn,
    ReservedRefund,
    ReserveRefund,
    ReturnOpening,
    ReturnReopened,
    SaveCase,
    Saved,
    SaveOrder,
    SaveReturn,
    SettleRefund,
)

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Books:
    """The books as activities. Their errors: NotFound (final), PartnerUnavailable (retried)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="open_order")
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        """Write an order down for the first time; its totals are shared out over its lines (ORD-1)."""
        return self._write(orders.open_order, ask)

    @activity.defn(name="save_order")
    def save_order(self, ask: SaveOrder) -> Saved:
        """Keep an order up to date."""
        return self._write(orders.save_order, ask)

    @activity.defn(name="open_return")
    def open_return(self, ask: OpenReturn) -> ReturnOpening:
        """Write a return down for the first time, if RET-2 allows it; one per supplier."""
        return self._write(return_openings.open_return, ask)

    @activity.defn(name="save_return")
    def save_return(self, ask: SaveReturn) -> Saved:
        """Keep a return up to date."""
        return self._write(returns.save_return, ask)

    @activity.defn(name="reopen_return")
    def reopen_return(self, ask: ReopenReturn) -> ReturnReopened:
        """Open a return again whose refund failed after it had ended (REF-7)."""
        return self._write(return_openings.reopen_return, ask)

    @activity.defn(name="book_credit_memo")
    def book_credit_memo(self, ask: BookCreditMemo) -> CreditMemoBooked:
        """Count a supplier's credit memo once (RET-12)."""
        return self._write(returns.book_credit_memo, ask)

    @activity.defn(name="reserve_refund")
    def reserve_refund(self, ask: ReserveRefund) -> ReservedRefund:
        """Check the cap and reserve the amount (REF-3, REF-4, REF-5)."""
        return self._write(refunds.reserve_refund, ask)

    @activity.defn(name="settle_refund")
    def settle_refund(self, ask: SettleRefund) -> Saved:
        """Write down what became of a refund (REF-7)."""
        return self._write(refunds.settle_refund, ask)

    @activity.defn(name="take_back_refund")
    def take_back_refund(self, ask: SettleRefund) -> RefundTakenBack:
        """Give the amount of a refund that failed after it had succeeded back to the cap (REF-7)."""
        return self._write(refunds.take_back_refund, ask)

    @activity.defn(name="save_case")
    def save_case(self, ask: SaveCase) -> Saved:
        """Keep stage, wait and timeline of a case up to date (NTF-3)."""
        return self._write(_save_case, ask)

    def _write(self, work: Callable[[Session, Ask], Answer], ask: Ask) -> Answer:
        try:
            return write(self._engine, lambda session: work(session, ask))
        except BackhaulError as error:
            raise ApplicationError(
                str(error), type=error.category.value, non_retryable=not HANDLING[error.category].retried
            ) from None


def _save_case(session: Session, ask: SaveCase) -> Saved:
    cases.write_case(session, ask.record)
    return Saved()
