"""The activities that keep the database: quick, idempotent, one transaction each."""

import traceback
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.database import (
    case_numbers,
    cases,
    claims,
    cost_reviews,
    order_splits,
    orders,
    orphans,
    refunds,
    replacements,
    report_imports,
    return_openings,
    return_reopenings,
    return_windows,
    returns,
    shipment_corrections,
    special_orders,
)
from activities.database.transactions import read, write
from models.amazon.report_imports import SaveReportImport
from models.charges import ChargeConnection, ChooseConnection
from models.claims import OpenClaim, OpenedClaim, SaveClaim
from models.connections import of_seller
from models.cost_reviews import OpenCostReview, OpenedCostReview, SaveCostReview
from models.failures import HANDLING, BackhaulError, BalanceShort, Category, ConnectionUnusable
from models.orphans import FindCases, FoundCases, SaveOrphan
from models.records import (
    BookCreditMemo,
    CreditMemoBooked,
    NoteCorrection,
    NotedCorrection,
    NoteDelivery,
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
    SaveRefund,
    SaveReturn,
    SettleRefund,
)
from models.refunds import RefundRequest, RefundResult
from models.replacements import PreparedReplacement, PrepareReplacement
from models.special_orders import CheckSpecialOrder, SpecialOrderChecked
from models.splits import OrderSplit, SplitOrder

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")
Save = TypeVar("Save", SaveOrder, SaveReturn, SaveRefund, SaveCase)


class Database:
    """The database as activities.

    A no of the business is an answer, or a final error of its category (NotFound, Conflict, InvalidInput): never
    tried again as an outage. ConnectionUnusable: it works once staff have mended a connection. BalanceShort: once
    the seller's balance covers it. PartnerUnavailable: the database stays away. Internal: a fault of ours; it is
    tried again, and works once it is mended.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @activity.defn(name="open_order")
    def open_order(self, ask: OpenOrder) -> OpenedOrder:
        """Write an order down for the first time; its totals are shared out over its lines (ORD-1)."""
        return self._write(orders.open_order, ask)

    @activity.defn(name="split_order")
    def split_order(self, ask: SplitOrder) -> OrderSplit:
        """Move units of an order to an order of their own, with their part of its money (CAN-10)."""
        return self._write(order_splits.split_order, ask)

    @activity.defn(name="choose_connection")
    def choose_connection(self, ask: ChooseConnection) -> ChargeConnection:
        """By which connection a seller is charged whose order was opened before there was one (ORD-3)."""
        return self._write(orders.choose_connection, ask)

    @activity.defn(name="check_special_order")
    def check_special_order(self, ask: CheckSpecialOrder) -> SpecialOrderChecked:
        """Whether units that nobody had may wait for stock (ORD-8)."""
        return self._write(special_orders.check_special_order, ask)

    @activity.defn(name="save_order")
    def save_order(self, ask: SaveOrder) -> Saved:
        """Keep an order up to date."""
        return self._save(orders.save_order, ask)

    @activity.defn(name="open_return")
    def open_return(self, ask: OpenReturn) -> ReturnOpening:
        """Write a return down for the first time, if RET-2 allows it; one per supplier."""
        return self._write(return_openings.open_return, ask)

    @activity.defn(name="save_return")
    def save_return(self, ask: SaveReturn) -> Saved:
        """Keep a return up to date."""
        return self._save(returns.save_return, ask)

    @activity.defn(name="reopen_return")
    def reopen_return(self, ask: ReopenReturn) -> ReturnReopened:
        """Open a return again whose refund failed after it had ended (REF-7)."""
        return self._write(return_reopenings.reopen_return, ask)

    @activity.defn(name="prepare_replacement")
    def prepare_replacement(self, ask: PrepareReplacement) -> PreparedReplacement:
        """What the order is that replaces what comes back, or how it stands (RET-24)."""
        return self._do(read, replacements.prepare_replacement, ask)

    @activity.defn(name="book_credit_memo")
    def book_credit_memo(self, ask: BookCreditMemo) -> CreditMemoBooked:
        """Count a supplier's credit memo once (RET-12)."""
        return self._write(returns.book_credit_memo, ask)

    @activity.defn(name="reserve_refund")
    def reserve_refund(self, ask: ReserveRefund) -> ReservedRefund:
        """Check the cap and reserve the amount (REF-3, REF-4, REF-5)."""
        return self._write(refunds.reserve_refund, ask)

    @activity.defn(name="take_back_refund")
    def take_back_refund(self, ask: SettleRefund) -> RefundTakenBack:
        """Give the amount of a refund that failed after it had succeeded back to the cap (REF-7)."""
        return self._write(refunds.take_back_refund, ask)

    @activity.defn(name="save_refund")
    def save_refund(self, ask: SaveRefund) -> Saved:
        """Write down where a refund stands and what became of its money (REF-6, REF-7)."""
        return self._save(refunds.save_refund, ask)

    @activity.defn(name="refund_outcome")
    def refund_outcome(self, ask: RefundRequest) -> RefundResult:
        """What the database has of a refund, if it is the one that is asked for (REF-11)."""
        return self._do(read, refunds.refund_outcome, ask)

    @activity.defn(name="note_delivery")
    def note_delivery(self, ask: NoteDelivery) -> Saved:
        """Write down that a parcel of an order that has ended arrived (RET-22)."""
        return self._write(return_windows.note_delivery, ask)

    @activity.defn(name="note_correction")
    def note_correction(self, ask: NoteCorrection) -> NotedCorrection:
        """Write down the new number of a parcel of an order that has ended (ORD-20)."""
        return self._write(shipment_corrections.note_correction, ask)

    @activity.defn(name="open_cost_review")
    def open_cost_review(self, ask: OpenCostReview) -> OpenedCostReview:
        """Write a supplier-cost review down, if BAL-2 allows it."""
        return self._write(cost_reviews.open_cost_review, ask)

    @activity.defn(name="save_cost_review")
    def save_cost_review(self, ask: SaveCostReview) -> Saved:
        """Keep a supplier-cost review up to date; an approval is credited (BAL-1)."""
        return self._write(cost_reviews.save_cost_review, ask)

    @activity.defn(name="open_claim")
    def open_claim(self, ask: OpenClaim) -> OpenedClaim:
        """Write a claim down, if its units were voided and no other claim has them (CLM-1)."""
        return self._write(claims.open_claim, ask)

    @activity.defn(name="save_claim")
    def save_claim(self, ask: SaveClaim) -> Saved:
        """Keep a claim up to date; an approval is credited (BAL-1)."""
        return self._write(claims.save_claim, ask)

    @activity.defn(name="save_orphan")
    def save_orphan(self, ask: SaveOrphan) -> Saved:
        """Keep an orphan up to date (RET-20)."""
        return self._write(orphans.save_orphan, ask)

    @activity.defn(name="save_report_import")
    def save_report_import(self, ask: SaveReportImport) -> Saved:
        """Keep the import of a report up to date (AMZ-1)."""
        return self._write(report_imports.save_report_import, ask)

    @activity.defn(name="find_cases")
    def find_cases(self, ask: FindCases) -> FoundCases:
        """Which cases have these numbers (RET-17, RET-20)."""
        return self._do(read, case_numbers.find_cases, ask)

    @activity.defn(name="save_case")
    def save_case(self, ask: SaveCase) -> Saved:
        """Keep stage, wait and timeline of a case up to date (NTF-3)."""
        return self._save(_save_case, ask)

    def _save(self, work: Callable[[Session, Save], Saved], ask: Save) -> Saved:
        """As `_write`; with the orphans that may have their case now (RET-20)."""

        def save(session: Session, ask: Save) -> Saved:
            kept = work(session, ask)
            return kept.model_copy(update={"orphans": orphans.add_numbers_and_look(session, ask.record)})

        return self._write(save, ask)

    def _write(self, work: Callable[[Session, Ask], Answer], ask: Ask) -> Answer:
        return self._do(write, work, ask)

    def _do(
        self,
        in_transaction: Callable[[Engine, Callable[[Session], Answer]], Answer],
        work: Callable[[Session, Ask], Answer],
        ask: Ask,
    ) -> Answer:
        try:
            return in_transaction(self._engine, lambda session: work(session, ask))
        except BackhaulError as error:
            final, kind = not HANDLING[error.category].retried, error.category.value
            raise ApplicationError(str(error), *_whose(error), type=kind, non_retryable=final) from None
        except Exception as fault:
            # Where, and not what it says: that may quote somebody's data.
            where = traceback.extract_tb(fault.__traceback__)[-1]
            raise ApplicationError(
                f"a fault of ours: {type(fault).__name__} in {where.name}, line {where.lineno}",
                type=Category.INTERNAL.value,
            ) from None


def _whose(error: BackhaulError) -> tuple[dict[str, str], ...]:
    """Whose trouble it is, so that staff are told once for all its cases."""
    match error:
        case ConnectionUnusable():
            return ({"partner": error.connection},)
        case BalanceShort():
            return ({"partner": of_seller(error.seller_id)},)
    return ()


def _save_case(session: Session, ask: SaveCase) -> Saved:
    is_newest = cases.write_case(session, ask.record, takes_over=ask.is_opened)
    return Saved(is_newest=is_newest or not ask.is_opened)  # that another start has its place is no lost save
